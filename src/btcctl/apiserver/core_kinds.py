"""The rules of namespaces, services, secrets, config maps, events and leases."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any

from btcctl.apiserver import statuses
from btcctl.apiserver.collection import Body
from btcctl.apiserver.metadata import qualified_name
from btcctl.apiserver.schema import shown
from btcctl.apiserver.statuses import Cause

MAX_DATA_BYTES = 1048576
_MICRO_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(Z|[+-]\d\d:\d\d)")
_SERVICE_TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
_AFFINITIES = ("ClientIP", "None")
_PROTOCOLS = ("SCTP", "TCP", "UDP")
_DATA_KEY = re.compile(r"[-._a-zA-Z0-9]+")


def default_namespace(body: dict[str, Any]) -> None:
    body["metadata"].setdefault("labels", {})["kubernetes.io/metadata.name"] = body["metadata"].get("name", "")
    body.setdefault("spec", {"finalizers": ["kubernetes"]})


def keep_namespace(new: dict[str, Any], old: Body) -> None:
    new["spec"] = old.get("spec", {})


def default_service(body: dict[str, Any]) -> None:
    """Defaults; an address for the cluster is not allotted: there is no network to route it."""
    spec = body["spec"] = dict(body.get("spec") or {})
    spec.setdefault("type", "ClusterIP")
    for port in spec.get("ports") or ():
        port.setdefault("protocol", "TCP")
        port.setdefault("targetPort", port.get("port"))
    spec.setdefault("sessionAffinity", "None")
    if spec["type"] == "ExternalName":
        return
    spec.setdefault("clusterIP", _address(body["metadata"]))
    spec.setdefault("clusterIPs", [spec["clusterIP"]])
    spec.setdefault("ipFamilies", ["IPv4"])
    spec.setdefault("ipFamilyPolicy", "SingleStack")
    spec.setdefault("internalTrafficPolicy", "Cluster")


def keep_service(new: dict[str, Any], old: Body) -> None:
    """An update that leaves the address out keeps it."""
    spec, before = new.setdefault("spec", {}), old.get("spec") or {}
    if spec.get("type", "ClusterIP") != "ExternalName":
        for name in ("clusterIP", "clusterIPs"):
            if not spec.get(name) and before.get(name):
                spec[name] = before[name]


def check_service(body: Body) -> list[Cause]:
    spec = body["spec"]
    kind, affinity = spec["type"], spec["sessionAffinity"]
    causes = [] if kind in _SERVICE_TYPES else [_unsupported(kind, _SERVICE_TYPES, "spec.type")]
    if affinity not in _AFFINITIES:
        causes.append(_unsupported(affinity, _AFFINITIES, "spec.sessionAffinity"))
    if not spec.get("ports") and spec.get("clusterIP") != "None" and spec["type"] != "ExternalName":
        return [*causes, Cause("FieldValueRequired", "Required value", "spec.ports")]
    return causes + [
        cause for index, port in enumerate(spec.get("ports") or ()) for cause in _port(index, port, spec["ports"])
    ]


def check_service_update(new: Body, old: Body) -> list[Cause]:
    address, before = new["spec"].get("clusterIP"), old["spec"].get("clusterIP")
    if not before or address == before or new["spec"]["type"] == "ExternalName":
        return []
    why = "may not change once set"
    return [Cause("FieldValueInvalid", f"Invalid value: {shown([address])}: {why}", "spec.clusterIPs[0]")]


def default_secret(body: dict[str, Any]) -> None:
    """`stringData` goes into `data`, in base64, and is never stored itself."""
    plain = body.pop("stringData", None) or {}
    if plain:
        encoded = {key: base64.b64encode(value.encode()).decode() for key, value in plain.items()}
        body["data"] = {**(body.get("data") or {}), **encoded}
    body.setdefault("type", "Opaque")
    for value in (body.get("data") or {}).values():
        try:
            base64.b64decode(value, validate=True)
        except binascii.Error as error:
            why = f"illegal base64 data at input byte {_first_bad(value)}"
            message = f'Secret in version "v1" cannot be handled as a Secret: {why}'
            raise statuses.bad_request(message) from error


def check_secret(body: Body) -> list[Cause]:
    return _data_keys("data", body.get("data") or {})


def check_secret_update(new: Body, old: Body) -> list[Cause]:
    causes = _immutable(new, old)
    if new.get("type") != old.get("type"):
        causes.append(
            Cause("FieldValueInvalid", f"Invalid value: {shown(new.get('type'))}: field is immutable", "type")
        )
    return causes


def check_config_map(body: Body) -> list[Cause]:
    data, binary = body.get("data") or {}, body.get("binaryData") or {}
    causes = [*_data_keys("data", data), *_data_keys("binaryData", binary)]
    if sum(len(value.encode()) for value in [*data.values(), *binary.values()]) > MAX_DATA_BYTES:
        causes.append(Cause("FieldValueTooLong", f"Too long: may not be more than {MAX_DATA_BYTES} bytes", "[]"))
    return causes


def check_config_map_update(new: Body, old: Body) -> list[Cause]:
    return _immutable(new, old)


def default_event(body: dict[str, Any]) -> None:
    """A core Event always shows these, empty or not."""
    body.setdefault("source", {})
    for name in ("firstTimestamp", "lastTimestamp", "eventTime"):
        body.setdefault(name, None)
    for name in ("reportingComponent", "reportingInstance"):
        body.setdefault(name, "")


def check_event(body: Body) -> list[Cause]:
    namespace = body["metadata"].get("namespace")
    about = (body.get("involvedObject") or {}).get("namespace") or ""
    if (about or "default") != namespace:
        why = "does not match event.namespace"
        return [Cause("FieldValueInvalid", f'Invalid value: "{about}": {why}', "involvedObject.namespace")]
    return []


def check_lease(body: Body) -> list[Cause]:
    spec = body.get("spec") or {}
    for name in ("acquireTime", "renewTime"):
        sent = spec.get(name)
        if sent is not None and not _MICRO_TIME.fullmatch(sent):
            layout = "2006-01-02T15:04:05.000000Z07:00"
            why = f'parsing time "{sent}" as "{layout}": cannot parse "{sent[19:]}" as ".000000"'
            raise statuses.bad_request(f'Lease in version "v1" cannot be handled as a Lease: {why}')
    causes = []
    duration, transitions = spec.get("leaseDurationSeconds"), spec.get("leaseTransitions")
    if duration is not None and duration <= 0:
        message = f"Invalid value: {duration}: must be greater than 0"
        causes.append(Cause("FieldValueInvalid", message, "spec.leaseDurationSeconds"))
    if transitions is not None and transitions < 0:
        message = f"Invalid value: {transitions}: must be greater than or equal to 0"
        causes.append(Cause("FieldValueInvalid", message, "spec.leaseTransitions"))
    return causes


def _unsupported(value: str, supported: tuple[str, ...], field: str) -> Cause:
    listed = ", ".join(f'"{each}"' for each in supported)
    return Cause("FieldValueNotSupported", f'Unsupported value: "{value}": supported values: {listed}', field)


def _port(index: int, port: Mapping[str, Any], ports: list[Mapping[str, Any]]) -> list[Cause]:
    field = f"spec.ports[{index}]"
    causes = []
    number = port.get("port") or 0
    if not 0 < number < 65536:
        message = f"Invalid value: {number}: must be between 1 and 65535, inclusive"
        causes.append(Cause("FieldValueInvalid", message, f"{field}.port"))
    target = port.get("targetPort")
    if isinstance(target, int) and not 0 < target < 65536:
        message = f"Invalid value: {target}: must be between 1 and 65535, inclusive"
        causes.append(Cause("FieldValueInvalid", message, f"{field}.targetPort"))
    if port["protocol"] not in _PROTOCOLS:
        causes.append(_unsupported(port["protocol"], _PROTOCOLS, f"{field}.protocol"))
    if len(ports) > 1 and not port.get("name"):
        causes.append(Cause("FieldValueRequired", "Required value", f"{field}.name"))
    if port.get("name"):
        causes += qualified_name(f"{field}.name", port["name"])
    return causes


def _address(metadata: Mapping[str, Any]) -> str:
    """A cluster address out of 10.96.0.0/12 that depends on the name alone. Nothing listens there."""
    number = binascii.crc32(f"{metadata.get('namespace')}/{metadata.get('name')}".encode())
    return f"10.{96 + number % 16}.{number // 16 % 256}.{1 + number // 4096 % 254}"


def _immutable(new: Body, old: Body) -> list[Cause]:
    if not old.get("immutable"):
        return []
    causes = []
    if not new.get("immutable"):
        message = "Forbidden: field is immutable when `immutable` is set"
        causes.append(Cause("FieldValueForbidden", message, "immutable"))
    for name in ("data", "binaryData"):
        if (new.get(name) or {}) != (old.get(name) or {}):
            message = "Forbidden: field is immutable when `immutable` is set"
            causes.append(Cause("FieldValueForbidden", message, name))
    return causes


def _data_keys(field: str, data: Mapping[str, str]) -> list[Cause]:
    why = (
        "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or "
        f"'KEY_NAME',  or 'key-name', regex used for validation is '{_DATA_KEY.pattern}')"
    )
    return [
        Cause("FieldValueInvalid", f'Invalid value: "{key}": {why}', f"{field}[{key}]")
        for key in data
        if not _DATA_KEY.fullmatch(key) or len(key) > 253
    ]


def _first_bad(value: str) -> int:
    return next((at for at, each in enumerate(value) if not re.match(r"[A-Za-z0-9+/=]", each)), len(value))
