"""Which fields of an object we set, and which manager has set them otherwise. Pure.

The API server fills in defaults, other controllers and people add labels, annotations and fields of their own. So a
controller compares what it sets, and leaves all else as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from btcctl.json_values import is_same_json
from btcctl.secret import hiding_bodies

#: Compared whole, wherever it stands: a selector with more in it selects something else.
WHOLE: Final = "selector"


@hiding_bodies
def set_fields(body: dict[str, Any], desired: Mapping[str, Any]) -> None:
    """Put everything that stands in `desired` over `body`, and leave the rest of `body` as it is.

    Mappings are gone through field by field. A list in which something differs, and a `selector`, are replaced whole:
    merging them could join two alternatives, such as `value` and `valueFrom`.

    Args:
        body: An object's body, for example what `create_or_update` gives its `mutate`; changed in place.
        desired: What is wanted, in the same shape. Nothing of it is changed, but `body` may hold parts of it.
    """
    for field, value in desired.items():
        present = body.get(field)
        if field in body and has_fields(present, value, field):
            continue
        if field != WHOLE and isinstance(value, Mapping) and isinstance(present, dict):
            set_fields(present, value)
        else:
            body[field] = value


def has_fields(body: object, desired: object, field: str = "") -> bool:
    """Whether everything that stands in `desired` stands in `body`, which may hold more.

    Args:
        field: The name under which both stand: a `selector` is compared whole.
    """
    if field == WHOLE:
        return is_same_json(body, desired)
    if isinstance(desired, Mapping):
        return isinstance(body, Mapping) and all(
            key in body and has_fields(body[key], value, key) for key, value in desired.items()
        )
    if isinstance(desired, list):
        return (
            isinstance(body, list)
            and len(desired) == len(body)
            and all(has_fields(theirs, ours) for ours, theirs in zip(desired, body, strict=True))
        )
    return is_same_json(body, desired)


def differences(before: object, after: object, path: str = "") -> Iterator[tuple[str, object]]:
    """The deepest paths at which two bodies differ, such as `spec.ports[0].port`, each with what `after` has there.

    What `after` no longer has is None. Lists of different lengths differ as a whole.
    """
    if is_same_json(before, after):
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in {**after, **before}:
            yield from differences(before.get(key), after.get(key), f"{path}.{key}".lstrip("."))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for number, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from differences(old, new, f"{path}[{number}]")
    else:
        yield path, after


def manager_of(path: str, body: Mapping[str, Any], *, but: str = "") -> str:
    """Who wrote a field last, by `metadata.managedFields`; "" if that does not say.

    Args:
        path: From `differences`. Below a list nothing is told apart: its items are keyed there by their content.
        body: The object's.
        but: A field manager that is not meant: our own.
    """
    said = body["metadata"].get("managedFields")
    entries = [each for each in said if isinstance(each, Mapping)] if isinstance(said, list) else []
    others = [each for each in entries if each.get("manager") != but]
    is_status = path.partition(".")[0] == "status"
    by_same_way = [each for each in others if (each.get("subresource") == "status") == is_status]
    owners = [each for each in by_same_way if _owns(each.get("fieldsV1"), path)]
    latest = max(owners, key=lambda each: str(each.get("time") or ""), default=None)
    return "" if latest is None else str(latest.get("manager") or "")


def _owns(fields: Any, path: str) -> bool:
    for name in path.partition("[")[0].split("."):
        below = fields.get(f"f:{name}") if isinstance(fields, Mapping) else None
        if below is None:
            return False
        if not below:  # the whole of it
            return True
        fields = below
    return True
