from __future__ import annotations

import pytest

from btcctl.bitcoin.pods import NodePod
from btcctl.bitcoin.rotation import must_replace_pods, outdated
from btcctl.bitcoin.rpc import RpcFailure, RpcUnauthorized, RpcUnavailable

REFUSED, FOREIGN = RpcUnauthorized("no", 401), RpcUnauthorized("not from there", 403)
SILENT = RpcUnavailable("silent")


def pod(ordinal: int = 0, version: str = "1", *, terminating: bool = False) -> NodePod:
    return NodePod(
        f"net-sts-{ordinal}", "uid", ordinal, "10.0.0.1", "machine", True, True, terminating, secret_version=version
    )


def must(pods: list[NodePod], failures: dict[int, RpcFailure], template: str = "1", now: str = "2") -> bool:
    return must_replace_pods(pods, failures, template_version=template, secret_version=now)


def test_a_pod_that_is_up_to_date_and_refuses_what_the_secret_says_has_all_replaced() -> None:
    assert must([pod(0), pod(1)], {1: REFUSED})


@pytest.mark.parametrize("failures", [{}, {0: FOREIGN}, {0: SILENT}])
def test_who_accepts_the_credentials_or_fails_otherwise_is_not_replaced(failures: dict[int, RpcFailure]) -> None:
    assert not must([pod()], failures)


@pytest.mark.parametrize(("template", "secret"), [("2", "2"), ("1", "")])
def test_for_one_version_of_the_secret_pods_are_replaced_once(template: str, secret: str) -> None:
    assert not must([pod(version=template)], {0: REFUSED}, template, secret)


def test_who_is_about_to_be_replaced_or_to_go_is_no_reason_to_replace_all_once_more() -> None:
    assert not must([pod(version="0")], {0: REFUSED})
    assert not must([pod(terminating=True)], {0: REFUSED})


def test_outdated_are_those_that_refuse_us_and_have_another_mark() -> None:
    pods = [pod(0, "1"), pod(1, "2"), pod(2, "1")]
    assert outdated(pods, {0: REFUSED, 1: REFUSED, 2: SILENT}, "2") == {0}
