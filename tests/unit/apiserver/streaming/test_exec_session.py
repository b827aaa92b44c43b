"""How a command's end is told."""

from __future__ import annotations

import pytest

from btcctl.apiserver.streaming.exec_session import exit_status


def test_success_has_nothing_more_to_say():
    assert exit_status(0) == {"metadata": {}, "status": "Success"}


@pytest.mark.parametrize(("code", "shown"), [(1, "1"), (255, "255"), (-9, "137")])
def test_failure_carries_the_exit_code_as_a_cause(code, shown):
    status = exit_status(code)
    assert status["reason"] == "NonZeroExitCode"
    assert status["details"] == {"causes": [{"reason": "ExitCode", "message": shown}]}
    assert status["message"].endswith(f"exit code {shown}")
