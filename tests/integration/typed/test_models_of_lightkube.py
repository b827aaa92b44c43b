"""The dataclasses of lightkube-models serve as classes for built-in kinds."""

from __future__ import annotations

import pytest

from btcctl import DEPLOYMENTS, ObjectKey, TypedKind
from btcctl.testing import FakeClient

apps_v1 = pytest.importorskip("lightkube.models.apps_v1")
core_v1 = pytest.importorskip("lightkube.models.core_v1")
meta_v1 = pytest.importorskip("lightkube.models.meta_v1")

LABELS = {"app": "web"}


def deployment(replicas: int) -> apps_v1.Deployment:
    container = core_v1.Container(name="web", image="nginx:1")
    template = core_v1.PodTemplateSpec(
        metadata=meta_v1.ObjectMeta(labels=LABELS), spec=core_v1.PodSpec(containers=[container])
    )
    spec = apps_v1.DeploymentSpec(
        replicas=replicas, selector=meta_v1.LabelSelector(matchLabels=LABELS), template=template
    )
    return apps_v1.Deployment(metadata=meta_v1.ObjectMeta(name="web", namespace="default"), spec=spec)


def test_a_deployment_is_created_read_and_changed():
    client = FakeClient(field_manager="test")
    deployments = client.resource(TypedKind(DEPLOYMENTS, apps_v1.Deployment))
    made = deployments.create(deployment(1))
    assert made.spec.template.spec.containers[0].image == "nginx:1"
    made.spec.replicas = 3
    assert deployments.update(made).spec.replicas == 3
    assert deployments.get(ObjectKey("default", "web")).metadata.generation == 2


def test_a_second_apply_of_the_same_changes_nothing():
    client = FakeClient(field_manager="test")
    deployments = client.resource(TypedKind(DEPLOYMENTS, apps_v1.Deployment))
    first = deployments.apply(deployment(2))
    again = deployments.apply(deployment(2), cached=client.resource(DEPLOYMENTS).get(ObjectKey("default", "web")))
    assert again.metadata.resourceVersion == first.metadata.resourceVersion
    assert len(client.writes) == 1


def test_a_mistake_is_told_by_its_path():
    deployments = FakeClient().resource(TypedKind(DEPLOYMENTS, apps_v1.Deployment))
    with pytest.raises(TypeError, match=r"Deployment: spec\.replicas: Expected `int \| null`, got `str`"):
        deployments.create(deployment("2"))
