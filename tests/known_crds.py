"""CustomResourceDefinitions with the shapes of well-known projects', each with an object that such a one takes.

Written for these tests: what is hard about the schemas of each project is here, in few fields.
"""

from __future__ import annotations

from typing import Any

TEXT, COUNT, FLAG = {"type": "string"}, {"type": "integer"}, {"type": "boolean"}
FREE = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
INT_OR_STRING = {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]}
TEXTS = {"type": "array", "items": TEXT}
LABELS = {"type": "object", "additionalProperties": TEXT}
SELECTOR = {
    "type": "object",
    "properties": {
        "matchLabels": LABELS,
        "matchExpressions": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"key": TEXT, "operator": TEXT, "values": TEXTS},
                "required": ["key", "operator"],
            },
        },
    },
}
CONDITIONS = {
    "type": "array",
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["type"],
    "items": {
        "type": "object",
        "properties": {
            "type": TEXT,
            "status": {"type": "string", "enum": ["True", "False", "Unknown"]},
            "lastTransitionTime": {"type": "string", "format": "date-time"},
            "reason": {"type": "string", "pattern": "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$"},
            "message": {"type": "string", "maxLength": 32768},
            "observedGeneration": {"type": "integer", "format": "int64", "minimum": 0},
        },
        "required": ["type", "status"],
    },
}


def struct(*required: str, **properties: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"type": "object", "properties": properties}
    return made | ({"required": [*required]} if required else {})


def many(items: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "array", "items": items, **more}


def crd(group: str, kind: str, plural: str, *versions: dict[str, Any], scope: str = "Namespaced") -> dict[str, Any]:
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {"group": group, "names": {"kind": kind, "plural": plural}, "scope": scope, "versions": [*versions]},
    }


def version(
    name: str, spec: Any, status: Any = None, *, storage: bool = True, required: bool = True, **more: Any
) -> dict[str, Any]:
    properties = {"spec": spec} | ({"status": status} if status else {})
    schema = {"type": "object", "properties": properties} | ({"required": ["spec"]} if required else {})
    made = {"name": name, "served": True, "storage": storage, "schema": {"openAPIV3Schema": schema}, **more}
    return made | ({"subresources": {"status": {}}} if status and "subresources" not in more else {})


#: By the project whose shape it has: the definition, and the spec of an object.
KNOWN: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "certificates with issuers by reference": (
        crd(
            "certs.shape.example",
            "Certificate",
            "certificates",
            version(
                "v1",
                struct(
                    "secretName",
                    "issuerRef",
                    secretName=TEXT,
                    dnsNames=TEXTS,
                    ipAddresses=TEXTS,
                    duration=TEXT,
                    issuerRef=struct("name", name=TEXT, kind=TEXT, group=TEXT),
                    privateKey=struct(
                        algorithm={"type": "string", "enum": ["RSA", "ECDSA", "Ed25519"]}, size={"type": "integer"}
                    ),
                    isCA=FLAG,
                    revisionHistoryLimit={"type": "integer", "format": "int32", "minimum": 1},
                ),
                struct(conditions=CONDITIONS, notAfter={"type": "string", "format": "date-time"}, revision=COUNT),
                additionalPrinterColumns=[
                    {"name": "Ready", "type": "string", "jsonPath": '.status.conditions[?(@.type=="Ready")].status'}
                ],
            ),
        ),
        {
            "secretName": "tls",
            "issuerRef": {"name": "ca", "kind": "ClusterIssuer"},
            "dnsNames": ["a.example"],
            "ipAddresses": ["10.0.0.1"],
            "isCA": False,
            "privateKey": {"algorithm": "ECDSA", "size": 256},
        },
    ),
    "monitors with selectors and relabelling": (
        crd(
            "monitoring.shape.example",
            "ServiceMonitor",
            "servicemonitors",
            version(
                "v1",
                struct(
                    "selector",
                    "endpoints",
                    selector=SELECTOR,
                    namespaceSelector=struct(any=FLAG, matchNames=TEXTS),
                    endpoints=many(
                        struct(
                            port=TEXT,
                            targetPort=INT_OR_STRING,
                            interval={"type": "string", "pattern": r"^(0|(([0-9]+)y)?(([0-9]+)h)?(([0-9]+)s)?)$"},
                            honorLabels=FLAG,
                            params={"type": "object", "additionalProperties": TEXTS},
                            relabelings=many(
                                struct(
                                    action={
                                        "type": "string",
                                        "enum": ["replace", "Replace", "keep", "drop"],
                                        "default": "replace",
                                    },
                                    sourceLabels=TEXTS,
                                    regex=TEXT,
                                    modulus={"type": "integer", "format": "int64"},
                                )
                            ),
                        )
                    ),
                ),
            ),
        ),
        {
            "selector": {"matchExpressions": [{"key": "app", "operator": "In", "values": ["a"]}]},
            "namespaceSelector": {"any": True},
            "endpoints": [
                {
                    "port": "web",
                    "targetPort": 8080,
                    "params": {"a": ["b"]},
                    "relabelings": [{"action": "keep", "regex": "x"}],
                },
                {"targetPort": "metrics", "interval": "30s"},
            ],
        },
    ),
    "applications with free values and operations": (
        crd(
            "gitops.shape.example",
            "Application",
            "applications",
            version(
                "v1alpha1",
                struct(
                    "project",
                    "destination",
                    project=TEXT,
                    destination=struct(server=TEXT, namespace=TEXT, name=TEXT),
                    source=struct(
                        "repoURL",
                        repoURL=TEXT,
                        targetRevision=TEXT,
                        helm=struct(
                            valuesObject=FREE, parameters=many(struct(name=TEXT, value=TEXT, forceString=FLAG))
                        ),
                    ),
                    syncPolicy=struct(
                        automated=struct(prune=FLAG, selfHeal=FLAG),
                        syncOptions=TEXTS,
                        retry=struct(limit=COUNT, backoff=struct(duration=TEXT, factor=COUNT)),
                    ),
                    ignoreDifferences=many(struct("kind", kind=TEXT, jsonPointers=TEXTS)),
                ),
                struct(sync=struct("status", status=TEXT, revision=TEXT), health=struct(status=TEXT)),
            ),
        ),
        {
            "project": "default",
            "destination": {"server": "https://kubernetes.default.svc"},
            "source": {"repoURL": "https://git.example/a", "helm": {"valuesObject": {"image": {"tag": 1, "x": None}}}},
            "syncPolicy": {"automated": {"prune": True}, "retry": {"limit": 5}},
        },
    ),
    "virtual services with one of several matches": (
        crd(
            "mesh.shape.example",
            "VirtualService",
            "virtualservices",
            version(
                "v1",
                struct(
                    hosts=TEXTS,
                    http=many(
                        struct(
                            match=many(
                                struct(
                                    uri={
                                        **struct(exact=TEXT, prefix=TEXT, regex=TEXT),
                                        "oneOf": [
                                            {"not": {"anyOf": [{"required": ["exact"]}, {"required": ["prefix"]}]}},
                                            {"required": ["exact"]},
                                            {"required": ["prefix"]},
                                        ],
                                    },
                                    headers={"type": "object", "additionalProperties": struct(exact=TEXT)},
                                )
                            ),
                            route=many(
                                struct(
                                    "destination",
                                    destination=struct("host", host=TEXT, port=struct(number=COUNT)),
                                    weight=COUNT,
                                )
                            ),
                            fault=struct(delay=struct(percentage=struct(value={"type": "number", "format": "double"}))),
                        )
                    ),
                ),
                FREE,
                required=False,
            ),
        ),
        {
            "hosts": ["a"],
            "http": [
                {
                    "match": [{"uri": {"prefix": "/"}, "headers": {"x": {"exact": "y"}}}],
                    "route": [{"destination": {"host": "b", "port": {"number": 80}}, "weight": 100}],
                    "fault": {"delay": {"percentage": {"value": 0.5}}},
                }
            ],
        },
    ),
    "routes with list maps, rules and two versions": (
        crd(
            "gateway.shape.example",
            "HTTPRoute",
            "httproutes",
            *(
                version(
                    name,
                    struct(
                        parentRefs={
                            **many(
                                struct(
                                    "name",
                                    group={"type": "string", "default": "gateway.shape.example", "maxLength": 253},
                                    name={"type": "string", "minLength": 1, "maxLength": 253},
                                    port={"type": "integer", "format": "int32", "minimum": 1, "maximum": 65535},
                                ),
                                maxItems=32,
                            ),
                            "x-kubernetes-validations": [{"rule": "self.size() > 0", "message": "no parents"}],
                        },
                        rules=many(
                            struct(
                                matches=many(
                                    struct(
                                        path={
                                            **struct(
                                                type={
                                                    "type": "string",
                                                    "enum": ["Exact", "PathPrefix"],
                                                    "default": "PathPrefix",
                                                },
                                                value={"type": "string", "default": "/", "maxLength": 1024},
                                            ),
                                            "default": {"type": "PathPrefix", "value": "/"},
                                        }
                                    ),
                                    maxItems=8,
                                    default=[{"path": {"type": "PathPrefix", "value": "/"}}],
                                ),
                            ),
                            maxItems=16,
                        ),
                    ),
                    struct(parents=many(struct(conditions=CONDITIONS))),
                    storage=name == "v1",
                )
                for name in ("v1", "v1beta1")
            ),
        ),
        {
            "parentRefs": [{"name": "gw", "port": 443}],
            "rules": [{"matches": [{"path": {"type": "Exact", "value": "/a"}}]}],
        },
    ),
    "compositions with pipelines of free input": (
        crd(
            "compose.shape.example",
            "Composition",
            "compositions",
            version(
                "v1",
                struct(
                    "compositeTypeRef",
                    compositeTypeRef=struct("apiVersion", "kind", apiVersion=TEXT, kind=TEXT),
                    mode={"type": "string", "enum": ["Pipeline"], "default": "Pipeline"},
                    pipeline={
                        **many(
                            struct(
                                "step",
                                "functionRef",
                                step=TEXT,
                                functionRef=struct("name", name=TEXT),
                                input={**FREE, "x-kubernetes-embedded-resource": True},
                            )
                        ),
                        "x-kubernetes-list-type": "map",
                        "x-kubernetes-list-map-keys": ["step"],
                    },
                ),
            ),
            scope="Cluster",
        ),
        {
            "compositeTypeRef": {"apiVersion": "x.org/v1", "kind": "XR"},
            "pipeline": [
                {
                    "step": "a",
                    "functionRef": {"name": "patch"},
                    "input": {
                        "apiVersion": "fn.org/v1",
                        "kind": "Resources",
                        "metadata": {"name": "r"},
                        "resources": [1, "a"],
                    },
                }
            ],
        },
    ),
    "pipelines with params of several types": (
        crd(
            "tasks.shape.example",
            "Pipeline",
            "pipelines",
            version(
                "v1",
                struct(
                    params=many(
                        struct("name", name=TEXT, type=TEXT, default={"x-kubernetes-preserve-unknown-fields": True})
                    ),
                    tasks=many(
                        struct(
                            name=TEXT,
                            runAfter=TEXTS,
                            when=many(struct("input", "operator", input=TEXT, operator=TEXT, values=TEXTS)),
                            timeout=TEXT,
                            retries=COUNT,
                            **{"finally": FLAG, "from": TEXT, "in": TEXT},
                        )
                    ),
                ),
            ),
        ),
        {
            "params": [{"name": "a", "default": "x"}, {"name": "b", "type": "array", "default": ["x", 1]}],
            "tasks": [{"name": "t", "runAfter": ["s"], "finally": True, "from": "here", "in": "there"}],
        },
    ),
    "brokers with listeners and free configuration": (
        crd(
            "streams.shape.example",
            "Kafka",
            "kafkas",
            version(
                "v1beta2",
                struct(
                    kafka=struct(
                        "listeners",
                        listeners=many(
                            struct(
                                "name",
                                "port",
                                "type",
                                "tls",
                                name={"type": "string", "pattern": "^[a-z0-9]{1,11}$"},
                                port={"type": "integer", "minimum": 9092},
                                type={"type": "string", "enum": ["internal", "nodeport", "cluster-ip"]},
                                tls=FLAG,
                            ),
                            minItems=1,
                        ),
                        config=FREE,
                        replicas={"type": "integer", "minimum": 1},
                        storage=struct("type", type=TEXT, size=TEXT, deleteClaim=FLAG, **{"class": TEXT}),
                        jvmOptions=struct(**{"-XX": LABELS, "-Xms": TEXT}),
                    ),
                ),
                struct(conditions=CONDITIONS, kafkaVersion=TEXT),
            ),
        ),
        {
            "kafka": {
                "listeners": [{"name": "plain", "port": 9092, "type": "cluster-ip", "tls": False}],
                "config": {"log.retention.hours": 1, "a": "b"},
                "storage": {"type": "jbod", "class": "fast"},
                "jvmOptions": {"-XX": {"UseG1GC": "true"}, "-Xms": "1g"},
            }
        },
    ),
    "storage clusters with placements by name": (
        crd(
            "storage.shape.example",
            "CephCluster",
            "cephclusters",
            version(
                "v1",
                struct(
                    cephVersion={**struct(image=TEXT, allowUnsupported=FLAG), "nullable": True},
                    dataDirHostPath={"type": "string", "pattern": r"^/(\S+)"},
                    placement={"type": "object", "additionalProperties": FREE, "nullable": True},
                    mon={**struct(count={"type": "integer", "minimum": 0, "maximum": 9}), "nullable": True},
                    storage={
                        **struct(nodes={**many(struct(name=TEXT, config=LABELS)), "nullable": True}),
                        "nullable": True,
                    },
                ),
                struct(
                    ceph=struct(
                        health=TEXT,
                        details={"type": "object", "additionalProperties": struct("severity", severity=TEXT)},
                    )
                ),
            ),
        ),
        {
            "cephVersion": {"image": "ceph:v19"},
            "dataDirHostPath": "/var/lib/x",
            "placement": {"all": {"tolerations": [{"operator": "Exists"}]}},
            "mon": {"count": 3},
            "storage": {"nodes": [{"name": "n1", "config": {"a": "b"}}]},
        },
    ),
    "backups with hooks and label selectors": (
        crd(
            "backup.shape.example",
            "Backup",
            "backups",
            version(
                "v1",
                struct(
                    includedNamespaces={**TEXTS, "nullable": True},
                    labelSelector={**SELECTOR, "nullable": True},
                    orLabelSelectors=many(SELECTOR, nullable=True),
                    ttl=TEXT,
                    snapshotVolumes={"type": "boolean", "nullable": True},
                    hooks=struct(
                        resources=many(
                            struct(
                                "name",
                                name=TEXT,
                                pre=many(struct("exec", exec=struct("command", command={**TEXTS, "minItems": 1}))),
                            )
                        )
                    ),
                ),
                struct(phase={"type": "string", "enum": ["New", "InProgress", "Completed"]}, errors=COUNT),
                required=False,
            ),
        ),
        {
            "includedNamespaces": ["a"],
            "labelSelector": {"matchLabels": {"x": "y"}},
            "orLabelSelectors": [{"matchLabels": {"x": "z"}}],
            "snapshotVolumes": True,
            "hooks": {"resources": [{"name": "h", "pre": [{"exec": {"command": ["sync"]}}]}]},
        },
    ),
    "scaled objects with triggers and a scale of their own": (
        crd(
            "scaling.shape.example",
            "ScaledObject",
            "scaledobjects",
            version(
                "v1alpha1",
                struct(
                    "scaleTargetRef",
                    "triggers",
                    scaleTargetRef=struct("name", name=TEXT, kind=TEXT, envSourceContainerName=TEXT),
                    minReplicaCount={"type": "integer", "format": "int32"},
                    cooldownPeriod={"type": "integer", "default": 300},
                    advanced=struct(
                        scalingModifiers=struct(
                            formula=TEXT, metricType={"type": "string", "enum": ["", "AverageValue"]}
                        )
                    ),
                    triggers=many(struct("type", "metadata", type=TEXT, metadata=LABELS, useCachedMetrics=FLAG)),
                ),
                struct(originalReplicaCount=COUNT, replicas=COUNT),
                subresources={
                    "status": {},
                    "scale": {"specReplicasPath": ".spec.minReplicaCount", "statusReplicasPath": ".status.replicas"},
                },
            ),
        ),
        {
            "scaleTargetRef": {"name": "web"},
            "minReplicaCount": 0,
            "advanced": {"scalingModifiers": {"metricType": ""}},
            "triggers": [{"type": "cron", "metadata": {"start": "0 6 * * *"}}],
        },
    ),
    "secret stores with exactly one provider": (
        crd(
            "secrets.shape.example",
            "SecretStore",
            "secretstores",
            version(
                "v1",
                struct(
                    "provider",
                    provider={
                        **struct(
                            vault=struct(
                                "server",
                                server=TEXT,
                                version={"type": "string", "enum": ["v1", "v2"], "default": "v2"},
                                caBundle={"type": "string", "format": "byte"},
                            ),
                            aws=struct(
                                "region",
                                region=TEXT,
                                auth=struct(secretRef=struct(accessKeyIDSecretRef=struct(name=TEXT, key=TEXT))),
                            ),
                            fake=struct("data", data=many(struct("key", key=TEXT, value=TEXT, valueMap=LABELS))),
                        ),
                        "minProperties": 1,
                        "maxProperties": 1,
                    },
                    retrySettings=struct(maxRetries={"type": "integer", "format": "int32"}),
                    conditions=many(struct(namespaceSelector=SELECTOR, namespaceRegexes=TEXTS)),
                ),
                struct(conditions=CONDITIONS, capabilities=TEXT),
            ),
        ),
        {
            "provider": {
                "aws": {"region": "eu", "auth": {"secretRef": {"accessKeyIDSecretRef": {"name": "a", "key": "id"}}}}
            }
        },
    ),
    "releases with any values": (
        crd(
            "releases.shape.example",
            "HelmRelease",
            "helmreleases",
            version(
                "v2",
                struct(
                    "interval",
                    interval={"type": "string", "pattern": "^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$"},
                    values={"x-kubernetes-preserve-unknown-fields": True},
                    valuesFrom=many(
                        struct(
                            "kind",
                            "name",
                            kind={"type": "string", "enum": ["Secret", "ConfigMap"]},
                            name=TEXT,
                            optional=FLAG,
                        )
                    ),
                    dependsOn=many(struct("name", name=TEXT, namespace=TEXT)),
                    install=struct(
                        remediation=struct(retries=COUNT, ignoreTestFailures=FLAG),
                        crds={"type": "string", "enum": ["Skip", "Create"]},
                    ),
                    postRenderers=many(
                        struct(kustomize=struct(patches=many(struct("patch", patch=TEXT, target=struct(kind=TEXT)))))
                    ),
                ),
                struct(conditions=CONDITIONS, history=many(struct("version", version=COUNT, digest=TEXT))),
            ),
        ),
        {"interval": "10m", "values": {"a": [1, {"b": None}]}, "valuesFrom": [{"kind": "Secret", "name": "s"}]},
    ),
}
