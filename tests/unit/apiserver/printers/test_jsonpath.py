from __future__ import annotations

from typing import Any

import pytest

from btcctl.apiserver.printers.jsonpath import find

POD = {
    "metadata": {"labels": {"a.b/c": "x"}, "name": "p"},
    "spec": {"containers": [{"name": "one", "ports": [1, 2]}, {"name": "two"}]},
    "status": {"conditions": [{"type": "Ready", "status": "True", "n": 3}, {"type": "Other", "status": "False"}]},
}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (".metadata.name", ["p"]),
        ("{.metadata.name}", ["p"]),
        ("$.metadata.name", ["p"]),
        (r".metadata.labels['a\.b/c']", ["x"]),
        (".metadata.labels['a.b/c']", []),
        (r".metadata.labels.a\.b/c", ["x"]),
        (".spec.containers[0].name", ["one"]),
        (".spec.containers[-1].name", ["two"]),
        (".spec.containers[*].name", ["one", "two"]),
        (".spec.containers[0].ports.*", [1, 2]),
        ('.status.conditions[?(@.type=="Ready")].status', ["True"]),
        (".status.conditions[?(@.type!='Ready')].status", ["False"]),
        (".status.conditions[?(@.n>=3)].type", ["Ready"]),
        (".spec.containers[-1:].name", ["two"]),
        (".spec.containers[0:2:2].name", ["one"]),
        (".spec.containers[0,1].name", ["one", "two"]),
        (".spec.containers[?(@.ports)].name", ["one"]),
        (".spec.containers[*].ports[1]", [2]),
        (".spec..ports", [[1, 2]]),
        (".spec['containers'][1]['name']", ["two"]),
        (".spec.nothing.at.all", []),
        (".metadata.name.deeper", []),
    ],
)
def test_a_path_finds_what_kubernetes_finds(path: str, expected: list[Any]) -> None:
    assert find(path, POD) == expected


@pytest.mark.parametrize(
    "path", [".spec.containers[7].name", ".spec[0]", ".spec.containers[0:9]", '.spec[?(@.a=="b")]', ".spec[*]"]
)
def test_what_does_not_fit_the_value_is_a_value_error(path: str) -> None:
    with pytest.raises(ValueError, match="JSONPath"):
        find(path, POD)


@pytest.mark.parametrize("path", [".a[", ".a[?(@.b=~'c')]", ".a[?(@.b==nonsense)]", "a b", ".a['b]"])
def test_a_malformed_path_is_a_value_error(path: str) -> None:
    with pytest.raises(ValueError, match="JSONPath"):
        find(path, POD)
