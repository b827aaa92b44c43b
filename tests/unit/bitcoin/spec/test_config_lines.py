from __future__ import annotations

import pytest

from btcctl.bitcoin.crd import load_crd
from btcctl.bitcoin.spec.config_lines import REFUSED, option_names, problem_with_line, problem_with_lines


@pytest.mark.parametrize("line", ["txindex=1", "zmqpubrawblock=tcp://0.0.0.0:28332", "uacomment=", "walletbroadcast=0"])
def test_what_the_controller_does_not_need_otherwise_may_be_set(line: str) -> None:
    assert problem_with_line(line) is None


@pytest.mark.parametrize(
    "line", ["txindex", "[main]", "main.txindex=1", "a=1\nb=2", "a=1#", "-txindex=1", "Txindex=1", ""]
)
def test_what_is_no_plain_line_is_refused(line: str) -> None:
    assert "no line of the form name=value" in str(problem_with_line(line))


@pytest.mark.parametrize("name", sorted(name for names in REFUSED.values() for name in names))
def test_what_would_hurt_is_refused_by_its_name_and_by_its_negation(name: str) -> None:
    for spelling in (name, f"no{name}"):
        assert f'"{spelling}" is refused' in str(problem_with_lines(["txindex=1", f"{spelling}=1"]))


def test_the_definition_refuses_the_same_for_the_same_reasons() -> None:
    schema = load_crd()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    rules = schema["properties"]["config"]["items"]["x-kubernetes-validations"][1:]
    words = {f"{', '.join(sorted(names))}: {why}" for why, names in REFUSED.items()}
    patterns = {f"!self.matches('^(no)?({'|'.join(sorted(names))})=')" for names in REFUSED.values()}
    assert {each["message"] for each in rules} == words
    assert {each["rule"] for each in rules} == patterns


def test_names_are_known_whether_negated_or_not() -> None:
    assert option_names(["dbcache=50", "nodebug=1"]) == {"dbcache", "nodebug", "debug"}
