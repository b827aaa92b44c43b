"""The indexes of an Indexed Job: which pods have which, and how a status names those that are done. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import count
from typing import Any

INDEX = "batch.kubernetes.io/job-completion-index"  #: annotation, and label, of a pod
VARIABLE = "JOB_COMPLETION_INDEX"

Body = Mapping[str, Any]


def is_indexed(job: Body) -> bool:
    return bool(job["spec"].get("completionMode") == "Indexed")


def index_of(pod: Body) -> int | None:
    """A pod's index, or None: it has none that is a number."""
    text = str((pod["metadata"].get("annotations") or {}).get(INDEX, ""))
    return int(text) if text.isdecimal() else None


def parse_indexes(text: str) -> set[int]:
    """What "0,2-4" names."""
    found: set[int] = set()
    for part in filter(None, text.split(",")):
        first, dash, last = part.partition("-")
        found |= set(range(int(first), int(last if dash else first) + 1))
    return found


def format_indexes(indexes: Iterable[int]) -> str:
    """As a status has them: "0,2-4", two that follow each other as "2,3"."""
    runs: list[list[int]] = []
    for index in sorted(indexes):
        if runs and runs[-1][-1] == index - 1:
            runs[-1].append(index)
        else:
            runs.append([index])
    return ",".join(f"{run[0]}-{run[-1]}" if len(run) > 2 else ",".join(map(str, run)) for run in runs)


def free_indexes(job: Body, taken: set[int]) -> Iterator[int]:
    """The lowest first, of those that the Job has."""
    for index in count():
        if index >= job["spec"]["completions"]:
            return
        if index not in taken:
            yield index


def with_index(pod: dict[str, Any], job: Body, index: int) -> dict[str, Any]:
    """The pod that is to be made for an index."""
    name, metadata, spec = job["metadata"]["name"], pod["metadata"], pod["spec"]
    source = {"fieldRef": {"fieldPath": f"metadata.annotations['{INDEX}']"}}
    variable = {"name": VARIABLE, "valueFrom": source}
    told = {
        kind: [
            {**each, "env": [*(one for one in each.get("env") or () if one["name"] != VARIABLE), variable]}
            for each in spec[kind]
        ]
        for kind in ("containers", "initContainers")
        if spec.get(kind)
    }
    own = {INDEX: str(index)}
    return {
        **pod,
        "metadata": {
            **metadata,
            "generateName": f"{name}-{index}-",
            "labels": {**(metadata.get("labels") or {}), **own},
            "annotations": {**(metadata.get("annotations") or {}), **own},
        },
        "spec": {**spec, **told, "hostname": f"{name}-{index}"},
    }
