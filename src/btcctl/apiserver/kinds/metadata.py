"""The rules of `metadata` that hold for every kind."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from btcctl import codecs
from btcctl.apiserver.machinery import errors
from btcctl.apiserver.machinery.errors import Cause
from btcctl.apiserver.machinery.field_errors import invalid, required
from btcctl.apiserver.machinery.gofmt import whole_numbers
from btcctl.apiserver.machinery.names import (
    label_name,
    path_name,
    qualified_name,
    qualified_name_complaints,
    subdomain_name,
    validate_labels,
)
from btcctl.apiserver.storage.collection import Body

# A number that may be a whole float; in a text something may look like one.
_WHOLE_FLOAT = re.compile(rb"[:,\[]-?\d+(\.0[,\]}]|(\.\d+)?e)", re.ASCII)
MAX_OBJECT_BYTES = 1536 * 1024  # etcd's --max-request-bytes
MAX_ANNOTATIONS_BYTES = 262144
_GENERATED_CHARACTERS = "bcdfghjklmnpqrstvwxz2456789"  # k8s.io/apimachinery/pkg/util/rand
_GENERATED_BASE_LIMIT = 58

_FINALIZER_REMARKS = [
    f"prefer a domain-qualified finalizer name{path} to avoid accidental conflicts with other finalizer writers"
    for path in ("", " including a path (/)")
]
_STANDARD_FINALIZERS = frozenset({"kubernetes", "orphan", "foregroundDeletion"})

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
_NOTHING: tuple[Any, ...] = (None, "", {}, [])
_OWN_CREATE_FIELDS = (
    "name", "generateName", "namespace", "generation", "labels", "annotations", "ownerReferences", "finalizers",
)  # fmt: skip
_IMMUTABLE = ("name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds")


def canonical(body: Body, *, sort: bool, has_floats: bool = True) -> dict[str, Any]:
    """A copy with its keys in the order a real server writes them in; what is not written anew is shared.

    Args:
        sort: Alphabetically everywhere, as for custom resources; else metadata as the Go type
            has it, and the rest as it came.
        has_floats: Whether there may be any in it.

    Raises:
        StatusError: It is larger than etcd takes.
    """
    metadata = body["metadata"]
    known = {key: each for key, each in metadata.items() if each not in _NOTHING}
    known.setdefault("resourceVersion", "")
    known = {key: known[key] for key in _ORDER if key in known}
    head = {"kind": body.get("kind"), "apiVersion": body.get("apiVersion"), "metadata": known}
    ordered = {**head, **{key: value for key, value in body.items() if key not in head}}
    encoded = codecs.encode(ordered, order="sorted" if sort else None)
    if has_floats and _WHOLE_FLOAT.search(encoded):
        encoded = codecs.encode(whole_numbers(ordered), order="sorted" if sort else None)
    if len(encoded) > MAX_OBJECT_BYTES:
        raise errors.too_large_for_etcd()
    if not sort and not has_floats:
        return ordered
    copy: dict[str, Any] = codecs.decode(encoded)
    return copy


def created_metadata(metadata: Mapping[str, Any], *, uid: str, created: str, generation: int | None) -> dict[str, Any]:
    """What of a client's metadata a new object gets, and what the server adds."""
    own = {key: each for key, each in metadata.items() if each and key in _OWN_CREATE_FIELDS}
    if not own.get("name") and own.get("generateName"):
        own["name"] = generate_name(own["generateName"])
    own |= {"uid": uid, "creationTimestamp": created}
    return own if generation is None else {**own, "generation": generation}


def updated_metadata(sent: Mapping[str, Any], old: Mapping[str, Any], namespace: str) -> dict[str, Any]:
    """What of a client's metadata an update takes over: the server's own fields stay as they are."""
    new = {key: value for key, value in sent.items() if key not in {"namespace", "generation"}}
    new |= {key: old[key] for key in ("generation", "creationTimestamp", "deletionTimestamp") if key in old}
    new["uid"] = sent.get("uid") or old["uid"]
    if namespace:
        new["namespace"] = namespace
    if "deletionGracePeriodSeconds" in old:
        new.setdefault("deletionGracePeriodSeconds", old["deletionGracePeriodSeconds"])
    return new


def generate_name(base: str) -> str:
    return base[:_GENERATED_BASE_LIMIT] + "".join(random.choices(_GENERATED_CHARACTERS, k=5))


@dataclass(frozen=True, slots=True)
class MetadataRules:
    """What a kind adds to the checks of metadata that every kind goes through.

    A real server reports what is wrong as often as it is checked: see `validate_update`.

    Attributes:
        name_rule: Of new objects.
        finalizers_need_domain: But for those that Kubernetes has itself.
        is_checked: Whether the kind checks it at all.
        is_checked_anew: Whether the kind checks an update as it does a new object, too.
    """

    name_rule: NameRule = subdomain_name
    finalizers_need_domain: bool = True
    is_checked: bool = True
    is_checked_anew: bool = False


def validate_new(metadata: Mapping[str, Any], rules: MetadataRules, *, namespaced: bool) -> list[Cause]:
    """What a kind says of the metadata of a new object."""
    if not rules.is_checked:
        return []
    return validate(metadata, namespaced=namespaced, name_rule=rules.name_rule) + _undomained(metadata, rules)


def validate_update(
    new: Mapping[str, Any], old: Mapping[str, Any], rules: MetadataRules, *, namespaced: bool, is_status: bool
) -> list[Cause]:
    """What is wrong with the metadata of an update.

    It is checked as that of a new object, and as a change; then the kind does the same, in its own
    way, but for a status only as a change. What is wrong comes up each time.
    """
    shared = _shared(new)
    step = _step(new, old) + shared
    shared = shared + _finalizers(new.get("finalizers") or [])
    is_anew = rules.is_checked and rules.is_checked_anew and not is_status
    anew = _own(new, namespaced, rules.name_rule) if is_anew else None
    own = [] if anew == [] else _own(new, namespaced, path_name)  # every kind's rule for names is stricter
    causes = own + shared + step
    if not rules.is_checked:
        return causes
    causes += step + _undomained(new, rules)
    if anew is None:
        return causes
    return causes + anew + shared + _undomained(new, rules)


def validate(metadata: Mapping[str, Any], *, namespaced: bool, name_rule: NameRule) -> list[Cause]:
    """What is wrong with the metadata of an object that is to be stored."""
    return _own(metadata, namespaced, name_rule) + _shared(metadata) + _finalizers(metadata.get("finalizers") or [])


def _own(metadata: Mapping[str, Any], namespaced: bool, name_rule: NameRule) -> list[Cause]:
    """What is wrong with the names, and the generation."""
    causes = []
    name, base = metadata.get("name"), metadata.get("generateName")
    if base:
        causes += [invalid("metadata.generateName", base, each) for each in name_rule(_without_dash(base))]
    if not name:
        causes.append(required("metadata.name", "name or generateName is required"))
    elif complaints := name_rule(name):
        causes += [invalid("metadata.name", name, each) for each in complaints]
    if namespaced:
        namespace = metadata.get("namespace")
        if not namespace:
            causes.append(required("metadata.namespace", ""))
        elif complaints := label_name(namespace):
            causes += [invalid("metadata.namespace", namespace, each) for each in complaints]
    if metadata.get("generation", 0) < 0:
        causes.append(invalid("metadata.generation", metadata["generation"], "must be greater than or equal to 0"))
    return causes


def finalizer_warnings(new: Mapping[str, Any], old: Mapping[str, Any]) -> list[str]:
    """What to warn of: new finalizers of custom resources that have no domain."""
    added = set(new.get("finalizers") or ()) - set(old.get("finalizers") or ())
    odd = (each for each in sorted(added) if _is_undomained(each))
    return [f'metadata.finalizers: "{each}": {_FINALIZER_REMARKS["." in each]}' for each in odd]


def _step(new: Mapping[str, Any], old: Mapping[str, Any]) -> list[Cause]:
    """What is wrong with a change of metadata."""
    causes = []
    if old.get("deletionTimestamp"):
        added = sorted(set(new.get("finalizers") or ()) - set(old.get("finalizers") or ()))
        if added:
            listed = ", ".join(f'"{each}"' for each in added)
            why = (
                "no new finalizers can be added if the object is being deleted, found new finalizers "
                f"[]string{{{listed}}}"
            )
            causes.append(Cause("FieldValueForbidden", f"Forbidden: {why}", "metadata.finalizers"))
    if [*map(new.get, _IMMUTABLE)] == [*map(old.get, _IMMUTABLE)]:
        return causes
    changed = (name for name in _IMMUTABLE if new.get(name) != old.get(name))
    return causes + [invalid(f"metadata.{name}", new.get(name), "field is immutable") for name in changed]


def _shared(metadata: Mapping[str, Any]) -> list[Cause]:
    """What is checked of new objects and of changes alike."""
    causes = validate_labels("metadata.labels", metadata.get("labels") or {})
    annotations, owners = metadata.get("annotations"), metadata.get("ownerReferences")
    if annotations:
        causes += _annotations(annotations)
    return causes + _owners(owners) if owners else causes


def _annotations(annotations: Mapping[str, str]) -> list[Cause]:
    field = "metadata.annotations"
    causes = [invalid(field, key, each) for key in annotations for each in qualified_name_complaints(key.lower())]
    if sum(len(key.encode()) + len(value.encode()) for key, value in annotations.items()) > MAX_ANNOTATIONS_BYTES:
        causes.append(
            Cause("FieldValueTooLong", f"Too long: may not be more than {MAX_ANNOTATIONS_BYTES} bytes", field)
        )
    return causes


def _finalizers(finalizers: Sequence[str]) -> list[Cause]:
    if not finalizers:
        return []
    field = "metadata.finalizers"
    causes = [cause for each in finalizers for cause in qualified_name(field, each)]
    if {"orphan", "foregroundDeletion"} <= set(finalizers):
        why = "finalizer orphan and foregroundDeletion cannot be both set"
        causes.append(invalid(field, list(finalizers), why))
    return causes


def _undomained(metadata: Mapping[str, Any], rules: MetadataRules) -> list[Cause]:
    if not rules.finalizers_need_domain or not metadata.get("finalizers"):
        return []
    why = "name is neither a standard finalizer name nor is it fully qualified"
    found = enumerate(metadata["finalizers"])
    return [invalid(f"metadata.finalizers[{index}]", each, why) for index, each in found if _is_undomained(each)]


def _is_undomained(finalizer: str) -> bool:
    return "/" not in finalizer and finalizer not in _STANDARD_FINALIZERS


def _without_dash(base: str) -> str:
    """A base of names as it is checked: it may end in a dash, which a name may not."""
    return f"{base[:-2]}a" if len(base) > 1 and base.endswith("-") else base


def _owners(references: Sequence[Mapping[str, Any]]) -> list[Cause]:
    field = "metadata.ownerReferences"
    causes = []
    for each in references:
        version = each.get("apiVersion") or ""
        if not version or version.count("/") > 1 or not version.rpartition("/")[2]:
            causes.append(invalid(f"{field}.apiVersion", version, "version must not be empty"))
        missing = (name for name in ("kind", "name", "uid") if not each.get(name))
        causes += [invalid(f"{field}.{name}", "", "must not be empty") for name in missing]
        if (version, each.get("kind")) == ("v1", "Event"):
            printed = codecs.encode(_ordered(each)).decode()
            why = "/v1, Kind=Event is disallowed from being an owner"
            causes.append(Cause("FieldValueInvalid", f"Invalid value: {printed}: {why}", field))
    controllers = [f"{each.get('kind')}/{each.get('name')}" for each in references if each.get("controller")]
    printed = codecs.encode([_ordered(each) for each in references]).decode() if len(controllers) > 1 else ""
    for other in controllers[1:]:
        found = f"{controllers[0]} and {other}"
        why = f'Only one reference can have Controller set to true. Found "true" in references for {found}'
        causes.append(Cause("FieldValueInvalid", f"Invalid value: {printed}: {why}", field))
    return causes


def _ordered(reference: Mapping[str, Any]) -> dict[str, Any]:
    """An ownerReference with its fields in the order of the Go type."""
    always = {name: reference.get(name) or "" for name in ("apiVersion", "kind", "name", "uid")}
    return always | {name: reference[name] for name in ("controller", "blockOwnerDeletion") if name in reference}


def deduplicated_owners(references: Sequence[Mapping[str, Any]]) -> tuple[list[Mapping[str, Any]], list[str]]:
    """The references without those that come again, and the uids of these."""
    if len(references) < 2:
        return [*references], []
    kept: dict[bytes, Mapping[str, Any]] = {}  # by all that each says: there may be thousands
    again = [each for each in references if kept.setdefault(codecs.encode(_ordered(each)), each) is not each]
    return list(kept.values()), [str(each.get("uid") or "") for each in again]
