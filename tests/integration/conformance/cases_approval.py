"""Groups of Kubernetes' own, which a definition needs an approval for."""

from __future__ import annotations

from typing import Any

from tests.integration.conformance.cases_crd_lifecycle import DEFINITIONS, definition, is_judged
from tests.integration.conformance.harness import Body, Talk, case

_APPROVED = "api-approved.kubernetes.io"
_URL = "https://github.com/kubernetes/enhancements/pull/1111"


def _protected(group: str, approval: str | None) -> Body:
    body = definition(group=group)
    annotations = {} if approval is None else {_APPROVED: approval}
    return {**body, "metadata": {"name": f"things.{group}", "annotations": annotations}}


def _told(body: Body) -> Any:
    found = (each for each in body["status"]["conditions"] if each["type"].startswith("Kubernetes"))
    return [{key: each[key] for key in ("status", "reason", "message")} for each in found]


@case("crd lifecycle", error=True)
def a_group_of_kubernetes_own_needs_an_approval(talk: Talk) -> None:
    for group in ("k8s.io", "a.k8s.io", "kubernetes.io", "a.kubernetes.io", "ak8s.io", "a.k8s.io.example.org"):
        talk.post(DEFINITIONS, _protected(group, None), query={"dryRun": "All"})
    for approval in ("", "no", "unapproved", _URL, "//x", "http://", "ftp://a", "http://a b", "http://%zz"):
        talk.post(DEFINITIONS, _protected("a.k8s.io", approval), query={"dryRun": "All"})


@case("crd lifecycle", error=True)
def an_approval_is_told_and_stays(talk: Talk) -> None:
    name = "things.{group}.k8s.io"
    place = f"{DEFINITIONS}/{name}"
    talk.forget_later(talk.fill(name))
    talk.post(DEFINITIONS, _protected("{group}.k8s.io", "unapproved, a test"))
    for approval in ("unapproved, a test", _URL):
        with talk.hush():
            talk.patch(place, {"metadata": {"annotations": {_APPROVED: approval}}})
        told = talk.eventually(lambda wanted=approval: _tells(talk, place, wanted))
        talk.note("told", told)
    for approval in ("no", None):
        talk.patch(place, {"metadata": {"annotations": {_APPROVED: approval}}})


def _tells(talk: Talk, place: str, approval: str) -> Any:
    found = _told(talk.get(place).body) if is_judged(talk, place) else []
    return found if any(approval in each["message"] for each in found) else None
