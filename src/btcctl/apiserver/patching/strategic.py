"""Strategic merge patch, for the built-in kinds, whose Go types say how each field is merged.

Source: k8s.io/apimachinery 0.36.2, pkg/util/strategicpatch, for what is merged in which order and
what a real server says to a patch that cannot be.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from btcctl.apiserver.gotypes.types import LIST, STRUCT, GoType, PatchRule
from btcctl.apiserver.machinery import errors
from btcctl.apiserver.machinery.gofmt import go_type, plain
from btcctl.apiserver.patching import list_order
from btcctl.apiserver.patching.list_order import Identity, lookup

_PATCH, _RETAIN = "$patch", "$retainKeys"
_ORDER, _DELETE = "$setElementOrder/", "$deleteFromPrimitiveList/"
_MISSING = object()


def merge_strategically(type_: GoType, target: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """A new object of a type; neither argument is changed.

    Raises:
        StatusError: A directive is unknown or misplaced, or a list's item lacks its key.
    """
    return _merge_map(type_, target, patch)


def _merge_map(type_: GoType, target: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    directive = patch.get(_PATCH, _MISSING)
    if directive == "replace":
        return {key: value for key, value in patch.items() if key != _PATCH}
    if directive == "delete":
        return {}
    if directive is not _MISSING:
        raise _bad_directive(directive, patch)
    merged, left = _retained(target, patch), {key: value for key, value in patch.items() if key != _RETAIN}
    for key in [key for key in left if key.startswith(_ORDER)]:
        _merge_in_order(type_, merged, left, key.removeprefix(_ORDER))
    for key, value in left.items():
        _merge_field(type_, merged, key, value)
    return merged


def _retained(target: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """What is left of an object that a patch names the keys to keep of."""
    keys = patch.get(_RETAIN, _MISSING)
    if keys is _MISSING:
        return dict(target)
    named = [key for key, value in patch.items() if value is not None and not key.startswith(("$", _ORDER, _DELETE))]
    kept = {key for key in keys if isinstance(key, str)} if isinstance(keys, list) else set()
    if not isinstance(keys, list) or not kept.issuperset(named):
        raise errors.bad_request("invalid patch format of retainKeys")
    return {key: value for key, value in target.items() if key in kept}


def _merge_field(type_: GoType, merged: dict[str, Any], key: str, value: Any) -> None:
    is_deletion = key.startswith(_DELETE)
    name = key.removeprefix(_DELETE)
    current = merged.get(name, _MISSING)
    if value is None:
        merged.pop(name, None)
    elif type(current) is not type(value):
        if not is_deletion:
            _take(merged, name, _without_nulls(value))
    elif isinstance(value, Mapping):
        rule = _rule(type_, name)
        merged[name] = value if _strategy(rule) == "replace" else _merge_map(type_.fields[name], current, value)
    elif isinstance(value, list):
        rule = _rule(type_, name)
        is_merged = _strategy(rule) == "merge" or is_deletion
        merged[name] = (
            _merge_list(type_.fields[name], current, value, rule.key, is_deletion=is_deletion) if is_merged else value
        )
    else:
        merged[name] = value


def _take(merged: dict[str, Any], name: str, value: Any) -> None:
    kept = _without_directives(value)
    if kept is _MISSING:
        merged.pop(name, None)
    else:
        merged[name] = kept


def _merge_in_order(type_: GoType, merged: dict[str, Any], patch: dict[str, Any], name: str) -> None:
    """Merge a list that the patch says the order of; both are taken out of the patch."""
    order = patch.pop(f"{_ORDER}{name}")
    current, wanted = merged.get(name), patch.get(name)
    for each in (order, current, wanted):
        if each is not None and not isinstance(each, list):
            raise errors.internal(f"expected a []interface {{}}, but received a {go_type(each)}")
    rule = _rule(type_, name)
    _check_order(wanted or [], order, rule.key)
    if current is None and wanted is None:
        return
    if wanted is None:
        items = current or []
    elif current is None:
        items = _without_directives(wanted)
    else:
        items = wanted
        if _strategy(rule) == "merge":
            items = _merge_list(type_.fields[name], current, wanted, rule.key)
    patch.pop(name, None)
    merged[name] = list_order.ordered(items, order, current or [], Identity(rule.key))


def _check_order(wanted: list[Any], order: list[Any], key: str) -> None:
    """The items of a patch must be among those it says the order of, and in that order."""
    identity = Identity(key)
    named = [each for each in wanted if not (isinstance(each, Mapping) and _PATCH in each)]
    places = iter(order)
    if wanted and order and not all(any(identity(item) == identity(place) for place in places) for item in named):
        raise errors.internal(
            f"The order in patch list:\n{plain(wanted)}\n doesn't match $setElementOrder list:\n{plain(order)}\n"
        )


def _merge_list(
    type_: GoType, current: list[Any], patch: list[Any], key: str, *, is_deletion: bool = False
) -> list[Any]:
    if not current and not patch:
        return current
    kinds = dict.fromkeys(go_type(each) for each in (*current, *patch))
    if next(iter(kinds)) == "[]interface {}":
        raise errors.unprocessable()
    if len(kinds) > 1:
        raise errors.internal(f"list element types are not identical: {plain([current, patch])}")
    if not isinstance((current or patch)[0], Mapping):
        if is_deletion:
            gone = {lookup(each) for each in patch}
            return [each for each in current if lookup(each) not in gone]
        return list_order.ordered(list(dict.fromkeys([*current, *patch])), patch, current, Identity(""))
    if not key:
        raise errors.internal(f"cannot merge lists without merge key for {type_.go}")
    identity = Identity(key)
    current, patch = _after_directives(current, patch, identity)
    return list_order.ordered(_merge_items(type_.element or type_, current, patch, identity), patch, current, identity)


def _after_directives(current: list[Any], patch: list[Any], identity: Identity) -> tuple[list[Any], list[Any]]:
    """Both lists, after what the patch says to delete or to replace."""
    replaces, gone = False, set()
    for item in (each for each in patch if _PATCH in each):
        directive = item[_PATCH]
        if directive == "delete":
            gone.add(identity.text(item))
        elif directive == "merge":
            raise errors.internal("merging lists cannot yet be specified in the patch")
        elif directive != "replace":
            raise _bad_directive(directive, item)
        replaces = replaces or directive == "replace"
    if gone:
        current = [each for each in current if identity.key not in each or lookup(each[identity.key]) not in gone]
    plain_items = [each for each in patch if _PATCH not in each]
    return (plain_items, []) if replaces else (current, plain_items)


def _merge_items(type_: GoType, current: list[Any], patch: list[Any], identity: Identity) -> list[Any]:
    merged = list(current)
    places: dict[str | bytes, int] = {}
    for at, each in enumerate(current):
        if identity.key in each:
            places.setdefault(lookup(each[identity.key]), at)
    for item in patch:
        at = places.setdefault(identity.text(item), len(merged))
        if at == len(merged):
            merged.append(item)
        else:
            merged[at] = _merge_map(type_, merged[at], item)
    return merged


def _rule(type_: GoType, name: str) -> PatchRule:
    """
    Raises:
        StatusError: There is no such field, so that nothing says how to merge it.
    """
    if type_.kind != STRUCT:
        kind = "slice" if type_.kind == LIST else type_.kind
        raise errors.internal(f"merging an object in json but data type is not struct, instead is: {kind}")
    if name not in type_.fields:
        raise errors.internal(f'unable to find api field in struct {type_.struct} for the json field "{name}"')
    return type_.rule(name)


def _strategy(rule: PatchRule) -> str:
    return next((each for each in rule.strategies if each != "retainKeys"), "")


def _bad_directive(directive: Any, patch: Mapping[str, Any]) -> errors.StatusError:
    return errors.internal(f"unknown patch type: {plain(directive)} in map: {plain(patch)}")


def _without_nulls(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_nulls(each) for key, each in value.items() if each is not None}
    return [_without_nulls(each) for each in value] if isinstance(value, list) else value


def _without_directives(value: Any) -> Any:
    """A part that is taken as it is; _MISSING if it is nothing but a directive."""
    if isinstance(value, Mapping):
        if _PATCH in value:
            return _MISSING
        kept = ((key, _without_directives(each)) for key, each in value.items())
        return {key: each for key, each in kept if each is not _MISSING}
    if isinstance(value, list):
        return [each for each in map(_without_directives, value) if each is not _MISSING]
    return value
