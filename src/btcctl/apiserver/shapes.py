"""The JSON types of the fields that the server's own rules look at.

A body that fits can be read without further ado; one that does not is answered 400, as Go's
decoder would. Fields that nobody here reads are not listed and may hold anything.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from btcctl.apiserver import statuses
from btcctl.apiserver.collection import Body

_Strings = dict[str, str] | None
_PROBLEM = re.compile(r"Expected `(?P<wanted>[^`]*)`, got `(?P<got>[^`]*)`(?: - at `(?:key in )?\$(?P<path>[^`]*)`)?")


class _Shape(msgspec.Struct, rename="camel", kw_only=True):
    """Unknown fields are ignored; null is as good as absent."""


class _Owner(_Shape):
    api_version: str | None = None
    kind: str | None = None
    name: str | None = None
    uid: str | None = None
    controller: bool | None = None
    block_owner_deletion: bool | None = None


class Metadata(_Shape):
    name: str | None = None
    generate_name: str | None = None
    namespace: str | None = None
    uid: str | None = None
    resource_version: str | None = None
    deletion_timestamp: str | None = None
    labels: _Strings = None
    annotations: _Strings = None
    finalizers: list[str] | None = None
    owner_references: list[_Owner] | None = None


class AnyObject(_Shape):
    metadata: Metadata | None = None
    spec: dict[str, Any] | None = None
    status: dict[str, Any] | None = None


class CustomObject(_Shape):
    """A custom resource, whose schema looks after all but the metadata."""

    metadata: Metadata | None = None


class _Selector(_Shape):
    match_labels: _Strings = None
    match_expressions: list[dict[str, Any]] | None = None


class _ContainerPort(_Shape):
    container_port: int | None = None
    name: str | None = None
    protocol: str | None = None


class _Variable(_Shape):
    name: str | None = None
    value: str | None = None
    value_from: dict[str, Any] | None = None


class _Container(_Shape):
    name: str | None = None
    image: str | None = None
    command: list[str] | None = None
    args: list[str] | None = None
    env: list[_Variable] | None = None
    ports: list[_ContainerPort] | None = None
    readiness_probe: dict[str, Any] | None = None
    liveness_probe: dict[str, Any] | None = None
    startup_probe: dict[str, Any] | None = None
    resources: dict[str, Any] | None = None


class _PodSpec(_Shape):
    containers: list[_Container] | None = None
    init_containers: list[_Container] | None = None
    termination_grace_period_seconds: int | None = None
    service_account_name: str | None = None
    node_name: str | None = None
    volumes: list[dict[str, Any]] | None = None
    tolerations: list[dict[str, Any]] | None = None


class Pod(_Shape):
    metadata: Metadata | None = None
    spec: _PodSpec | None = None
    status: dict[str, Any] | None = None


class _Template(_Shape):
    metadata: Metadata | None = None
    spec: _PodSpec | None = None


class _WorkloadSpec(_Shape):
    replicas: int | None = None
    selector: _Selector | None = None
    template: _Template | None = None
    update_strategy: dict[str, Any] | None = None
    strategy: dict[str, Any] | None = None
    service_name: str | None = None
    pod_management_policy: str | None = None
    revision_history_limit: int | None = None


class StatefulSet(_Shape):
    metadata: Metadata | None = None
    spec: _WorkloadSpec | None = None
    status: dict[str, Any] | None = None


class Deployment(_Shape):
    metadata: Metadata | None = None
    spec: _WorkloadSpec | None = None
    status: dict[str, Any] | None = None


class _ServicePort(_Shape):
    port: int | None = None
    name: str | None = None
    protocol: str | None = None
    target_port: int | str | None = None


class _ServiceSpec(_Shape):
    ports: list[_ServicePort] | None = None
    selector: _Strings = None
    cluster_ip: str | None = msgspec.field(name="clusterIP", default=None)
    type: str | None = None
    publish_not_ready_addresses: bool | None = None


class Service(_Shape):
    metadata: Metadata | None = None
    spec: _ServiceSpec | None = None
    status: dict[str, Any] | None = None


class Secret(_Shape):
    metadata: Metadata | None = None
    data: _Strings = None
    string_data: _Strings = None
    type: str | None = None
    immutable: bool | None = None


class ConfigMap(_Shape):
    metadata: Metadata | None = None
    data: _Strings = None
    binary_data: _Strings = None
    immutable: bool | None = None


class _Reference(_Shape):
    kind: str | None = None
    namespace: str | None = None
    name: str | None = None
    uid: str | None = None


class Event(_Shape):
    metadata: Metadata | None = None
    involved_object: _Reference | None = None
    reason: str | None = None
    message: str | None = None
    count: int | None = None
    type: str | None = None
    source: dict[str, Any] | None = None


class _LeaseSpec(_Shape):
    holder_identity: str | None = None
    lease_duration_seconds: int | None = None
    lease_transitions: int | None = None
    acquire_time: str | None = None
    renew_time: str | None = None


class Lease(_Shape):
    metadata: Metadata | None = None
    spec: _LeaseSpec | None = None


class _Names(_Shape):
    plural: str | None = None
    singular: str | None = None
    kind: str | None = None
    list_kind: str | None = None
    short_names: list[str] | None = None
    categories: list[str] | None = None


class _Column(_Shape):
    name: str | None = None
    type: str | None = None
    json_path: str | None = None
    priority: int | None = None


class _Selectable(_Shape):
    json_path: str | None = None


class _Version(_Shape):
    name: str | None = None
    served: bool | None = None
    storage: bool | None = None
    schema: dict[str, dict[str, Any] | None] | None = None
    subresources: dict[str, dict[str, Any] | None] | None = None
    additional_printer_columns: list[_Column] | None = None
    selectable_fields: list[_Selectable] | None = None


class _DefinitionSpec(_Shape):
    group: str | None = None
    scope: str | None = None
    names: _Names | None = None
    versions: list[_Version] | None = None
    preserve_unknown_fields: bool | None = None
    conversion: dict[str, Any] | None = None


class Definition(_Shape):
    metadata: Metadata | None = None
    spec: _DefinitionSpec | None = None
    status: dict[str, Any] | None = None


def check_shape(shape: type[Any] | None, body: Body, version: str, kind: str) -> None:
    """
    Raises:
        StatusError: 400, a field has another JSON type than it must.
    """
    if shape is None:
        return
    try:
        msgspec.convert(body, shape)
    except msgspec.ValidationError as error:
        found = _PROBLEM.search(str(error))
        why = str(error)
        if found is not None:
            path = re.sub(r"\[[^]]*\]", "", found["path"] or "")
            wanted = _GO.get(found["wanted"].partition(" |")[0], "object")
            got = _JSON.get(found["got"], found["got"])
            why = f"json: cannot unmarshal {got} into Go struct field {kind}{path} of type {wanted}"
        message = f'{kind} in version "{version}" cannot be handled as a {kind}: {why}'
        raise statuses.bad_request(message) from error


_GO = {"str": "string", "int": "int32", "bool": "bool", "array": "[]", "object": "map[string]string"}
_JSON = {"str": "string", "int": "number", "float": "number"}
