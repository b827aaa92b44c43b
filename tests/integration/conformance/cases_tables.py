"""Tables and PartialObjectMetadata: what kubectl prints from."""

from __future__ import annotations

from tests.integration.conformance.cases_lists import SECRETS, secrets, things
from tests.integration.conformance.harness import Talk, case

TABLE = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
METADATA = {"Accept": "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"}
METADATA_LIST = {"Accept": "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"}
COLUMNS = [
    {"name": "Chain", "type": "string", "jsonPath": ".spec.chain"},
    {"name": "Nodes", "type": "integer", "jsonPath": ".spec.nodes", "format": "int32", "description": "How many."},
    {"name": "Ready", "type": "string", "jsonPath": '.status.conditions[?(@.type=="Ready")].status', "priority": 1},
    {"name": "On", "type": "boolean", "jsonPath": ".spec.on"},
    {"name": "Share", "type": "number", "jsonPath": ".spec.share"},
    {"name": "Peers", "type": "string", "jsonPath": ".spec.peers"},
    {"name": "First", "type": "string", "jsonPath": ".spec.peers[0].name"},
    {"name": "All", "type": "string", "jsonPath": ".spec.peers[*].name"},
    {"name": "Wrong", "type": "integer", "jsonPath": ".spec.chain"},
    {"name": "Since", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
]
SPEC = {"chain": "x", "nodes": 3, "on": False, "share": 1.5, "peers": [{"name": "p"}, {"name": "q"}]}
WORKLOAD = {
    "selector": {"matchLabels": {"app": "w"}},
    "serviceName": "w",
    "template": {
        "metadata": {"labels": {"app": "w"}},
        "spec": {"containers": [{"name": "c", "image": "i"}, {"name": "d", "image": "j"}]},
    },
}


def columned(talk: Talk) -> str:
    path = talk.crd(additionalPrinterColumns=COLUMNS)
    with talk.hush():
        for name, spec in (("a", SPEC), ("b", {})):
            body = {"kind": "Thing", "apiVersion": "{group}/v1", "metadata": {"name": name}, "spec": spec}
            assert (
                talk.post(path, {**body, "status": {"conditions": [{"type": "Ready", "status": "True"}]}}).status == 201
            )
    return path


def table_of(talk: Talk, path: str, body: dict[str, object], *, api_version: str = "v1") -> None:
    """Make one object, and get the tables of the list with and without it."""
    with talk.hush():
        answer = talk.post(path, {"apiVersion": api_version, **body})
        assert answer.status == 201, answer.body
    name = answer.body["metadata"]["name"]
    talk.get(path, headers=TABLE, query={"fieldSelector": f"metadata.name={name}", "includeObject": "None"})


@case("tables")
def a_table_of_custom_resources_has_their_columns(talk: Talk) -> None:
    talk.get(columned(talk), headers=TABLE)


@case("tables")
def without_columns_of_their_own_custom_resources_have_name_and_age(talk: Talk) -> None:
    talk.get(things(talk, "a"), headers=TABLE)


@case("tables")
def a_table_of_one_object_has_one_row(talk: Talk) -> None:
    talk.get(f"{columned(talk)}/a", headers=TABLE)


@case("tables")
def an_empty_table_has_columns_all_the_same(talk: Talk) -> None:
    talk.get(things(talk), headers=TABLE)
    talk.get(SECRETS, headers=TABLE)


@case("tables")
def rows_have_as_much_of_the_object_as_is_asked_for(talk: Talk) -> None:
    secrets(talk, "a")
    path = things(talk, "a")
    for included in ("None", "Metadata", "Object"):
        talk.get(SECRETS, headers=TABLE, query={"includeObject": included})
        talk.get(path, headers=TABLE, query={"includeObject": included})


@case("tables")
def tables_have_pages(talk: Talk) -> None:
    secrets(talk, "a", "b")
    talk.get(SECRETS, headers=TABLE, query={"limit": 1})


@case("tables")
def a_watch_of_tables_describes_the_columns_once(talk: Talk) -> None:
    secrets(talk, "a", "b")
    talk.watch(SECRETS, headers=TABLE, until=2)
    talk.watch(columned(talk), headers=TABLE, until=2)


@case("tables")
def a_watch_of_tables_has_deletions_and_bookmarks(talk: Talk) -> None:
    version = secrets(talk, "a").version
    with talk.hush():
        talk.delete(f"{SECRETS}/a")
    talk.watch(SECRETS, {"resourceVersion": version}, headers=TABLE, until=1)
    talk.watch(SECRETS, {"allowWatchBookmarks": "true"}, headers=TABLE, until=1)


@case("tables", error=True)
def what_cannot_be_included_is_refused(talk: Talk) -> None:
    secrets(talk, "a")
    talk.get(SECRETS, headers=TABLE, query={"includeObject": "Nonsense"})
    talk.get(f"{SECRETS}/zz", headers=TABLE)


@case("tables", error=True)
def a_table_of_another_version_is_not_acceptable(talk: Talk) -> None:
    talk.get(SECRETS, headers={"Accept": TABLE["Accept"].replace("v=v1", "v=v9")})
    talk.get(SECRETS, headers={"Accept": TABLE["Accept"].replace("Table", "Chair")})
    talk.get(SECRETS, headers={"Accept": f"{TABLE['Accept'].replace('v=v1', 'v=v1beta1')},application/json"})


@case("tables")
def config_maps_and_secrets_are_printed(talk: Talk) -> None:
    table_of(talk, "/api/v1/namespaces/{ns}/configmaps", {"metadata": {"name": "a"}, "data": {"k": "v", "l": "w"}})
    table_of(talk, SECRETS, {"metadata": {"name": "a"}, "stringData": {"k": "v"}})


@case("tables")
def pods_are_printed(talk: Talk) -> None:
    talk.service_account()
    pods = "/api/v1/namespaces/{ns}/pods"
    table_of(talk, pods, {"metadata": {"name": "a"}, "spec": {"containers": [{"name": "c", "image": "i"}]}})
    status = {
        "phase": "Running",
        "podIP": "10.0.0.9",
        "podIPs": [{"ip": "10.0.0.9"}],
        "containerStatuses": [
            {"name": "c", "ready": True, "restartCount": 2, "image": "i", "imageID": "", "state": {"running": {}}}
        ],
    }
    with talk.hush():
        assert talk.patch(f"{pods}/a/status", {"status": status}).status == 200
    talk.get(f"{pods}/a", headers=TABLE, query={"includeObject": "None"})
    waiting = {"state": {"waiting": {"reason": "ImagePullBackOff"}}, "ready": False, "name": "c", "image": "i"}
    with talk.hush():
        statuses = [{**waiting, "imageID": "", "restartCount": 0}]
        answer = talk.patch(f"{pods}/a/status", {"status": {"phase": "Pending", "containerStatuses": statuses}})
        assert answer.status == 200, answer.body
    talk.get(f"{pods}/a", headers=TABLE, query={"includeObject": "None"})


@case("tables")
def stateful_sets_are_printed(talk: Talk) -> None:
    body = {"metadata": {"name": "w"}, "spec": {**WORKLOAD, "replicas": 0}}
    table_of(talk, "/apis/apps/v1/namespaces/{ns}/statefulsets", body, api_version="apps/v1")


@case("tables")
def services_are_printed(talk: Talk) -> None:
    path = "/api/v1/namespaces/{ns}/services"
    ports = [{"name": "p", "port": 80}, {"name": "q", "port": 53, "protocol": "UDP"}]
    table_of(talk, path, {"metadata": {"name": "a"}, "spec": {"clusterIP": "None", "ports": ports}})
    spec = {"clusterIP": "None", "ports": ports, "selector": {"b": "c", "a": "d"}}
    table_of(talk, path, {"metadata": {"name": "b"}, "spec": spec})
    table_of(talk, path, {"metadata": {"name": "c"}, "spec": {"type": "ExternalName", "externalName": "example.org"}})


@case("tables")
def namespaces_and_service_accounts_are_printed(talk: Talk) -> None:
    talk.get("/api/v1/namespaces/{ns}", headers=TABLE, query={"includeObject": "None"})
    table_of(talk, "/api/v1/namespaces/{ns}/serviceaccounts", {"metadata": {"name": "a"}})


@case("tables")
def roles_and_bindings_are_printed(talk: Talk) -> None:
    root, group = "/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}", "rbac.authorization.k8s.io"
    table_of(talk, f"{root}/roles", {"metadata": {"name": "a"}, "rules": []}, api_version=f"{group}/v1")
    subjects = [
        {"kind": "User", "apiGroup": group, "name": "u"},
        {"kind": "Group", "apiGroup": group, "name": "g"},
        {"kind": "ServiceAccount", "namespace": "{ns}", "name": "s"},
    ]
    reference = {"apiGroup": group, "kind": "Role", "name": "a"}
    body = {"metadata": {"name": "b"}, "subjects": subjects, "roleRef": reference}
    table_of(talk, f"{root}/rolebindings", body, api_version=f"{group}/v1")


@case("tables")
def leases_and_events_are_printed(talk: Talk) -> None:
    body = {"metadata": {"name": "a"}, "spec": {"holderIdentity": "me"}}
    table_of(talk, "/apis/coordination.k8s.io/v1/namespaces/{ns}/leases", body, api_version="coordination.k8s.io/v1")
    event = {
        "metadata": {"name": "e"},
        "involvedObject": {"kind": "Pod", "name": "p", "namespace": "{ns}", "fieldPath": "spec.x"},
        "reason": "Why",
        "message": "Well\n",
        "type": "Normal",
        "count": 3,
        "source": {"component": "me", "host": "here"},
    }
    table_of(talk, "/api/v1/namespaces/{ns}/events", event)


@case("tables")
def definitions_and_nodes_are_printed(talk: Talk) -> None:
    talk.crd()
    name = f"things.{talk.group}"
    path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}"
    answer = talk.eventually(lambda: talk.get(path, headers=TABLE, query={"includeObject": "None"}))
    talk.note("columns", [{k: v for k, v in e.items() if k != "description"} for e in answer.body["columnDefinitions"]])
    with talk.hush():
        nodes = talk.get("/api/v1/nodes", headers=TABLE, query={"labelSelector": "nobody=here"}).body
    talk.note("nodes", nodes["columnDefinitions"])


@case("metadata only")
def a_list_may_be_of_metadata_only(talk: Talk) -> None:
    secrets(talk, "a", "b")
    talk.get(SECRETS, headers=METADATA_LIST, query={"limit": 1})
    answer = talk.get(things(talk, "a"), headers=METADATA_LIST)
    talk.note("order of keys", [list(answer.body), *(list(each) for each in answer.body["items"])])


@case("metadata only")
def an_object_may_be_asked_for_its_metadata_only(talk: Talk) -> None:
    secrets(talk, "a")
    talk.get(f"{SECRETS}/a", headers=METADATA)
    answer = talk.get(f"{things(talk, 'a')}/a", headers=METADATA)
    talk.note("order of keys", list(answer.body))


@case("metadata only")
def a_watch_may_be_of_metadata_only(talk: Talk) -> None:
    secrets(talk, "a", "b")
    talk.watch(SECRETS, headers=METADATA, until=2)
    talk.watch(things(talk, "a"), {"allowWatchBookmarks": "true"}, headers=METADATA, until=2)


@case("metadata only", error=True)
def the_wrong_form_for_a_request_is_not_acceptable(talk: Talk) -> None:
    secrets(talk, "a")
    talk.get(SECRETS, headers=METADATA)
    talk.get(f"{SECRETS}/a", headers=METADATA_LIST)


@case("metadata only")
def writes_may_be_answered_with_metadata_only(talk: Talk) -> None:
    talk.post(SECRETS, {"metadata": {"name": "a"}}, headers=METADATA)
    talk.patch(f"{SECRETS}/a", {"data": {"k": "dg=="}}, headers=METADATA)


@case("tables")
def a_column_may_lead_anywhere(talk: Talk) -> None:
    paths = (
        ".spec.l[*].n", ".spec.l[-1:].n", ".spec.l[0:2].n", ".spec.l[0,1].n", ".spec.l[::2].n", ".spec.l[9].n",
        ".spec.l[?(@.v)].n", ".spec.l[?(@.v>1)].n", ".spec.l[?(@.n=='x)')].v", ".spec.l[?(@.n==@.n)].v",
        ".metadata..name", ".spec..v", ".spec['o','t']", ".spec['l'][0]['n']", ".metadata.labels['a.b/c']",
        ".metadata.labels['a\\.b/c']", ".metadata.labels.a\\.b/c", ".spec.o[*]", ".spec.t.*", ".spec.l[2:1].n",
    )  # fmt: skip
    columns = [{"name": f"{place}", "type": "string", "jsonPath": each} for place, each in enumerate(paths)]
    path = talk.crd(additionalPrinterColumns=columns)
    items = [{"n": "x", "v": 1}, {"n": "x)", "v": 2}, {"n": None}]
    for name, spec in (("a", {"l": items, "o": {"k": 1}, "t": "text"}), ("b", {"l": [], "o": []}), ("c", {"l": "no"})):
        metadata = {"name": name, "labels": {"a.b/c": "label"}}
        talk.post(path, {"apiVersion": "{group}/v1", "kind": "Thing", "metadata": metadata, "spec": spec})
    talk.get(path, headers={"Accept": "application/json;as=Table;g=meta.k8s.io;v=v1"})
