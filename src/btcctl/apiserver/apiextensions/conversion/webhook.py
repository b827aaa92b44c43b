"""Conversion webhooks: custom resources as another version has them.

Source: k8s.io/apiextensions-apiserver/pkg/apiserver/conversion/webhook_converter.go, v0.36. Each object is converted
by a call of its own, as a real server does when it reads them.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from btcctl import codecs
from btcctl.apiserver.machinery import errors
from btcctl.apiserver.machinery.gofmt import go_type, quoted
from btcctl.apiserver.machinery.names import validate_labels
from btcctl.apiserver.storage.answers import ask
from btcctl.apiserver.storage.collection import Body
from btcctl.apiserver.webhooks.calling import CallError, HookClient, check_kind
from btcctl.errors import BtcctlError

_GROUP = "apiextensions.k8s.io"
_VERSIONS = ("v1", "v1beta1")
_SECONDS = 30.0  # of a call that nobody gives a timeout


class _Wrong(BtcctlError):
    """What is wrong with an answer, and how a server goes on from "conversion webhook for …"."""


class Converter:
    """Converts the objects of one definition. Thread-safe.

    Args:
        webhook: The `webhook` of the definition's conversion.
    """

    def __init__(self, webhook: Mapping[str, Any], client: HookClient) -> None:
        self._webhook = webhook
        self._client = client

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Converter) and other._webhook == self._webhook

    def __hash__(self) -> int:
        return hash(codecs.encode(self._webhook))

    def converted(self, body: Body, api_version: str) -> dict[str, Any]:
        """An object as another version has it; see `storage.answers` for how it is waited for.

        Raises:
            StatusError: The webhook fails.
            Unanswered: Ask, and come again.
        """
        key = (api_version, codecs.encode(body))
        found: dict[str, Any] = ask(key, lambda: self._convert(body, api_version))
        return found

    def _convert(self, body: Body, api_version: str) -> dict[str, Any]:
        what = f"conversion webhook for {_kind(str(body.get('apiVersion')), str(body.get('kind')))}"
        try:
            return self._checked(body, self._call(body, api_version), api_version)
        except CallError as error:
            raise errors.internal(f"{what} failed: {error}") from error
        except _Wrong as error:
            raise errors.internal(f"{what} {error}") from error

    def _call(self, body: Body, api_version: str) -> list[Any]:
        known = self._webhook.get("conversionReviewVersions") or ()
        version = next((each for each in known if each in _VERSIONS), "")
        if not version:
            raise _Wrong("failed: no supported conversion review versions")
        uid = str(uuid.uuid4())
        request = {"uid": uid, "desiredAPIVersion": api_version, "objects": [body]}
        head = {"kind": "ConversionReview", "apiVersion": f"{_GROUP}/{version}"}
        asked = {
            **head,
            "request": request,
            "response": {"uid": "", "convertedObjects": None, "result": {"metadata": {}}},
        }
        answer = self._client.post(self._webhook["clientConfig"], asked, _SECONDS)
        check_kind(answer, _GROUP, "ConversionReview", _VERSIONS)
        sent = str(answer.get("apiVersion") or ""), str(answer.get("kind") or "")
        if version == "v1" and sent != (f"{_GROUP}/v1", "ConversionReview"):
            wanted = _kind(f"{_GROUP}/v1", "ConversionReview")
            raise _Wrong(f"failed: expected webhook response of {wanted}, got {_kind(*sent)}")
        response = answer.get("response")
        if not isinstance(response, Mapping):
            raise _Wrong("failed: no response provided")
        if version == "v1" and response.get("uid", "") != uid:
            raise _Wrong(f"failed: expected response.uid={quoted(uid)}, got {quoted(str(response.get('uid', '')))}")
        result = response.get("result") or {}
        if result.get("status") != "Success":
            said = result.get("message") or f"response.result.status was '{result.get('status') or ''}', not 'Success'"
            raise _Wrong(f"failed: {said}")
        found = response.get("convertedObjects") or []
        if len(found) != 1:
            raise _Wrong(f"returned {len(found)} objects, expected 1")
        return list(found)

    def _checked(self, body: Body, converted: list[Any], api_version: str) -> dict[str, Any]:
        found = converted[0]
        if not isinstance(found, dict) or not found.get("kind"):
            raise _Wrong(f"failed: Object 'Kind' is missing in '{codecs.encode(found).decode()}'")
        for name, wanted, shown in (("apiVersion", api_version, "groupVersion"), ("kind", body["kind"], "kind")):
            if found.get(name) != wanted:
                why = f"invalid {shown} (expected {wanted}, received {found.get(name) or ''})"
                raise _Wrong(f"returned invalid object at index 0: {why}")
        sent = found.get("metadata")
        for name, shown in (("name", "name"), ("namespace", "namespace"), ("uid", "UID")):
            before, after = (_text(each, name) for each in (body["metadata"], sent))
            if before != after:
                raise _Wrong(f"returned invalid object: must have the same {shown}: {before} != {after}")
        return {**found, "metadata": _metadata(body["metadata"], found)}


def _kind(api_version: str, kind: str) -> str:
    """As Go prints a kind with its group and version."""
    group, _, version = api_version.rpartition("/")
    return f"{group}/{version}, Kind={kind}"


def _text(metadata: Any, name: str) -> str:
    return str(metadata.get(name) or "") if isinstance(metadata, Mapping) else ""


def _metadata(original: Mapping[str, Any], converted: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata as they were, but for labels and annotations, which a webhook may change."""
    if "metadata" not in converted:
        raise _Wrong("returned invalid metadata: missing metadata in converted object")
    sent, kept = converted["metadata"], dict(original)
    if not isinstance(sent, Mapping):
        raise _Wrong(f"returned invalid metadata: invalid metadata of type {go_type(sent)} in converted object")
    for name in ("labels", "annotations"):
        found = sent.get(name)
        kept.pop(name, None)
        if found is None:
            continue
        if not isinstance(found, Mapping):
            why = f"invalid metadata.{name} of type {go_type(found)} in converted object"
            raise _Wrong(f"returned invalid metadata: {why}")
        for key, value in found.items():
            if not isinstance(value, str):
                why = f"metadata.{name}[{key}] must be a string, but is {go_type(value)} in converted object"
                raise _Wrong(f"returned invalid metadata: {why}")
        causes = validate_labels("metadata.labels", found) if name == "labels" else []
        if causes:
            raise _Wrong(f"returned invalid metadata: {causes[0].field}: {causes[0].message}")
        kept[name] = dict(found)
    return kept
