"""What a check has found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from btcctl.errors import ApiError, BtcctlError, Forbidden, TransportError, Unauthorized

Verdict = Literal["ok", "warning", "error", "skipped"]
OK: Final = "ok"
WARNING: Final = "warning"  #: works, but is hardly meant
ERROR: Final = "error"
SKIPPED: Final = "skipped"  #: could not be looked at


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One line for a person.

    Attributes:
        check: What was looked at, in one word.
        message: What was found.
        cure: The rule or the command that mends it, of several lines perhaps; "" if nothing has to be mended.
    """

    check: str
    verdict: Verdict
    message: str
    cure: str = ""


Check = Callable[[], Iterator[Diagnosis]]


def run_checks(checks: dict[str, Check]) -> Iterator[Diagnosis]:
    """All of them, by name: what the API server refuses one does not keep the others from looking.

    A server that cannot be reached, or does not know who we are, is said once, and not asked again.
    """
    why_not = ""
    for name, check in checks.items():
        if why_not:
            yield Diagnosis(name, SKIPPED, why_not)
            continue
        try:
            yield from check()
        except TransportError as error:
            yield Diagnosis(
                name, ERROR, str(error), "is the cluster up, and is this its address? --kubeconfig, --context"
            )
            why_not = "the API server was not reached"
        except Unauthorized as error:
            yield Diagnosis(
                name, ERROR, str(error), "log in again, or choose other credentials: --kubeconfig, --context"
            )
            why_not = "the API server does not take our credentials"
        except Forbidden as error:
            yield Diagnosis(name, SKIPPED, f"we may not look: {error}")
        except (ApiError, BtcctlError) as error:
            yield Diagnosis(name, ERROR, str(error))
