"""Kubernetes' sample-controller: a Foo asks for a Deployment of a name and a size, and gets it.

    btcctl crds examples/sample_controller.py | kubectl apply -f -
    python examples/sample_controller.py --help

As the original it takes no Deployment that another controls, and says so in an event. Unlike it, it
writes a status only if that changes, records no event when nothing happened, and finds the owner of a
Deployment by group, kind and UID.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

import btcctl
from btcctl import (
    DEPLOYMENTS,
    App,
    CustomResource,
    NotControlled,
    Object,
    ObjectKey,
    Outcome,
    Result,
    TerminalError,
    create_or_update,
    set_controller,
)


class FooSpec(msgspec.Struct, rename="camel"):
    """The Deployment that a Foo asks for."""

    deployment_name: str
    replicas: Annotated[int, Meta(ge=1, le=10)]


class FooStatus(msgspec.Struct, rename="camel"):
    """What there is of it."""

    available_replicas: int = 0


class Foo(
    CustomResource[FooSpec, FooStatus],
    group="samplecontroller.k8s.io",
    version="v1alpha1",
    plural="foos",
    # API servers want this of groups below k8s.io, which the original is in.
    annotations={"api-approved.kubernetes.io": "unapproved, experimental-only"},
):
    """Asks for a Deployment."""


class FooReconciler:
    """Gives each Foo its Deployment."""

    def __init__(self, app: App) -> None:
        self._foos = app.client.resource(Foo)
        self._deployments = app.client.resource(DEPLOYMENTS)
        self._foo_cache = app.factory.informer(Foo).lister
        self._deployment_cache = app.factory.informer(DEPLOYMENTS).lister
        self._recorder = app.recorder

    def __call__(self, key: ObjectKey) -> Result:
        foo = self._foo_cache.get(key)
        if foo is None or foo.deletion_timestamp is not None:
            return Result()  # garbage collection takes the Deployment
        deployment = self._ensure_deployment(foo)
        available = deployment.body().get("status", {}).get("availableReplicas", 0)
        self._foos.write_status(foo, FooStatus(available))
        return Result()

    def _ensure_deployment(self, foo: Foo) -> Object:
        if not foo.spec.deployment_name:
            raise TerminalError(f"{foo.key}: spec.deploymentName is empty")
        key = ObjectKey(foo.namespace, foo.spec.deployment_name)

        def as_wanted(body: dict[str, Any]) -> None:
            labels = {"app": "nginx", "controller": foo.name}
            set_controller(body, Foo, foo)
            deployment_spec = body.setdefault("spec", {"selector": {"matchLabels": labels}})
            deployment_spec["replicas"] = foo.spec.replicas
            deployment_spec.setdefault("template", pods(labels))

        try:
            ensured = create_or_update(self._deployments, key, as_wanted, cached=self._deployment_cache.get(key))
        except NotControlled as error:
            self._recorder.event(foo, "Warning", "ErrResourceExists", str(error))
            raise
        if ensured.outcome is not Outcome.UNCHANGED:
            self._recorder.event(foo, "Normal", "Synced", f'{ensured.outcome.value} Deployment "{key.name}"')
        return ensured.object


def pods(labels: dict[str, str]) -> dict[str, Any]:
    return {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "nginx", "image": "nginx:latest"}]}}


def build(app: App) -> None:
    app.controller(Foo).owns(DEPLOYMENTS).reconciles(FooReconciler(app))


if __name__ == "__main__":
    btcctl.run(build, name="sample-controller")
