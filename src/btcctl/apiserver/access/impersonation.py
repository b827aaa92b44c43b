"""Requests in somebody else's name: the Impersonate headers.

Source: k8s.io/apiserver/pkg/endpoints/filters/impersonation, v0.36: what it calls legacy impersonation, which rights to
`impersonate` users, groups, ServiceAccounts, uids and extras allow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from msgspec import structs

from btcctl.apiserver.machinery import errors
from btcctl.apiserver.machinery.errors import StatusError
from btcctl.apiserver.machinery.gofmt import quoted
from btcctl.apiserver.requests.messages import ANONYMOUS, ApiRequest, RequestAttributes

_USER, _GROUP, _UID, _EXTRA = "impersonate-user", "impersonate-group", "impersonate-uid", "impersonate-extra-"
_ACCOUNT = "system:serviceaccount:"
_AUTHENTICATED, _UNAUTHENTICATED = "system:authenticated", "system:unauthenticated"


def impersonated(request: ApiRequest, authorize: Callable[[RequestAttributes], None]) -> ApiRequest:
    """The request as who it is to be; the same one if it is in nobody's name.

    Args:
        authorize: Raises StatusError if something is not allowed.

    Raises:
        StatusError: It is not, or makes no sense.
    """
    headers = request.headers
    user = headers.get(_USER, "")
    extras = [name for name in headers if name.startswith(_EXTRA)]
    groups = list(request.repeated.get(_GROUP, ())) or [headers[_GROUP]] if _GROUP in headers else []
    if not user:
        if groups or extras or _UID in headers:
            raise _without_user(groups, headers.get(_UID, ""), {each: headers[each] for each in extras})
        return request
    for wanted in _wanted(request, user, groups, extras):
        authorize(wanted)
    return replace(request, user=user, groups=tuple(groups_of(user, groups)))


def _without_user(groups: list[str], uid: str, extras: Mapping[str, str]) -> StatusError:
    shown_groups = f"[]string{{{', '.join(map(quoted, groups))}}}" if groups else "[]string(nil)"
    listed = ", ".join(
        f"{quoted(name.removeprefix(_EXTRA))}:[]string{{{quoted(each)}}}" for name, each in extras.items()
    )
    shown_extras = f"map[string][]string{{{listed}}}" if extras else "map[string][]string(nil)"
    what = f'&user.DefaultInfo{{Name:"", UID:{quoted(uid)}, Groups:{shown_groups}, Extra:{shown_extras}}}'
    error = errors.bad_request(f"requested {what} without impersonating a user name")
    error.headers["X-Content-Type-Options"] = "nosniff"
    return error


def _wanted(request: ApiRequest, user: str, groups: list[str], extras: list[str]) -> Iterator[RequestAttributes]:
    """What must be allowed, one after the other."""
    namespace, name = _account(user)
    plain = RequestAttributes("impersonate", user=request.user, groups=request.groups)
    if namespace:
        yield structs.replace(plain, resource="serviceaccounts", namespace=namespace, name=name)
    else:
        yield structs.replace(plain, resource="users", name=user)
    for group in groups:
        yield structs.replace(plain, resource="groups", name=group)
    other = structs.replace(plain, group="authentication.k8s.io")
    for header in extras:
        key, value = header.removeprefix(_EXTRA), request.headers[header]
        for each in request.repeated.get(header, (value,)):
            yield structs.replace(other, resource="userextras", subresource=key, name=each)
    if _UID in request.headers:
        yield structs.replace(other, resource="uids", name=request.headers[_UID])


def _account(user: str) -> tuple[str, str]:
    """Namespace and name of a ServiceAccount; two empty texts for other users."""
    namespace, _, name = user.removeprefix(_ACCOUNT).partition(":") if user.startswith(_ACCOUNT) else ("", "", "")
    return (namespace, name) if namespace and name and ":" not in name else ("", "")


def account_user(namespace: str, name: str) -> str:
    """The user that a ServiceAccount is."""
    return f"{_ACCOUNT}{namespace}:{name}"


def account_groups(namespace: str) -> list[str]:
    """The groups that every ServiceAccount of a namespace is in."""
    return ["system:serviceaccounts", f"system:serviceaccounts:{namespace}"]


def groups_of(user: str, groups: Sequence[str] = ()) -> list[str]:
    """All groups of a user who is said to be in these."""
    namespace, _ = _account(user)
    found = list(groups) or (account_groups(namespace) if namespace else [])
    if user == ANONYMOUS.name:
        return found if _UNAUTHENTICATED in found else [*found, _UNAUTHENTICATED]
    return found if {_AUTHENTICATED, _UNAUTHENTICATED} & set(found) else [*found, _AUTHENTICATED]
