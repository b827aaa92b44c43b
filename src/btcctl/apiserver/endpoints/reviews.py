"""Reviews: who one is, and who may do what. They are answered, never stored.

Source: pkg/apis/authorization/validation and pkg/registry/authorization of Kubernetes 1.36.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from btcctl.apiserver.access.rbac import Authorizer, Decision, Rules
from btcctl.apiserver.access.tokens import ISSUER
from btcctl.apiserver.machinery import errors
from btcctl.apiserver.machinery.errors import Cause, StatusError
from btcctl.apiserver.machinery.gofmt import json_text, shown
from btcctl.apiserver.machinery.labels import parse_labels
from btcctl.apiserver.machinery.names import qualified_name
from btcctl.apiserver.managedfields import Author, track
from btcctl.apiserver.requests import options as query
from btcctl.apiserver.requests.bodies import read_object, validate_fields
from btcctl.apiserver.requests.context import RequestContext
from btcctl.apiserver.requests.field_selectors import split_fields
from btcctl.apiserver.requests.messages import ApiRequest, RequestAttributes, User
from btcctl.apiserver.requests.routing import Route, check_place
from btcctl.apiserver.storage.collection import Body
from btcctl.clock import Clock, rfc3339

_OPERATORS = frozenset(["In", "NotIn", "Exists", "DoesNotExist"])


@runtime_checkable
class RuleLister(Protocol):
    """An authorizer that can say all that it allows."""

    def rules_of(self, user: str, groups: Sequence[str], namespace: str) -> Rules: ...


@runtime_checkable
class Explaining(Protocol):
    """An authorizer that can say why it allows something, too."""

    def decide(self, attributes: RequestAttributes) -> Decision: ...


#: What a new cluster lets anybody do who has shown who he is.
FOR_ALL = Rules(
    (
        {
            "verbs": ["create"],
            "apiGroups": ["authorization.k8s.io"],
            "resources": ["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
        },
        {"verbs": ["create"], "apiGroups": ["authentication.k8s.io"], "resources": ["selfsubjectreviews"]},
    ),
    (
        {"verbs": ["get"], "nonResourceURLs": ["/healthz", "/livez", "/readyz", "/version", "/version/"]},
        {
            "verbs": ["get"],
            "nonResourceURLs": [
                "/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi", "/openapi/*", "/readyz",
                "/version", "/version/",
            ],
        },
    ),
)  # fmt: skip
EVERYTHING = Rules(
    ({"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}, *FOR_ALL.resources),
    ({"verbs": ["*"], "nonResourceURLs": ["*"]}, *FOR_ALL.paths),
)


class Reviews:
    """Answers reviews. Thread-safe.

    Args:
        authorizer: None if everybody may do everything.
        user_of_token: Whose token it is; gives None if it is nobody's.
    """

    def __init__(
        self, clock: Clock, authorizer: Authorizer | None, user_of_token: Callable[[str], User | None]
    ) -> None:
        self._user_of_token = user_of_token
        self._clock = clock
        self._authorizer = authorizer

    def handle(self, context: RequestContext) -> dict[str, Any]:
        """The review, answered.

        Raises:
            StatusError: It cannot be read, or asks for nothing that could be answered.
        """
        request, route = context.request, context.route
        options = query.write_options(request, "CreateOptions", warn=context.warn)
        body, problems = read_object(context, route.served)
        validate_fields(route.served, body, problems, options)
        check_place(route, body["metadata"])
        kind = route.served.type.kind
        head = {"kind": kind, "apiVersion": route.served.type.api_version}
        if kind == "SelfSubjectReview":
            user = {"username": request.user, "groups": list(request.groups)}
            return {**head, "metadata": {"creationTimestamp": self._now()}, "status": {"userInfo": user}}
        if kind == "SelfSubjectRulesReview":
            return {**head, "metadata": {}, "spec": {}, "status": self._rules(body, request)}
        spec: Body = body.get("spec") or {}
        metadata = self._metadata(route, body, options.manager)
        if kind == "TokenReview":
            return {**head, "metadata": metadata, "spec": spec, "status": self._authenticated(spec)}
        causes = [*_check_spec(kind, spec), *_check_metadata(kind, metadata), *_check_local(kind, spec, metadata)]
        if causes:
            raise errors.invalid(route.served.type.group, "", "", causes)
        return {**head, "metadata": metadata, "spec": spec, "status": self._status(kind, spec, request)}

    def _now(self) -> str:
        return rfc3339(self._clock.wall_time())

    def _metadata(self, route: Route, body: dict[str, Any], manager: str) -> dict[str, Any]:
        """As it is when the kind looks at it: somebody has written down who sent what."""
        place = {"namespace": route.namespace} if route.namespace else {}
        metadata = {name: each for name, each in {**body["metadata"], **place}.items() if each}
        metadata.pop("managedFields", None)
        drops_status = route.served.type.group == "authorization.k8s.io"
        sent = {name: each for name, each in body.items() if name != "status" or not drops_status}
        author = Author(manager, self._now())
        entries = track(route.served.kind.target(""), None, {**sent, "metadata": metadata}, author)
        return {**metadata, "managedFields": entries} if entries else metadata

    def _authenticated(self, spec: Body) -> dict[str, Any]:
        if not spec.get("token"):
            raise errors.bad_request("token is required for TokenReview in authentication")
        user, audiences = self._user_of_token(spec["token"]), set(spec.get("audiences") or [ISSUER])
        if user is None or ISSUER not in audiences:
            return {"user": {}, "error": "invalid bearer token"}
        named = {"username": user.name, "groups": [*user.groups]}
        return {"authenticated": True, "user": named, "audiences": [ISSUER]}

    def _rules(self, body: Body, request: ApiRequest) -> dict[str, Any]:
        namespace = (body.get("spec") or {}).get("namespace")
        if not namespace:
            raise errors.bad_request("no namespace on request")
        authorizer: object = self._authorizer
        if isinstance(authorizer, RuleLister):
            rules = authorizer.rules_of(request.user, request.groups, namespace)
        elif authorizer is None:
            rules = EVERYTHING
        else:
            error = "the authorizer can be asked, but does not list what it allows"
            return {"resourceRules": [], "nonResourceRules": [], "incomplete": True, "evaluationError": error}
        status = {"resourceRules": [*rules.resources], "nonResourceRules": [*rules.paths], "incomplete": False}
        return {**status, "incomplete": True, "evaluationError": rules.error} if rules.error else status

    def _status(self, kind: str, spec: Body, request: ApiRequest) -> dict[str, Any]:
        asked, path = spec.get("resourceAttributes") or {}, spec.get("nonResourceAttributes") or {}
        user, groups = (request.user, request.groups) if kind.startswith("Self") else _subject(spec)
        what = {name: asked.get(name) or "" for name in ("group", "resource", "subresource", "namespace", "name")}
        what |= {"verb": asked.get("verb") or path.get("verb") or "", "path": path.get("path") or "", "user": user}
        attributes = RequestAttributes(**what, groups=tuple(groups))
        is_allowed, reason = self._decide(attributes)
        status: dict[str, Any] = {"allowed": is_allowed}
        ignored = "; ".join(_ignored(asked))
        return status | ({"reason": reason} if reason else {}) | ({"evaluationError": ignored} if ignored else {})

    def _decide(self, attributes: RequestAttributes) -> Decision:
        authorizer: object = self._authorizer
        if isinstance(authorizer, Explaining):
            return authorizer.decide(attributes)
        reason = None if self._authorizer is None else self._authorizer(attributes)
        return Decision(reason is None, reason or "")


def _subject(spec: Body) -> tuple[str, Sequence[str]]:
    return spec.get("user") or "", spec.get("groups") or ()


def _check_spec(kind: str, spec: Body) -> Iterator[Cause]:
    asked, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if asked is not None and path is not None:
        why = "cannot be specified in combination with resourceAttributes"
        yield _invalid("spec.nonResourceAttributes", _printed_path(path), why)
    if asked is None and path is None:
        why = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        yield _invalid("spec.resourceAttributes", "null", why)
    if not kind.startswith("Self") and not spec.get("user") and not spec.get("groups"):
        yield _invalid("spec.user", '""', "at least one of user or group must be specified")
    for name, check in (("fieldSelector", _check_field_term), ("labelSelector", _check_label_term)):
        selector = (asked or {}).get(name)
        if selector is not None:
            yield from _check_selector(selector, f"spec.resourceAttributes.{name}", check)


def _check_selector(
    selector: Body, field: str, check: Callable[[Mapping[str, Any], str], Iterator[Cause]]
) -> Iterator[Cause]:
    raw, terms = selector.get("rawSelector"), selector.get("requirements") or []
    if raw and terms:
        yield _invalid(f"{field}.rawSelector", shown(raw), "may not specified at the same time as requirements")
    if not raw and not terms:
        why = f"when {field} is specified, requirements or rawSelector is required"
        yield Cause("FieldValueRequired", f"Required value: {why}", f"{field}.requirements")
    for index, term in enumerate(terms):
        yield from check(term, f"{field}.requirements[{index}]")


def _check_field_term(term: Mapping[str, Any], field: str) -> Iterator[Cause]:
    if not term.get("key"):
        yield Cause("FieldValueRequired", "Required value: must be specified", f"{field}.key")
    yield from _check_values(term, field)


def _check_label_term(term: Mapping[str, Any], field: str) -> Iterator[Cause]:
    yield from _check_values(term, field)
    yield from qualified_name(f"{field}.key", term.get("key") or "")


def _check_values(term: Mapping[str, Any], field: str) -> Iterator[Cause]:
    operator, values = term.get("operator"), term.get("values")
    if operator in {"In", "NotIn"} and not values:
        why = "must be specified when `operator` is 'In' or 'NotIn'"
        yield Cause("FieldValueRequired", f"Required value: {why}", f"{field}.values")
    if operator in {"Exists", "DoesNotExist"} and values:
        why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
        yield Cause("FieldValueForbidden", f"Forbidden: {why}", f"{field}.values")


def _check_metadata(kind: str, metadata: Body) -> Iterator[Cause]:
    is_local = kind.startswith("Local")
    if set(metadata) - {"managedFields", *(["namespace"] if is_local else [])}:
        why = "must be empty except for namespace" if is_local else "must be empty"
        yield _invalid("metadata", json_text(metadata, sort=False), why)


def _check_local(kind: str, spec: Body, metadata: Body) -> Iterator[Cause]:
    if not kind.startswith("Local"):
        return
    asked, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    namespace = (asked or {}).get("namespace") or ""
    if asked is not None and namespace != metadata.get("namespace"):
        yield _invalid("spec.resourceAttributes.namespace", shown(namespace), "must match metadata.namespace")
    if path is not None:
        yield _invalid("spec.nonResourceAttributes", _printed_path(path), "disallowed on this kind of request")


def _ignored(asked: Body) -> Iterator[str]:
    """What was asked in a way that the server does not understand."""
    for name, parse, fits in (
        ("fieldSelector", split_fields, _is_field_term),
        ("labelSelector", parse_labels, _is_label_term),
    ):
        selector = asked.get(name) or {}
        fitting = [fits(each) for each in selector.get("requirements") or ()]
        if not all(fitting) or (selector.get("rawSelector") and not _parses(parse, selector["rawSelector"])):
            how = "partially ignored" if any(fitting) else "ignored"
            yield f"spec.resourceAttributes.{name} {how} due to parse error"


def _parses(parse: Callable[[str], Any], text: str) -> bool:
    try:
        parse(text)
    except StatusError:
        return False
    return True


def _is_field_term(term: Mapping[str, Any]) -> bool:
    return term.get("operator") in {"In", "NotIn"} and len(term.get("values") or ()) == 1


def _is_label_term(term: Mapping[str, Any]) -> bool:
    return term.get("operator") in _OPERATORS


def _printed_path(path: Body) -> str:
    return json_text({"Path": path.get("path", ""), "Verb": path.get("verb", "")}, sort=False)


def _invalid(field: str, printed: str, why: str) -> Cause:
    return Cause("FieldValueInvalid", f"Invalid value: {printed}: {why}", field)
