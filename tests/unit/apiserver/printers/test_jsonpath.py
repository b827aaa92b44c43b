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
        (".metadata.labels['a.b/c']", ["x"]),
        (r".metadata.labels.a\.b/c", ["x"]),
        (".spec.containers[0].name", ["one"]),
        (".spec.containers[-1].name", ["two"]),
        (".spec.containers[*].name", ["one", "two"]),
        (".spec.containers[0].ports.*", [1, 2]),
        ('.status.conditions[?(@.type=="Ready")].status', ["True"]),
        (".status.conditions[?(@.type!='Ready')].status", ["False"]),
        (".status.conditions[?(@.n>=3)].type", ["Ready"]),
        (".spec.containers[7].name", []),
        (".spec.nothing.at.all", []),
        (".metadata.name.deeper", []),
    ],
)
def test_a_path_finds_what_kubernetes_finds(path: str, expected: list[Any]) -> None:
    assert find(path, POD) == expected


@pytest.mark.parametrize("path", [".a[", ".a[?(@.b=~'c')]", ".a[?(@.b==nonsense)]", "a b", ".a['b]"])
def test_a_malformed_path_is_a_value_error(path: str) -> None:
    with pytest.raises(ValueError, match="JSONPath"):
        find(path, POD)
