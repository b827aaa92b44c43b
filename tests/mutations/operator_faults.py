"""Faults in what people write operators with: typed resources."""

from __future__ import annotations

from tests.mutations.fault import faults_in

_VALUES = ("typed/test_values.py", "rest/typed/test_typed_resource.py")
_TYPED = ("rest/typed/test_typed_resource.py",)
_APPLIED = ("rest/typed/test_applied.py",)

OPERATOR_FAULTS = [
    *faults_in(
        "typed/values.py",
        _VALUES,
        ("None is sent as null", "            if each is None and is_optional:", "            if False:"),
        ("null in metadata makes an object unreadable", "without_nulls_in(metadata)", "metadata"),
        ("what does not fit is sent", "        codecs.convert(body, model)\n", ""),
        ("what was read is forgotten", "        value.remember(obj)\n", "        pass\n"),
    ),
    *faults_in(
        "rest/typed/resource.py",
        _TYPED,
        (
            "an update drops what the class does not know",
            "        whole = overlaid(read.body(), known, body)\n",
            "        whole = dict(body)\n",
        ),
        (
            "an update of an old version overwrites others",
            '            whole["metadata"]["resourceVersion"] = version\n',
            '            whole["metadata"].pop("resourceVersion", None)\n',
        ),
        (
            "a status is written again and again",
            "        if is_same_json(wanted, body.get(",
            "        if False and is_same_json(wanted, body.get(",
        ),
        (
            "a later incarnation is deleted",
            "uid = key.uid if isinstance(key, TypedObject) else",
            'uid = "" if isinstance(key, TypedObject) else',
        ),
        (
            "an apply has no owner",
            "        if owner is not None:\n            if owner",
            "        if False:\n            if owner",
        ),
    ),
    *faults_in(
        "rest/typed/applied.py",
        _APPLIED,
        ("another manager's fields are ours", 'entry.get("manager") == manager', "True"),
        ("a field that we dropped stays", '    if {f"f:{name}" for name in wanted} != set(fields):', "    if False:"),
        ("another value is ours", "        return is_same_json(wanted, there)  #", "        return True  #"),
        ("a new item counts as applied", "        return len(inner) == len(wanted) and all(", "        return all("),
    ),
]
