"""What of a webhook's answer counts."""

from __future__ import annotations

import pytest

from btcctl.apiserver.admission.hooks.reviews import ReviewError, refusal, verdict

HEAD = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"}


def answer(**response):
    return {**HEAD, "response": {"uid": "u", "allowed": True, **response}}


def test_an_answer_is_allowed_only_if_it_says_so():
    assert verdict("v1", "u", answer(), is_mutating=False).is_allowed
    assert not verdict("v1", "u", answer(allowed="true"), is_mutating=False).is_allowed


def test_a_patch_comes_decoded():
    found = verdict("v1", "u", answer(patch="W10=", patchType="JSONPatch"), is_mutating=True)
    assert (found.patch, found.patch_type) == (b"[]", "JSONPatch")


@pytest.mark.parametrize(
    ("response", "why"),
    [
        (None, "webhook response was absent"),
        ({"uid": "v"}, 'expected response.uid="u", got "v"'),
        ({"uid": "u", "patch": "W10="}, "but not response.patchType"),
        ({"uid": "u", "patchType": "JSONPatch"}, "but not response.patch"),
        ({"uid": "u", "patch": "*", "patchType": "JSONPatch"}, "illegal base64"),
    ],
)
def test_what_is_wrong_with_an_answer_is_said(response, why):
    with pytest.raises(ReviewError, match=why):
        verdict("v1", "u", {**HEAD, "response": response}, is_mutating=True)


def test_the_older_version_asks_for_neither_uid_nor_type():
    found = verdict("v1beta1", "u", {"response": {"allowed": True, "patch": "W10="}}, is_mutating=True)
    assert (found.is_allowed, found.patch_type) == (True, "JSONPatch")


def test_a_refusal_is_never_a_success():
    body = refusal("a", {"status": "Success", "code": 200, "reason": "Late"})
    assert (body["status"], body["code"], body["message"]) == (
        "Failure",
        400,
        'admission webhook "a" denied the request: Late',
    )
