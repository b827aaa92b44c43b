"""A real control plane with N widgets, and what a run needs to know of it: requests, and when a state is right."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from btcctl import ApiClient, HandlerFuncs, Object, ObjectKey, PatchKind, ResourceType, SharedInformerFactory
from btcctl.resources import CONFIG_MAPS
from btcctl.testing import ControlPlane, ControlPlaneOptions

WIDGETS = ResourceType("bench.example.org", "v1", "widgets", "Widget")
NAMESPACE = "default"
GROUP = "benchmarks"  # who is counted
WRITERS = 4
LIMIT_SECONDS = 600.0

_VALUE = {"type": "object", "properties": {"value": {"type": "string"}, "observedGeneration": {"type": "integer"}}}
_STATUS = {**_VALUE, "x-kubernetes-preserve-unknown-fields": True}  # kopf keeps its progress there
DEFINITION = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.bench.example.org"},
    "spec": {
        "group": "bench.example.org",
        "names": {"plural": "widgets", "kind": "Widget", "listKind": "WidgetList", "singular": "widget"},
        "scope": "Namespaced",
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "schema": {
                    "openAPIV3Schema": {"type": "object", "properties": {"spec": _VALUE, "status": _STATUS}},
                },
            }
        ],
    },
}
_POLICY = f"""\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
  userGroups: [{GROUP}]
- level: None
"""
_READS = {"get", "list", "watch"}


class Requests:
    """What the audit log has of the contestants; counts what came since the last look."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at = 0

    def since(self) -> dict[str, int]:
        """Of requests for widgets and config maps: all, those that write, and those that were answered 404 or 409."""
        with self._path.open("rb") as file:
            file.seek(self._at)
            text = file.read()
        whole = text.rfind(b"\n") + 1
        self._at += whole
        counts = dict.fromkeys(("requests", "writes", "missing", "conflicts"), 0)
        for record in map(json.loads, text[:whole].splitlines()):
            if record.get("stage") != "ResponseComplete" or record.get("verb") in {"watch", "list"}:
                continue
            if record.get("objectRef", {}).get("resource") not in {"widgets", "configmaps"}:
                continue
            code = record.get("responseStatus", {}).get("code")
            counts["requests"] += 1
            counts["writes"] += record["verb"] not in _READS
            counts["missing"] += code == 404
            counts["conflicts"] += code == 409
        return counts


class Cluster:
    """One control plane for one run, its widgets, and a watch of our own that says when what is right."""

    def __init__(self, control_plane: ControlPlane, requests: Requests, objects: int) -> None:
        self.control_plane = control_plane
        self.requests = requests
        self.names = [f"w-{number:05d}" for number in range(objects)]
        self.right_at: dict[tuple[str, str], float] = {}  #: (name, value) to when its status first said so
        self._client: ApiClient = control_plane.client()
        self._widgets = self._client.resource(WIDGETS, NAMESPACE)
        self._factory = SharedInformerFactory(control_plane.client(), namespace=NAMESPACE)
        widgets = self._factory.informer(WIDGETS)
        widgets.add_handler(HandlerFuncs(on_add=lambda obj, _: self._see(obj), on_update=lambda _, obj: self._see(obj)))
        self.config_maps = self._factory.informer(CONFIG_MAPS)

    def fill(self) -> None:
        self._factory.start()
        self._factory.require_sync(30.0)
        self._all(self._create, self.names)

    def close(self) -> None:
        self._factory.stop()

    def wait_until(self, condition: Callable[[], bool], what: str) -> None:
        """Polls, as rarely as the figures allow."""
        end = time.monotonic() + LIMIT_SECONDS
        while not condition():
            if time.monotonic() > end:
                raise TimeoutError(f"{what}: not after {LIMIT_SECONDS:.0f} s")
            time.sleep(0.05)

    def is_right(self, names: Sequence[str], value: str) -> bool:
        return all((name, value) in self.right_at for name in names)

    def has_config_maps(self) -> bool:
        return all(self.config_maps.lister.get(ObjectKey(NAMESPACE, name)) is not None for name in self.names)

    def change(self, name: str, value: str) -> float:
        """Returns: when it was asked for."""
        at = time.monotonic()
        self._widgets.patch(ObjectKey(NAMESPACE, name), {"spec": {"value": value}}, kind=PatchKind.MERGE)
        return at

    def delete_config_maps(self, names: Sequence[str]) -> set[str]:
        """Returns: the UIDs of those that are gone."""
        config_maps = self._client.resource(CONFIG_MAPS, NAMESPACE)
        keys = [ObjectKey(NAMESPACE, name) for name in names]
        gone = {config_maps.get(key).uid for key in keys}
        self._all(config_maps.delete, keys)
        return gone

    def are_remade(self, names: Sequence[str], gone: set[str]) -> bool:
        found = [self.config_maps.lister.get(ObjectKey(NAMESPACE, name)) for name in names]
        return all(each is not None and each.uid not in gone for each in found)

    def _create(self, name: str) -> None:
        metadata = {"name": name, "namespace": NAMESPACE}
        self._widgets.create({**WIDGET, "metadata": metadata, "spec": {"value": "first"}})

    def _all(self, call: Callable[[Any], object], items: Sequence[Any]) -> None:
        with ThreadPoolExecutor(WRITERS) as pool:
            list(pool.map(call, items))

    def _see(self, obj: Object) -> None:
        body = obj.body()
        value, status = body["spec"]["value"], body.get("status", {})
        if status.get("value") == value and status.get("observedGeneration") == obj.generation:
            self.right_at.setdefault((obj.name, value), time.monotonic())


WIDGET = {"apiVersion": "bench.example.org/v1", "kind": "Widget"}


@contextmanager
def cluster(objects: int) -> Iterator[Cluster]:
    with tempfile.TemporaryDirectory(prefix="btcctl-bench-") as directory:
        log, policy = Path(directory) / "audit.log", Path(directory) / "policy.yaml"
        policy.write_text(_POLICY)
        log.touch()
        flags = (f"--audit-policy-file={policy}", f"--audit-log-path={log}")
        options = ControlPlaneOptions(controllers=(), api_server_flags=flags, definitions=[DEFINITION])
        with ControlPlane(options) as control_plane:
            one = Cluster(control_plane, Requests(log), objects)
            try:
                one.fill()
                yield one
            finally:
                one.close()
