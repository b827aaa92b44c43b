"""The operator with kopf, whose handlers run in its pool of eight threads: `handlers.py KUBECONFIG`.

kopf has no informers that handlers read: an index remembers the widgets, so that a deleted ConfigMap is made again.
Writes go through the `kubernetes` package, as in kopf's documentation; posting of events is off: the others post none.
"""

from __future__ import annotations

import logging
import sys
from typing import Any

import kopf
import kubernetes

GROUP, VERSION, PLURAL = "bench.example.org", "v1", "widgets"
kubernetes.config.load_kube_config(sys.argv[1])
core = kubernetes.client.CoreV1Api()


@kopf.on.startup()
def configure(settings: kopf.OperatorSettings, **_: Any) -> None:
    settings.posting.enabled = False
    settings.execution.max_workers = 8


@kopf.index(GROUP, VERSION, PLURAL)
async def widget_index(namespace: str, name: str, body: kopf.Body, **_: Any) -> dict[tuple[str, str], dict[str, Any]]:
    return {(namespace, name): dict(body)}


@kopf.on.create(GROUP, VERSION, PLURAL)
@kopf.on.update(GROUP, VERSION, PLURAL, field="spec")
@kopf.on.resume(GROUP, VERSION, PLURAL)
def reconcile(body: kopf.Body, patch: kopf.Patch, **_: Any) -> None:
    write(dict(body))
    wanted = {"value": body["spec"]["value"], "observedGeneration": body["metadata"]["generation"]}
    if {name: body.get("status", {}).get(name) for name in wanted} != wanted:
        patch.status.update(wanted)


@kopf.on.event("v1", "configmaps")
def repair(event: kopf.RawEvent, body: kopf.Body, widget_index: kopf.Index[Any, Any], **_: Any) -> None:
    key = (body["metadata"]["namespace"], body["metadata"]["name"])
    if event["type"] == "DELETED" and key in widget_index:
        write(next(iter(widget_index[key])))


def write(widget: dict[str, Any]) -> None:
    metadata, data = widget["metadata"], {"value": widget["spec"]["value"]}
    owner = {"apiVersion": f"{GROUP}/{VERSION}", "kind": "Widget", "name": metadata["name"], "uid": metadata["uid"]}
    owner.update(controller=True, blockOwnerDeletion=True)
    wanted = {"metadata": {"name": metadata["name"], "ownerReferences": [owner]}, "data": data}
    try:
        found = core.read_namespaced_config_map(metadata["name"], metadata["namespace"])
    except kubernetes.client.ApiException as error:
        if error.status != 404:
            raise
        core.create_namespaced_config_map(metadata["namespace"], wanted)
        return
    if found.data != data:
        core.patch_namespaced_config_map(metadata["name"], metadata["namespace"], {"data": data})


if __name__ == "__main__":
    logging.getLogger().setLevel(logging.WARNING)
    logging.getLogger("kopf").setLevel(logging.WARNING)
    kubernetes_config = kubernetes.client.Configuration.get_default_copy()

    @kopf.on.login()
    def login(**_: Any) -> kopf.ConnectionInfo:
        return kopf.ConnectionInfo(
            server=kubernetes_config.host,
            ca_path=kubernetes_config.ssl_ca_cert,
            certificate_path=kubernetes_config.cert_file,
            private_key_path=kubernetes_config.key_file,
        )

    kopf.run(clusterwide=True, standalone=True)
