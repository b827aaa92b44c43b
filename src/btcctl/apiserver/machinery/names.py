"""What names, labels and their values may look like."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from btcctl.apiserver.machinery.errors import Cause
from btcctl.apiserver.machinery.field_errors import invalid

SUBDOMAIN = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
_UNDERSCORED = r"_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*"
_LABEL_1123 = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_LABEL_1035 = "[a-z]([-a-z0-9]*[a-z0-9])?"
_NAME_PART = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_LABEL_VALUE = "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?"
_FULL_SUBDOMAIN, _FULL_LABEL_1123, _FULL_LABEL_1035, _FULL_NAME_PART, _FULL_LABEL_VALUE, _FULL_UNDERSCORED = (
    re.compile(each).fullmatch for each in (SUBDOMAIN, _LABEL_1123, _LABEL_1035, _NAME_PART, _LABEL_VALUE, _UNDERSCORED)
)
#: A key without a prefix, and a value, with which nothing is wrong: what most labels are.
_PLAIN_KEY = re.compile("([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]").fullmatch
_PLAIN_VALUE = re.compile("(([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9])?").fullmatch
_QUALIFIED_FORM = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
    f"character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '{_NAME_PART}')"
)


def subdomain_name(name: str) -> list[str]:
    """What is wrong with a name that must be a DNS subdomain: most kinds' names."""
    return _subdomain(name, _FULL_SUBDOMAIN, "'-' or '.'", SUBDOMAIN)


def subdomain_with_underscores(name: str) -> list[str]:
    """What is wrong with a domain that is searched in: underscores may stand where hyphens may, and at the front."""
    return _subdomain(name, _FULL_UNDERSCORED, "'_', '-' or '.'", _UNDERSCORED)


def _subdomain(name: str, is_one: Callable[[str], object], marks: str, pattern: str) -> list[str]:
    complaints = ["must be no more than 253 characters"] if len(name) > 253 else []
    if not is_one(name):
        complaints.append(
            f"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, {marks}, and must "
            "start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
            f"'{pattern}')"
        )
    return complaints


def label_name(name: str) -> list[str]:
    """What is wrong with a name that must be a DNS label: namespaces, Services and StatefulSets."""
    complaints = ["must be no more than 63 characters"] if len(name) > 63 else []
    if _FULL_LABEL_1123(name):
        return complaints
    if _FULL_SUBDOMAIN(name):
        complaints.append("must not contain dots")
    else:
        complaints.append(
            "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and "
            "end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
            f"'{_LABEL_1123}')"
        )
    return complaints


def service_name(name: str) -> list[str]:
    """What is wrong with a name that must be an RFC 1035 label: the parts of a definition's names."""
    complaints = ["must be no more than 63 characters"] if len(name) > 63 else []
    if not _FULL_LABEL_1035(name):
        complaints.append(
            "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
            "character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for "
            f"validation is '{_LABEL_1035}')"
        )
    return complaints


def domain_prefixed_path(name: str) -> list[str]:
    """What is wrong with the name of who looks after something: `example.com/me`."""
    domain, slash, path = name.partition("/")
    if not domain or not slash or not path:
        return ['must be a domain-prefixed path (such as "acme.io/foo")']
    return subdomain_name(domain)


def path_name(name: str) -> list[str]:
    """What is wrong with a name that need only fit into a path: roles and their bindings."""
    if name in {".", ".."}:
        return [f"may not be '{name}'"]
    return [f"may not contain '{character}'" for character in "/%" if character in name]


def qualified_name(field: str, name: str) -> list[Cause]:
    """What is wrong with a label key or the like: `[prefix/]name`."""
    return [invalid(field, name, each) for each in qualified_name_complaints(name)]


def qualified_name_complaints(name: str) -> list[str]:
    """The same, in words alone."""
    if name.count("/") > 1:
        optional = "with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
        return [f"a valid label key {_QUALIFIED_FORM} {optional}"]
    prefix, slash, part = name.rpartition("/")
    complaints = []
    if slash:
        complaints += [f"prefix part {each}" for each in (subdomain_name(prefix) if prefix else ["must be non-empty"])]
    if not part:
        complaints.append("name part must be non-empty")
    elif len(part) > 63:
        complaints.append("name part must be no more than 63 bytes")
    return complaints if _FULL_NAME_PART(part) else [*complaints, f"name part {_QUALIFIED_FORM}"]


def label_value_complaints(value: str) -> list[str]:
    """What is wrong with the value of a label."""
    complaints = ["must be no more than 63 bytes"] if len(value) > 63 else []
    if not _FULL_LABEL_VALUE(value):
        complaints.append(
            "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and "
            "must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', "
            f"regex used for validation is '{_LABEL_VALUE}')"
        )
    return complaints


def validate_labels(field: str, labels: Mapping[str, str]) -> list[Cause]:
    """What is wrong with labels, or with a selector of them."""
    causes: list[Cause] = []
    for key, value in labels.items():
        if not _PLAIN_KEY(key):
            causes += qualified_name(field, key)
        if not _PLAIN_VALUE(value):
            causes += [invalid(field, value, each) for each in label_value_complaints(value)]
    return causes
