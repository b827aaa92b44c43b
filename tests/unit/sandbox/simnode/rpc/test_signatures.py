from __future__ import annotations

from typing import Any

import pytest

from btcctl.sandbox.simnode.rpc.jsonrpc import RpcError
from btcctl.sandbox.simnode.rpc.signatures import Method, Parameter

METHOD = Method(
    "addnode",
    "Does things.",
    lambda *_: None,
    [Parameter("node", "string"), Parameter("command", "string"), Parameter("v2transport", "bool", is_required=False)],
)


def refused(params: Any) -> RpcError:
    with pytest.raises(RpcError) as caught:
        METHOD.arguments(params)
    return caught.value


@pytest.mark.parametrize(
    ("params", "arguments"),
    [
        (["a", "add"], ["a", "add", None]),
        (["a", "add", True], ["a", "add", True]),
        (["a", "add", None], ["a", "add", None]),
        ({"command": "add", "node": "a"}, ["a", "add", None]),
    ],
)
def test_arguments_are_ordered_and_filled_up(params: Any, arguments: list[Any]) -> None:
    assert METHOD.arguments(params) == arguments


@pytest.mark.parametrize("params", [None, [], ["a"], ["a", "add", True, True], {"node": "a"}])
def test_a_wrong_number_shows_the_help(params: Any) -> None:
    error = refused(params)
    assert (error.code, error.message) == (-1, METHOD.help_text)
    assert METHOD.help_text.startswith('addnode "node" "command" ( v2transport )\n')


def test_an_unknown_name_is_named() -> None:
    assert refused({"node": "a", "bogus": 1}).message == "Unknown named parameter bogus"


def test_every_wrong_type_is_named_with_its_position() -> None:
    error = refused([5, "add", "yes"])
    assert error.code == -3
    assert error.message == (
        'Wrong type passed:\n{\n    "Position 1 (node)": "JSON value of type number is not of expected type string",\n'
        '    "Position 3 (v2transport)": "JSON value of type string is not of expected type bool"\n}'
    )


@pytest.mark.parametrize(("value", "name"), [(True, "bool"), (None, "null"), ([], "array"), ({}, "object")])
def test_types_have_jsons_names(value: Any, name: str) -> None:
    assert f"type {name} is not" in refused([value, "add"]).message
