"""The chart's README: what values.yaml says of each value, as a table."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

CHART = Path(__file__).parents[2] / "helm/btcctl"
README = CHART / "README.md"
VALUES = CHART / "values.yaml"

_TOP = """\
# btcctl

{description}: `BitcoinNetwork`. Needs Kubernetes {kube}. Generated from values.yaml by `make chart-docs`: do not edit.

```console
$ helm repo add btcctl https://charts.example.com
$ helm install btcctl btcctl/btcctl --namespace bitcoin-controller --create-namespace
```

The images come first: `make images` builds them, and they have to be where the cluster pulls from
(`global.imageRegistry`), or imported on its nodes.

A value that is not listed here, or has another type, is refused. The CustomResourceDefinition is part of the release:
it is brought up to date with each upgrade, and stays on uninstall (`crds.keep`). In a cluster that had it before, from
a chart older than 0.2.0 or from the manifests, the first upgrade or install needs `--take-ownership`.

| value | default | meaning |
|---|---|---|
"""


@dataclass(frozen=True)
class Value:
    """One of the values that is no section.

    Attributes:
        path: `metrics.service.enabled`.
        default: As JSON.
        about: What the comment above it says, and that of the section for the first of a section.
    """

    path: str
    default: str
    about: str


def values() -> Iterator[Value]:
    """All of them, in order."""
    text = VALUES.read_text(encoding="utf-8")
    yield from _values(yaml.compose(text), text.splitlines(), "")


def _values(node: yaml.Node, lines: list[str], prefix: str) -> Iterator[Value]:
    assert isinstance(node, yaml.MappingNode)
    for key, value in node.value:
        path = f"{prefix}{key.value}"
        about = _comment_above(lines, key.start_mark.line)
        if isinstance(value, yaml.MappingNode) and value.value and not about.startswith("-- "):
            yield from _values(value, lines, f"{path}.")
        else:
            loaded = yaml.safe_load(yaml.serialize(value))
            yield Value(path, json.dumps(loaded), about.removeprefix("-- "))


def _comment_above(lines: list[str], line: int) -> str:
    first = line
    while first > 0 and lines[first - 1].lstrip().startswith("#"):
        first -= 1
    return " ".join(each.lstrip().removeprefix("#").strip() for each in lines[first:line])


def render_readme() -> str:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    top = _TOP.format(description=chart["description"], kube=chart["kubeVersion"].removesuffix("-0"))
    rows = [f"| `{each.path}` | `{each.default}` | {each.about} |" for each in values()]
    return top + "\n".join(rows).replace("||", r"\|\|") + "\n"
