"""Which accepted media type wins."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from btcctl.apiserver.machinery.errors import StatusError
from btcctl.apiserver.printers.negotiation import choose


def form_of(parameters: Mapping[str, str]) -> str | None:
    return {"": "plain", "Table": "table"}.get(parameters.get("as", ""))


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", "plain"),
        ("application/json;as=Table,application/json", "table"),
        ("application/json,application/json;as=Table", "plain"),
        ("*/*,application/json;as=Table", "table"),
        ("application/json;as=Table;q=0.2,application/json;q=0.9", "plain"),
        ("application/json;as=Chair,application/json;q=0.1", "plain"),
        ("application/yaml,application/json", "plain"),
    ],
)
def test_the_best_clause_that_can_be_served_wins(accept: str, form: str) -> None:
    assert choose(accept, form_of) == form


@pytest.mark.parametrize(
    ("accept", "status", "message"),
    [
        ("text/html", 406, "406: Not Acceptable\n\nAvailable representations: here"),
        ("application/json;as=Chair", 406, "only the following media types are accepted: application/json, "),
        ("application/yaml", 501, "answers in application/yaml"),
    ],
)
def test_what_nobody_serves_is_406_and_what_a_real_server_serves_501(accept: str, status: int, message: str) -> None:
    with pytest.raises(StatusError) as caught:
        choose(accept, form_of, available="here")
    assert (caught.value.status, message in caught.value.message) == (status, True)
