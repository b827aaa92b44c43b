from __future__ import annotations

from pathlib import Path

from btcctl.bitcoin.account import ACCOUNT, account_yaml, load_account
from btcctl.bitcoin.operator import COMPONENT
from btcctl.objects import ObjectKey

ROOT = Path(__file__).parents[3]


def test_the_manifest_is_the_same_file() -> None:
    assert (ROOT / "manifests/rbac.yaml").read_text(encoding="utf-8") == account_yaml()


def test_the_account_is_the_one_that_the_roles_are_bound_to() -> None:
    objects = load_account()
    accounts = [each for each in objects if each["kind"] == "ServiceAccount"]
    assert [ObjectKey(each["metadata"]["namespace"], each["metadata"]["name"]) for each in accounts] == [ACCOUNT]
    bound = [each["subjects"] for each in objects if "subjects" in each]
    subject = {"kind": "ServiceAccount", "name": ACCOUNT.name, "namespace": ACCOUNT.namespace}
    assert bound == [[subject], [subject]]


def test_the_namespace_comes_first() -> None:
    first = load_account()[0]
    assert (first["kind"], first["metadata"]["name"]) == ("Namespace", ACCOUNT.namespace)
    assert ACCOUNT.namespace == COMPONENT
