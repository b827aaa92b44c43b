"""Random writes of several managers: who owns what must be the same on both servers, after each."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.conformance.cases_apply import APPLY, RICH
from tests.integration.conformance.harness import Answer, Talk
from tests.integration.conformance.manifests import CONFIG_MAPS, DEPLOYMENTS, WIDGETS, define_widgets, template
from tests.integration.conformance.servers import Server

pytestmark = pytest.mark.real_server

_SEEDS, _STEPS = 3, 40
_MANAGERS = ("one", "two", "three", "kubectl")
_OPERATIONS = ("apply", "apply", "force", "put", "merge", "json", "reset", "drop", "status", "scale", "delete")

Write = Callable[[Talk], Answer]


def _some(dice: random.Random, **choices: list[Any]) -> dict[str, Any]:
    return {name: dice.choice(values) for name, values in choices.items() if dice.random() < 0.4}


def _widget_spec(dice: random.Random) -> dict[str, Any]:
    parts = [{"name": name, **_some(dice, weight=[1, 2])} for name in dice.sample("xyz", dice.randint(0, 3))]
    return _some(
        dice,
        size=[1, 2, 3],
        image=["a", "b"],
        parts=[parts],
        tags=[dice.sample(["t<1", "t2", "t3"], dice.randint(0, 3))],
        words=[["a"], ["a", "b"]],
        whole=[{}, {"a": "1"}, {"a": "2", "b": "1"}],
        each=[{}, _some(dice, a=["1", "2"], b=["1"])],
        free=[{}, _some(dice, a=[1, "s", {"x": 1}, [1]], b=[{"y": {"z": 1}}, {"y": 2}])],
    )


def _config(dice: random.Random, kind: str) -> dict[str, Any]:
    labels = _some(dice, l1=["a", "b"], l2=["a"])
    metadata: dict[str, Any] = {"name": "a", **({"labels": labels} if labels else {})}
    if kind == "Widget":
        return {"apiVersion": "{group}/v1", "kind": kind, "metadata": metadata, "spec": _widget_spec(dice)}
    if kind == "ConfigMap":
        data = _some(dice, a=["1", "2"], b=["1", "2"], c=["3"])
        return {"apiVersion": "v1", "kind": kind, "metadata": metadata, **({"data": data} if data else {})}
    containers = [
        {"name": name, "image": dice.choice(["i:1", "i:2"]), **_some(dice, env=[[{"name": "A", "value": "1"}]])}
        for name in dice.sample(["c1", "c2"], dice.randint(1, 2))
    ]
    spec = {"replicas": 0, "selector": {"matchLabels": {"app": "a"}}, "template": template(containers=containers)}
    spec |= _some(dice, minReadySeconds=[1, 2], revisionHistoryLimit=[3, 4])
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": metadata, "spec": spec}


def _write(dice: random.Random, kind: str, path: str) -> Write:
    """One random write, the same for everybody who sends it."""
    operation, config = dice.choice(_OPERATIONS), _config(dice, kind)
    query = {"fieldManager": dice.choice(_MANAGERS)}
    ready, replicas, keeps = dice.choice([{}, {"ready": 1}, {"ready": 2}]), dice.randint(0, 2), dice.random() < 0.5

    def put(talk: Talk) -> Answer:
        live = talk.get(path).body
        metadata = {key: value for key, value in live["metadata"].items() if key != "labels"}
        if not keeps:
            metadata.pop("managedFields", None)
        return talk.put(path, {**config, "metadata": {**metadata, **config["metadata"]}}, query=query)

    def drop(talk: Talk) -> Answer:
        entries = talk.get(path).body["metadata"].get("managedFields", [])
        kept = [each for each in entries if each["manager"] != "one"]
        return talk.patch(path, {"metadata": {"managedFields": kept}}, query=query)

    def apply(talk: Talk) -> Answer:
        force = {"force": "true"} if operation == "force" else {}
        return talk.patch(path, config, content_type=APPLY, query={**query, **force})

    change = {key: value for key, value in config.items() if key not in {"apiVersion", "kind"}}
    writes: dict[str, Write] = {
        "put": put,
        "drop": drop,
        "merge": lambda talk: talk.patch(path, change, query=query),
        "json": lambda talk: talk.patch(
            path, [{"op": "add", "path": "/metadata/labels", "value": {"j": "1"}}], content_type="json", query=query
        ),
        "reset": lambda talk: talk.patch(path, {"metadata": {"managedFields": [{}] if keeps else []}}, query=query),
        "delete": lambda talk: talk.delete(path),
    }
    if kind == "Widget":
        writes["status"] = lambda talk: talk.patch(f"{path}/status", {"status": ready}, query=query)
    if kind != "ConfigMap":
        writes["scale"] = lambda talk: talk.patch(f"{path}/scale", {"spec": {"replicas": replicas}}, query=query)
    return writes.get(operation, apply)


def _owned(talk: Talk, path: str) -> list[str]:
    """The entries without their times, which decide of their order."""
    entries = talk.get(path).body["metadata"].get("managedFields", [])
    return sorted(json.dumps({**each, "time": "time" in each}, sort_keys=True) for each in entries)


@pytest.mark.parametrize("seed", range(_SEEDS))
@pytest.mark.parametrize(
    ("kind", "base"), [("Widget", WIDGETS), ("ConfigMap", CONFIG_MAPS), ("Deployment", DEPLOYMENTS)]
)
def test_both_servers_agree_on_who_owns_what(real_server, embedded_server, kind: str, base: str, seed: int):
    servers: tuple[Server, Server] = (real_server, embedded_server)
    path, dice = f"{base}/a", random.Random(f"{kind} {seed}")
    group, namespace = f"g{seed}{kind.lower()}.example.org", f"fields-{kind.lower()}-{seed}"
    with Talk(servers[0], namespace, group) as real, Talk(servers[1], namespace, group) as embedded:
        for talk in (real, embedded) if kind == "Widget" else ():
            define_widgets(talk, RICH, scale=True)
        for step in range(_STEPS):
            config, manager = _config(dice, kind), dice.choice(_MANAGERS)
            write = _write(dice, kind, path)
            if real.get(path).status == 404:
                write = lambda talk, body=config, who=manager: talk.post(base, body, query={"fieldManager": who})  # noqa: E731
            answers = [write(talk) for talk in (real, embedded)]
            assert answers[0].status == answers[1].status, (step, [answer.body for answer in answers])
            if real.get(path).status == 200:
                assert _owned(real, path) == _owned(embedded, path), (step, real.transcript[-1:])
