"""What kubectl is asked to do on both servers. Each script has a namespace and a CRD group of its own."""

from __future__ import annotations

from collections.abc import Callable

from tests.integration.judges.objects import (
    BUILT_INS,
    CONFIG_MAP,
    DEPLOYMENT,
    POD,
    SECRET,
    STATEFUL_SET,
    definition,
    event,
    net,
)
from tests.integration.judges.transcript import Transcript
from tests.integration.support import eventually

Script = Callable[[Transcript], None]
_KINDS = ("cm", "secrets", "svc", "sts", "deploy", "pods", "leases", "sa", "roles", "rolebindings", "nets")


def _everything(t: Transcript) -> None:
    t.quietly("apply", "-f", "-", stdin=definition(t.group))
    t.wait_until_served()
    t.quietly("apply", "-f", "-", stdin=BUILT_INS)
    for name, nodes in (("a", 3), ("b", 1)):
        t.quietly("apply", "-f", "-", stdin=net(t.group, name, nodes))


def _nets(t: Transcript) -> None:
    t.quietly("apply", "-f", "-", stdin=definition(t.group))
    t.wait_until_served()


def get_tables(t: Transcript) -> None:
    _everything(t)
    for kind in _KINDS:
        t("get", kind)
        t("get", kind, "-o", "wide")
    t("get", "cm,secrets,nets")
    t("get", "all")
    t("get", "nets", "a", "b", "--show-labels")
    t("get", "cm", "-L", "tier", "--no-headers")
    t("get", "cm", "-l", "tier=back")
    t("get", "cm", "-l", "tier=front")
    t("get", "cm", "-l", "tier in (back,front),other!=x")
    t("get", "nets", "--field-selector", "metadata.name=a")
    t("get", "nets", "--sort-by", "{.spec.nodes}")
    t("get", "crd", f"nets.{t.group}")
    t("get", "ns", "default")


def get_objects(t: Transcript) -> None:
    _everything(t)
    for kind in _KINDS:
        t("get", kind, "-o", "name")
    for each in ("cm/config", "secret/secret", "svc/headless", "sts/set", "deploy/deploy", "pod/pod", "lease/lease"):
        t("get", each, "-o", "yaml")
    for each in ("sa/account", "role/role", "rolebinding/binding", "net/a", f"crd/nets.{t.group}"):
        t("get", each, "-o", "json")
    t("get", "nets", "-o", "yaml")
    t("get", "net/a", "-o", "jsonpath={.spec.nodes} {.spec.image}")
    t("get", "nets", "-o", "jsonpath={range .items[*]}{.metadata.name}={.spec.nodes}{'\\n'}{end}")
    t("get", "nets", "-o", "custom-columns=NAME:.metadata.name,N:.spec.nodes,NONE:.spec.none")
    t("get", "net/a", "-o", "go-template={{.metadata.name}}")
    t("get", "net/a", "-o", "yaml", "--show-managed-fields")
    t("get", "net", "nope")
    t("get", "pod", "nope", "-o", "yaml")
    t("get", "nopes")
    t("get", "pods", "--field-selector", "spec.bogus=1")
    t("get", "nets", "--field-selector", "spec.nodes=1")
    t("get", "pods", "-l", "a=b=c")


def watch(t: Transcript) -> None:
    _nets(t)
    t.quietly("apply", "-f", "-", stdin=net(t.group))
    with t.watching("get", "nets", "-w", lines=5) as watching:
        watching.read(2)
        t("scale", "net/a", "--replicas=4")
        watching.read(1)
        t("create", "-f", "-", stdin=net(t.group, "b"))
        watching.read(1)
        t("delete", "net", "b")
    with t.watching("get", "nets", "-w", "--output-watch-events", lines=4) as watching:
        watching.read(2)
        t("label", "net/a", "x=y")
        watching.read(1)
        t("delete", "net", "a")
    t.quietly("apply", "-f", "-", stdin=net(t.group))
    with t.watching("get", "net", "a", "-w", "-o", "jsonpath={.spec.nodes}{'\\n'}", lines=2) as watching:
        watching.read(1)
        t("patch", "net", "a", "--type=merge", "-p", '{"spec":{"nodes":5}}')


def describe(t: Transcript) -> None:
    _everything(t)
    names = ("cm/config", "secret/secret", "svc/headless", "sts/set", "deploy/deploy", "pod/pod", "lease/lease")
    for each in (*names, "sa/account", "role/role", "rolebinding/binding", "net/a", f"crd/nets.{t.group}"):
        t("describe", each)
    t("describe", "nets")
    t("describe", "net", "nope")


def apply(t: Transcript) -> None:
    _nets(t)
    t("apply", "-f", "-", stdin=definition(t.group))
    for _ in range(2):
        t("apply", "-f", "-", stdin=net(t.group))
        t("apply", "-f", "-", stdin=BUILT_INS)
    t("apply", "-f", "-", stdin=net(t.group, nodes=4, peers=[{"host": "x", "port": 1}]))
    t("apply", "-f", "-", stdin=STATEFUL_SET.replace("core:1", "core:2").replace('{name: A, value: "1"}', "{name: B}"))
    t("get", "sts/set", "-o", "yaml")
    t("apply", "-f", "-", stdin=CONFIG_MAP.replace('a: "1", ', ""))
    t("get", "cm/config", "-o", "yaml")
    t("apply", "view-last-applied", "cm/config")
    t("apply", "-f", "-", stdin=net(t.group, nodes=99))
    t("apply", "-f", "-", stdin=net(t.group, bogus=1))
    t("apply", "-f", "-", stdin=net(t.group, mode="slow"))
    t("apply", "--validate=false", "-f", "-", stdin=net(t.group, "loose", bogus=1))
    t("apply", "--validate=warn", "-f", "-", stdin=net(t.group, "warned", bogus=1))
    t("get", "nets", "-o", "yaml")
    t("apply", "-f", "-", stdin=CONFIG_MAP.replace("data:", "dada:"))
    t("apply", "-f", "-", stdin=STATEFUL_SET.replace("serviceName: headless", "serviceName: other"))
    t("apply", "-f", "-", stdin=STATEFUL_SET.replace("app: net}}\n  template", "app: other}}\n  template"))


def apply_server_side(t: Transcript) -> None:
    _nets(t)
    for nodes in (3, 3, 4):
        t("apply", "--server-side", "-f", "-", stdin=net(t.group, nodes=nodes))
    t("get", "net/a", "-o", "yaml", "--show-managed-fields")
    t("apply", "--server-side", "--field-manager=other", "-f", "-", stdin=net(t.group, nodes=5))
    t("apply", "--server-side", "--field-manager=other", "--force-conflicts", "-f", "-", stdin=net(t.group, nodes=5))
    t("get", "net/a", "-o", "yaml", "--show-managed-fields")
    for text in (STATEFUL_SET, CONFIG_MAP, SECRET, POD, DEPLOYMENT):
        t("apply", "--server-side", "-f", "-", stdin=text)
    t("get", "sts/set", "-o", "yaml", "--show-managed-fields")
    t("get", "cm/config", "-o", "yaml", "--show-managed-fields")
    t("apply", "--server-side", "-f", "-", stdin=net(t.group, bogus=1))
    t("apply", "--server-side", "--dry-run=server", "-f", "-", stdin=net(t.group, nodes=9))
    t.quietly("apply", "-f", "-", stdin=net(t.group, "migrated"))
    t("apply", "--server-side", "-f", "-", stdin=net(t.group, "migrated", 4))
    t("get", "net/migrated", "-o", "yaml", "--show-managed-fields")


def dry_run_and_diff(t: Transcript) -> None:
    _everything(t)
    t("apply", "--dry-run=server", "-f", "-", stdin=net(t.group, nodes=5))
    t("apply", "--dry-run=server", "-o", "yaml", "-f", "-", stdin=net(t.group, "new"))
    t("create", "--dry-run=server", "-f", "-", stdin=net(t.group))
    t("delete", "--dry-run=server", "net", "a")
    t("get", "nets")
    t("diff", "-f", "-", stdin=net(t.group))
    t("diff", "-f", "-", stdin=net(t.group, nodes=5, mode="fast"))
    t("diff", "-f", "-", stdin=STATEFUL_SET.replace("core:1", "core:2"))
    t("diff", "-f", "-", stdin=SECRET.replace("bc-user", "other"))
    t("diff", "--server-side", "-f", "-", stdin=CONFIG_MAP.replace('"1"', '"2"'))


def change(t: Transcript) -> None:
    _everything(t)
    t("scale", "net/a", "--replicas=6")
    t("scale", "net/a", "--replicas=11")
    t("scale", "net/a", "--replicas=7", "--current-replicas=1")
    t("scale", "sts/set", "--replicas=5")
    t("scale", "deploy/deploy", "--replicas=0")
    t("scale", "cm/config", "--replicas=1")
    t("get", "net/a", "--subresource=scale", "-o", "yaml")
    t("get", "sts/set", "--subresource=scale", "-o", "yaml")
    t("label", "net/a", "x=y", "z=")
    t("label", "net/a", "x=z")
    t("label", "net/a", "x=z", "--overwrite")
    t("label", "net/a", "x-", "z-")
    t("label", "net/a", "bad key=1")
    t("label", "nets", "--all", "all=yes")
    t("annotate", "net/a", "note=hello there")
    t("annotate", "cm/config", "note=other", "--overwrite")
    t("annotate", "cm/config", "note-")
    t("patch", "net", "a", "--type=merge", "-p", '{"spec":{"mode":"safe"}}')
    t("patch", "net", "a", "--type=json", "-p", '[{"op":"remove","path":"/spec/mode"}]')
    t("patch", "net", "a", "--type=json", "-p", '[{"op":"remove","path":"/spec/mode"}]')
    t("patch", "net", "a", "-p", '{"spec":{"mode":"safe"}}')
    t("patch", "net", "a", "--subresource=status", "--type=merge", "-p", '{"status":{"nodes":2}}')
    t("patch", "sts", "set", "-p", '{"spec":{"template":{"spec":{"containers":[{"name":"more","image":"m"}]}}}}')
    t("patch", "sts", "set", "--type=merge", "-p", '{"spec":{"serviceName":"other"}}')
    t("set", "image", "sts/set", "node=core:3")
    t("set", "env", "sts/set", "C=3")
    t("get", "net/a", "-o", "yaml")
    t("get", "sts/set", "-o", "yaml")
    t("edit", "net/a", env={"KUBE_EDITOR": 'sed -i "s/nodes: 6/nodes: 7/"'})
    t("edit", "sts/set", env={"KUBE_EDITOR": 'sed -i "s/replicas: 5/replicas: 4/"'})
    t("replace", "-f", "-", stdin=net(t.group, nodes=2))
    t("replace", "-f", "-", stdin=net(t.group, "none", nodes=2))
    t("get", "nets")


def create(t: Transcript) -> None:
    _nets(t)
    t("create", "-f", "-", stdin=net(t.group))
    t("create", "-f", "-", stdin=net(t.group))
    t("create", "-f", "-", stdin=net(t.group, "Bad_Name"))
    t("create", "-f", "-", stdin=net(t.group, "few", nodes=0))
    t("create", "-f", "-", stdin=net(t.group, "worded", nodes="three"))  # type: ignore[arg-type]
    t("create", "-f", "-", stdin=POD.replace("name: node", "name: Node_"))
    t("create", "-f", "-", stdin=STATEFUL_SET.replace("matchLabels: {app: net}", "matchLabels: {app: other}"))
    t("create", "configmap", "c", "--from-literal=text=ö")
    t("create", "configmap", "c")
    t("create", "secret", "generic", "s", "--from-literal=key=value")
    t("create", "serviceaccount", "sa")
    t("create", "role", "r", "--verb=get,list", "--resource=pods,statefulsets.apps/scale")
    t("create", "rolebinding", "rb", "--role=r", "--user=alice", "--serviceaccount=default:sa")
    t("get", "cm/c", "-o", "yaml")
    t("get", "secret/s", "-o", "yaml")
    t("get", "role/r", "-o", "yaml")
    t("get", "rolebinding/rb", "-o", "yaml")


def wait(t: Transcript) -> None:
    _nets(t)
    t.quietly("apply", "-f", "-", stdin=net(t.group))
    t("wait", "net/a", "--for=jsonpath={.spec.nodes}=3", "--timeout=10s")
    t("wait", "net/a", "--for=condition=Ready", "--timeout=3s")
    status = '{"status":{"conditions":[{"type":"Ready","status":"True"}]}}'
    with t.watching("wait", "net/a", "--for=condition=Ready", "--timeout=20s", lines=1):
        t("patch", "net", "a", "--subresource=status", "--type=merge", "-p", status)
    t("wait", "net", "--all", "--for=condition=Ready", "--timeout=10s")
    t("wait", f"crd/nets.{t.group}", "--for=condition=Established", "--timeout=10s")
    t("wait", "net/none", "--for=condition=Ready", "--timeout=10s")
    with t.watching("wait", "net/late", "--for=create", "--timeout=20s", lines=1):
        t("create", "-f", "-", stdin=net(t.group, "late"))
    t.quietly("patch", "net", "a", "--type=merge", "-p", '{"metadata":{"finalizers":["x.org/hold"]}}')
    t("wait", "net/a", "--for=delete", "--timeout=3s")
    t("delete", "net", "a", "--wait=false")
    t("patch", "net", "a", "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
    t("wait", "net/a", "--for=delete", "--timeout=10s")


def delete(t: Transcript) -> None:
    _everything(t)
    t("delete", "net", "a")
    t("delete", "net", "a")
    t("delete", "net", "a", "--ignore-not-found")
    t("delete", "cm", "-l", "tier=back")
    t("delete", "cm", "-l", "tier=back")
    t("delete", "-f", "-", stdin=STATEFUL_SET)
    t("delete", "deploy", "deploy", "--cascade=orphan")
    t("delete", "pod", "pod", "--grace-period=0", "--force")
    t("delete", "secret/secret", "lease/lease", "--now")
    t("delete", "sa", "account", "-o", "name")
    t.quietly("patch", "net", "b", "--type=merge", "-p", '{"metadata":{"finalizers":["x.org/hold"]}}')
    t("delete", "net", "b", "--timeout=3s")
    t("get", "net", "b", "-o", "yaml")
    t("patch", "net", "b", "--type=merge", "-p", '{"metadata":{"finalizers":["x.org/hold","x.org/more"]}}')
    t("patch", "net", "b", "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
    t("get", "nets")
    t("delete", "nets", "--all")
    t("delete", "crd", f"nets.{t.group}")
    t("get", "crd", f"nets.{t.group}")


def events(t: Transcript) -> None:
    _nets(t)
    t.quietly("apply", "-f", "-", stdin=net(t.group))
    uid = t.quietly("get", "net/a", "-o", "jsonpath={.metadata.uid}")
    namespace = t.quietly("get", "net/a", "-o", "jsonpath={.metadata.namespace}")
    t("create", "-f", "-", stdin=event(t.group, uid, namespace))
    t("get", "events")
    t("get", "events", "-o", "wide")
    t("get", "events", "-o", "yaml")
    t("events")
    t("events", "--for", "net/a")
    t("events", "--for", "net/b")
    t("events", "--types=Normal")
    t("describe", "net", "a")
    t("get", "events", "--field-selector", "involvedObject.name=a,type=Warning")
    t("get", "events", "--field-selector", "involvedObject.name=b")


def explain(t: Transcript) -> None:
    _nets(t)
    # A real server writes its OpenAPI document a second or two after the definition is established,
    # and the index of all documents, which kubectl asks first, some time after that.
    eventually(lambda: "FIELDS:" in t.quietly("explain", "net"))
    for path in ("", ".metadata", ".spec", ".spec.nodes", ".spec.peers", ".spec.peers.host", ".spec.tags", ".status"):
        t("explain", f"net{path}")
    t("explain", "net", "--recursive")
    t("explain", f"nets.v1.{t.group}")
    t("explain", "net.spec.none")


def may_i(t: Transcript) -> None:
    _nets(t)
    t("auth", "can-i", "create", "pods")
    t("auth", "can-i", "get", "nets")
    t("auth", "can-i", "get", "pods", "--subresource=log")
    t("auth", "can-i", "patch", "sts/set", "-q")
    t("auth", "can-i", "get", "/healthz")
    t("auth", "can-i", "fly", "nopes")
    t("auth", "can-i", "create", "pods", "-A")


SCRIPTS: tuple[Script, ...] = (
    get_tables,
    get_objects,
    watch,
    describe,
    apply,
    apply_server_side,
    dry_run_and_diff,
    change,
    create,
    wait,
    delete,
    events,
    explain,
    may_i,
)
