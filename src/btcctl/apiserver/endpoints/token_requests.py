"""serviceaccounts/token: a TokenRequest, answered with a token.

Source: pkg/registry/core/serviceaccount/storage/token.go of kubernetes 1.36.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from btcctl.apiserver.access.tokens import ISSUER, Bound, Tokens
from btcctl.apiserver.machinery import errors
from btcctl.apiserver.machinery.errors import Cause
from btcctl.apiserver.machinery.field_errors import invalid
from btcctl.apiserver.machinery.gofmt import quoted
from btcctl.apiserver.requests.bodies import read_plain
from btcctl.apiserver.requests.messages import ApiRequest, ApiResponse, json_response
from btcctl.apiserver.requests.options import write_options
from btcctl.apiserver.requests.routing import Route, check_place
from btcctl.apiserver.storage.collection import Body
from btcctl.apiserver.storage.store import Store
from btcctl.clock import rfc3339
from btcctl.objects import ObjectKey
from btcctl.resources import PODS, SECRETS, ResourceType

_GROUP, _VERSION = "authentication.k8s.io", "authentication.k8s.io/v1"
_SECONDS, _LEAST_SECONDS, _MOST_SECONDS = 3600, 600, 1 << 32
_TYPE = ResourceType(_GROUP, "v1", "TokenRequest", "TokenRequest")
_BOUND_TYPES = {("v1", "Pod"): PODS, ("v1", "Secret"): SECRETS}


class TokenRequests:
    """Thread-safe."""

    def __init__(self, store: Store, tokens: Tokens) -> None:
        self._store = store
        self._tokens = tokens

    def handle(self, route: Route, request: ApiRequest, account: Body) -> ApiResponse:
        """
        Args:
            account: The ServiceAccount.

        Raises:
            StatusError: The request makes no sense.
        """
        options = write_options(request, "CreateOptions")
        body = read_plain(request, _VERSION, "TokenRequest")
        sent, spec = body.get("metadata") or {}, body.get("spec") or {}
        check_place(route, sent)
        causes = list(_check_name(sent, route))
        if causes:
            raise errors.invalid(_GROUP, "TokenRequest", route.name, causes)
        uid = account["metadata"]["uid"]
        if sent.get("uid") not in {None, "", uid}:
            why = f"the UID in the token request ({sent['uid']}) does not match the UID of the service account ({uid})"
            raise errors.conflict(_TYPE, route.name, why)
        seconds = _SECONDS if spec.get("expirationSeconds") is None else spec["expirationSeconds"]
        causes = list(_check(seconds))
        if causes:
            raise errors.invalid(_GROUP, "TokenRequest", "", causes)
        audiences, reference = spec.get("audiences") or [ISSUER], spec.get("boundObjectRef")
        token, expires = self._tokens.issue(route.key, uid, audiences, seconds, self._bound(route, reference))
        now = rfc3339(self._store.clock.wall_time())
        fields: dict[str, Any] = {"f:expirationSeconds": {}} | ({"f:audiences": {}} if spec.get("audiences") else {})
        entry = {
            "manager": options.manager,
            "operation": "Update",
            "apiVersion": _VERSION,
            "time": now,
            "fieldsType": "FieldsV1",
            "fieldsV1": {"f:spec": fields},
            "subresource": "token",
        }
        metadata: dict[str, Any] = {
            "name": route.name,
            "namespace": route.namespace,
            "uid": uid,
            "creationTimestamp": now,
        }
        metadata["managedFields"] = [entry]
        answer = {
            "kind": "TokenRequest",
            "apiVersion": _VERSION,
            "metadata": metadata,
            "spec": {"audiences": audiences, "expirationSeconds": seconds, "boundObjectRef": reference},
            "status": {"token": token, "expirationTimestamp": rfc3339(expires)},
        }
        return json_response(201, answer)

    def _bound(self, route: Route, reference: Mapping[str, Any] | None) -> Bound | None:
        if reference is None:
            return None
        kind, name = (reference.get("apiVersion") or "", reference.get("kind") or ""), reference.get("name") or ""
        type_ = _BOUND_TYPES.get(kind)
        if type_ is None:
            group, _, version = kind[0].rpartition("/")
            raise errors.bad_request(f"cannot bind token to object of type {group}/{version}, Kind={kind[1]}")
        record = self._store.get((type_.group, type_.plural), ObjectKey(route.namespace, name))
        if record is None:
            raise errors.not_found(type_, name)
        if type_ == PODS and record.body["spec"].get("serviceAccountName") != route.name:
            who = f"cannot bind token for serviceaccount {quoted(route.name)}"
            raise errors.bad_request(f"{who} to pod running with different serviceaccount name.")
        uid = record.body["metadata"]["uid"]
        if reference.get("uid") not in {None, "", uid}:
            why = f"the UID in the bound object reference ({reference['uid']}) does not match the UID in record. "
            why += "The object might have been deleted and then recreated"
            raise errors.conflict(ResourceType("", "v1", type_.kind, type_.kind), name, why)
        return Bound(type_.kind.lower(), name, uid)


def _check_name(sent: Mapping[str, Any], route: Route) -> Iterator[Cause]:
    if sent.get("name") not in {None, "", route.name}:
        yield invalid("metadata.name", sent["name"], "must match the service account name if specified")


def _check(seconds: int) -> Iterator[Cause]:
    if seconds < _LEAST_SECONDS:
        yield invalid("spec.expirationSeconds", seconds, "may not specify a duration less than 10 minutes")
    if seconds > _MOST_SECONDS:
        yield invalid("spec.expirationSeconds", seconds, "may not specify a duration larger than 2^32 seconds")
