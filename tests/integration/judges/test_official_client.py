"""The kubernetes package's own client gets the same from a real API server and the embedded one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import kubernetes.client
import kubernetes.config
import kubernetes.watch
import pytest
import yaml
from kubernetes.client.exceptions import ApiException

from tests.integration.conformance.normalize import Normalizer
from tests.integration.conformance.servers import Server
from tests.integration.judges.conftest import kubectl_at
from tests.integration.judges.objects import CONFIG_MAP, SECRET, STATEFUL_SET, definition, net
from tests.integration.judges.test_kubectl import forget_kinds
from tests.integration.support import eventually

pytestmark = pytest.mark.real_server

NAMESPACE = "judge-client"
GROUP = "judge-client.example.org"


class Notes:
    """What the client returned or raised, call by call."""

    def __init__(self, api: kubernetes.client.ApiClient) -> None:
        self.entries: list[Any] = []
        self._api = api
        self._normalizer = Normalizer({})

    def __call__(self, function: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """Call and note the result; returns it, or None after an ApiException."""
        try:
            result = function(*args, **options)
        except ApiException as error:
            self._note(function.__name__, {"status": error.status, "body": json.loads(error.body or "{}")})
            return None
        self._note(function.__name__, result)
        return result

    def events(self, function: Callable[..., Any], *args: Any, **options: Any) -> None:
        """Note what a watch brings until it ends."""
        for event in kubernetes.watch.Watch().stream(function, *args, **options):
            self._note(f"watch {function.__name__}", {"type": event["type"], "object": event["raw_object"]})

    def _note(self, name: str, result: Any) -> None:
        plain = json.loads(json.dumps(self._api.sanitize_for_serialization(result)))
        self.entries.append((name, self._normalizer.value(plain)))


@contextmanager
def client_of(server: Server) -> Iterator[kubernetes.client.ApiClient]:
    api = kubernetes.config.new_client_from_config_dict(json.loads(json.dumps(server.kubeconfigs["admin"])))
    try:
        yield api
    finally:
        api.close()


def core_objects(notes: Notes, api: kubernetes.client.ApiClient) -> None:
    core = kubernetes.client.CoreV1Api(api)
    start = core.list_namespaced_config_map(NAMESPACE).metadata.resource_version
    notes(core.create_namespaced_config_map, NAMESPACE, yaml.safe_load(CONFIG_MAP))
    notes(core.create_namespaced_config_map, NAMESPACE, yaml.safe_load(CONFIG_MAP))
    notes(core.create_namespaced_secret, NAMESPACE, yaml.safe_load(SECRET))
    notes(core.list_namespaced_secret, NAMESPACE)
    notes(core.list_namespaced_config_map, NAMESPACE, label_selector="tier=back", limit=1)
    notes(core.patch_namespaced_config_map, "config", NAMESPACE, {"data": {"b": "2", "a": None}})
    current = notes(core.read_namespaced_config_map, "config", NAMESPACE)
    current.data = {"c": "3"}
    notes(core.replace_namespaced_config_map, "config", NAMESPACE, current)
    notes(core.replace_namespaced_config_map, "config", NAMESPACE, current)  # conflicts
    notes(core.create_namespaced_config_map, NAMESPACE, {"metadata": {"name": "Bad_Name"}})
    notes(core.delete_namespaced_config_map, "config", NAMESPACE)
    notes(core.delete_namespaced_config_map, "config", NAMESPACE)
    notes(core.read_namespaced_secret, "none", NAMESPACE)
    options = {"resource_version": start, "timeout_seconds": 2, "field_selector": "metadata.name=config"}
    notes.events(core.list_namespaced_config_map, NAMESPACE, **options)
    notes(core.delete_collection_namespaced_secret, NAMESPACE)


def workloads(notes: Notes, api: kubernetes.client.ApiClient) -> None:
    apps = kubernetes.client.AppsV1Api(api)
    body = yaml.safe_load(STATEFUL_SET)
    notes(apps.create_namespaced_stateful_set, NAMESPACE, body)
    change = {"spec": {"template": {"spec": {"containers": [{"name": "node", "image": "core:2"}]}}}}
    notes(apps.patch_namespaced_stateful_set, "set", NAMESPACE, change)
    notes(apps.patch_namespaced_stateful_set_scale, "set", NAMESPACE, {"spec": {"replicas": 4}})
    notes(apps.read_namespaced_stateful_set_scale, "set", NAMESPACE)
    notes(apps.patch_namespaced_stateful_set_status, "set", NAMESPACE, {"status": {"replicas": 2}})
    notes(apps.create_namespaced_stateful_set, NAMESPACE, body, dry_run="All")
    notes(apps.patch_namespaced_stateful_set, "set", NAMESPACE, {"spec": {"serviceName": "other"}})
    notes(apps.list_namespaced_stateful_set, NAMESPACE)
    notes(apps.delete_namespaced_stateful_set, "set", NAMESPACE, propagation_policy="Background")
    notes(apps.list_namespaced_stateful_set, NAMESPACE)


def custom_objects(notes: Notes, api: kubernetes.client.ApiClient) -> None:
    definitions = kubernetes.client.ApiextensionsV1Api(api)
    custom = kubernetes.client.CustomObjectsApi(api)
    place = (GROUP, "v1", NAMESPACE, "nets")
    definitions.create_custom_resource_definition(yaml.safe_load(definition(GROUP)))
    eventually(lambda: is_served(custom))
    start = custom.list_namespaced_custom_object(*place)["metadata"]["resourceVersion"]
    notes(custom.create_namespaced_custom_object, *place, yaml.safe_load(net(GROUP)))
    notes(custom.create_namespaced_custom_object, *place, yaml.safe_load(net(GROUP, "few", 0)))
    notes(custom.patch_namespaced_custom_object, *place, "a", {"spec": {"nodes": 4}})
    notes(custom.patch_namespaced_custom_object_status, *place, "a", {"status": {"nodes": 2}})
    notes(custom.get_namespaced_custom_object_scale, *place, "a")
    notes(custom.patch_namespaced_custom_object_scale, *place, "a", {"spec": {"replicas": 5}})
    current = notes(custom.get_namespaced_custom_object, *place, "a")
    notes(custom.replace_namespaced_custom_object, *place, "a", {**current, "spec": {"nodes": 6}})
    notes(custom.replace_namespaced_custom_object, *place, "a", current)  # conflicts
    notes(custom.list_namespaced_custom_object, *place)
    notes(custom.list_cluster_custom_object, GROUP, "v1", "nets")
    notes(custom.delete_namespaced_custom_object, *place, "a")
    notes(custom.get_namespaced_custom_object, *place, "a")
    notes.events(custom.list_namespaced_custom_object, *place, resource_version=start, timeout_seconds=2)


def is_served(custom: kubernetes.client.CustomObjectsApi) -> bool:
    try:
        return bool(custom.list_namespaced_custom_object(GROUP, "v1", NAMESPACE, "nets"))
    except ApiException:
        return False


def test_the_official_client_gets_the_same(both: list[Server], kubectl_program: str, tmp_path: Path) -> None:
    told: list[list[Any]] = []
    for server in both:
        kubectl = kubectl_at(server, kubectl_program, tmp_path, NAMESPACE)
        kubectl("create", "namespace", NAMESPACE)
        kubectl("wait", "sa/default", "--for=create", "--timeout=30s")
        with client_of(server) as api:
            notes = Notes(api)
            try:
                for part in (core_objects, workloads, custom_objects):
                    part(notes, api)
            finally:
                forget_kinds(kubectl, GROUP)
            told.append(notes.entries)
    real, embedded = told
    for wanted, had in zip(real, embedded, strict=True):
        assert had == wanted
