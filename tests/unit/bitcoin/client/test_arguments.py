from __future__ import annotations

import pytest

from btcctl.bitcoin.client import values
from btcctl.bitcoin.client.arguments import NotJson, by_name, by_position


def test_an_argument_is_text_unless_its_method_wants_json_there():
    assert values.compact(by_position("getblockheader", ["00ff", "false"])) == '["00ff",false]'
    assert values.compact(by_position("addnode", ["127.0.0.1", "add", "true"])) == '["127.0.0.1","add",true]'


def test_a_number_arrives_as_it_was_typed():
    assert values.compact(by_position("sendtoaddress", ["addr", "0.10000000"])) == '["addr",0.10000000]'


def test_named_arguments_may_follow_positional_ones():
    assert values.compact(by_name("generatetoaddress", ["5", "maxtries=7", "address=x=y"])) == (
        '{"maxtries":7,"address":"x=y","args":[5]}'
    )


@pytest.mark.parametrize("word", ["x", "1,2", "[1", "NaN", ""])
def test_what_is_no_json_value_is_refused(word: str):
    with pytest.raises(NotJson, match="Error parsing JSON"):
        by_position("getblockhash", [word])


def test_a_result_is_printed_with_its_numbers_untouched():
    text = '{"amount":50.00000000,"difficulty":4.6e-10,"none":[],"nothing":{},"é":"a\\nb"}'
    assert values.shown(values.parse(text)).splitlines() == [
        "{",
        '  "amount": 50.00000000,',
        '  "difficulty": 4.6e-10,',
        '  "none": [',
        "  ],",
        '  "nothing": {',
        "  },",
        '  "é": "a\\nb"',
        "}",
    ]


@pytest.mark.parametrize(("result", "shown"), [("null", ""), ('"a b"', "a b"), ("true", "true"), ("7", "7")])
def test_a_scalar_is_printed_bare(result: str, shown: str):
    assert values.shown(values.parse(result)) == shown
