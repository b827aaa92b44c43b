"""AdmissionReviews: what a webhook is asked, and what of its answer counts.

Source: k8s.io/apiserver/pkg/admission/plugin/webhook/request, v0.36.
"""

from __future__ import annotations

import binascii
import json
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from btcctl.apiserver.admission.attributes import Attributes
from btcctl.apiserver.machinery.gofmt import quoted
from btcctl.errors import BtcctlError
from btcctl.resources import ResourceType

GROUP = "admission.k8s.io"
VERSIONS = ("v1", "v1beta1")
_LEAST_STATUS = 400
_LIST_META = ("selfLink", "resourceVersion", "continue", "remainingItemCount")


class ReviewError(BtcctlError):
    """The answer is no review; in a real server's words."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a webhook says.

    Attributes:
        patch: JSON; b"" for none.
        status: Why it is not allowed, if anything was said.
    """

    is_allowed: bool
    patch: bytes
    patch_type: str
    status: Mapping[str, Any] | None
    warnings: list[str]


def version_of(hook: Mapping[str, Any]) -> str:
    """The first version of a review that both know; validation has seen to it that there is one."""
    return next(f"{each}" for each in hook["admissionReviewVersions"] if each in VERSIONS)


def review(
    version: str, uid: str, attributes: Attributes, matched: tuple[ResourceType, ResourceType]
) -> dict[str, Any]:
    """What is asked.

    Args:
        matched: The resource and the kind that the objects are shown as.
    """
    request = {"uid": uid, **attributes.request(*matched), "object": attributes.obj, "oldObject": attributes.old}
    return {"kind": "AdmissionReview", "apiVersion": f"{GROUP}/{version}", "request": request}


def verdict(version: str, uid: str, answer: Any, *, is_mutating: bool) -> Verdict:
    """
    Raises:
        ReviewError: It is none.
    """
    response = answer.get("response") if isinstance(answer, Mapping) else None
    if not isinstance(response, Mapping):
        raise ReviewError("webhook response was absent")
    patch_type = response.get("patchType")
    if version == "v1":
        _check_head(answer, response, uid)
        _check_patch(response.get("patch"), patch_type, is_mutating=is_mutating)
    try:
        patch = b64decode(response.get("patch") or "", validate=True)
    except (binascii.Error, TypeError) as error:
        raise ReviewError(f"illegal base64 data: {error}") from error
    if version != "v1":
        patch_type = "JSONPatch" if patch else ""
    warnings = [str(each) for each in response.get("warnings") or ()]
    status = response.get("status")
    return Verdict(
        response.get("allowed") is True,
        patch if is_mutating else b"",
        patch_type or "",
        status if isinstance(status, Mapping) else None,
        warnings,
    )


def refusal(name: str, status: Mapping[str, Any] | None) -> dict[str, Any]:
    """The Status with which a request is refused that a webhook did not allow."""
    said = dict(status or {})
    code = said.get("code") or 0
    denied = f"admission webhook {quoted(name)} denied the request"
    why = said.get("message") or said.get("reason")
    body: dict[str, Any] = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {name: each for name, each in (said.get("metadata") or {}).items() if name in _LIST_META and each},
        "status": said["status"] if said.get("status") not in {None, "", "Success"} else "Failure",
        "message": f"{denied}: {why}" if why else f"{denied} without explanation",
    }
    more = {key: said[key] for key in ("reason", "details") if said.get(key)}
    return {**body, **more, "code": max(code, _LEAST_STATUS)}


def _check_head(answer: Mapping[str, Any], response: Mapping[str, Any], uid: str) -> None:
    if response.get("uid", "") != uid:
        raise ReviewError(f"expected response.uid={quoted(uid)}, got {quoted(str(response.get('uid', '')))}")
    api_version, kind = str(answer.get("apiVersion") or ""), str(answer.get("kind") or "")
    if (api_version, kind) != (f"{GROUP}/v1", "AdmissionReview"):
        group, _, version = api_version.rpartition("/")
        shown = f"{group}/{version}, Kind={kind}"
        raise ReviewError(f"expected webhook response of {GROUP}/v1, Kind=AdmissionReview, got {shown}")


def _check_patch(patch: Any, patch_type: Any, *, is_mutating: bool) -> None:
    if not is_mutating:
        if patch:
            raise ReviewError("validating webhook may not return response.patch")
        if patch_type is not None:
            raise ReviewError("validating webhook may not return response.patchType")
        return
    if patch and patch_type is None:
        raise ReviewError("webhook returned response.patch but not response.patchType")
    if not patch and patch_type is not None:
        raise ReviewError("webhook returned response.patchType but not response.patch")
    if patch_type == "":
        raise ReviewError(f"webhook returned invalid response.patchType of {json.dumps(patch_type)}")
