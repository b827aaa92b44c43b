"""Specs of networks: every field alone, combinations of them, and what is refused with which words."""

from __future__ import annotations

from typing import Any, Final

Spec = dict[str, Any]

_SPREAD: Final[Spec] = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"}
_UNVALUED: Final[Spec] = {"topologyKey": "zone", "labelSelector": {"matchLabels": {"example.com/noisy": ""}}}
_TERM: Final[Spec] = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {}}

#: By the name of the field, a spec in which it stands alone, or with what it cannot be without.
FIELDS: Final[dict[str, Spec]] = {
    "nodes": {"nodes": 2},
    "no nodes": {"nodes": 0},
    "secret": {"nodes": 2, "secret": "bitcoin-default-secret"},
    "storage": {"nodes": 2, "storage": {"size": "1024Mi", "whenDeleted": "Delete"}},
    "suspend": {"nodes": 2, "suspend": True},
    "image": {"nodes": 2, "image": "registry.example/bitcoind"},
    "imagePullPolicy": {"nodes": 2, "imagePullPolicy": "Always"},
    "imagePullSecrets": {"nodes": 2, "imagePullSecrets": [{"name": "registry"}]},
    "network": {"nodes": 2, "network": "testnet4"},
    "signetChallenge": {"nodes": 2, "network": "signet", "signetChallenge": "51"},
    "rpcPort": {"nodes": 2, "rpcPort": 18332},
    "p2pPort": {"nodes": 2, "p2pPort": 19444},
    "config": {"nodes": 2, "config": ["txindex=1", "rpcworkqueue=128", "dbcache=50"]},
    "topology full": {"nodes": 3, "topology": "full"},
    "topology ring": {"nodes": 5, "topology": "ring"},
    "topology star": {"nodes": 4, "topology": "star"},
    "edges": {"nodes": 4, "topology": "edges", "edges": [[0, 1], [1, 2], [3, 2]]},
    "partition": {"nodes": 4, "partition": [[0, 1], [2]]},
    "mining": {"nodes": 2, "mining": {"interval": "1s", "node": 1}},
    "snapshot": {"nodes": 2, "snapshot": {"claimName": "data-old-sts-0", "path": "regtest", "format": "chain"}},
    "a UTXO snapshot": {"nodes": 2, "snapshot": {"claimName": "snapshots", "path": "utxo.dat", "format": "utxo"}},
    "expose": {"nodes": 2, "expose": {"type": "ClusterIP"}},
    "image of one node": {"nodes": 2, "nodeOverrides": [{"ordinal": 1, "image": "btcctl-simnode:0.20"}]},
    "nodeOverrides": {"nodes": 2, "nodeOverrides": [{"ordinal": 1, "config": ["txindex=1", "uacomment=one"]}]},
    "resources": {"nodes": 2, "resources": {"requests": {"cpu": "1000m"}, "limits": {"memory": "1024Mi", "cpu": 2}}},
    "no resources": {"nodes": 2, "resources": {}},
    "podLabels": {"nodes": 2, "podLabels": {"team": "red"}},
    "podAnnotations": {"nodes": 2, "podAnnotations": {"example.com/note": "x"}},
    "nodeSelector": {"nodes": 2, "nodeSelector": {"kubernetes.io/os": "linux"}},
    "labels without values": {
        "nodes": 2,
        "podLabels": {"example.com/red": ""},
        "podAnnotations": {"example.com/note": ""},
        "nodeSelector": {"node-role.kubernetes.io/infra": ""},
        "affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [_UNVALUED]}},
        "topologySpreadConstraints": [{**_SPREAD, "labelSelector": _UNVALUED["labelSelector"]}],
        "expose": {"type": "ClusterIP", "annotations": {"example.com/internal": ""}},
    },
    "tolerations": {
        "nodes": 2,
        "tolerations": [{"key": "spot", "operator": "Exists", "effect": "NoSchedule"}, {"operator": "Exists"}],
    },
    "affinity": {
        "nodes": 2,
        "affinity": {
            "podAntiAffinity": {
                "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "podAffinityTerm": _TERM}]
            }
        },
    },
    "topologySpreadConstraints": {"nodes": 2, "topologySpreadConstraints": [_SPREAD]},
    "priorityClassName": {"nodes": 2, "priorityClassName": "low"},
    "securityContext": {"nodes": 2, "securityContext": {"runAsUser": 0, "supplementalGroups": [4]}},
    "empty securityContext": {"nodes": 2, "securityContext": {}},
    "containerSecurityContext": {"nodes": 2, "containerSecurityContext": {"readOnlyRootFilesystem": False}},
}

COMBINATIONS: Final[dict[str, Spec]] = {
    "the first controller's image": {
        "nodes": 2,
        "image": "christianb93/bitcoind",
        "rpcPort": 18332,
        "securityContext": {"runAsUser": 0},
        "containerSecurityContext": {"readOnlyRootFilesystem": False},
    },
    "OpenShift": {
        "nodes": 2,
        "securityContext": {"runAsNonRoot": True},
        "storage": {"size": "1Gi", "whenDeleted": "Retain"},
    },
    "suspended with storage": {"nodes": 2, "suspend": True, "storage": {"size": "1Gi", "whenDeleted": "Delete"}},
    "a parted ring on ports of its own": {
        "nodes": 6,
        "topology": "ring",
        "partition": [[0, 2, 4], [1, 3, 5]],
        "p2pPort": 19444,
    },
    "everything about pods": {
        **FIELDS["podLabels"],
        **FIELDS["podAnnotations"],
        **FIELDS["tolerations"],
        **FIELDS["affinity"],
        **FIELDS["topologySpreadConstraints"],
        **FIELDS["nodeSelector"],
        **FIELDS["resources"],
        **FIELDS["imagePullSecrets"],
        "priorityClassName": "low",
    },
    "a signet of one's own with volumes and ports": {
        **FIELDS["signetChallenge"],
        "storage": {"size": "1Gi", "whenDeleted": "Delete"},
        "rpcPort": 18332,
        "p2pPort": 18333,
    },
    "a star on testnet4 with lines": {
        "nodes": 4,
        "network": "testnet4",
        "topology": "star",
        "config": ["maxuploadtarget=100", "uacomment=star"],
    },
    "a ring that mines and can be reached": {
        "nodes": 5,
        "topology": "ring",
        "mining": {"interval": "2s", "node": 4},
        "expose": {"type": "ClusterIP", "annotations": {"example.com/zone": "a"}},
    },
    "two versions kept apart": {
        "nodes": 4,
        "partition": [[0, 1], [2, 3]],
        "nodeOverrides": [
            {"ordinal": 2, "image": "btcctl-simnode:0.20", "config": ["uacomment=old"]},
            {"ordinal": 3, "config": ["uacomment=new"]},
        ],
    },
    "edges with credentials and ports": {
        "nodes": 4,
        "secret": "bitcoin-default-secret",
        "topology": "edges",
        "edges": [[0, 1], [1, 2], [2, 3]],
        "rpcPort": 18332,
        "p2pPort": 19444,
    },
    "a chain from elsewhere on volumes": {
        "nodes": 2,
        "snapshot": {"claimName": "chains", "path": "2026/chain.tar.gz", "format": "chain"},
        "storage": {"size": "2Gi", "whenDeleted": "Retain"},
        "config": ["prune=550"],
    },
    "small and strict": {
        "nodes": 2,
        "resources": {"requests": {"memory": "64Mi"}, "limits": {"memory": "256Mi", "cpu": "500m"}},
        "securityContext": {"runAsNonRoot": True, "runAsUser": 1001, "seccompProfile": {"type": "RuntimeDefault"}},
        "containerSecurityContext": {"readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}},
        "imagePullPolicy": "IfNotPresent",
        "podLabels": {"team": "red"},
    },
}

#: By what is tried: fields beside `nodes: 3`, and words of the refusal.
REFUSED: Final[dict[str, tuple[Spec, str]]] = {
    "too many nodes": ({"nodes": 1001}, "less than or equal to 1000"),
    "mainnet": ({"network": "main"}, 'supported values: "regtest", "signet", "testnet4"'),
    "a public signet": ({"network": "signet"}, "a signet has a signetChallenge"),
    "a challenge for regtest": ({"signetChallenge": "51"}, "a signet has a signetChallenge, and no other network does"),
    "a challenge that is none": ({"network": "signet", "signetChallenge": "5"}, "lower-case hexadecimal"),
    "a privileged port": ({"rpcPort": 80}, "greater than or equal to 1024"),
    "one port for both": ({"rpcPort": 2000, "p2pPort": 2000}, "rpcPort and p2pPort must differ"),
    "RPC on the chain's P2P port": ({"rpcPort": 18444}, "rpcPort and p2pPort must differ"),
    "P2P on the chain's RPC port": ({"p2pPort": 18443}, "rpcPort and p2pPort must differ"),
    "RPC on a signet's P2P port": (
        {"network": "signet", "signetChallenge": "51", "rpcPort": 38333},
        "rpcPort and p2pPort must differ",
    ),
    "P2P on testnet4's RPC port": ({"network": "testnet4", "p2pPort": 48332}, "rpcPort and p2pPort must differ"),
    "an image of signs": ({"image": "@@@:::"}, "a reference without blanks"),
    "an image with a blank of another script": ({"image": "core\u00a029"}, "a reference without blanks"),
    "an image with blanks": ({"image": "bitcoin core"}, "a reference without blanks"),
    "a policy that is none": ({"imagePullPolicy": "Maybe"}, 'supported values: "Always", "IfNotPresent", "Never"'),
    "a line that is none": ({"config": ["[main]"]}, "a line is name=value"),
    "two lines in one": ({"config": ["txindex=1\nrpcuser=me"]}, "a line is name=value"),
    "a comment": ({"config": ["txindex=1 # all"]}, "no # in the value"),
    "credentials": ({"config": ["rpcauth=me:1$2"]}, "credentials come from spec.secret"),
    "a directory": ({"config": ["datadir=/tmp"]}, "a node's files stay on its volume"),
    "a command": ({"config": ["blocknotify=sh"]}, "it would run a command in the node's container"),
    "another chain": ({"config": ["testnet=1"]}, "use spec.network"),
    "a port": ({"config": ["rpcport=1"]}, "use spec.rpcPort"),
    "no server": ({"config": ["noserver=1"]}, "the controller and the probes need both"),
    "peers": ({"config": ["addnode=10.0.0.1"]}, "use spec.topology"),
    "a daemon": ({"config": ["daemon=1"]}, "the container would end at once"),
    "an amount that is none": ({"resources": {"limits": {"memory": "much"}}}, "should match"),
    "less than nothing": ({"resources": {"limits": {"memory": -5}}}, "greater than or equal to 0"),
    "a volume of nothing": ({"storage": {"size": "0Gi"}}, "should match"),
    "a volume of no bytes": ({"storage": {"size": 0}}, "greater than or equal to 1"),
    "a class of volumes that is none": ({"storage": {"storageClassName": "A B"}}, "should match"),
    "a Secret of a registry that is none": ({"imagePullSecrets": [{"name": "A B"}]}, "should match"),
    "a PriorityClass that is none": ({"priorityClassName": "A B"}, "should match"),
    "a label of machines that is none": ({"nodeSelector": {"zone": "a b"}}, "should match"),
    "mining on a test network": ({"network": "testnet4", "mining": {}}, "mined at will on regtest only"),
    "mining by a node that there is not": ({"mining": {"node": 3}}, "mining.node must be the ordinal of a node"),
    "an interval that is none": ({"mining": {"interval": "often"}}, "a number and s, m or h"),
    "an address of mainnet": (
        {"mining": {"address": "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"}},
        "begins with bcrt1, m, n or 2",
    ),
    "an override without a node": ({"nodeOverrides": [{"config": []}]}, "Required value"),
    "one node twice overridden": ({"nodeOverrides": [{"ordinal": 1}, {"ordinal": 1}]}, "Duplicate value"),
    "a command for one node": (
        {"nodeOverrides": [{"ordinal": 1, "config": ["blocknotify=sh"]}]},
        "it would run a command in the node's container",
    ),
    "a snapshot without a volume": ({"snapshot": {"path": "regtest"}}, "Required value"),
    "a format that is none": (
        {"snapshot": {"claimName": "a", "format": "zip"}},
        'supported values: "chain", "utxo"',
    ),
    "a UTXO snapshot without a file": (
        {"snapshot": {"claimName": "a", "format": "utxo"}},
        "format utxo needs the path of a file",
    ),
    "a path out of the volume": ({"snapshot": {"claimName": "a", "path": "../etc"}}, "path is relative to the volume"),
    "an absolute path": ({"snapshot": {"claimName": "a", "path": "/etc"}}, "path is relative to the volume"),
    "a type of Service that is none": ({"expose": {"type": "Ingress"}}, 'supported values: "ClusterIP", "NodePort"'),
    "edges of a ring": ({"topology": "ring", "edges": [[0, 1]]}, "topology edges has edges"),
    "edges without any": ({"topology": "edges"}, "topology edges has edges"),
    "an edge to oneself": ({"topology": "edges", "edges": [[1, 1]]}, "an edge joins two different nodes"),
    "an edge of three": ({"topology": "edges", "edges": [[0, 1, 2]]}, "at most 2 items"),
    "too full": ({"nodes": 51, "topology": "full"}, "topology full has at most 50 nodes"),
    "too great a star": ({"nodes": 101, "topology": "star"}, "topology star has at most 100 nodes"),
    "one node in two groups": ({"partition": [[0, 1], [1, 2]]}, "in one group of partition at most"),
    "one node twice in a group": ({"partition": [[0, 0]]}, "Duplicate value"),
    "a label of ours": ({"podLabels": {"app.kubernetes.io/name": "x"}}, "are the controller's"),
    "an annotation of ours": (
        {"podAnnotations": {"bitcoincontroller.christianb93.github.com/secret-version": "1"}},
        "are the controller's",
    ),
    "an effect that is none": ({"tolerations": [{"effect": "Never"}]}, 'supported values: "NoSchedule"'),
    "a toleration of nothing": ({"tolerations": [{}]}, "without a key has operator: Exists"),
    "a value beside Exists": (
        {"tolerations": [{"key": "spot", "operator": "Exists", "value": "yes"}]},
        "operator Exists has no value",
    ),
    "seconds without NoExecute": (
        {"tolerations": [{"operator": "Exists", "effect": "NoSchedule", "tolerationSeconds": 5}]},
        "tolerationSeconds are for the effect NoExecute",
    ),
    "a user beyond all": ({"securityContext": {"runAsUser": 2**31}}, "less than or equal to 2147483647"),
    "root that is not root": (
        {"securityContext": {"runAsUser": 0, "runAsNonRoot": True}},
        "runAsNonRoot and user 0 exclude each other",
    ),
    "privileges without more of them": (
        {"containerSecurityContext": {"privileged": True, "allowPrivilegeEscalation": False}},
        "privileged and allowPrivilegeEscalation: false exclude each other",
    ),
    "a profile without its file": (
        {"securityContext": {"seccompProfile": {"type": "Localhost"}}},
        "type Localhost has a localhostProfile, and no other type does",
    ),
    "a skew of nothing": ({"topologySpreadConstraints": [{**_SPREAD, "maxSkew": 0}]}, "greater than or equal to 1"),
}
