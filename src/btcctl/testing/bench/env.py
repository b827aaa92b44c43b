"""The bench itself: what a test of an operator holds in its hands."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias, TypeVar

from btcctl import codecs
from btcctl.app.app import App, AppOptions, built
from btcctl.controller.controller import Controller
from btcctl.errors import BtcctlError
from btcctl.objects import Object
from btcctl.testing.bench.clock import JumpingClock
from btcctl.testing.bench.cluster import Body, ClusterEnv, effects_among
from btcctl.testing.bench.hooks import Admitted, Question, Serving, ask
from btcctl.testing.bench.servers import BenchServer
from btcctl.testing.bench.stepping import SteppedManager
from btcctl.typed.kinds import type_of
from btcctl.typed.typed_object import TypedObject
from btcctl.typed.values import decoded
from btcctl.webhooks.webhooks import Webhooks

#: What an operator is made of: `build(app)` adds to an App, `build(client, clock)` returns a Manager, and so does
#: `build(clusters, clock)`, which is given the clients of several clusters by name.
Build: TypeAlias = Callable[..., Any]
K = TypeVar("K", bound=TypedObject)


class OperatorEnv(ClusterEnv):
    """A whole operator on an API server, in this thread. Made by the fixture `operator_env`.

    Of several clusters it is itself the first one, the operator's home.

    Args:
        build: Makes its manager.
        servers: What it runs on, by the names of the clusters; prepared. One alone may have the name "".
        clock: Its time, which only this moves.
        namespace: Where keys and names are that say none.
        field_manager: Of what the operator writes, if `build` names none.
        options: Of the App that `build` is given; where its webhooks are served is the bench's to say.

    Attributes:
        clusters: Each by its name.
    """

    def __init__(
        self,
        build: Build,
        servers: Mapping[str, BenchServer],
        clock: JumpingClock,
        *,
        namespace: str,
        field_manager: str = "operator",
        options: AppOptions = AppOptions(),
    ) -> None:
        (name, home), *others = servers.items()
        about: dict[str, Any] = {"namespace": namespace, "field_manager": field_manager, "life": lambda: self._operator}
        super().__init__(home, clock, name=name, **about)
        self.clusters: dict[str, ClusterEnv] = {
            name: self,
            **{other: ClusterEnv(server, clock, name=other, **about) for other, server in others},
        }
        self._build = build
        self._options = options
        self._webhooks: Webhooks | None = None
        self._serving = Serving(home.local_hooks, namespace)
        self._operator: SteppedManager = self._begin()
        self.settle()

    # What happens.

    def advance(self, seconds: float) -> None:
        """Let time go by, from one instant at which something is due to the next, settling at each."""
        until = self.clock.now() + seconds
        while (due := self._operator.next_due()) <= until:
            self.clock.advance(max(0.0, due - self.clock.now()))
            self.settle()
        self.clock.advance(max(0.0, until - self.clock.now()))
        self.settle()

    def restart(self) -> None:
        """End the operator as a kill does, and start another one: with empty caches, and nothing in mind."""
        self._operator.close()
        self._serving.end()
        for each in self.clusters.values():
            each.client.drop_watches()
        self._operator = self._begin()
        self.settle()

    def heal(self) -> None:
        """Let everything be well again, in every cluster, and settle."""
        for each in self.clusters.values():
            each.be_well()
        self.settle()

    # What its hooks say.

    def admit(
        self,
        obj: Body,
        old: Body | None = None,
        *,
        operation: str = "",
        user: str = "somebody",
        groups: Sequence[str] = (),
        dry_run: bool = False,
        subresource: str = "",
    ) -> Admitted:
        """What the operator's hooks say of a request. Nothing is stored.

        Their match conditions and selectors are not looked at.

        Args:
            obj: As it is to become; of a DELETE, what is to go.
            old: As it was.
            operation: "CREATE", "UPDATE" or "DELETE"; an update if there is an `old`, else a creation.
            user: Who asks.

        Raises:
            AssertionError: A hook failed, which is no refusal; or there are no hooks.
        """
        body = self._plain(obj)
        question = Question(
            body,
            None if old is None else self._plain(old),
            operation or ("CREATE" if old is None else "UPDATE"),
            user,
            groups,
            dry_run,
            subresource,
        )
        hooks = self._hooks
        return ask(hooks.admission, hooks.reviews, question, type(obj) if isinstance(obj, TypedObject) else None)

    def convert(self, obj: TypedObject, model: type[K]) -> K:
        """An object as the operator's converters make it of another version.

        Raises:
            BtcctlError: There is no converter for it.
        """
        body = self._plain(obj)
        made = self._hooks.reviews.conversions.convert(codecs.encode(body), type_of(model).api_version)
        return decoded(Object.from_nameless(codecs.encode(made)), model)

    # What it is like.

    def assert_quiescent(self) -> None:
        """Another operator, which looks at everything anew, changes nothing, and fails nowhere.

        A cache that is not filled has nothing to look at, which is a failure, too, unless a fault of the test's is why.

        Raises:
            AssertionError: It does; says what.
        """
        before = {name: (len(effects_among(each.calls)), len(each.events())) for name, each in self.clusters.items()}
        self.restart()
        after = [
            f"{what} of {what.resource}"  # a Deployment and a Service mostly have one name
            for name, each in self.clusters.items()
            for what in effects_among(each.calls)[before[name][0] :]
        ]
        new_events = [what for name, each in self.clusters.items() for what in each.events()[before[name][1] :]]
        if after or new_events:
            raise AssertionError(f"another look at everything writes {after} and says {new_events}")
        failing = [text for each in self._operator.manager.controllers for text in _failing(each)]
        if failing:
            raise AssertionError(f"keys fail: {'; '.join(failing)}")
        if unfilled := self._operator.unfilled():
            raise AssertionError(f"nothing was looked at of {'; '.join(unfilled)}")
        if misled := self._operator.misled():
            raise AssertionError(f"told of an object, these raise, and the log says what: {'; '.join(misled)}")

    def close(self) -> None:
        """End the operator and the servers."""
        self._operator.close()
        self._serving.end()
        if self._webhooks is not None:
            self._serving.take_back(self.admin, self.client.field_manager)
        for each in self.clusters.values():
            if each is not self:
                each.close()
        super().close()

    @property
    def _hooks(self) -> Webhooks:
        if self._webhooks is None:
            raise AssertionError("the operator has no hooks: app.webhooks(…) in a build(app)")
        return self._webhooks

    def _begin(self) -> SteppedManager:
        parameters = inspect.signature(self._build).parameters
        takes_app = "app" in parameters or any(_is_app(each) for each in parameters.values())
        self._webhooks = None
        clients = {name: each.client for name, each in self.clusters.items()}
        if takes_app:
            options = replace(self._options, webhooks=self._serving.options)
            app = App(self.client, self.client.field_manager, clock=self.clock, options=options, clusters=clients)
            manager = built(self._build, app)
            self._webhooks = app.served_webhooks
            self._later = [] if self._webhooks is None else self._webhooks.later
            self._serving.serve(self._webhooks)
        elif self._options != AppOptions():
            raise TypeError("options are those of an App: have a build(app), or give your own to what build makes")
        else:
            first = clients if "clusters" in parameters else self.client
            try:
                manager = self._build(first, **({"clock": self.clock} if "clock" in parameters else {}))
            except AttributeError as error:
                error.add_note(
                    "It was given a client. What is to be given an App has a parameter `app`, or says `: App`."
                )
                raise
        is_immediate = self._server.is_immediate
        return SteppedManager(
            manager, self.clock, is_immediate=is_immediate, is_of_a_fault=self._is_of_a_fault_in_any_cluster
        )

    def _is_of_a_fault_in_any_cluster(self, error: BtcctlError) -> bool:
        return any(each.is_of_a_fault(error) for each in self.clusters.values())


def _is_app(parameter: inspect.Parameter) -> bool:
    """Whatever it is called; annotations may be texts."""
    return parameter.annotation in {App, "App", "btcctl.App"}


def _failing(controller: Controller) -> list[str]:
    states = ((key, controller.journal.last(key)) for key in controller.queue.keys())  # noqa: SIM118  no dict
    return [f"{controller.name} {key}: {last.error}" for key, last in states if last is not None and last.error]
