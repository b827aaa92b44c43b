"""Values that the chart must render into what a real API server takes, and such as it must refuse."""

from __future__ import annotations

from typing import Any

Values = dict[str, Any]

_DIGEST = "sha256:" + "a" * 64
_SIDECAR = {"name": "proxy", "image": "proxy:1", "ports": [{"name": "https", "containerPort": 8443}]}
_PEER = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}
_AFFINITY = {
    "podAntiAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": [
            {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "x"}}}
        ]
    }
}
_CONFIG_MAP = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "extra", "namespace": "{{ .Release.Namespace }}"},
}
_CONFIG_MAP_TEXT = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ include "btcctl.fullname" . }}-extra\n'

#: By name; the API server takes all that comes of each.
GOOD: dict[str, Values] = {
    "defaults": {},
    "part of another chart": {"enabled": True, "global": {"of": "others"}},
    "null where nothing is": {
        **dict.fromkeys(("commonLabels", "commonAnnotations", "podLabels", "podAnnotations", "deploymentAnnotations")),
        **dict.fromkeys(("imagePullSecrets", "watchNamespaces", "strategy", "affinity", "nodeSelector", "tolerations")),
        **dict.fromkeys(("extraArgs", "extraEnv", "extraVolumes", "extraObjects", "initContainers", "secretNames")),
        **dict.fromkeys(("resources", "securityContext", "podSecurityContext", "nameOverride", "priorityClassName")),
        "global": {"imagePullSecrets": None},
        "metrics": {
            "serviceMonitor": {"enabled": True, "labels": None, "endpointConfig": None},
            "podMonitor": {"enabled": True, "endpointConfig": None},
            "prometheusRule": {"enabled": True, "alertLabels": None, "disabled": None},
            "dashboard": {"enabled": True, "labels": None},
        },
        "view": {"enabled": True, "resources": None, "allowedHosts": None},
    },
    "names that YAML takes for something else": {
        "fullnameOverride": "null",
        "nameOverride": "0",
        "serviceAccount": {"name": "42"},
        "imagePullSecrets": ["12"],
        "global": {"imagePullSecrets": ["0x1f"]},
        "leaderElection": {"leaseName": "7"},
        "secretNames": ["8"],
        "defaultSecret": {"create": True, "name": "8"},
        "exampleNetwork": {"create": True},
        "watchNamespaces": ["123", "true", "bitcoin-controller"],
        "rbac": {"scope": "namespaces"},
        "networkPolicy": {"nodes": {"namespaces": ["123", "true"]}},
        "view": {"enabled": True, "tokenSecret": "9"},
        "metrics": {
            "secure": {"enabled": True, "certificateSecret": "10", "readers": [{"name": "11", "namespace": "123"}]},
            "serviceMonitor": {
                "enabled": True,
                "namespace": "123",
                "endpointConfig": {"tlsConfig": {"insecureSkipVerify": True}},
            },
            "prometheusRule": {"enabled": True, "namespace": "true"},
            "dashboard": {"enabled": True, "namespace": "123"},
        },
    },
    "another name": {"nameOverride": "bitcoins"},
    "the seeds' names": {"fullnameOverride": "bitcoin-controller"},
    "labels and annotations everywhere": {
        "commonLabels": {"team": "a"},
        "commonAnnotations": {"example.com/owner": "b c"},
    },
    "labels that try to be ours": {"commonLabels": {"app.kubernetes.io/name": "theirs"}},
    "a registry for both images": {"global": {"imageRegistry": "registry.example:5000/mirror"}},
    "a registry for one image": {"image": {"registry": "registry.example"}},
    "images by digest": {"image": {"digest": _DIGEST}, "nodeImage": {"digest": _DIGEST, "repository": "a/b"}},
    "tags": {"image": {"tag": "1.2.3-rc.1", "pullPolicy": "Always"}, "nodeImage": {"tag": "v31"}},
    "pull secrets": {"global": {"imagePullSecrets": ["one"]}, "imagePullSecrets": ["one", "two.three"]},
    "one copy": {"replicas": 1},
    "no copy": {"replicas": 0},
    "five copies": {"replicas": 5, "podDisruptionBudget": {"maxUnavailable": "40%"}},
    "a strategy": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": "50%"}}},
    "recreate": {"strategy": {"type": "Recreate"}},
    "history and grace": {"revisionHistoryLimit": 0, "terminationGracePeriodSeconds": 120},
    "some namespaces, cluster-wide rights": {"watchNamespaces": ["one", "two"]},
    "some namespaces, rights only there": {"watchNamespaces": ["one", "two"], "rbac": {"scope": "namespaces"}},
    "pace in seconds": {"pollMin": 1, "pollMax": 3600, "resyncPeriod": 0, "leaderElection": {"leaseDuration": 20}},
    "pace": {"workers": 8, "pollMin": "500ms", "pollMax": "1m30s", "resyncPeriod": "0"},
    "logs for people": {"log": {"level": "debug", "format": "console"}},
    "a slow election": {"leaderElection": {"leaseName": "mine", "leaseDuration": "60s", "renewDeadline": "40s"}},
    "more secrets": {"secretNames": ["one", "two"]},
    "no secrets": {"secretNames": []},
    "a made-up secret": {"defaultSecret": {"create": True}},
    "a made-up secret of another name": {"defaultSecret": {"create": True, "name": "one"}, "secretNames": ["one"]},
    "an example network": {"exampleNetwork": {"create": True, "nodes": 5}},
    "an example network with the secret": {"exampleNetwork": {"create": True}, "defaultSecret": {"create": True}},
    "no definition": {"crds": {"install": False}},
    "a definition that goes": {"crds": {"keep": False}},
    "no roles": {"rbac": {"create": False}},
    "no roles for people": {"rbac": {"aggregateRoles": False}},
    "more rules": {"rbac": {"extraRules": [{"apiGroups": [""], "resources": ["nodes"], "verbs": ["get"]}]}},
    "a given account": {"serviceAccount": {"create": False, "name": "mine"}},
    "an annotated account": {"serviceAccount": {"name": "mine", "annotations": {"eks.amazonaws.com/role-arn": "x"}}},
    "a token from elsewhere": {"serviceAccount": {"automount": False}},
    "a budget that counts the others": {"podDisruptionBudget": {"maxUnavailable": None, "minAvailable": 1}},
    "no budget": {"podDisruptionBudget": {"enabled": False}},
    "labels and annotations of pods": {
        "podLabels": {"a": "b"},
        "podAnnotations": {"c": "d"},
        "deploymentAnnotations": {"e": "f"},
    },
    "OpenShift": {"openshift": "enabled"},
    "other users": {
        "podSecurityContext": {"runAsUser": 1234, "fsGroup": 1234},
        "securityContext": {"privileged": False},
    },
    "resources": {"resources": {"limits": {"cpu": 1, "memory": "1Gi"}}},
    "where to run": {
        "priorityClassName": "system-cluster-critical",
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "tolerations": [{"key": "a", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 60}],
        "affinity": _AFFINITY,
    },
    "spread over zones": {
        "topologySpreadConstraints": [
            {"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "DoNotSchedule"}
        ]
    },
    "no spread": {"topologySpreadConstraints": []},
    "its own DNS": {
        "dnsPolicy": "None",
        "dnsConfig": {"nameservers": ["10.0.0.10"]},
        "hostAliases": [{"ip": "10.1.2.3", "hostnames": ["registry.example"]}],
    },
    "a proxy and a CA bundle": {
        "extraEnv": [
            {"name": "HTTPS_PROXY", "value": "http://proxy:3128"},
            {"name": "WHERE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
        ],
        "extraEnvFrom": [{"configMapRef": {"name": "more", "optional": True}}],
        "extraVolumes": [{"name": "ca", "configMap": {"name": "ca-bundle"}}],
        "extraVolumeMounts": [{"name": "ca", "mountPath": "/etc/ssl/certs", "readOnly": True}],
        "extraArgs": ["--resync-period=1h"],
    },
    "containers": {"extraContainers": [_SIDECAR], "initContainers": [{"name": "first", "image": "busybox"}]},
    "objects": {"extraObjects": [_CONFIG_MAP, _CONFIG_MAP_TEXT]},
    "debugging": {"debugEndpoints": True},
    "a live page": {"view": {"enabled": True}},
    "a live page that asks nodes and the controller": {
        "view": {"enabled": True, "asksNodes": True, "tokenSecret": "tokens", "allowedHosts": ["view.example"]},
        "debugEndpoints": True,
        "replicas": 1,
    },
    "a live page of some namespaces": {
        "view": {"enabled": True, "port": 9000, "from": [_PEER]},
        "watchNamespaces": ["one", "two"],
        "rbac": {"scope": "namespaces"},
    },
    "other ports and probes": {
        "metrics": {"port": 9090},
        "probes": {"port": 9091, "liveness": {"failureThreshold": 10}},
    },
    "no metrics": {"metrics": {"enabled": False}},
    "no Service": {"metrics": {"service": {"enabled": False}, "podMonitor": {"enabled": True}}},
    "IPv6 first": {"metrics": {"service": {"ipFamilyPolicy": "SingleStack", "ipFamilies": ["IPv4"]}}},
    "dual stack if there is one": {"metrics": {"service": {"ipFamilyPolicy": "PreferDualStack"}}},
    "scrape annotations": {"metrics": {"scrapeAnnotations": True}},
    "everything for Prometheus and Grafana": {
        "metrics": {
            "serviceMonitor": {"enabled": True, "labels": {"release": "kps"}, "endpointConfig": {"honorLabels": True}},
            "podMonitor": {"enabled": True, "interval": "1m30s"},
            "prometheusRule": {"enabled": True, "alertLabels": {"team": "a"}, "disabled": ["BtcctlTipsDiffer"]},
            "dashboard": {"enabled": True, "annotations": {"grafana_folder": "Bitcoin"}},
        }
    },
    "metrics by HTTPS": {
        "metrics": {"secure": {"enabled": True}, "scrapeAnnotations": True, "serviceMonitor": {"enabled": True}}
    },
    "metrics by HTTPS with a given certificate": {
        "metrics": {
            "secure": {
                "enabled": True,
                "certificateSecret": "metrics-tls",
                "readers": [{"name": "prometheus-k8s", "namespace": "monitoring"}],
            },
            "serviceMonitor": {"enabled": True},
            "podMonitor": {
                "enabled": True,
                "endpointConfig": {"authorization": {"credentials": {"name": "scraper", "key": "token"}}},
            },
        },
        "extraVolumes": [{"name": "more", "emptyDir": {}}],
        "extraVolumeMounts": [{"name": "more", "mountPath": "/more"}],
        "watchNamespaces": ["one"],
        "rbac": {"scope": "namespaces"},
    },
    "policies": {
        "networkPolicy": {
            "metricsFrom": [_PEER],
            "egress": [
                {"ports": [{"port": 53, "protocol": "UDP"}, {"port": 6443}]},
                {"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]},
            ],
            "nodes": {"namespaces": ["one", "two"], "rpcFrom": [_PEER]},
        }
    },
    "nothing may leave": {"networkPolicy": {"egress": []}},
    "no policy": {"networkPolicy": {"enabled": False}},
    "no test": {"tests": {"enabled": False}},
}

#: What is wrong, and a word of the complaint.
BAD: dict[str, tuple[Values, str]] = {
    "a value that there is not": ({"replicaCount": 3}, "replicaCount"),
    "what the chart before this had": ({"nodeImage": "btcctl-bitcoind:0.1.0"}, "nodeImage"),
    "a password": ({"defaultSecret": {"password": "x"}}, "password"),
    "a text for a number": ({"replicas": "two"}, "replicas"),
    "less than nothing": ({"replicas": -1}, "replicas"),
    "too many workers": ({"workers": 65}, "workers"),
    "a digest for a tag": ({"image": {"tag": _DIGEST}}, "tag"),
    "a short digest": ({"image": {"digest": "sha256:abc"}}, "digest"),
    "no repository": ({"image": {"repository": ""}}, "repository"),
    "a policy that there is not": ({"image": {"pullPolicy": "Sometimes"}}, "pullPolicy"),
    "a namespace with a capital": ({"watchNamespaces": ["One"]}, "watchNamespaces"),
    "a namespace twice": ({"watchNamespaces": ["one", "one"]}, "watchNamespaces"),
    "one namespace as a text": ({"watchNamespaces": "one"}, "watchNamespaces"),
    "rights in no namespace": ({"rbac": {"scope": "namespaces"}}, "watchNamespaces"),
    "a scope that there is not": ({"rbac": {"scope": "everywhere"}}, "scope"),
    "a duration without a unit that there is": ({"pollMax": "30 seconds"}, "pollMax"),
    "a log level that there is not": ({"log": {"level": "verbose"}}, "level"),
    "too little time to end": ({"terminationGracePeriodSeconds": 10}, "terminationGracePeriodSeconds"),
    "a name that is too long": ({"fullnameOverride": "a" * 41}, "fullnameOverride"),
    "a name with a dot": ({"fullnameOverride": "a.b"}, "fullnameOverride"),
    "a section that is taken away": ({"leaderElection": None}, "leaderElection"),
    "a value without which there is none": ({"log": {"level": None}}, "level"),
    "a pace of less than nothing": ({"resyncPeriod": -1}, "resyncPeriod"),
    "a label whose name is too long": ({"podLabels": {"a" * 64: "b"}}, "a" * 64),
    "a label of no domain": ({"podLabels": {"a..b/c": "d"}}, "a..b/c"),
    "a label value with a space": ({"podLabels": {"a": "b c"}}, "podLabels"),
    "an annotation that is no text": ({"podAnnotations": {"a": True}}, "podAnnotations"),
    "an affinity that there is not": ({"affinity": {"hostAffinity": {}}}, "hostAffinity"),
    "a misspelt toleration": ({"tolerations": [{"keys": "a"}]}, "keys"),
    "a misspelt resource": ({"resources": {"limit": {"memory": "1Gi"}}}, "limit"),
    "a misspelt security context": ({"securityContext": {"readonlyRootFilesystem": True}}, "readonlyRootFilesystem"),
    "a misspelt field of a container": ({"extraContainers": [{"name": "a", "img": "b"}]}, "img"),
    "a misspelt field of a volume": ({"extraVolumes": [{"name": "a", "configmap": {}}]}, "configmap"),
    "a variable that a value sets": (
        {"extraEnv": [{"name": "BTCCTL_LOG_LEVEL", "value": "debug"}]},
        "BTCCTL_LOG_LEVEL",
    ),
    "a variable without a name": ({"extraEnv": [{"value": "x"}]}, "name"),
    "a volume without a name": ({"extraVolumes": [{"emptyDir": {}}]}, "name"),
    "a mount of no place": ({"extraVolumeMounts": [{"name": "a"}]}, "mountPath"),
    "a rule that lets nobody do anything": ({"rbac": {"extraRules": [{"resources": ["pods"]}]}}, "verbs"),
    "a spread over nothing": ({"topologySpreadConstraints": [{"maxSkew": 1}]}, "topologyKey"),
    "a variable twice": ({"extraEnv": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]}, "twice"),
    "a second controller beside the first": ({"extraArgs": ["--leader-elect=false"]}, "set replicas"),
    "namespaces that the roles know nothing of": ({"extraArgs": ["-none"]}, "set watchNamespaces"),
    "a port that no Service leads to": ({"extraArgs": ["--metrics-bind-address=:9"]}, "set metrics.port"),
    "a port that no probe asks": ({"extraArgs": ["--health-probe-bind-address=:9"]}, "set probes.port"),
    "a variable that does nothing": (
        {"extraEnv": [{"name": "BTCCTL_NAMESPACE", "value": "one"}]},
        "BTCCTL_NAMESPACE has no effect",
    ),
    "an argument that is no flag": ({"extraArgs": ["verbose"]}, "extraArgs"),
    "an object without a kind": ({"extraObjects": [{"apiVersion": "v1"}]}, "extraObjects"),
    "two limits of a budget": ({"podDisruptionBudget": {"minAvailable": 1}}, "maxUnavailable"),
    "no limit of a budget": ({"podDisruptionBudget": {"maxUnavailable": None}}, "maxUnavailable"),
    "a port of the privileged": ({"metrics": {"port": 80}}, "port"),
    "two servers at a port": ({"metrics": {"port": 8081}}, "8081"),
    "debug pages without a server": ({"debugEndpoints": True, "metrics": {"enabled": False}}, "debugEndpoints"),
    "a monitor of nothing": ({"metrics": {"enabled": False, "podMonitor": {"enabled": True}}}, "metrics.enabled"),
    "a ServiceMonitor without a Service": (
        {"metrics": {"serviceMonitor": {"enabled": True}, "service": {"enabled": False}}},
        "metrics.service.enabled",
    ),
    "secure metrics that are not served": ({"metrics": {"enabled": False, "secure": {"enabled": True}}}, "secure"),
    "a certificate for nothing": ({"metrics": {"secure": {"certificateSecret": "tls"}}}, "certificateSecret"),
    "a reader without a namespace": ({"metrics": {"secure": {"enabled": True, "readers": [{"name": "a"}]}}}, "readers"),
    "debug pages without a token": ({"debugEndpoints": True, "metrics": {"secure": {"enabled": True}}}, "token"),
    "a PodMonitor without a token": (
        {"metrics": {"secure": {"enabled": True}, "podMonitor": {"enabled": True}}},
        "authorization",
    ),
    "three IP families": ({"metrics": {"service": {"ipFamilies": ["IPv4", "IPv6", "IPv4"]}}}, "ipFamilies"),
    "a secret that may not be read": ({"defaultSecret": {"create": True, "name": "other"}}, "secretNames"),
    "a number of nodes that is none": ({"exampleNetwork": {"nodes": 0}}, "nodes"),
    "an election whose times do not fit": ({"leaderElection": {"leaseDuration": "10s"}}, "leaderElection"),
    "a retry that is too long": ({"leaderElection": {"retryPeriod": "9s"}}, "leaderElection"),
    "a lease of half seconds": ({"leaderElection": {"leaseDuration": "10500ms"}}, "whole seconds"),
    "a shortest pause that is longer than the longest": ({"pollMin": "1m"}, "pollMin"),
    "no pause at all": ({"pollMin": "0"}, "pollMin"),
    "a scrape that may take longer than its interval": (
        {"metrics": {"serviceMonitor": {"enabled": True, "interval": "5s"}}},
        "scrapeTimeout",
    ),
    "alerts on metrics that are not served": (
        {"metrics": {"enabled": False, "prometheusRule": {"enabled": True}}},
        "metrics.enabled",
    ),
    "a monitor that cannot see the certificate": (
        {
            "metrics": {
                "secure": {"enabled": True, "certificateSecret": "tls"},
                "serviceMonitor": {"enabled": True, "namespace": "monitoring"},
            }
        },
        "tlsConfig",
    ),
    "a budget that stops every drain": ({"podDisruptionBudget": {"maxUnavailable": 0}}, "drain"),
    "a budget of all copies": ({"podDisruptionBudget": {"maxUnavailable": None, "minAvailable": 2}}, "drain"),
    "a budget of all of them": ({"podDisruptionBudget": {"maxUnavailable": None, "minAvailable": "51%"}}, "drain"),
    "an example that nobody looks after": (
        {"exampleNetwork": {"create": True}, "watchNamespaces": ["one"]},
        "exampleNetwork",
    ),
    "a yes that is a text": ({"crds": {"install": "false"}}, "install"),
}
