"""The rules of Secrets: what each type asks for. Source: ValidateSecret of kubernetes 1.36.2."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping

from btcctl import codecs
from btcctl.apiserver.gotypes import json_name, syntax_problem
from btcctl.apiserver.machinery.errors import Cause
from btcctl.apiserver.machinery.field_errors import invalid, required
from btcctl.apiserver.storage.collection import Body

_ACCOUNT = "kubernetes.io/service-account.name"
_PREFIX = "kubernetes.io/"
#: Of these types the data must be JSON.
_JSON = {f"{_PREFIX}dockercfg": ".dockercfg", f"{_PREFIX}dockerconfigjson": ".dockerconfigjson"}
_TLS = f"{_PREFIX}tls"


def size_of(data: Mapping[str, str]) -> int:
    """How many bytes the values have that are written in base64."""
    return sum(len(value.rstrip("=")) * 3 // 4 for value in data.values())


def check_type(body: Body) -> Iterator[Cause]:
    """What a Secret lacks that its type asks for."""
    type_, data = body.get("type") or "", body.get("data") or {}
    if type_ == f"{_PREFIX}service-account-token":
        if not (body["metadata"].get("annotations") or {}).get(_ACCOUNT):
            yield required(f"metadata.annotations[{_ACCOUNT}]")
    elif type_ in _JSON:
        yield from _check_json(data, _JSON[type_])
    elif type_ == f"{_PREFIX}basic-auth" and not {"username", "password"} & data.keys():
        yield from (required(f"data[{name}]") for name in ("username", "password"))
    elif type_ == f"{_PREFIX}ssh-auth" and not data.get("ssh-privatekey"):
        yield required("data[ssh-privatekey]")
    elif type_ == _TLS:
        yield from (required(f"data[{name}]") for name in ("tls.crt", "tls.key") if name not in data)


def remarks(new: Body, _: Body | None) -> list[str]:
    """That a certificate or a key is none. Whether they belong together is not looked at."""
    if new.get("type") != _TLS:
        return []
    for name, what in (("tls.crt", "certificate"), ("tls.key", "key")):
        if b"-----BEGIN " not in _decoded(new["data"][name]):
            return [f"tls: failed to find any PEM data in {what} input"]
    return []


def _check_json(data: Mapping[str, str], name: str) -> Iterator[Cause]:
    if name not in data:
        yield required(f"data[{name}]")
        return
    text = _decoded(data[name])
    problem = syntax_problem(text) or _other_json(text)
    if problem:
        yield invalid(f"data[{name}]", "<secret contents redacted>", problem)


def _other_json(text: bytes) -> str:
    value = codecs.decode(text)
    if value is None or isinstance(value, dict):
        return ""
    return f"json: cannot unmarshal {json_name(value)} into Go value of type map[string]interface {{}}"


def _decoded(value: str) -> bytes:
    try:
        return base64.b64decode(value)
    except binascii.Error:
        return b""
