"""The fields that built-in kinds have, as far down as manifests are usually written by hand.

A misspelt field is a warning, or refused if the client asks for that, and never stored. Below
what is listed here anything is taken. Source: the types of k8s.io/api 1.36.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from btcctl.apiserver.registry import Served
from btcctl.apiserver.schema import PRESERVE, Schema

METADATA = frozenset(
    [
        "annotations",
        "creationTimestamp",
        "deletionGracePeriodSeconds",
        "deletionTimestamp",
        "finalizers",
        "generateName",
        "generation",
        "labels",
        "managedFields",
        "name",
        "namespace",
        "ownerReferences",
        "resourceVersion",
        "selfLink",
        "uid",
    ]
)
_FREE: Schema = {PRESERVE: True}


def _known(names: str, **below: Schema) -> dict[str, Any]:
    return {"properties": {**dict.fromkeys(names.split(), _FREE), **below}}


def _list(items: Schema) -> Schema:
    return {"items": items}


_PROBE = _known(
    "exec failureThreshold grpc httpGet initialDelaySeconds periodSeconds successThreshold tcpSocket "
    "terminationGracePeriodSeconds timeoutSeconds"
)
_CONTAINER = _known(
    "args command envFrom image imagePullPolicy lifecycle name resizePolicy resources restartPolicy "
    "restartPolicyRules securityContext stdin stdinOnce terminationMessagePath terminationMessagePolicy tty "
    "volumeDevices workingDir",
    env=_list(_known("name value valueFrom")),
    ports=_list(_known("containerPort hostIP hostPort name protocol")),
    volumeMounts=_list(
        _known("mountPath mountPropagation name readOnly recursiveReadOnly subPath subPathExpr"),
    ),
    livenessProbe=_PROBE,
    readinessProbe=_PROBE,
    startupProbe=_PROBE,
)
_POD_SPEC = _known(
    "activeDeadlineSeconds affinity automountServiceAccountToken dnsConfig dnsPolicy enableServiceLinks "
    "ephemeralContainers hostAliases hostIPC hostNetwork hostPID hostUsers hostname hostnameOverride "
    "imagePullSecrets nodeName nodeSelector os overhead preemptionPolicy priority priorityClassName readinessGates "
    "resourceClaims resources restartPolicy runtimeClassName schedulerName schedulingGates securityContext "
    "serviceAccount serviceAccountName setHostnameAsFQDN shareProcessNamespace subdomain "
    "terminationGracePeriodSeconds tolerations topologySpreadConstraints volumes workloadRef",
    containers=_list(_CONTAINER),
    initContainers=_list(_CONTAINER),
)
_TEMPLATE = _known("apiVersion kind", metadata=_known(" ".join(METADATA)), spec=_POD_SPEC)
_SELECTOR = _known("matchExpressions matchLabels")

_FIELDS: Mapping[str, Schema] = {
    "configmaps": _known("binaryData data immutable"),
    "secrets": _known("data immutable stringData type"),
    "serviceaccounts": _known("automountServiceAccountToken imagePullSecrets secrets"),
    "namespaces": _known("spec status"),
    "nodes": _known("spec status"),
    "pods": _known("status", spec=_POD_SPEC),
    "services": _known(
        "status",
        spec=_known(
            "allocateLoadBalancerNodePorts clusterIP clusterIPs externalIPs externalName externalTrafficPolicy "
            "healthCheckNodePort internalTrafficPolicy ipFamilies ipFamilyPolicy loadBalancerClass loadBalancerIP "
            "loadBalancerSourceRanges publishNotReadyAddresses selector sessionAffinity sessionAffinityConfig "
            "trafficDistribution type",
            ports=_list(_known("appProtocol name nodePort port protocol targetPort")),
        ),
    ),
    "events": _known(
        "action count eventTime firstTimestamp involvedObject lastTimestamp message reason related "
        "reportingComponent reportingInstance series source type"
    ),
    "statefulsets": _known(
        "status",
        spec=_known(
            "minReadySeconds ordinals persistentVolumeClaimRetentionPolicy podManagementPolicy replicas "
            "revisionHistoryLimit serviceName updateStrategy volumeClaimTemplates",
            selector=_SELECTOR,
            template=_TEMPLATE,
        ),
    ),
    "deployments": _known(
        "status",
        spec=_known(
            "minReadySeconds paused progressDeadlineSeconds replicas revisionHistoryLimit strategy",
            selector=_SELECTOR,
            template=_TEMPLATE,
        ),
    ),
    "controllerrevisions": _known("data revision"),
    "leases": _known(
        "",
        spec=_known(
            "acquireTime holderIdentity leaseDurationSeconds leaseTransitions preferredHolder renewTime strategy"
        ),
    ),
    "roles": _known("rules"),
    "clusterroles": _known("aggregationRule rules"),
    "rolebindings": _known("roleRef subjects"),
    "clusterrolebindings": _known("roleRef subjects"),
    "customresourcedefinitions": _known(
        "status", spec=_known("conversion group names preserveUnknownFields scope versions")
    ),
}


def fields_of(served: Served) -> Schema | None:
    """What to prune an object by: a custom kind's schema, or the known fields of a built-in one."""
    return served.schema if served.is_custom else _FIELDS.get(served.type.plural)
