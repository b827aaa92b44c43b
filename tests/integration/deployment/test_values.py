"""The chart with all kinds of values: rendered by the real helm, and taken by a real API server, or refused."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml

from btcctl import codecs
from btcctl.bitcoin.crd import load_crd
from btcctl.errors import AlreadyExists, ApiError
from btcctl.objects import ObjectKey
from btcctl.resources import CUSTOM_RESOURCE_DEFINITIONS, NAMESPACES, SERVICE_ACCOUNTS
from btcctl.rest.client import ApiClient
from btcctl.rest.served import wait_until_served
from btcctl.rest.transport import Request
from btcctl.testing.control_plane import ControlPlane
from tests.integration.deployment.charts import NAMESPACE, rendered, template
from tests.integration.deployment.value_matrix import BAD, GOOD

MONITORING = Path(__file__).parents[1] / "data/monitoring-crds.yaml"
needs_helm = pytest.mark.helm


@pytest.fixture(scope="module")
def server(control_plane: ControlPlane) -> Iterator[ApiClient]:
    """With every kind that the chart may make; afterwards as it was."""
    client = control_plane.client()
    definitions = [load_crd(), *yaml.safe_load_all(MONITORING.read_text(encoding="utf-8"))]
    kinds = client.resource(CUSTOM_RESOURCE_DEFINITIONS)
    made = [kinds.create(each) for each in definitions]
    for name in (NAMESPACE, "one", "two", "123", "true"):
        try:
            client.resource(NAMESPACES).create({"metadata": {"name": name}})
        except AlreadyExists:
            continue
    for each in made:
        wait_until_served(client, each.body()["spec"])
    # Without its namespace's account no pod is admitted; a controller makes it.
    account = ObjectKey(NAMESPACE, "default")
    client.resource(SERVICE_ACCOUNTS).wait_until(account, lambda found: found is not None, timeout=60.0)
    yield client
    for each in made:
        kinds.delete(each.key)


def ask(client: ApiClient, body: dict[str, Any]) -> str:
    """What the server has against an object, in strict validation; "" if it would take it."""
    if body["kind"] == "Pod":  # its own account is but rendered, too
        body = {**body, "spec": {**body["spec"], "serviceAccountName": "default"}}
    type_ = client.type_of(body["apiVersion"], body["kind"])
    namespace = body["metadata"].get("namespace", NAMESPACE) if type_.namespaced else ""
    query = {"dryRun": "All", "fieldValidation": "Strict"}
    request = Request("POST", type_.path(namespace), query, {"Content-Type": "application/json"}, codecs.encode(body))
    try:
        client.call(request)
    except AlreadyExists:
        return ""
    except ApiError as error:
        return f"{body['kind']} {body['metadata']['name']}: {error}"
    return ""


@pytest.mark.real_server
@pytest.mark.helm
@pytest.mark.parametrize("name", GOOD)
def test_a_real_server_takes_what_comes_of_good_values(name: str, server: ApiClient) -> None:
    objects = rendered(values=GOOD[name])
    with ThreadPoolExecutor(4) as pool:
        complaints = [said for said in pool.map(lambda each: ask(server, each), objects) if said]
    assert complaints == []


@needs_helm
@pytest.mark.parametrize("name", BAD)
def test_bad_values_never_render_and_the_message_names_them(name: str) -> None:
    values, word = BAD[name]
    done = template(values=values)
    assert done.returncode != 0
    assert word in done.stderr


@pytest.mark.real_server
@pytest.mark.helm
def test_the_matrix_would_notice_a_field_that_the_server_does_not_know(server: ApiClient) -> None:
    (deployment,) = [each for each in rendered() if each["kind"] == "Deployment"]
    deployment["spec"]["template"]["spec"]["containers"][0]["imagePolicy"] = "Always"
    assert "imagePolicy" in ask(server, deployment)
