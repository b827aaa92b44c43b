"""JSON patches: lists of operations."""

from __future__ import annotations

from tests.integration.conformance.harness import Talk, case
from tests.integration.conformance.manifests import CONFIG_MAPS, WIDGETS, config_map, define_widgets, widget

_FREE = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


@case("json patch")
def every_operation_works(talk: Talk) -> None:
    define_widgets(talk, _FREE)
    talk.post(WIDGETS, widget(spec={"a": [1, 2, 3], "b": {"c/d": 1, "e~f": 2}}))
    operations = [
        {"op": "test", "path": "/spec/a/0", "value": 1},
        {"op": "add", "path": "/spec/a/-", "value": 4},
        {"op": "add", "path": "/spec/a/1", "value": 9},
        {"op": "remove", "path": "/spec/a/0"},
        {"op": "replace", "path": "/spec/b/c~1d", "value": "one"},
        {"op": "copy", "from": "/spec/b/e~0f", "path": "/spec/copied"},
        {"op": "move", "from": "/spec/b", "path": "/spec/moved"},
        {"op": "add", "path": "/metadata/labels", "value": {"x": "y"}},
    ]
    talk.patch(f"{WIDGETS}/a", operations, content_type="json")
    talk.patch(f"{WIDGETS}/a", [], content_type="json")


@case("json patch", error=True)
def operations_that_do_not_fit_are_refused(talk: Talk) -> None:
    talk.post(CONFIG_MAPS, config_map(data={"k": "v"}))
    for operation in (
        {"op": "test", "path": "/data/k", "value": "w"},
        {"op": "remove", "path": "/data/none"},
        {"op": "replace", "path": "/data/none", "value": "x"},
        {"op": "add", "path": "/none/deeper", "value": "x"},
        {"op": "dance", "path": "/data/k"},
        {"op": "copy", "from": "/none", "path": "/data/x"},
        {"op": "copy", "from": "/data/k", "path": "/none/x"},
        {"op": "copy", "from": "/none/x", "path": "/data/x"},
        {"op": "move", "from": "/data/k", "path": "/none/x"},
        {"op": "move", "from": "/none/x", "path": "/data/x"},
        {"op": "move", "from": "/data/none", "path": "/data/x"},
        {"op": "move", "from": "/data/k", "path": "/metadata/managedFields/7"},
        {"op": "copy", "from": "/data/k", "path": "/metadata/managedFields/7"},
        {"op": "test", "path": "/data/none", "value": "w"},
        {"op": "add", "path": "data/k", "value": "w"},
    ):
        talk.patch(f"{CONFIG_MAPS}/a", [operation], content_type="json")


@case("json patch", error=True)
def what_is_no_list_of_operations_is_refused(talk: Talk) -> None:
    define_widgets(talk)
    talk.post(CONFIG_MAPS, config_map())
    talk.post(WIDGETS, widget())
    for path in (f"{CONFIG_MAPS}/a", f"{WIDGETS}/a"):
        talk.patch(path, {"op": "add"}, content_type="json")
        talk.patch(path, "[", content_type="json")
        talk.patch(path, "3", content_type="json")


@case("json patch", error=True)
def what_it_makes_must_be_valid(talk: Talk) -> None:
    define_widgets(talk)
    talk.post(CONFIG_MAPS, config_map())
    talk.post(WIDGETS, widget())
    talk.patch(f"{WIDGETS}/a", [{"op": "replace", "path": "/spec/size", "value": 99}], content_type="json")
    talk.patch(f"{WIDGETS}/a", [{"op": "remove", "path": "/spec"}], content_type="json")
    talk.patch(f"{CONFIG_MAPS}/a", [{"op": "replace", "path": "/metadata/name", "value": "b"}], content_type="json")
    talk.patch(f"{CONFIG_MAPS}/a", [{"op": "add", "path": "/data", "value": 3}], content_type="json")
    talk.patch(f"{CONFIG_MAPS}/none", [], content_type="json")
