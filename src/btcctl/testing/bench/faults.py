"""What a test lets happen to an operator."""

from __future__ import annotations

from collections.abc import Callable

from btcctl.errors import BtcctlError, CallTimedOut, Conflict, Gone
from btcctl.informers.shared_informer import SharedInformer
from btcctl.informers.stepper import Stepper
from btcctl.testing.bench.calls import WRITES, Call, Fault, ObservedTransport, error_for
from btcctl.testing.bench.client import SteppedClient
from btcctl.testing.bench.clock import JumpingClock
from btcctl.testing.bench.stepping import SteppedManager
from btcctl.typed.kinds import AnyKind, type_of

_FOREVER = float("inf")
#: What a fault may be about: verbs of a Role, methods of paths that are no resource's, "write", and "" for all.
VERBS = WRITES | {"", "write", "get", "list", "watch", "post", "put"}


class Faults:
    """The part of a ClusterEnv that goes wrong.

    Attributes:
        client: What the operator was given.
        clock: The operator's time.
    """

    def __init__(
        self,
        transport: ObservedTransport,
        client: SteppedClient,
        clock: JumpingClock,
        life: Callable[[], SteppedManager],
    ) -> None:
        self.client = client
        self.clock = clock
        self._transport = transport
        self._life = life

    def settle(self) -> None:
        """Do all that is to be done at this instant: caches hold what the server has, handlers are told, keys rest.

        Raises:
            AssertionError: It does not come to rest.
        """
        self._life().settle()

    def fail(
        self,
        verb: str,
        kind: AnyKind | None,
        error: BtcctlError | type[BtcctlError],
        *,
        times: float = 1,
        retry_after: float | None = None,
    ) -> None:
        """The operator's next calls meet an error instead of the server.

        Args:
            verb: As in a Role; "write" is all that change something, "" is every one.
            kind: Of what; None is everything.
            error: Or the class of one.
            times: How often; infinity until `heal`.
            retry_after: Seconds that an error of the server says.

        Raises:
            ValueError: There is no such verb.
        """
        raised = error_for(error, retry_after)

        def happens(_: Call) -> None:
            raise raised

        self._transport.faults.append(Fault(_concerning(verb, kind), happens, times))

    def conflict(self, kind: AnyKind, *, times: int = 1) -> None:
        """Its next updates and patches of a kind come too late."""
        error = Conflict(
            409, "Conflict", "the object has been modified; please apply your changes to the latest version"
        )
        is_of_kind = _concerning("", kind)
        self._transport.faults.append(
            Fault(lambda call: call.verb in {"update", "patch"} and is_of_kind(call), _raising(error), times)
        )

    def delay(self, seconds: float, verb: str = "", kind: AnyKind | None = None, *, times: float = _FOREVER) -> None:
        """Calls take so long, on the operator's clock; until `heal`."""

        def happens(_: Call) -> None:
            self.clock.advance(seconds)

        self._transport.faults.append(Fault(_concerning(verb, kind), happens, times))

    def blackhole(self, seconds: float = 30.0) -> None:
        """No call is answered, each ends after so long; until `heal`. Watches that are open stay silent."""

        def happens(call: Call) -> None:
            self.clock.advance(seconds)
            raise CallTimedOut(f"{call}: no answer within {seconds:g} s")

        self._transport.faults.append(Fault(lambda _: True, happens, _FOREVER))
        for informer, stepper in self._steppers().items():
            stepper.is_cut_off = stepper.is_cut_off or informer.has_synced()

    def partition(self, kind: AnyKind) -> None:
        """The operator's cache of a kind lags behind, until `heal`: nothing comes from the server.

        Raises:
            AssertionError: It has no such cache.
        """
        name = f"{self.client.cluster}:{type_of(kind)}" if self.client.cluster else str(type_of(kind))
        found = [each for informer, each in self._steppers().items() if informer.name.split()[0] == name]
        if not found:
            raise AssertionError(f"the operator has no cache of {type_of(kind)}")
        for stepper in found:
            stepper.is_cut_off = True

    def heal(self) -> None:
        """Let everything be well again, and settle."""
        self.be_well()
        self.settle()

    def be_well(self) -> None:
        """The same, without settling."""
        self._transport.faults.clear()
        for stepper in self._steppers().values():
            stepper.is_cut_off = False

    def drop_watches(self) -> None:
        """Every watch ends, as when a server or a proxy restarts; settle."""
        self.client.drop_watches()
        self.settle()

    def too_old(self, kind: AnyKind | None = None) -> None:
        """The server has forgotten the versions from which watches would go on: they end, and it says 410; settle."""
        count = len(self._steppers()) if kind is None else 1
        self.fail("watch", kind, Gone(410, "Expired", "too old resource version"), times=count)
        self.drop_watches()

    def is_of_a_fault(self, error: BtcctlError) -> bool:
        """Whether a list or watch met this very error because the test wanted it."""
        return self._transport.is_of_a_fault(error)

    def _steppers(self) -> dict[SharedInformer, Stepper]:
        """Of this cluster's caches."""
        return {each: step for each, step in self._life().steppers.items() if each.cluster == self.client.cluster}


def _concerning(verb: str, kind: AnyKind | None) -> Callable[[Call], bool]:
    if verb not in VERBS:  # a fault that never happens would be noticed by no test
        raise ValueError(f"no call has the verb {verb!r}: {', '.join(filter(None, sorted(VERBS)))}")
    type_ = None if kind is None else type_of(kind)

    def concerns(call: Call) -> bool:
        is_verb = call.is_write if verb == "write" else verb in {"", call.verb}
        return is_verb and (type_ is None or call.is_of(type_))

    return concerns


def _raising(error: BtcctlError) -> Callable[[Call], None]:
    def happens(_: Call) -> None:
        raise error

    return happens
