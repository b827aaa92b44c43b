"""What is asked of a manager by those who would restart it, or send it work."""

from __future__ import annotations

from functools import partial

from btcctl.clock import check_seconds
from btcctl.controller.manager import Manager
from btcctl.controller.serving.status_server import Check

#: Longer than any reconcile whose calls all have timeouts.
WEDGED_SECONDS = 300.0


def live_checks(manager: Manager, wedged_seconds: float = WEDGED_SECONDS) -> dict[str, Check]:
    """If one of these fails, a restart may mend it: no thread has died, no worker is stuck, the lease is not lost."""
    check_seconds("wedged_seconds", wedged_seconds)

    def lease() -> str:
        return "" if manager.elector is None else manager.elector.problem()

    return {
        "threads": lambda: "; ".join(manager.dead()),
        "workers": lambda: "; ".join(_wedged(manager, wedged_seconds)),
        "lease": lease,
    }


def ready_checks(manager: Manager) -> dict[str, Check]:
    """Further ones that a restart would not mend: the caches are filled, the server speaks to us, and the lease is
    ours to read and write. Of several clusters each has one, called `cluster-NAME`: see `StatusServer` for how to leave
    one out."""

    def election() -> str:
        return "" if manager.elector is None else manager.elector.why_unready()

    return {
        "caches": lambda: "; ".join(manager.unsynced()),
        "watches": lambda: "; ".join(manager.silent()),
        "election": election,
        **{f"cluster-{name}": partial(_trouble_in, manager, name) for name in manager.clusters},
    }


def _trouble_in(manager: Manager, cluster: str) -> str:
    return "; ".join([*manager.unsynced(cluster), *manager.silent(cluster)])


def _wedged(manager: Manager, seconds: float) -> list[str]:
    found = []
    for controller in manager.controllers:
        stuck = [each for each in controller.queue.statistics().running_seconds if each > seconds]
        if stuck:
            found.append(f"{controller.name}: {len(stuck)} stuck, one for {max(stuck):.0f} s")
    return found
