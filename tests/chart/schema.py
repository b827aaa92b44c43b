"""The schema of the chart's values: closed, so that a misspelt or wrong value never renders."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from tests.chart.kubernetes_types import Schema, definitions, reference

GIVEN = Path(__file__).parents[2] / "helm/btcctl/values.yaml"
SCHEMA = Path(__file__).parents[2] / "helm/btcctl/values.schema.json"

_LABEL_VALUE = r"^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$"
_LABEL_KEY = (
    r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?"
    r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$"
)
_DNS_LABEL = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
_DNS_NAME = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
_REGISTRY = r"^[A-Za-z0-9.-]+(:[0-9]+)?(/[a-z0-9._/-]+)?$"
_REPOSITORY = r"^[A-Za-z0-9.-]+(:[0-9]+/[a-z0-9._-]+)?(/[a-z0-9._-]+)*$"
_DURATION = r"^([0-9]+(\.[0-9]+)?|([0-9]+(\.[0-9]+)?(ms|s|m|h))+)$"
_PROMETHEUS_DURATION = r"^([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$"
_NAMES = {"type": "object", "additionalProperties": {"type": "string"}}


def matching(pattern: str, longest: int | None = None) -> Schema:
    return {"type": "string", "pattern": pattern, **({} if longest is None else {"maxLength": longest})}


def or_empty(pattern: str, longest: int | None = None) -> Schema:
    return {"anyOf": [{"const": ""}, matching(pattern, longest)]}


def whole(low: int, high: int) -> Schema:
    return {"type": "integer", "minimum": low, "maximum": high}


def one_of(*words: str) -> Schema:
    return {"enum": list(words)}


def some(items: Schema, **limits: Any) -> Schema:
    return {"type": "array", "items": items, **limits}


def closed(**properties: Schema) -> Schema:
    return {"type": "object", "additionalProperties": False, "properties": properties}


def or_null(schema: Schema) -> Schema:
    return {"anyOf": [{"type": "null"}, schema]}


YES_NO: Schema = {"type": "boolean"}
TEXT: Schema = {"type": "string"}
LABELS: Schema = {
    "type": "object",
    "propertyNames": matching(_LABEL_KEY, 317),
    "additionalProperties": matching(_LABEL_VALUE, 63),
}
ANNOTATIONS: Schema = {"type": "object", "propertyNames": matching(_LABEL_KEY, 317), "additionalProperties": TEXT}
DNS_LABEL = matching(_DNS_LABEL, 63)
DNS_NAME = matching(_DNS_NAME, 253)
PORT = whole(1024, 65535)
DURATION: Schema = {"anyOf": [matching(_DURATION), whole(0, 10**9)]}
INTERVAL: Schema = {**matching(_PROMETHEUS_DURATION), "minLength": 2}
NUMBER_OR_SHARE: Schema = or_null({"anyOf": [whole(0, 1000), matching(r"^(100|[0-9]{1,2})%$")]})
UNIQUE_NAMES = some(DNS_LABEL, uniqueItems=True)
PULL_SECRETS = some(DNS_NAME, uniqueItems=True)
PROBE = closed(
    initialDelaySeconds=whole(0, 3600),
    periodSeconds=whole(1, 3600),
    timeoutSeconds=whole(1, 3600),
    failureThreshold=whole(1, 1000),
    successThreshold=whole(1, 1000),
)
IMAGE: dict[str, Schema] = {
    "registry": or_empty(_REGISTRY),
    "repository": matching(_REPOSITORY, 255),
    "tag": or_empty(r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$"),
    "digest": or_empty(r"^sha256:[0-9a-f]{64}$"),
}
PEERS = some(
    closed(
        podSelector=reference("meta.v1.LabelSelector"),
        namespaceSelector=reference("meta.v1.LabelSelector"),
        ipBlock=closed(cidr=TEXT, **{"except": some(TEXT)}),
    )
)
POLICY_PORTS = some(
    closed(port={"type": ["integer", "string"]}, protocol=one_of("TCP", "UDP", "SCTP"), endPort={"type": "integer"})
)
MONITOR = closed(
    enabled=YES_NO,
    namespace=or_empty(_DNS_LABEL, 63),
    labels=LABELS,
    interval=INTERVAL,
    scrapeTimeout=INTERVAL,
    endpointConfig={"type": "object"},
)


def core(name: str) -> Schema:
    return reference(f"core.v1.{name}")


VALUES = closed(
    enabled=YES_NO,
    nameOverride=or_empty(_DNS_LABEL, 40),
    fullnameOverride=or_empty(r"^[a-z]([-a-z0-9]*[a-z0-9])?$", 40),
    commonLabels=LABELS,
    commonAnnotations=ANNOTATIONS,
    **{
        "global": {
            # Open: with an umbrella chart other charts' values are in it, too.
            "type": "object",
            "properties": {"imageRegistry": or_empty(_REGISTRY), "imagePullSecrets": PULL_SECRETS},
        }
    },
    image=closed(**IMAGE, pullPolicy=one_of("Always", "IfNotPresent", "Never")),
    nodeImage=closed(**IMAGE),
    imagePullSecrets=PULL_SECRETS,
    replicas=whole(0, 100),
    strategy=reference("apps.v1.DeploymentStrategy"),
    revisionHistoryLimit=whole(0, 100),
    terminationGracePeriodSeconds=whole(26, 3600),
    watchNamespaces=UNIQUE_NAMES,
    workers=whole(1, 64),
    pollMin=DURATION,
    pollMax=DURATION,
    resyncPeriod=DURATION,
    log=closed(level=one_of("debug", "info", "warning", "error"), format=one_of("json", "console", "auto")),
    leaderElection=closed(
        leaseName=or_empty(_DNS_NAME, 253), leaseDuration=DURATION, renewDeadline=DURATION, retryPeriod=DURATION
    ),
    secretNames=some(DNS_NAME, uniqueItems=True),
    defaultSecret=closed(create=YES_NO, name=DNS_NAME),
    exampleNetwork=closed(create=YES_NO, nodes=whole(1, 1000), secret=or_empty(_DNS_NAME, 253)),
    crds=closed(install=YES_NO, keep=YES_NO),
    rbac=closed(
        create=YES_NO,
        scope=one_of("cluster", "namespaces"),
        aggregateRoles=YES_NO,
        extraRules=some(reference("rbac.v1.PolicyRule")),
    ),
    serviceAccount=closed(create=YES_NO, name=or_empty(_DNS_NAME, 253), annotations=ANNOTATIONS, automount=YES_NO),
    podDisruptionBudget=closed(enabled=YES_NO, maxUnavailable=NUMBER_OR_SHARE, minAvailable=NUMBER_OR_SHARE),
    podLabels=LABELS,
    podAnnotations=ANNOTATIONS,
    deploymentAnnotations=ANNOTATIONS,
    podSecurityContext=core("PodSecurityContext"),
    securityContext=core("SecurityContext"),
    openshift=one_of("auto", "enabled", "disabled"),
    resources=core("ResourceRequirements"),
    priorityClassName=or_empty(_DNS_NAME, 253),
    nodeSelector=LABELS,
    tolerations=some(core("Toleration")),
    affinity=core("Affinity"),
    topologySpreadConstraints=or_null(some(core("TopologySpreadConstraint"))),
    hostAliases=some(core("HostAlias")),
    dnsPolicy=one_of("", "ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"),
    dnsConfig=core("PodDNSConfig"),
    extraArgs=some(matching("^-")),
    extraEnv=some(core("EnvVar")),
    extraEnvFrom=some(core("EnvFromSource")),
    extraVolumes=some(core("Volume")),
    extraVolumeMounts=some(core("VolumeMount")),
    extraContainers=some(core("Container")),
    initContainers=some(core("Container")),
    extraObjects=some({"anyOf": [TEXT, {"type": "object", "required": ["apiVersion", "kind"]}]}),
    debugEndpoints=YES_NO,
    probes=closed(port=PORT, startup=PROBE, liveness=PROBE, readiness=PROBE),
    metrics=closed(
        enabled=YES_NO,
        port=PORT,
        service=closed(
            enabled=YES_NO,
            annotations=ANNOTATIONS,
            ipFamilyPolicy=one_of("", "SingleStack", "PreferDualStack", "RequireDualStack"),
            ipFamilies=some(one_of("IPv4", "IPv6"), uniqueItems=True, maxItems=2),
        ),
        secure=closed(
            enabled=YES_NO,
            certificateSecret=or_empty(_DNS_NAME, 253),
            readers=some({**closed(name=DNS_NAME, namespace=DNS_LABEL), "required": ["name", "namespace"]}),
        ),
        scrapeAnnotations=YES_NO,
        serviceMonitor=MONITOR,
        podMonitor=MONITOR,
        prometheusRule=closed(
            enabled=YES_NO,
            namespace=or_empty(_DNS_LABEL, 63),
            labels=LABELS,
            alertLabels=_NAMES,
            runbookUrl=TEXT,
            disabled=some(TEXT, uniqueItems=True),
        ),
        dashboard=closed(enabled=YES_NO, namespace=or_empty(_DNS_LABEL, 63), labels=LABELS, annotations=ANNOTATIONS),
    ),
    networkPolicy=closed(
        enabled=YES_NO,
        metricsFrom=PEERS,
        egress=or_null(some(closed(to=PEERS, ports=POLICY_PORTS))),
        nodes=closed(namespaces=UNIQUE_NAMES, rpcFrom=PEERS),
    ),
    view=closed(
        enabled=YES_NO,
        port=PORT,
        asksNodes=YES_NO,
        tokenSecret=or_empty(_DNS_NAME, 253),
        allowedHosts=some(matching("^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$"), uniqueItems=True),
        **{"from": PEERS},
        resources=core("ResourceRequirements"),
    ),
    tests=closed(enabled=YES_NO),
)


def requiring(schema: Schema, given: dict[str, Any]) -> Schema:
    """With what has to be there: null takes a default away, and only what is empty by default may be missing."""
    properties = {
        name: requiring(each, given[name]) if "properties" in each and each is not PROBE and given.get(name) else each
        for name, each in schema["properties"].items()
    }
    required = [name for name, each in properties.items() if _is_needed(each, given.get(name))]
    return {**schema, "properties": properties, **({"required": required} if required else {})}


def _is_needed(schema: Schema, default: Any) -> bool:
    if {"type": "null"} in schema.get("anyOf", ()):
        return False
    is_list_or_map = "$ref" in schema or schema.get("type") in {"object", "array"}
    return "properties" in schema or isinstance(default, bool | int) or (not is_list_or_map and bool(default))


def render_schema() -> str:
    given = yaml.safe_load(GIVEN.read_text(encoding="utf-8"))
    del given["enabled"]  # which no template asks for
    values = requiring(VALUES, given)
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Values of btcctl's chart", **values}
    return json.dumps({**schema, "$defs": definitions(VALUES)}, indent=1) + "\n"
