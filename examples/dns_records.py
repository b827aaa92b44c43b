"""Keeps records at a DNS provider as DnsRecords ask for them: an operator with an external API.

    btcctl crds examples/dns_records.py | kubectl apply -f -
    DNS_API_URL=https://dns.example.org/v1 DNS_API_TOKEN=… python examples/dns_records.py --help

What it shows: a finalizer keeps a DnsRecord until its record is gone; a record that is another's is left alone; what
somebody has changed at the provider is found by a poll; the provider's refusals are conditions, its limits are kept to.
"""

from __future__ import annotations

import json
import os
from typing import Annotated, Any, Literal, Protocol
from urllib.parse import quote

import msgspec
import urllib3
from msgspec import Meta

import btcctl
from btcctl import (
    AGE,
    App,
    Condition,
    ConfigError,
    ControllerOptions,
    CustomResource,
    ObjectKey,
    Result,
    Rule,
    TerminalError,
    add_finalizer,
    generation_changed,
    list_map,
    merge_conditions,
    remove_finalizer,
)

FINALIZER = "dns.example.org/record"
POLL_SECONDS = 300.0
CALL_SECONDS = 5.0


class DnsRecordSpec(msgspec.Struct, rename="camel"):
    """A record at the DNS provider."""

    zone: Annotated[str, Meta(min_length=1, max_length=253, description="The zone that it is in: example.org.")]
    name: Annotated[str, Meta(min_length=1, max_length=253, description="Its name within the zone: www.")]
    values: Annotated[list[str], Meta(min_length=1, max_length=20, description="What the name leads to.")]
    type: Literal["A", "AAAA", "CNAME", "TXT"] = "A"
    ttl: Annotated[int, Meta(ge=30, le=86400, description="Seconds that others may remember it.")] = 300
    when_deleted: Literal["Delete", "Retain"] = "Delete"


class DnsRecordStatus(msgspec.Struct, rename="camel"):
    """What became of it."""

    observed_generation: int = 0
    conditions: Annotated[list[Condition], list_map("type")] = []


class DnsRecord(
    CustomResource[DnsRecordSpec, DnsRecordStatus],
    group="dns.example.org",
    version="v1",
    plural="dnsrecords",
    short_names=("dns",),
    columns={
        "Name": ".spec.name",
        "Type": ".spec.type",
        "Ready": ".status.conditions[?(@.type=='Ready')].status",
        "Age": AGE,
    },
    rules=(
        Rule(
            "self.spec.zone == oldSelf.spec.zone && self.spec.name == oldSelf.spec.name"
            " && self.spec.type == oldSelf.spec.type",
            "zone, name and type cannot be changed: make another DnsRecord",
        ),
    ),
):
    """A record at the DNS provider, which is there as long as this object is."""


class Record(msgspec.Struct):
    """A record as the provider has it."""

    values: list[str]
    ttl: int
    owner: str = ""


class Refused(Exception):
    """The provider does not want this, and will not want it later either."""


class TryLater(Exception):
    """The provider is busy, or away. The toolkit waits for `retry_after` seconds at least."""

    def __init__(self, message: str, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Dns(Protocol):
    """The provider, as this operator needs it. Each call may be repeated."""

    def find(self, spec: DnsRecordSpec) -> Record | None: ...

    def put(self, spec: DnsRecordSpec, record: Record) -> None: ...

    def delete(self, spec: DnsRecordSpec) -> None: ...


class HttpDns:
    """The provider over HTTP: `/zones/ZONE/records/TYPE/NAME`."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._pool = urllib3.PoolManager(timeout=CALL_SECONDS, retries=False)

    def find(self, spec: DnsRecordSpec) -> Record | None:
        found = self._call("GET", spec)
        return None if found is None else msgspec.convert(found, Record)

    def put(self, spec: DnsRecordSpec, record: Record) -> None:
        self._call("PUT", spec, msgspec.to_builtins(record))

    def delete(self, spec: DnsRecordSpec) -> None:
        self._call("DELETE", spec)

    def _call(self, method: str, spec: DnsRecordSpec, body: object = None) -> Any:
        path = "/".join(quote(part, safe="") for part in ("zones", spec.zone, "records", spec.type, spec.name))
        data = None if body is None else json.dumps(body).encode()
        try:
            answer = self._pool.request(method, f"{self._url}/{path}", headers=self._headers, body=data)
        except urllib3.exceptions.HTTPError as error:
            raise TryLater(f"the DNS provider cannot be reached: {type(error).__name__}") from error
        if answer.status == 404 and method != "PUT":
            return None
        if answer.status == 429 or answer.status >= 500:
            asked = answer.headers.get("Retry-After", "")
            raise TryLater(f"the DNS provider answers {answer.status}", float(asked) if asked.isdigit() else 0.0)
        if answer.status >= 300:
            raise Refused(f"the DNS provider answers {answer.status}: {answer.data[:200].decode(errors='replace')}")
        return json.loads(answer.data) if method == "GET" else None


class DnsRecordReconciler:
    """Gives each DnsRecord its record."""

    def __init__(self, app: App, dns: Dns) -> None:
        self._records = app.client.resource(DnsRecord)
        self._cache = app.factory.informer(DnsRecord).lister
        self._recorder, self._clock, self._dns = app.recorder, app.clock, dns

    def __call__(self, key: ObjectKey) -> Result:
        record = self._cache.get(key)
        if record is None:
            return Result()
        if record.deletion_timestamp is not None:
            self._clean_up(record)
            return Result()
        record = add_finalizer(self._records, record, FINALIZER)  # before there is anything to clean up
        try:
            self._ensure(record)
        except Refused as error:
            self._report(record, "False", "Refused", str(error))
            raise TerminalError(str(error)) from error  # until somebody changes it
        return Result(requeue_after=POLL_SECONDS, background=True)  # others may change it at the provider

    def _ensure(self, record: DnsRecord) -> None:
        there, wanted = self._dns.find(record.spec), Record(record.spec.values, record.spec.ttl, record.uid)
        if there is not None and there.owner != record.uid:
            raise Refused(f"{record.spec.name}.{record.spec.zone} is there already, and not ours")
        if there != wanted:
            self._dns.put(record.spec, wanted)
            self._recorder.event(record, "Normal", "Published", f"published {record.spec.name}.{record.spec.zone}")
        self._report(record, "True", "Published", "")

    def _clean_up(self, record: DnsRecord) -> None:
        if FINALIZER not in record.finalizers:
            return
        there = self._dns.find(record.spec)
        if there is not None and there.owner == record.uid and record.spec.when_deleted == "Delete":
            self._dns.delete(record.spec)
        remove_finalizer(self._records, record, FINALIZER)

    def _report(self, record: DnsRecord, status: str, reason: str, message: str) -> None:
        before = [] if record.status is None else record.status.conditions
        ready, now = Condition("Ready", status, reason, message), self._clock.wall_time()
        conditions = merge_conditions(before, [ready], now=now, generation=record.generation)
        if status == "False" and not any(each.reason == reason for each in before):
            self._recorder.event(record, "Warning", reason, message)
        self._records.write_status(record, DnsRecordStatus(record.generation, conditions))


def build_with(app: App, dns: Dns) -> None:
    options = ControllerOptions(workers=app.options.workers, reconcile_timeout=60.0)
    # A status that says "Refused" is a change, too, and no reason to ask again.
    app.controller(DnsRecord, generation_changed).reconciles(DnsRecordReconciler(app, dns), options=options)


def build(app: App) -> None:
    try:
        dns = HttpDns(os.environ["DNS_API_URL"], os.environ["DNS_API_TOKEN"])
    except KeyError as error:
        raise ConfigError(f"{error.args[0]} is not set in the environment") from None
    build_with(app, dns)


if __name__ == "__main__":
    btcctl.run(build, name="dns-records")
