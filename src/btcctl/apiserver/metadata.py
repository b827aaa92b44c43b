"""The rules of `metadata` that hold for every kind."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from btcctl.apiserver import statuses
from btcctl.apiserver.collection import Body, CollectionId
from btcctl.apiserver.printing import whole_numbers
from btcctl.apiserver.statuses import Cause

_WHOLE_FLOAT = re.compile(rb"\d(\.0|e)", re.ASCII)  # and whatever looks like one, in a text
MAX_OBJECT_BYTES = 1536 * 1024  # etcd's --max-request-bytes
MAX_ANNOTATIONS_BYTES = 262144
_GENERATED_CHARACTERS = "bcdfghjklmnpqrstvwxz2456789"  # k8s.io/apimachinery/pkg/util/rand
_GENERATED_BASE_LIMIT = 58

SUBDOMAIN = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
_LABEL_1123 = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_LABEL_1035 = "[a-z]([-a-z0-9]*[a-z0-9])?"
_NAME_PART = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_LABEL_VALUE = "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?"
_FINALIZER_REMARKS = [
    f"prefer a domain-qualified finalizer name{path} to avoid accidental conflicts with other finalizer writers"
    for path in ("", " including a path (/)")
]
_STANDARD_FINALIZERS = frozenset({"kubernetes", "orphan", "foregroundDeletion"})

_RBAC = "rbac.authorization.k8s.io"
#: Kinds whose update is validated as a create is, besides.
_CHECKED_WHOLE: frozenset[CollectionId] = frozenset(
    [(_RBAC, name) for name in ("clusterrolebindings", "clusterroles", "rolebindings", "roles")]
    + [("", name) for name in ("configmaps", "namespaces", "nodes", "pods", "secrets", "serviceaccounts", "services")]
)

NameRule = Callable[[str], list[str]]

_ORDER = (
    "name",
    "generateName",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "labels",
    "annotations",
    "ownerReferences",
    "finalizers",
    "managedFields",
)
_OWN_CREATE_FIELDS = ("name", "generateName", "namespace", "labels", "annotations", "ownerReferences", "finalizers")


def canonical(body: Body, *, sort: bool) -> dict[str, Any]:
    """A private deep copy with its keys in the order a real server writes them in.

    Args:
        sort: Alphabetically everywhere, as for custom resources; else metadata as the Go type
            has it, and the rest as it came.

    Raises:
        StatusError: It is larger than etcd takes.
    """
    metadata = body["metadata"]
    known = {key: metadata[key] for key in _ORDER if metadata.get(key) not in (None, "", {}, [])}
    if "resourceVersion" not in known:
        known = {key: known.get(key, "") for key in _ORDER if key in known or key == "resourceVersion"}
    head = {"kind": body.get("kind"), "apiVersion": body.get("apiVersion"), "metadata": known}
    ordered = {**head, **{key: value for key, value in body.items() if key not in head}}
    encoded = msgspec.json.encode(ordered, order="sorted" if sort else None)
    if _WHOLE_FLOAT.search(encoded):
        encoded = msgspec.json.encode(whole_numbers(ordered), order="sorted" if sort else None)
    if len(encoded) > MAX_OBJECT_BYTES:
        raise statuses.internal("etcdserver: request is too large")
    copy: dict[str, Any] = msgspec.json.decode(encoded)
    return copy


def created_metadata(metadata: Mapping[str, Any], *, uid: str, created: str, generation: int | None) -> dict[str, Any]:
    """What of a client's metadata a new object gets, and what the server adds."""
    own = {key: metadata[key] for key in _OWN_CREATE_FIELDS if metadata.get(key)}
    if not own.get("name") and own.get("generateName"):
        own["name"] = generate_name(own["generateName"])
    own |= {"uid": uid, "creationTimestamp": created}
    return own if generation is None else {**own, "generation": generation}


def generate_name(base: str) -> str:
    return base[:_GENERATED_BASE_LIMIT] + "".join(random.choices(_GENERATED_CHARACTERS, k=5))


def subdomain_name(name: str) -> list[str]:
    """What is wrong with a name that must be a DNS subdomain: most kinds' names."""
    complaints = ["must be no more than 253 characters"] if len(name) > 253 else []
    if not re.fullmatch(SUBDOMAIN, name):
        complaints.append(
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must "
            "start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
            f"'{SUBDOMAIN}')"
        )
    return complaints


def label_name(name: str) -> list[str]:
    """What is wrong with a name that must be a DNS label: namespaces, Services and StatefulSets."""
    complaints = ["must be no more than 63 characters"] if len(name) > 63 else []
    if "." in name:
        complaints.append("must not contain dots")
    elif not re.fullmatch(_LABEL_1123, name):
        complaints.append(
            "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and "
            "end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
            f"'{_LABEL_1123}')"
        )
    return complaints


def service_name(name: str) -> list[str]:
    """What is wrong with a name that must be an RFC 1035 label: the parts of a definition's names."""
    complaints = ["must be no more than 63 characters"] if len(name) > 63 else []
    if not re.fullmatch(_LABEL_1035, name):
        complaints.append(
            "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
            "character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for "
            f"validation is '{_LABEL_1035}')"
        )
    return complaints


def path_name(name: str) -> list[str]:
    """What is wrong with a name that need only fit into a path: roles and their bindings."""
    if name in {".", ".."}:
        return [f"may not be '{name}'"]
    return [f"may not contain '{character}'" for character in "/%" if character in name]


def validate(metadata: Mapping[str, Any], *, namespaced: bool, name_rule: NameRule) -> list[Cause]:
    """What is wrong with the metadata of an object that is to be stored."""
    causes = []
    name = metadata.get("name") or ""
    if not name:
        causes.append(_required("metadata.name", "name or generateName is required"))
    else:
        causes += [_invalid("metadata.name", name, each) for each in name_rule(name)]
    if namespaced and not metadata.get("namespace"):
        causes.append(_required("metadata.namespace", ""))
    return causes + _content(metadata)


def _content(metadata: Mapping[str, Any]) -> list[Cause]:
    """What is wrong with labels, annotations and owners."""
    causes = _labels("metadata.labels", metadata.get("labels") or {})
    annotations = metadata.get("annotations") or {}
    causes += [cause for key in annotations for cause in qualified_name("metadata.annotations", key.lower())]
    if sum(len(key) + len(value) for key, value in annotations.items()) > MAX_ANNOTATIONS_BYTES:
        message = f"Too long: may not be more than {MAX_ANNOTATIONS_BYTES} bytes"
        causes.append(Cause("FieldValueTooLong", message, "metadata.annotations"))
    return causes + _owners(metadata.get("ownerReferences") or [])


def validate_finalizers(finalizers: Sequence[str], *, strict: bool) -> tuple[list[Cause], list[str]]:
    """What is wrong with the finalizers, and what to warn of.

    Args:
        strict: As for built-in kinds, which need a slash in each but the standard ones.
    """
    unqualified = [cause for each in finalizers for cause in qualified_name("metadata.finalizers", each)]
    odd = [(i, each) for i, each in enumerate(finalizers) if "/" not in each and each not in _STANDARD_FINALIZERS]
    if strict:
        why = "name is neither a standard finalizer name nor is it fully qualified"
        return unqualified + [_invalid(f"metadata.finalizers[{index}]", each, why) for index, each in odd], []
    return unqualified, [f'metadata.finalizers: "{each}": {_FINALIZER_REMARKS["." in each]}' for _, each in odd]


def validate_update(new: Mapping[str, Any], old: Mapping[str, Any], collection: CollectionId) -> list[Cause]:
    """What is wrong with metadata after an update, and what an update may not do to it.

    A real server looks more than once, and reports whatever it finds each time.
    """
    causes = _content(new) * (4 if collection in _CHECKED_WHOLE else 3)
    return causes + [cause for cause in _update_causes(new, old) for _ in range(2)]


def _update_causes(new: Mapping[str, Any], old: Mapping[str, Any]) -> list[Cause]:
    causes = []
    if old.get("deletionTimestamp"):
        added = [each for each in new.get("finalizers") or [] if each not in (old.get("finalizers") or [])]
        if added:
            listed = ", ".join(f'"{each}"' for each in added)
            why = (
                "no new finalizers can be added if the object is being deleted, found new finalizers "
                f"[]string{{{listed}}}"
            )
            causes.append(Cause("FieldValueForbidden", f"Forbidden: {why}", "metadata.finalizers"))
    changed = (name for name in ("uid", "deletionTimestamp") if new.get(name) and new[name] != old.get(name))
    return causes + [_invalid(f"metadata.{name}", new[name], "field is immutable") for name in changed]


def qualified_name(field: str, name: str) -> list[Cause]:
    """What is wrong with a label key or the like: `[prefix/]name`."""
    return [_invalid(field, name, each) for each in qualified_name_complaints(name)]


def qualified_name_complaints(name: str) -> list[str]:
    """The same, in words alone."""
    form = (
        "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
        f"character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '{_NAME_PART}')"
    )
    if name.count("/") > 1:
        return [f"a valid label key {form} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"]
    prefix, slash, part = name.rpartition("/")
    complaints = []
    if slash:
        complaints += [f"prefix part {each}" for each in (subdomain_name(prefix) if prefix else ["must be non-empty"])]
    if not part:
        complaints.append("name part must be non-empty")
    elif len(part) > 63:
        complaints.append("name part must be no more than 63 bytes")
    return complaints if re.fullmatch(_NAME_PART, part) else [*complaints, f"name part {form}"]


def label_value_complaints(value: str) -> list[str]:
    """What is wrong with the value of a label."""
    complaints = ["must be no more than 63 bytes"] if len(value) > 63 else []
    if not re.fullmatch(_LABEL_VALUE, value):
        complaints.append(
            "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and "
            "must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', "
            f"regex used for validation is '{_LABEL_VALUE}')"
        )
    return complaints


def _labels(field: str, labels: Mapping[str, str]) -> list[Cause]:
    causes = []
    for key, value in labels.items():
        causes += qualified_name(field, key)
        causes += [_invalid(field, value, each) for each in label_value_complaints(value)]
    return causes


def _owners(references: Sequence[Mapping[str, Any]]) -> list[Cause]:
    field = "metadata.ownerReferences"
    causes = []
    for each in references:
        version = each.get("apiVersion") or ""
        if not version or version.count("/") > 1 or not version.rpartition("/")[2]:
            causes.append(_invalid(f"{field}.apiVersion", version, "version must not be empty"))
        missing = (name for name in ("kind", "name", "uid") if not each.get(name))
        causes += [_invalid(f"{field}.{name}", "", "must not be empty") for name in missing]
    controllers = [f"{each.get('kind')}/{each.get('name')}" for each in references if each.get("controller")]
    if len(controllers) > 1:
        printed = msgspec.json.encode(references).decode()
        found = " and ".join(controllers[:2])
        why = f'Only one reference can have Controller set to true. Found "true" in references for {found}'
        causes.append(Cause("FieldValueInvalid", f"Invalid value: {printed}: {why}", field))
    return causes


def _invalid(field: str, value: str, why: str) -> Cause:
    return Cause("FieldValueInvalid", f'Invalid value: "{value}": {why}', field)


def _required(field: str, why: str) -> Cause:
    return Cause("FieldValueRequired", f"Required value: {why}" if why else "Required value", field)
