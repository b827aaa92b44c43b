"""`url('https://a/b?c')`: read, and refused, as Go's net/url does.

Source: k8s.io/apiserver/pkg/cel/library/urls.go, v0.36; https://pkg.go.dev/net/url
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import ClassVar

from btcctl.apiserver.machinery.gofmt import quoted
from btcctl.apiserver.schemas.cel.data import EvaluationError
from btcctl.apiserver.schemas.cel.library.networks import parse_address
from btcctl.apiserver.schemas.cel.library.overload import Functions, LibraryValue, Overload, member, remembered
from btcctl.apiserver.schemas.cel.types import BOOL, STRING, Type, list_of, map_of

URL = Type("kubernetes.URL")
_SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*)?(:?)", re.ASCII)
#: How most are written: nothing of it is read as anything else.
_COMMON = re.compile(r"([a-z]+)://([a-zA-Z0-9.-]+(?::[0-9]+)?)((?:/[a-zA-Z0-9_.~-]*)*)").fullmatch
_PORT = re.compile("(:[0-9]*)?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_PERCENT = re.compile("%(?:[0-9a-fA-F]{2})?")
_UNRESERVED = rb"A-Za-z0-9\-_.~"
#: Bytes that do not stand for themselves in a host, and in a path and a fragment that are written anew.
_NOT_HOST = re.compile(rb"[^%s!$&'()*+,;=:\[\]<>\"]" % _UNRESERVED)
_NOT_PATH = re.compile(rb"[^%s$&+,/:;=@]" % _UNRESERVED)
_NOT_FRAGMENT = re.compile(rb"[^%s$&+,/:;=?@!()*]" % _UNRESERVED)
#: Bytes that an escaped path and fragment do not have, so that they are written anew.
_ODD_PATH = re.compile(rb"[^%s$&+,/:;=@!'()*\[\]%%]" % _UNRESERVED)
_ODD_FRAGMENT = re.compile(rb"[^%s$&+,/:;=?@!()*'\[\]%%]" % _UNRESERVED)
_ODD_USER = re.compile(rb"[^%s!$&'()*+,;=:%%@]" % _UNRESERVED)
_ESCAPED = re.compile(rb"%([0-9a-fA-F]{2})")
_MOST_PARAMETERS = 10_000  # of Go's default for urlmaxqueryparams


@dataclass(frozen=True, slots=True, eq=False)
class Url(LibraryValue):
    """What a URL is read as. Of two that are written alike each is the other's equal.

    Attributes:
        host: With its port.
        path: As it stands there, or escaped anew if it may not stand there so.
        text: As Go writes it.
    """

    type_name: ClassVar[str] = "kubernetes.URL"
    scheme: str
    host: str
    path: str
    query: str
    text: str

    def __eq__(self, other: object) -> bool:
        """
        Raises:
            EvaluationError: The other is none.
        """
        if not isinstance(other, Url):
            raise EvaluationError("no such overload")
        return self.text == other.text

    __hash__ = None  # type: ignore[assignment]

    @property
    def split_host(self) -> tuple[str, str]:
        """The name and the port, without what separates and encloses them."""
        name, colon, port = self.host.rpartition(":")
        if not colon or not _is_port(colon + port):
            name, port = self.host, ""
        return (name[1:-1] if name.startswith("[") and name.endswith("]") else name), port


def _is_port(text: str) -> bool:
    return _PORT.fullmatch(text) is not None


def parse_uri(text: str, *, is_request: bool = True) -> Url:
    """A URL that is absolute, or an absolute path.

    Args:
        is_request: As in a request: a fragment is a part of the rest, and `//a` without a scheme is a path.

    Raises:
        ValueError: In Go's words.
    """
    try:
        return _parsed(text, is_request=is_request)
    except ValueError as error:
        raise ValueError(f"parse {quoted(text)}: {error}") from error


def _parsed(text: str, *, is_request: bool) -> Url:
    common = _COMMON(text)
    if common is not None:
        return Url(common[1], common[2], common[3], "", text)
    if _CONTROL.search(text):
        raise ValueError("net/url: invalid control character in URL")
    if not text:
        raise ValueError("empty url")
    if text == "*":
        return Url("", "", "*", "", "*")
    scheme, rest = _split_scheme(text)
    forced = rest.endswith("?") and rest.count("?") == 1
    rest, _, query = rest.partition("?")
    tail = f"?{query}" if forced or query else ""
    if not rest.startswith("/"):
        if not scheme:
            raise ValueError("invalid URI for request")
        return Url(scheme, "", "", query, f"{scheme}:{rest}{tail}")
    user, host, begin = "", "", f"{scheme}:" if scheme else ""
    is_authority = rest.startswith("//") and (bool(scheme) or (not is_request and not rest.startswith("///")))
    if is_authority:
        authority, slash, path = rest[2:].partition("/")
        user, host = _parse_authority(scheme, authority)
        rest = slash + path
    raw = _unescaped(rest)
    path = _escaped(raw, _NOT_PATH) if _ODD_PATH.search(rest.encode()) else rest
    if is_authority and (host or user or path):
        begin += f"//{user}{_escaped(host.encode(), _NOT_HOST)}"
    return Url(scheme, host, path, query, f"{begin}{path}{tail}")


def _split_scheme(text: str) -> tuple[str, str]:
    found = _SCHEME.match(text)
    if found is None or not found[2]:
        return "", text
    if not found[1]:
        raise ValueError("missing protocol scheme")
    return found[1].lower(), text[found.end() :]


def _parse_authority(scheme: str, authority: str) -> tuple[str, str]:
    """The user, with an `@`, and the host."""
    user, at, name = authority.rpartition("@")
    host = _parse_host(scheme, name)
    if not at:
        return "", host
    if _ODD_USER.search(user.encode()):
        raise ValueError("net/url: invalid userinfo")
    _unescaped(user)
    return f"{user}@", host


def _parse_host(scheme: str, host: str) -> str:
    bracket = host.rfind("[")
    if bracket > 0:
        raise ValueError("invalid IP-literal")
    if bracket == 0:
        return _parse_literal(host)
    first, last = host.find(":"), host.rfind(":")
    at = first if scheme in {"http", "https"} else last
    if first >= 0 and not _is_port(host[at:]):
        raise ValueError(f"invalid port {quoted(host[at:])} after host")
    return _unescaped_host(host)


def _parse_literal(host: str) -> str:
    inside, bracket, port = host[1:].rpartition("]")
    if not bracket:
        raise ValueError("missing ']' in host")
    if not _is_port(port):
        raise ValueError(f"invalid port {quoted(port)} after host")
    name, percent, zone = inside.partition("%25")
    address = _unescaped_host(name) + (_unescaped_zone(percent + zone) if percent else "")
    try:
        parsed, _ = parse_address(address)
    except ValueError as error:
        raise ValueError(f"invalid host: {error}") from error
    if parsed.bits == 32:
        raise ValueError("invalid IP-literal")
    return f"[{address}]{port}"


def _unescaped_host(text: str) -> str:
    for found in _PERCENT.finditer(text):
        if len(found[0]) == 3 and int(found[0][1:], 16) < 0x80 and found[0] != "%25":
            raise ValueError(f"invalid URL escape {quoted(found[0])}")
    return _allowed_in_host(text)


def _unescaped_zone(text: str) -> str:
    for found in _PERCENT.finditer(text):
        byte = int(found[0][1:], 16) if len(found[0]) == 3 else 0x20
        if found[0] != "%25" and byte != 0x20 and _NOT_HOST.match(bytes([byte])):
            raise ValueError(f"invalid URL escape {quoted(found[0])}")
    return _allowed_in_host(text)


def _allowed_in_host(text: str) -> str:
    unescaped = _unescaped(text).decode(errors="replace")
    for found in _NOT_HOST.finditer(text.replace("%", "").encode()):
        if found[0][0] < 0x80:
            raise ValueError(f"invalid character {quoted(found[0].decode())} in host name")
    return unescaped


def _unescaped(text: str, *, is_query: bool = False) -> bytes:
    for found in _PERCENT.finditer(text):
        if len(found[0]) == 1:
            raise ValueError(f"invalid URL escape {quoted(text[found.start() : found.start() + 3])}")
    raw = text.replace("+", " ").encode() if is_query else text.encode()
    return _ESCAPED.sub(lambda found: bytes.fromhex(found[1].decode()), raw)


def _escaped(raw: bytes, others: re.Pattern[bytes]) -> str:
    return others.sub(lambda found: b"%%%02X" % found[0][0], raw).decode()


@remembered
def _url(text: str) -> Url:
    try:
        whole = parse_uri(text)
        if "#" not in text and not text.startswith("//"):
            return whole
        before, _, fragment = text.partition("#")
        return _with_fragment(parse_uri(before, is_request=False), fragment)
    except ValueError as error:
        raise EvaluationError(f"URL parse error during conversion from string: {error}") from error


def _with_fragment(url: Url, fragment: str) -> Url:
    if not fragment:
        return url
    raw = _unescaped(fragment)
    shown = _escaped(raw, _NOT_FRAGMENT) if _ODD_FRAGMENT.search(fragment.encode()) else fragment
    return replace(url, text=f"{url.text}#{shown}")


@remembered
def _is_url(text: str) -> bool:
    try:
        return bool(parse_uri(text))
    except ValueError:
        return False


def _query(url: Url) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    if url.query.count("&") >= _MOST_PARAMETERS:
        return found
    for each in url.query.split("&"):
        key, _, value = each.partition("=")
        if not each or ";" in each:
            continue
        try:
            name, held = (_unescaped(part, is_query=True).decode(errors="replace") for part in (key, value))
        except ValueError:
            continue
        found.setdefault(name, []).append(held)
    return found


FUNCTIONS: Functions = {
    "url": [Overload((STRING,), URL, _url)],
    "isURL": [Overload((STRING,), BOOL, _is_url)],
    "getScheme": [member((URL,), STRING, lambda url: url.scheme)],
    "getHost": [member((URL,), STRING, lambda url: url.host)],
    "getHostname": [member((URL,), STRING, lambda url: url.split_host[0])],
    "getPort": [member((URL,), STRING, lambda url: url.split_host[1])],
    "getEscapedPath": [member((URL,), STRING, lambda url: url.path)],
    "getQuery": [member((URL,), map_of(STRING, list_of(STRING)), _query)],
}
