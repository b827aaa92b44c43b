"""Names, as the API server asks for them: of objects and namespaces, of finalizers, and of what reports events. Pure.

Source: apimachinery, util/validation IsQualifiedName and IsDNS1123Subdomain of Kubernetes 1.36; compared with a real
server in tests/integration/controller/test_names_on_both_servers.py.
"""

from __future__ import annotations

import re

from btcctl.mistakes import check_is

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN, _SUBDOMAIN_BYTES = re.compile(rf"{_LABEL}(\.{_LABEL})*"), 253
_QUALIFIED = re.compile(rf"((?P<prefix>{_LABEL}(\.{_LABEL})*)/)?[A-Za-z0-9]([-A-Za-z0-9_.]{{0,61}}[A-Za-z0-9])?")
_NAMESPACE, _NAMESPACE_BYTES = re.compile(_LABEL), 63
_SHOWN = 100  # characters of a name that is refused: it may be anything

RULE = "63 letters, digits, -, _ and . at most, a letter or digit first and last, alone or after a domain and a slash"


def is_qualified_name(name: str) -> bool:
    """Whether `name` follows RULE; a domain has 253 characters at most."""
    match = _QUALIFIED.fullmatch(name)
    return match is not None and len(match["prefix"] or "") <= _SUBDOMAIN_BYTES


def is_object_name(name: str) -> bool:
    """Whether an object can be called so: a subdomain as of RFC 1123, which is the rule of most kinds.

    Anything else would lead elsewhere in the path of a request.
    """
    return len(name) <= _SUBDOMAIN_BYTES and _SUBDOMAIN.fullmatch(name) is not None


def is_namespace(name: str) -> bool:
    """Whether a namespace can be called so: a label as of RFC 1123."""
    return len(name) <= _NAMESPACE_BYTES and _NAMESPACE.fullmatch(name) is not None


def check_name(name: str, what: str) -> None:
    """Check the name that a program gives to `what`, as in "a controller".

    Raises:
        ValueError: It is no text, or does not follow RULE.
    """
    if not isinstance(name, str) or not name:
        raise ValueError(f"{what} needs a name, not {name!r}")
    if not is_qualified_name(name):
        raise ValueError(f"{what} is named with {RULE}, not {name[:_SHOWN]!r}")


def check_namespace(name: str) -> None:
    """Check the name of a namespace: of one that there cannot be, a server says that it is empty, for ever.

    Raises:
        TypeError: It is no text.
        ValueError: It is no label as of RFC 1123.
    """
    check_is("a namespace", name, str, 'a text; "" for all')
    if not is_namespace(name):
        raise ValueError(
            f"no namespace is called {name[:_SHOWN]!r}: "
            "63 lower-case letters, digits and - at most, a letter or digit first and last"
        )
