"""The objects that the judges look at."""

from __future__ import annotations

import json
from typing import Any

import yaml

_DEFINITION = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: nets.GROUP}
spec:
  group: GROUP
  scope: Namespaced
  names: {plural: nets, singular: net, kind: Net, listKind: NetList, shortNames: [nt]}
  versions:
  - name: v1
    served: true
    storage: true
    subresources:
      status: {}
      scale: {specReplicasPath: .spec.nodes, statusReplicasPath: .status.nodes}
    additionalPrinterColumns:
    - {name: Nodes, type: integer, jsonPath: .spec.nodes, description: wanted nodes}
    - {name: Image, type: string, jsonPath: .spec.image, priority: 1}
    - {name: Age, type: date, jsonPath: .metadata.creationTimestamp}
    schema:
      openAPIV3Schema:
        description: A net of nodes.
        type: object
        required: [spec]
        properties:
          spec:
            type: object
            description: What is wanted.
            required: [nodes]
            properties:
              nodes: {type: integer, minimum: 1, maximum: 10, description: How many nodes there are to be.}
              image: {type: string, default: "core:1"}
              mode: {type: string, enum: [fast, safe]}
              peers:
                type: array
                description: Whom to know.
                items:
                  type: object
                  properties:
                    host: {type: string, description: A name.}
                    port: {type: integer, format: int32}
              tags:
                type: object
                additionalProperties: {type: string}
          status:
            type: object
            properties:
              nodes: {type: integer}
              conditions:
                type: array
                items:
                  type: object
                  properties: {type: {type: string}, status: {type: string}}
"""

STATEFUL_SET = """
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: set, labels: {app: net}}
spec:
  replicas: 2
  serviceName: headless
  selector: {matchLabels: {app: net}}
  template:
    metadata: {labels: {app: net}}
    spec:
      containers:
      - name: node
        image: "core:1"
        ports: [{containerPort: 18443, name: rpc}]
        env: [{name: A, value: "1"}]
"""

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: deploy, labels: {app: web}}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: "web:1"}]
"""

SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: headless}
spec:
  clusterIP: None
  selector: {app: net}
  ports: [{name: rpc, port: 18443}]
"""

POD = """
apiVersion: v1
kind: Pod
metadata: {name: pod, labels: {app: net}}
spec:
  automountServiceAccountToken: false
  containers:
  - name: node
    image: "core:1"
    ports: [{containerPort: 18443, name: rpc}]
    env:
    - {name: USER, valueFrom: {secretKeyRef: {name: secret, key: user}}}
"""

CONFIG_MAP = """
apiVersion: v1
kind: ConfigMap
metadata: {name: config, labels: {tier: back}, annotations: {note: hello}}
data: {a: "1", text: "two\\nlines\\n"}
"""

SECRET = """
apiVersion: v1
kind: Secret
metadata: {name: secret}
stringData: {user: bc-user, password: bc-password}
"""

LEASE = """
apiVersion: coordination.k8s.io/v1
kind: Lease
metadata: {name: lease}
spec: {holderIdentity: me, leaseDurationSeconds: 15}
"""

RBAC = """
apiVersion: v1
kind: ServiceAccount
metadata: {name: account}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: role}
rules:
- {apiGroups: [""], resources: [pods, pods/log], verbs: [get, list]}
- {apiGroups: [apps], resources: [statefulsets], resourceNames: [set], verbs: ["*"]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: binding}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: role}
subjects:
- {kind: ServiceAccount, name: account, namespace: default}
- {kind: User, name: alice, apiGroup: rbac.authorization.k8s.io}
"""

_ALL = (CONFIG_MAP, SECRET, SERVICE, STATEFUL_SET, DEPLOYMENT, POD, LEASE, RBAC)
BUILT_INS = "---".join(_ALL)


def definition(group: str) -> str:
    return _DEFINITION.replace("GROUP", group)


def net(group: str, name: str = "a", nodes: int = 3, **spec: Any) -> str:
    body = {"apiVersion": f"{group}/v1", "kind": "Net", "metadata": {"name": name}, "spec": {"nodes": nodes, **spec}}
    return yaml.safe_dump(body)


def event(group: str, uid: str, namespace: str) -> str:
    """About the net `a`."""
    about = {"apiVersion": f"{group}/v1", "kind": "Net", "name": "a", "namespace": namespace, "uid": uid}
    body = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "a.1"},
        "involvedObject": about,
        "type": "Warning",
        "reason": "Joined",
        "message": "node 0 joined",
        "count": 3,
        "source": {"component": "judge"},
        "firstTimestamp": "2026-01-01T00:00:00Z",
        "lastTimestamp": "2026-01-01T00:00:00Z",
    }
    return json.dumps(body)
