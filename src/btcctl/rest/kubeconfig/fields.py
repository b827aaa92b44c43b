"""The fields of a kubeconfig and their types, as kubectl has them; others are ignored.

Source: k8s.io/client-go/tools/clientcmd/api/v1/types.go
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec

from btcctl import codecs
from btcctl.errors import ConfigError

Text = str | None  # in lists: an element that is null counts as ""
_AT = re.compile(r"(?P<problem>.*?)(?: - at `\$(?:\.)?(?P<path>.*)`)?", re.DOTALL)
_MISMATCH = re.compile(r"Expected `(?P<wanted>.*)`, got `(?P<got>.*)`")
_MISSING = re.compile(r"Object missing required field `(?P<name>.*)`")
_WORDS = {
    "str": "a text",
    "bool": "true or false",
    "int": "a number",
    "float": "a number",
    "object": "a mapping",
    "array": "a list",
}


class Entry(msgspec.Struct, frozen=True, kw_only=True, rename="kebab"):
    """Entries hold secrets, and show nothing."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __rich_repr__(self) -> list[Any]:
        return []


class Extension(Entry, frozen=True):
    name: str = ""
    extension: Any = None


class Cluster(Entry, frozen=True):
    server: str = ""
    tls_server_name: str = ""
    insecure_skip_tls_verify: bool = False
    certificate_authority: str = ""
    certificate_authority_data: str = ""
    proxy_url: str = ""
    disable_compression: bool = False
    extensions: list[Extension | None] = []


class Variable(Entry, frozen=True):
    name: str = ""
    value: str = ""


class Exec(Entry, frozen=True, rename="camel"):
    command: str = ""
    args: list[Text] = []
    env: list[Variable | None] = []
    api_version: str = ""
    install_hint: str = ""
    provide_cluster_info: bool = False
    interactive_mode: str = ""


class AuthProvider(Entry, frozen=True):
    name: str = ""
    config: dict[str, str] = {}


class User(Entry, frozen=True):
    client_certificate: str = ""
    client_certificate_data: str = ""
    client_key: str = ""
    client_key_data: str = ""
    token: str = ""
    token_file: str = msgspec.field(default="", name="tokenFile")
    impersonate: str = msgspec.field(default="", name="as")
    impersonate_uid: str = msgspec.field(default="", name="as-uid")
    impersonate_groups: list[Text] = msgspec.field(default_factory=list, name="as-groups")
    impersonate_extra: dict[str, list[Text]] = msgspec.field(default_factory=dict, name="as-user-extra")
    username: str = ""
    password: str = ""
    auth_provider: AuthProvider | None = None
    exec: Exec | None = None
    extensions: list[Extension | None] = []


class Context(Entry, frozen=True):
    cluster: str = ""
    user: str = ""
    namespace: str = ""
    extensions: list[Extension | None] = []


class NamedCluster(Entry, frozen=True):
    name: str = ""
    cluster: Cluster = Cluster()


class NamedUser(Entry, frozen=True):
    name: str = ""
    user: User = User()


class NamedContext(Entry, frozen=True):
    name: str = ""
    context: Context = Context()


class Preferences(Entry, frozen=True):
    colors: bool = False
    extensions: list[Extension | None] = []


class Document(Entry, frozen=True):
    kind: str = msgspec.field(default="", name="kind")
    api_version: str = msgspec.field(default="", name="apiVersion")
    current_context: str = ""
    clusters: list[NamedCluster | None] = []
    users: list[NamedUser | None] = []
    contexts: list[NamedContext | None] = []
    preferences: Preferences = Preferences()
    extensions: list[Extension | None] = []


# Here and not at the first use: msgspec's description of a type must not be made by two threads at once.
codecs.decoder_of(Document)


def checked(document: dict[str, Any], path: Path) -> Document:
    """The typed form of what stands in a file.

    Raises:
        ConfigError: A field has another type; names it and the file, and quotes nothing.
    """
    try:
        typed = codecs.convert(document, Document, strict=True)
    except msgspec.ValidationError as error:
        raise ConfigError(f"kubeconfig {path}: {_in_words(str(error))}") from None
    if typed.api_version not in {"", "v1"} or typed.kind not in {"", "Config"}:
        raise ConfigError(
            f"kubeconfig {path}: apiVersion {typed.api_version!r} and kind {typed.kind!r} are no kubeconfig's; "
            "it has apiVersion: v1, kind: Config"
        )
    return typed


def _in_words(message: str) -> str:
    """msgspec's complaint, about the field of a kubeconfig."""
    whole = _AT.fullmatch(message)
    path = (whole["path"] if whole else None) or "the file"
    problem = whole["problem"] if whole else message
    mismatch = _MISMATCH.fullmatch(problem)
    if mismatch is None:
        return f"{path}: {problem}"
    wanted = [each for each in re.split(r"\s*\|\s*", mismatch["wanted"]) if each != "null"]
    got = mismatch["got"]
    hint = "; put it in quotes" if wanted == ["str"] and got in {"int", "float", "bool"} else ""
    hint = "; write it without quotes" if wanted == ["bool"] and got == "str" else hint
    return f"{path} must be {' or '.join(_WORDS.get(each, each) for each in wanted)}, not {_WORDS.get(got, got)}{hint}"
