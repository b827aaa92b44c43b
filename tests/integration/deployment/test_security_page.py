"""The policy of docs/security.md does what the page says, on a real server."""

from __future__ import annotations

import re

import pytest
import yaml

from btcctl.bitcoin.crd import load_crd
from btcctl.bitcoin.types import BITCOIN_NETWORKS
from btcctl.errors import AlreadyExists, Invalid
from btcctl.resources import NAMESPACES
from btcctl.rest.client import ApiClient
from btcctl.testing.control_plane import ControlPlane, ControlPlaneOptions
from tests.integration.deployment.charts import ROOT
from tests.integration.support import eventually

pytestmark = pytest.mark.real_server

PAGE = ROOT / "docs/security.md"


def test_the_policy_refuses_networks_without_a_secret_and_no_others() -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (text,) = [each for each in blocks if "kind: ValidatingAdmissionPolicy\n" in each]
    with ControlPlane(ControlPlaneOptions(controllers=(), definitions=[load_crd()])) as plane:
        client = plane.client()
        client.resource(NAMESPACES).create({"metadata": {"name": "mine"}})
        for each in yaml.safe_load_all(text):
            client.resource(client.type_of(each["apiVersion"], each["kind"])).create(each)
        eventually(lambda: "name a Secret in spec.secret" in refused(client, {"nodes": 1}))
        assert refused(client, {"nodes": 1, "secret": "mine"}) == ""


def refused(client: ApiClient, spec: dict[str, object]) -> str:
    """In which words; "" if it is made."""
    networks = client.resource(BITCOIN_NETWORKS, "mine")
    try:
        made = networks.create({"metadata": {"name": "net"}, "spec": spec})
    except Invalid as error:
        return str(error)
    except AlreadyExists:
        return "there is one already"
    networks.delete(made.key)
    return ""
