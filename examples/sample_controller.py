"""Kubernetes' sample-controller: a Foo asks for a Deployment of a name and a size, and gets it.

    python examples/sample_controller.py --print-crd | kubectl apply -f -
    python examples/sample_controller.py [NAMESPACE]

As the original it takes no Deployment that somebody else made, and says so in an event. Unlike it, it
writes a status only if that changes, records no event when nothing happened, and finds the owner of a
Deployment by group, kind and UID.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from btcctl import (
    ApiClient,
    Controller,
    EventRecorder,
    Manager,
    NotControlled,
    Object,
    ObjectKey,
    ObjectReference,
    Outcome,
    ResourceType,
    Result,
    SharedInformerFactory,
    TerminalError,
    create_or_update,
    load_config,
    run_until_signal,
    set_controller,
    write_status,
)

FOOS = ResourceType("samplecontroller.k8s.io", "v1alpha1", "foos", "Foo")
DEPLOYMENTS = ResourceType("apps", "v1", "deployments", "Deployment")

DEFINITION: dict[str, Any] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {
        "name": "foos.samplecontroller.k8s.io",
        # API servers want this of groups below k8s.io, which the original is in.
        "annotations": {"api-approved.kubernetes.io": "unapproved, experimental-only"},
    },
    "spec": {
        "group": FOOS.group,
        "scope": "Namespaced",
        "names": {"kind": FOOS.kind, "plural": FOOS.plural},
        "versions": [
            {
                "name": FOOS.version,
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "required": ["spec"],
                        "properties": {
                            "spec": {
                                "type": "object",
                                "required": ["deploymentName", "replicas"],
                                "properties": {
                                    "deploymentName": {"type": "string"},
                                    "replicas": {"type": "integer", "minimum": 1, "maximum": 10},
                                },
                            },
                            "status": {"type": "object", "properties": {"availableReplicas": {"type": "integer"}}},
                        },
                    }
                },
            }
        ],
    },
}


class FooReconciler:
    """Gives each Foo its Deployment."""

    def __init__(self, client: ApiClient, factory: SharedInformerFactory, recorder: EventRecorder) -> None:
        self._foos = client.resource(FOOS)
        self._deployments = client.resource(DEPLOYMENTS)
        self._foo_cache = factory.informer(FOOS).lister
        self._deployment_cache = factory.informer(DEPLOYMENTS).lister
        self._recorder = recorder

    def __call__(self, key: ObjectKey) -> Result:
        foo = self._foo_cache.get(key)
        if foo is None or foo.deletion_timestamp is not None:
            return Result()  # garbage collection takes the Deployment
        deployment = self._ensure_deployment(foo, foo.body()["spec"])
        available = deployment.body().get("status", {}).get("availableReplicas", 0)
        write_status(self._foos, foo, {"availableReplicas": available})
        return Result()

    def _ensure_deployment(self, foo: Object, spec: dict[str, Any]) -> Object:
        if not spec["deploymentName"]:
            raise TerminalError(f"{foo.key}: spec.deploymentName is empty")
        key = ObjectKey(foo.namespace, spec["deploymentName"])

        def as_wanted(body: dict[str, Any]) -> None:
            labels = {"app": "nginx", "controller": foo.name}
            set_controller(body, FOOS, foo)
            deployment_spec = body.setdefault("spec", {"selector": {"matchLabels": labels}})
            deployment_spec["replicas"] = spec["replicas"]
            deployment_spec.setdefault("template", pods(labels))

        try:
            ensured = create_or_update(self._deployments, key, as_wanted, cached=self._deployment_cache.get(key))
        except NotControlled as error:
            self._tell(foo, "Warning", "ErrResourceExists", str(error))
            raise
        if ensured.outcome is not Outcome.UNCHANGED:
            self._tell(foo, "Normal", "Synced", f'{ensured.outcome.value} Deployment "{key.name}"')
        return ensured.object

    def _tell(self, foo: Object, type_: str, reason: str, message: str) -> None:
        self._recorder.event(ObjectReference.of(FOOS, foo), type_, reason, message)


def pods(labels: dict[str, str]) -> dict[str, Any]:
    return {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "nginx", "image": "nginx:latest"}]}}


def build(client: ApiClient, namespace: str = "") -> Manager:
    factory = SharedInformerFactory(client, namespace=namespace)
    recorder = EventRecorder(client, "sample-controller")
    reconcile = FooReconciler(client, factory, recorder)
    controller = Controller.for_(FOOS).owns(DEPLOYMENTS).build("foos", reconcile, factory)
    return Manager(factory, [controller], recorder=recorder)


def main(*args: str) -> None:
    if args == ("--print-crd",):
        print(json.dumps(DEFINITION, indent=2))
    else:
        run_until_signal(build(ApiClient.from_config(load_config()), *args[:1]))


if __name__ == "__main__":
    main(*sys.argv[1:])
