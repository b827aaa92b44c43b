from __future__ import annotations

from typing import Any

import pytest

from btcctl.rest.typed.applied import is_applied

WANTED: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "a", "namespace": "default", "labels": {"x": "y"}},
    "spec": {"ports": [{"port": 80, "protocol": "TCP", "name": "web"}], "selector": {"app": "a"}, "flags": ["f"]},
}
FIELDS: dict[str, Any] = {
    "f:metadata": {"f:labels": {"f:x": {}}},
    "f:spec": {
        "f:ports": {'k:{"port":80,"protocol":"TCP"}': {".": {}, "f:port": {}, "f:protocol": {}, "f:name": {}}},
        "f:selector": {},
        "f:flags": {'v:"f"': {}},
    },
}


def there(manager: str = "me", operation: str = "Apply", fields: Any = FIELDS, **spec: Any) -> dict[str, Any]:
    entry = {"manager": manager, "operation": operation, "apiVersion": "v1", "fieldsV1": fields}
    other = {"manager": "them", "operation": "Update", "apiVersion": "v1", "fieldsV1": {"f:status": {}}}
    metadata = {"name": "a", "labels": {"x": "y", "theirs": "z"}, "managedFields": [other, entry]}
    return {"metadata": metadata, "spec": {**WANTED["spec"], "type": "ClusterIP", **spec}}


def test_what_is_there_and_ours_is_applied():
    assert is_applied(WANTED, there(), "me")


@pytest.mark.parametrize(
    "body",
    [
        there(manager="other"),
        there(operation="Update"),
        there(selector={"app": "b"}),
        there(selector={"app": "a", "more": "b"}),
        there(flags=[]),
        there(ports=[{"port": 80, "protocol": "TCP", "name": "http"}]),
        there(ports=[]),
        {"metadata": {"name": "a"}, "spec": WANTED["spec"]},
        {"spec": WANTED["spec"]},
    ],
)
def test_what_differs_or_is_not_ours_is_not_applied(body):
    assert not is_applied(WANTED, body, "me")


def test_a_field_that_is_no_longer_said_is_a_difference():
    more = {**FIELDS, "f:spec": {**FIELDS["f:spec"], "f:type": {}}}
    assert not is_applied(WANTED, there(fields=more), "me")


def test_an_item_that_is_no_longer_said_is_a_difference():
    ports = {**FIELDS["f:spec"]["f:ports"], 'k:{"port":81,"protocol":"TCP"}': {".": {}, "f:port": {}, "f:protocol": {}}}
    more = {**FIELDS, "f:spec": {**FIELDS["f:spec"], "f:ports": ports}}
    existing = [*WANTED["spec"]["ports"], {"port": 81, "protocol": "TCP"}]
    assert not is_applied(WANTED, there(fields=more, ports=existing), "me")


def test_a_new_item_is_a_difference_though_it_is_there():
    both = [*WANTED["spec"]["ports"], {"port": 81, "protocol": "TCP"}]
    assert not is_applied({**WANTED, "spec": {**WANTED["spec"], "ports": both}}, there(ports=both), "me")


def in_the_key_alone(*protocols: str) -> dict[str, Any]:
    """The fields of ports 80 that say no protocol, if it is TCP; the server's keys have one all the same."""
    said = {"TCP": {}, "UDP": {"f:protocol": {}}}
    ports = {f'k:{{"port":80,"protocol":"{each}"}}': {".": {}, "f:port": {}, **said[each]} for each in protocols}
    return {**FIELDS, "f:spec": {**FIELDS["f:spec"], "f:ports": ports}}


def test_what_a_key_has_by_default_need_not_be_said():
    said, filled = [{"port": 80}], [{"port": 80, "protocol": "TCP"}]
    wanted = {**WANTED, "spec": {**WANTED["spec"], "ports": said}}
    assert is_applied(wanted, there(fields=in_the_key_alone("TCP"), ports=filled), "me")
    assert not is_applied(wanted, there(fields=in_the_key_alone("UDP"), ports=[{"port": 80, "protocol": "UDP"}]), "me")
    said.append({"port": 80, "protocol": "UDP"})
    filled.append({"port": 80, "protocol": "UDP"})
    assert is_applied(wanted, there(fields=in_the_key_alone("TCP", "UDP"), ports=filled), "me")
    assert not is_applied(wanted, there(fields=in_the_key_alone("TCP", "UDP"), ports=filled[:1]), "me")


@pytest.mark.parametrize("name", ["k:{", "k:1", "v:{", "i:0", "x"])
def test_what_is_not_understood_is_asked_of_the_server(name):
    strange = {**FIELDS, "f:spec": {**FIELDS["f:spec"], "f:flags": {name: {}}}}
    assert not is_applied(WANTED, there(fields=strange), "me")
