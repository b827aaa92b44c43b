from __future__ import annotations

from typing import Any

from btcctl.cli.dry_run import Diffs
from btcctl.rest.transport.dry_run import Planned


def said(*planned: Planned) -> list[str]:
    texts: list[str] = []
    diffs = Diffs(texts.append)
    for each in planned:
        diffs.write(each)
    assert diffs.count == len(texts)
    return texts


def scaled(replicas: int, **metadata: Any) -> dict[str, Any]:
    return {"kind": "StatefulSet", "metadata": {"name": "a", **metadata}, "spec": {"replicas": replicas}}


def test_a_change_is_a_diff_without_what_the_server_writes_itself() -> None:
    before, after = scaled(3, resourceVersion="1", managedFields=[{}]), scaled(4, resourceVersion="2", uid="u")
    (text,) = said(Planned("PUT", "/apis/x", before, after))
    lines = text.splitlines()
    assert lines[0] == "PUT /apis/x"
    assert {"  -  replicas: 3", "  +  replicas: 4"} <= set(lines)
    assert "resourceVersion" not in text
    assert "managedFields" not in text


def test_what_is_new_and_what_would_be_gone_are_shown_whole() -> None:
    created, deleted = said(Planned("POST", "/x", None, scaled(3)), Planned("DELETE", "/x/a", scaled(3), None))
    assert "  +kind: StatefulSet" in created.splitlines()
    assert "  -kind: StatefulSet" in deleted.splitlines()


def test_a_write_that_changes_nothing_says_so() -> None:
    assert said(Planned("PUT", "/x", scaled(3), scaled(3))) == ["PUT /x\n  (no change)"]


def test_what_is_planned_again_is_said_once() -> None:
    assert len(said(*[Planned("POST", "/x", None, scaled(3))] * 3, Planned("POST", "/x", None, scaled(4)))) == 2


def test_a_refusal_is_said() -> None:
    assert said(Planned("POST", "/x", None, None, "no such field")) == ["POST /x\n  refused: no such field"]


def test_an_event_is_one_line() -> None:
    event = {"kind": "Event", "metadata": {"name": "a.1"}, "type": "Normal", "reason": "Created", "message": "made it"}
    assert said(Planned("POST", "/x", None, event)) == ["event Normal Created: made it"]


def test_a_secret_shows_its_keys_and_nothing_else() -> None:
    secret = {"kind": "Secret", "metadata": {"name": "a"}, "data": {"PASSWORD": "Z2VoZWlt"}}
    (text,) = said(Planned("POST", "/x", None, secret))
    assert "PASSWORD" in text
    assert "Z2VoZWlt" not in text


def test_a_call_names_node_method_and_parameters() -> None:
    texts: list[str] = []
    Diffs(texts.append).call("10.0.0.1", "addnode", ("10.0.0.2", "add"))
    assert texts == ["RPC 10.0.0.1 addnode 10.0.0.2 add"]
