"""The list of faults fits the code: `make mutations` can put each of them in."""

from __future__ import annotations

from contextlib import nullcontext

import pytest

from tests.mutations.__main__ import HANGS_AFTER_SECONDS, Outcome, chosen, survives, verdicts
from tests.mutations.fault import ROOT, Fault
from tests.mutations.faults import FAULTS


@pytest.mark.parametrize("room", sorted({fault.file.partition("/")[0] for fault in FAULTS}))
def test_each_fault_can_be_put_in_and_is_code(room: str) -> None:
    faults = [fault for fault in FAULTS if fault.file.partition("/")[0] == room]
    assert {fault.what: why for fault in faults if (why := what_is_wrong(fault))} == {}


def what_is_wrong(fault: Fault) -> str:
    text = fault.path.read_text()
    try:
        broken = fault.applied_to(text)
        compile(broken, fault.file, "exec")
    except (SyntaxError, ValueError) as error:
        return str(error)
    missing = [each for each in fault.tests if not (ROOT / "tests" / "unit" / each).exists()]
    return f"no {', '.join(missing)}" if missing else "" if broken != text else "changes nothing"


def test_there_are_faults_in_each_package_and_no_two_of_one_name() -> None:
    assert len({fault.what for fault in FAULTS}) == len(FAULTS) >= 100
    packages = {"informers", "rest", "workqueue", "controller", "leaderelection", "events"}
    assert {fault.file.partition("/")[0] for fault in FAULTS} >= packages
    assert sum(fault.file.startswith(("apiserver/", "sandbox/")) for fault in FAULTS) >= 150


def test_a_fault_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="is there 2 times"):
        Fault("?", "x.py", "a", "b", ()).applied_to("a a")


def test_only_what_is_named_is_chosen_and_an_unknown_name_is_told_with_the_known_ones() -> None:
    assert {fault.file.partition("/")[0] for fault in chosen(["workqueue/"])} == {"workqueue"}
    assert chosen([]) == FAULTS
    with pytest.raises(ValueError, match=r"'nothing'; there are some in apiserver, .*workqueue"):
        chosen(["workqueue", "nothing"])


class Machine:
    """Runs tests that take as long as it is told; with the fault they hang, or only take longer."""

    def __init__(self, healthy: float, faulty: float) -> None:
        self.seconds = {False: healthy, True: faulty}
        self.is_broken = False

    def broken_by(self, _: Fault):
        self.is_broken = True
        return nullcontext()

    def outcome(self, _, hangs_after: float) -> Outcome:
        seconds, self.is_broken = self.seconds[self.is_broken], False
        return Outcome(seconds <= hangs_after, seconds > hangs_after, "", seconds)


@pytest.mark.parametrize(
    ("healthy", "faulty", "survived"), [(1.0, 2.0, True), (1.0, 30.0, False), (25.0, 100.0, True), (25.0, 300.0, False)]
)
def test_a_busy_machine_is_not_taken_for_a_test_that_hangs(healthy: float, faulty: float, survived: bool) -> None:
    assert HANGS_AFTER_SECONDS == 20
    assert survives(Machine(healthy, faulty), Fault("?", "x.py", "a", "b", ())) is survived


def test_several_copies_are_broken_at_once_and_each_fault_has_its_verdict_in_order() -> None:
    faults = [Fault(str(number), "x.py", "a", "b", ()) for number in range(9)]
    found = list(verdicts(faults, [Machine(1.0, 30.0), Machine(1.0, 30.0), Machine(1.0, 30.0)]))
    assert [each.fault for each in found] == faults
    assert not any(each.survived for each in found)
