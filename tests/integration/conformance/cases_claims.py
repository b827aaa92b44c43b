"""PersistentVolumeClaims. Nobody binds them; a case that needs a bound one writes its status."""

from __future__ import annotations

from typing import Any

from tests.integration.conformance.cases_tables import TABLE, table_of
from tests.integration.conformance.harness import Body, Talk, case

CLAIMS = "/api/v1/namespaces/{ns}/persistentvolumeclaims"
_DRY = {"dryRun": "All"}


def claim(name: str = "a", **spec: Any) -> Body:
    usual = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name},
        "spec": {**usual, **spec},
    }


def bound(talk: Talk, name: str = "a") -> None:
    with talk.hush():
        talk.patch(f"{CLAIMS}/{name}", {"spec": {"volumeName": "v"}})
        status = {"phase": "Bound", "accessModes": ["ReadWriteOnce"], "capacity": {"storage": "2Gi"}}
        assert talk.patch(f"{CLAIMS}/{name}/status", {"status": status}).status == 200


@case("claims", error=True)
def a_claim_is_checked(talk: Talk) -> None:
    for spec in (
        {}, {"accessModes": []}, {"accessModes": ["Any"]}, {"accessModes": ["ReadWriteOncePod", "ReadWriteOnce"]},
        {"accessModes": ["ReadWriteOnce", "ReadWriteOnce", "ReadOnlyMany"]}, {"resources": {}},
        {"resources": {"requests": {"storage": "0"}}}, {"resources": {"requests": {"storage": "-1Gi"}}},
        {"resources": {"requests": {"storage": "much"}}}, {"resources": {"requests": {"storage": 1000}}},
        {"resources": {"requests": {"cpu": "1"}}}, {"storageClassName": "Bad_Name"}, {"storageClassName": ""},
        {"volumeMode": "Any"}, {"volumeMode": "Block"}, {"selector": {"matchLabels": {"-": "a"}}},
    ):  # fmt: skip
        talk.post(CLAIMS, claim(**spec), query=_DRY)
    talk.post(CLAIMS, {"metadata": {"name": "a"}}, query=_DRY)
    talk.post(CLAIMS, claim("Bad_Name"), query=_DRY)
    talk.post(CLAIMS, claim(bogus=1), query={**_DRY, "fieldValidation": "Strict"})


@case("claims")
def a_claim_is_made_given_a_volume_and_kept_while_it_is_protected(talk: Talk) -> None:
    talk.post(CLAIMS, {**claim(), "status": {"phase": "Bound"}})
    talk.patch(f"{CLAIMS}/a", {"spec": {"volumeName": "v"}})
    status = {"phase": "Bound", "accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1024Mi"}}
    talk.patch(f"{CLAIMS}/a/status", {"status": status, "spec": {"volumeName": "w"}})
    talk.delete(f"{CLAIMS}/a")
    talk.get(f"{CLAIMS}/a")
    talk.patch(f"{CLAIMS}/a", {"metadata": {"finalizers": None}})
    talk.get(f"{CLAIMS}/a")


@case("claims", error=True)
def a_claim_stays_what_it_is(talk: Talk) -> None:
    with talk.hush():
        talk.post(CLAIMS, claim())
        changes: list[Body] = [
            {"accessModes": ["ReadOnlyMany"]}, {"storageClassName": "x"}, {"volumeMode": "Block"}, {"volumeMode": None},
            {"resources": {"requests": {"storage": "2Gi"}}}, {"selector": {"matchLabels": {"a": "b"}}}, {},
            {"volumeName": "v"}, {"accessModes": []}, {"resources": {"requests": {"storage": None}}},
        ]  # fmt: skip
        before = [talk.patch(f"{CLAIMS}/a", {"spec": each}, query=_DRY) for each in changes]
        bound(talk)
        changes += [
            {"volumeName": "w"},
            {"volumeName": None},
            {"resources": {"requests": {"storage": "512Mi"}}},
            {"resources": {"requests": {"storage": "1024Mi"}}},
        ]
        without = [each for each in changes if each.get("resources", {}).get("requests", {}).get("storage") != "2Gi"]
        after = [talk.patch(f"{CLAIMS}/a", {"spec": each}, query=_DRY) for each in without]
    for answer in (*before, *after):
        causes = (answer.body.get("details") or {}).get("causes", [])
        is_emptied = any(each["reason"] == "FieldValueRequired" for each in causes)
        told = [
            [each["reason"], each["field"], _without_diff(each) if is_emptied else each["message"]] for each in causes
        ]
        talk.note("answer", [answer.status, told])


def _without_diff(cause: Body) -> str:
    """A real server tells something empty from nothing until it is stored."""
    return str(cause["message"]).partition("\n")[0]


@case("claims")
def claims_are_printed(talk: Talk) -> None:
    table_of(talk, CLAIMS, claim())
    with talk.hush():
        talk.post(CLAIMS, claim("b", accessModes=["ReadOnlyMany", "ReadWriteOnce"], storageClassName="fast"))
        bound(talk, "b")
    for name in ("a", "b"):
        with talk.hush():
            talk.delete(f"{CLAIMS}/a")
        query = {"fieldSelector": f"metadata.name={name}", "includeObject": "None"}
        talk.get(CLAIMS, headers=TABLE, query=query)
