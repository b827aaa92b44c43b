from __future__ import annotations

from collections.abc import Iterator

import pytest

from btcctl.bitcoin.doctor.diagnosis import OK, Diagnosis, run_checks
from btcctl.errors import ConnectionRefused, Forbidden, InternalError, Unauthorized


def failing(error: Exception) -> Iterator[Diagnosis]:
    raise error
    yield


def good() -> Iterator[Diagnosis]:
    yield Diagnosis("second", OK, "fine")


@pytest.mark.parametrize("error", [ConnectionRefused("nothing listens"), Unauthorized(401, "Unauthorized", "who?")])
def test_a_server_that_cannot_be_asked_is_said_once_and_asked_no_more(error: Exception) -> None:
    first, second = run_checks({"first": lambda: failing(error), "second": good})
    assert (first.verdict, first.message) == ("error", str(error))
    assert "--kubeconfig" in first.cure
    assert (second.check, second.verdict) == ("second", "skipped")


@pytest.mark.parametrize("error", [Forbidden(403, "Forbidden", "no"), InternalError(500, "", "oh")])
def test_what_is_refused_to_one_check_does_not_keep_others_from_looking(error: Exception) -> None:
    _, second = run_checks({"first": lambda: failing(error), "second": good})
    assert second.verdict == "ok"
