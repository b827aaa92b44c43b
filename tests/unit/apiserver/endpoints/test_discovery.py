from __future__ import annotations

import json
from typing import Any

import pytest

from btcctl.apiserver.apiextensions.custom_kind import CustomKind
from btcctl.apiserver.endpoints import discovery
from btcctl.apiserver.kinds.built_in.resources import BUILT_INS
from btcctl.apiserver.machinery.errors import StatusError
from btcctl.apiserver.requests.messages import ApiRequest, ApiResponse
from btcctl.apiserver.served.kind import ScalePaths
from btcctl.apiserver.served.registry import CUSTOM_VERBS, Registry, Served
from btcctl.resources import ResourceType

_NET = ResourceType("example.org", "v1", "nets", "Net")
NETS = Served(
    _NET,
    "net",
    "NetList",
    CustomKind(_NET, {}, has_status=True, scale=ScalePaths(".spec.nodes", ".status.nodes")),
    ("nt",),
    verbs=CUSTOM_VERBS,
    subresources=("status", "scale"),
)


def ask(path: str, accept: str = "", query: dict[str, list[str]] | None = None, **headers: str) -> ApiResponse | None:
    registry = Registry(BUILT_INS)
    registry.define("nets.example.org", [NETS])
    return discovery.respond(registry, ApiRequest("GET", path, query or {}, {"accept": accept, **headers}))


def body(path: str, accept: str = "") -> Any:
    response = ask(path, accept)
    assert response is not None
    assert response.status == 200
    return json.loads(response.body)


def test_the_core_group_s_versions_and_resources() -> None:
    assert body("/api")["versions"] == ["v1"]
    resources = body("/api/v1")
    assert "apiVersion" not in resources
    pods = {entry["name"]: entry for entry in resources["resources"]}["pods"]
    assert pods["shortNames"] == ["po"]
    assert pods["categories"] == ["all"]
    assert pods["namespaced"] is True


def test_groups_versions_and_a_custom_kind() -> None:
    assert "apps" in [group["name"] for group in body("/apis")["groups"]]
    assert body("/apis/example.org")["preferredVersion"] == {"groupVersion": "example.org/v1", "version": "v1"}
    entries = {entry["name"]: entry for entry in body("/apis/example.org/v1")["resources"]}
    assert list(entries) == ["nets", "nets/status", "nets/scale"]
    assert entries["nets/scale"]["group"] == "autoscaling"
    assert entries["nets/scale"]["kind"] == "Scale"
    assert "group" not in entries["nets/status"]


def test_the_aggregated_form_goes_before_all_others() -> None:
    response = ask("/apis", f"{discovery.AGGREGATED},application/json")
    assert response is not None
    assert response.headers["Content-Type"] == discovery.AGGREGATED
    items = {item["metadata"]["name"]: item for item in json.loads(response.body)["items"]}
    resource = items["example.org"]["versions"][0]["resources"][0]
    assert resource["responseKind"] == {"group": "example.org", "version": "v1", "kind": "Net"}
    assert [each["subresource"] for each in resource["subresources"]] == ["status", "scale"]
    assert body("/apis", f"application/json,{discovery.AGGREGATED}")["kind"] == "APIGroupDiscoveryList"


def test_an_unchanged_aggregated_answer_is_304() -> None:
    first = ask("/api", discovery.AGGREGATED)
    assert first is not None
    headers = {"if-none-match": first.headers["ETag"]}
    again = ask("/api", discovery.AGGREGATED, **headers)
    assert again is not None
    assert (again.status, again.body) == (304, b"")


def test_the_retired_beta_form_alone_is_not_acceptable() -> None:
    with pytest.raises(StatusError) as caught:
        ask("/apis", discovery.AGGREGATED.replace("v=v2", "v=v2beta1"))
    assert caught.value.status == 406


@pytest.mark.parametrize("accept", ["", "*/*", "application/json;q=0.5", "text/html, */*"])
def test_plain_lists_are_the_rule(accept: str) -> None:
    assert body("/api", accept)["kind"] == "APIVersions"


@pytest.mark.parametrize("path", ["/healthz", "/livez", "/readyz", "/readyz/ping"])
def test_health_is_ok(path: str) -> None:
    response = ask(path)
    assert response is not None
    assert (response.status, response.body) == (200, b"ok")
    assert response.headers["Content-Type"].startswith("text/plain")


def test_verbose_health_lists_its_checks() -> None:
    response = ask("/readyz", query={"verbose": [""]})
    assert response is not None
    assert response.body.decode().splitlines()[0] == "[+]ping ok"
    assert response.body.decode().splitlines()[-1] == "readyz check passed"


def test_the_version_is_one_kubectl_can_compare_with() -> None:
    version = body("/version")
    assert (version["major"], version["minor"]) == ("1", "36")
    assert version["gitVersion"].startswith("v1.36.")


@pytest.mark.parametrize("path", ["/nosuch", "/apis/none.example.org", "/apis/apps/v9", "/api/v2", "/healthz/etcd"])
def test_anything_else_is_not_discovery_s(path: str) -> None:
    assert ask(path) is None


def test_the_root_lists_paths() -> None:
    assert {"/api/v1", "/apis/example.org/v1", "/openapi/v3", "/version"} <= set(body("/")["paths"])
