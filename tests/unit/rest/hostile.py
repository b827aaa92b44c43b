"""Whatever a server, or something that stands before it, may send: JSON that has almost the right shape, and bytes."""

from __future__ import annotations

import json

from hypothesis import strategies as st

NAMES = st.sampled_from(
    [
        *(
            "metadata",
            "items",
            "type",
            "object",
            "name",
            "namespace",
            "uid",
            "resourceVersion",
            "continue",
            "annotations",
        ),
        *(
            "kind",
            "status",
            "reason",
            "code",
            "message",
            "details",
            "causes",
            "retryAfterSeconds",
            "field",
            "generation",
        ),
        *("k8s.io/initial-events-end", "deletionTimestamp", "ownerReferences", "labels", "finalizers", "controller"),
    ]
)
WORDS = st.sampled_from(
    [
        *("", "ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR", "RENAMED", "Status", "Failure", "Expired", "Gone"),
        *("Too large resource version", "ResourceVersionTooLarge", "true", "7", "503", "410", "\ud800", "ä", "\x00"),
    ]
)
NUMBERS = st.sampled_from([0, 1, -1, 7, 200, 410, 429, 503, 504, 0.5, 1e300, -1e300, 10**400, 2**63, -(2**63) - 1])
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, WORDS, st.text(max_size=5))
JSON = st.recursive(
    SCALARS, lambda parts: st.lists(parts, max_size=3) | st.dictionaries(NAMES, parts, max_size=4), max_leaves=12
)

#: Objects, statuses, events and lists as they should be, to be spoiled in one place or several.
META = {"name": "a", "namespace": "n", "uid": "u", "resourceVersion": "7", "annotations": {}}
STATUS = {
    "kind": "Status",
    "status": "Failure",
    "code": 410,
    "reason": "Expired",
    "message": "m",
    "details": {"causes": [{"reason": "r", "message": "m", "field": "f"}], "retryAfterSeconds": 1},
}
EVENTS = [
    {"type": "ADDED", "object": {"metadata": META}},
    {"type": "BOOKMARK", "object": {"metadata": {**META, "annotations": {"k8s.io/initial-events-end": "true"}}}},
    {"type": "ERROR", "object": STATUS},
]
LIST = {"kind": "List", "metadata": {"resourceVersion": "7", "continue": ""}, "items": [{"metadata": META}] * 2}


@st.composite
def spoiled(draw: st.DrawFn, *originals: object) -> object:
    """One of `originals` with something else in some places."""
    return _spoiled(draw, draw(st.sampled_from(originals)))


def _spoiled(draw: st.DrawFn, value: object) -> object:
    if draw(st.integers(0, 7)) == 0:
        return draw(JSON)
    if isinstance(value, dict):
        kept = {name: _spoiled(draw, part) for name, part in value.items() if draw(st.integers(0, 15)) > 0}
        return {**kept, **draw(st.just({}) | st.dictionaries(NAMES, JSON, max_size=1))}
    if isinstance(value, list):
        return [_spoiled(draw, part) for part in value]
    return value


@st.composite
def as_bytes(draw: st.DrawFn, values: st.SearchStrategy[object]) -> bytes:
    """A value as JSON: compact or not, cut off or not, or nothing of the kind."""
    value = draw(values)
    separators = draw(st.sampled_from([(",", ":"), (", ", ": ")]))
    text = json.dumps(value, separators=separators, ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")
    how = draw(st.integers(0, 9))
    if how == 0:
        return text[: draw(st.integers(0, len(text)))]
    if how == 1:
        return draw(st.binary(max_size=40))
    if how == 2:
        deep = b"[" * 3000 + b"]" * 3000
        return text.replace(b'"u"', deep, 1)
    return text


SPOILED_EVENTS = as_bytes(st.one_of(JSON, spoiled(*EVENTS)))
SPOILED_LISTS = as_bytes(st.one_of(JSON, spoiled(LIST, STATUS)))
SPOILED_STATUSES = as_bytes(st.one_of(JSON, spoiled(STATUS)))
SPOILED_STREAMS = st.lists(SPOILED_EVENTS, max_size=5).map(lambda lines: b"".join(line + b"\n" for line in lines))
