"""pods/eviction: a deletion that a PodDisruptionBudget may hold back.

Source: pkg/registry/core/pod/storage/eviction.go of kubernetes 1.36. The whole of an eviction is one transaction, so
none of the conflicts that a real server tries again over comes up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from btcctl.apiserver.kinds.budgets import ALWAYS_ALLOW
from btcctl.apiserver.machinery import errors
from btcctl.apiserver.machinery.errors import StatusError
from btcctl.apiserver.machinery.labels import matches_selector
from btcctl.apiserver.objects.writer import Writer
from btcctl.apiserver.requests.bodies import private, read_plain
from btcctl.apiserver.requests.messages import ApiRequest
from btcctl.apiserver.requests.options import DeleteOptions, WriteOptions, write_options
from btcctl.apiserver.requests.routing import Route, check_place
from btcctl.apiserver.served.registry import Registry
from btcctl.apiserver.storage.collection import Body
from btcctl.apiserver.storage.store import Store
from btcctl.clock import rfc3339
from btcctl.resources import POD_DISRUPTION_BUDGETS

_MOST_DISRUPTED_PODS = 2000  # MaxDisruptedPodSize: so many evictions may wait to be seen by whoever counts
_BUSY_SECONDS = 10  # after which a client is told to try again, while a budget has not been looked at
_REFUSED = "Cannot evict pod as it would violate the pod's disruption budget."
_CAUSE = "DisruptionBudget"
_SEVERAL = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
_MANAGER = "kube-apiserver"  # a real server writes a budget as a client of itself


class Evictions:
    """Thread-safe."""

    def __init__(self, store: Store, registry: Registry, writer: Writer) -> None:
        self._store = store
        self._registry = registry
        self._writer = writer

    def evict(self, route: Route, request: ApiRequest) -> None:
        """Delete a pod, unless its budget forbids it.

        Raises:
            StatusError: 429, it does; or the pod is not there, or cannot be deleted so.
        """
        body = read_plain(request, "policy/v1", "Eviction")
        if (body.get("metadata") or {}).get("name") != route.name:
            raise errors.bad_request("name in URL does not match name in Eviction object")
        check_place(route, body["metadata"])
        options = _delete_options(body.get("deleteOptions") or {}, request)
        with self._store.transaction():
            pod = self._pod(route)
            if not _is_free(pod):
                self._ask_budgets(route, pod, is_dry=options.dry_run)
            if not options.dry_run:
                options = self._announce(route, pod, options)
            self._writer.delete(Route(route.served, route.namespace, route.name), options)

    def _pod(self, route: Route) -> Body:
        record = self._store.get(route.served.collection, route.key)
        if record is None:
            raise errors.not_found(route.served.type, route.name)
        return record.body

    def _ask_budgets(self, route: Route, pod: Body, *, is_dry: bool) -> None:
        budgets = self._budgets(pod)
        if len(budgets) > 1:
            raise errors.internal(_SEVERAL)
        if not budgets or may_go_unready(budgets[0], pod):
            return
        status = spent(budgets[0], route.name, rfc3339(self._store.clock.wall_time()))
        if not is_dry:
            self._write_budget({**budgets[0], "status": status})

    def _budgets(self, pod: Body) -> list[Body]:
        """Those that select the pod: an empty selector selects every pod, and none selects none."""
        collection = (POD_DISRUPTION_BUDGETS.group, POD_DISRUPTION_BUDGETS.plural)
        records, _ = self._store.list(collection, pod["metadata"]["namespace"])
        labels = pod["metadata"].get("labels") or {}
        return [each.body for each in records if matches_selector(each.body["spec"].get("selector"), labels)]

    def _write_budget(self, budget: Body) -> None:
        type_ = POD_DISRUPTION_BUDGETS
        served = self._registry.find(type_.group, type_.version, type_.plural)
        if served is not None:
            metadata = budget["metadata"]
            route = Route(served, metadata["namespace"], metadata["name"], "status")
            self._writer.update(route, private(budget), WriteOptions(manager=_MANAGER), [])

    def _announce(self, route: Route, pod: Body, options: DeleteOptions) -> DeleteOptions:
        """Say in the pod's status why it goes; a precondition on its version then means the version from before.

        Raises:
            StatusError: 409, it has another version.
        """
        version = pod["metadata"]["resourceVersion"]
        if options.version is not None and options.version == version:
            options = replace(options, version=None)
        if options.version is None and options.uid in {None, pod["metadata"]["uid"]}:
            self._writer.set_conditions(route, disrupted(pod, rfc3339(self._store.clock.wall_time())))
        return options


def may_go_unready(budget: Body, pod: Body) -> bool:
    """Whether a pod goes without being counted: it is not ready, so nothing is lost."""
    if _is_ready(pod):
        return False
    if budget["spec"].get("unhealthyPodEvictionPolicy") == ALWAYS_ALLOW:
        return True
    status = budget.get("status") or {}
    healthy, desired = status.get("currentHealthy") or 0, status.get("desiredHealthy") or 0
    return desired > 0 and healthy >= desired


def spent(budget: Body, pod: str, now: str) -> dict[str, Any]:
    """A budget's status after one more pod has gone.

    Args:
        pod: Its name.
        now: RFC 3339.

    Raises:
        StatusError: 429, none may go; or 403, the status makes no sense.
    """
    metadata, status = budget["metadata"], budget.get("status") or {}
    name, allowed = metadata["name"], status.get("disruptionsAllowed") or 0
    if (status.get("observedGeneration") or 0) < (metadata.get("generation") or 0):
        why = f"The disruption budget {name} is still being processed by the server."
        raise _refused(why, _BUSY_SECONDS)
    if allowed < 0:
        raise _senseless(name, "pdb disruptions allowed is negative")
    disrupted_pods = status.get("disruptedPods") or {}
    if len(disrupted_pods) > _MOST_DISRUPTED_PODS:
        why = "DisruptedPods map too big - too many evictions not confirmed by PDB controller"
        raise _senseless(name, why)
    if allowed == 0:
        healthy, desired = status.get("currentHealthy") or 0, status.get("desiredHealthy") or 0
        raise _refused(f"The disruption budget {name} needs {desired} healthy pods and has {healthy} currently")
    after = {**status, "disruptionsAllowed": allowed - 1, "disruptedPods": {**disrupted_pods, pod: now}}
    return after if allowed > 1 else {**after, "conditions": _with_none_allowed(after, now)}


def disrupted(pod: Body, now: str) -> list[Any]:
    """A pod's conditions when it is evicted.

    Args:
        now: RFC 3339.
    """
    known = (pod.get("status") or {}).get("conditions") or []
    condition = {"type": "DisruptionTarget", "status": "True", "lastProbeTime": None, "lastTransitionTime": now}
    condition |= {"reason": "EvictionByEvictionAPI", "message": "Eviction API: evicting"}
    return [*(each for each in known if each.get("type") != "DisruptionTarget"), condition]


def _with_none_allowed(status: Mapping[str, Any], now: str) -> list[Any]:
    known = status.get("conditions") or []
    before: Mapping[str, Any] = next((each for each in known if each.get("type") == "DisruptionAllowed"), {})
    condition = {
        "type": "DisruptionAllowed",
        "status": "False",
        "observedGeneration": status.get("observedGeneration") or 0,
        "lastTransitionTime": before["lastTransitionTime"] if before.get("status") == "False" else now,
        "reason": "InsufficientPods",
        "message": "",
    }
    return [condition if each is before else each for each in known] if before else [*known, condition]


def _refused(why: str, retry_seconds: int = 0) -> StatusError:
    details: dict[str, Any] = {"causes": [{"reason": _CAUSE, "message": why}]}
    headers = {}
    if retry_seconds:
        details["retryAfterSeconds"] = retry_seconds
        headers["Retry-After"] = str(retry_seconds)
    return StatusError(429, _REFUSED, "TooManyRequests", details=details, headers=headers)


def _senseless(name: str, why: str) -> StatusError:
    """A real server says the kind for once, not the plural."""
    details = {"name": name, "group": POD_DISRUPTION_BUDGETS.group, "kind": "poddisruptionbudget"}
    message = f'poddisruptionbudget.{POD_DISRUPTION_BUDGETS.group} "{name}" is forbidden: {why}'
    return StatusError(403, message, "Forbidden", details=details)


def _is_free(pod: Body) -> bool:
    """Whether the end of a pod disrupts nothing: it does not run yet, or no longer, or is going."""
    phase = (pod.get("status") or {}).get("phase")
    return phase in {"Pending", "Succeeded", "Failed"} or bool(pod["metadata"].get("deletionTimestamp"))


def _is_ready(pod: Body) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any((each.get("type"), each.get("status")) == ("Ready", "True") for each in conditions)


def _delete_options(sent: Mapping[str, Any], request: ApiRequest) -> DeleteOptions:
    preconditions = sent.get("preconditions") or {}
    asked = write_options(request, "CreateOptions")
    return DeleteOptions(
        asked.dry_run or "All" in (sent.get("dryRun") or ()),
        grace_seconds=sent.get("gracePeriodSeconds"),
        uid=preconditions.get("uid"),
        version=preconditions.get("resourceVersion"),
    )
