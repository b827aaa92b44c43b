"""Judges from the server's audit whether ever two wrote at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.integration.leaderelection.servers import Seen


@dataclass
class Verdict:
    """What the audit shows.

    Attributes:
        violations: Names of writes by one process after another had acquired the lease.
        in_flight: Such writes that were on their way by then.
        takeovers: For each change of the holder, seconds since the old one's last write to the Lease.
    """

    violations: list[str] = field(default_factory=list)
    in_flight: list[str] = field(default_factory=list)
    takeovers: list[float] = field(default_factory=list)
    writes: int = 0


def judge(audit: Sequence[Seen], arrived: Mapping[str, float], overtaken: Mapping[str, int]) -> Verdict:
    """Go through the audit.

    Args:
        audit: In the order of arrival at the server.
        arrived: When each write had come out of its process, by its name.
        overtaken: How many writes each process knows to have been sending when its time was over.
    """
    verdict = Verdict()
    excused = Counter(overtaken)
    holder, acquired_at, last_lease_write = "", 0.0, 0.0
    for each in audit:
        if each.resource == "leases" and each.verb in {"PUT", "POST"} and each.status in {200, 201}:
            if each.process != holder:
                if holder:
                    verdict.takeovers.append(each.received - last_lease_write)
                holder, acquired_at = each.process, each.received
            last_lease_write = each.received
        elif each.resource == "configmaps":
            verdict.writes += 1
            if each.process == holder:
                continue
            if arrived.get(each.name, acquired_at) < acquired_at:
                verdict.in_flight.append(each.name)
            elif excused[each.process] > 0:
                excused[each.process] -= 1
                verdict.in_flight.append(each.name)
            else:
                verdict.violations.append(each.name)
    return verdict
