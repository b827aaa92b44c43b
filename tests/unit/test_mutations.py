"""The list of faults fits the code: `make mutations` can put each of them in."""

from __future__ import annotations

import pytest

from tests.mutations.fault import ROOT, Fault
from tests.mutations.faults import FAULTS


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.what)
def test_each_fault_can_be_put_in_and_is_code(fault: Fault) -> None:
    text = fault.path.read_text()
    broken = fault.applied_to(text)
    compile(broken, fault.file, "exec")
    assert broken != text
    assert all((ROOT / "tests" / "unit" / each).exists() for each in fault.tests)


def test_there_are_faults_in_each_package_and_no_two_of_one_name() -> None:
    assert len({fault.what for fault in FAULTS}) == len(FAULTS) >= 100
    packages = {"informers", "rest", "workqueue", "controller", "leaderelection", "events"}
    assert {fault.file.partition("/")[0] for fault in FAULTS} >= packages


def test_a_fault_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="is there 2 times"):
        Fault("?", "x.py", "a", "b", ()).applied_to("a a")
