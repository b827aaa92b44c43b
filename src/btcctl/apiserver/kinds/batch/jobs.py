"""The rules of Jobs, and how their pods are found. Source: ValidateJob and ValidateJobUpdate of kubernetes 1.36."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from btcctl.apiserver.gotypes.internal import as_server
from btcctl.apiserver.kinds.batch.job_policies import check_policies
from btcctl.apiserver.kinds.pods.debugging import check_template
from btcctl.apiserver.kinds.pods.pods import check_pod_spec, forget_signals
from btcctl.apiserver.machinery.errors import Cause
from btcctl.apiserver.machinery.field_errors import each_invalid, invalid, not_negative, required, unsupported
from btcctl.apiserver.machinery.labels import matches_selector
from btcctl.apiserver.machinery.names import domain_prefixed_path, validate_labels
from btcctl.apiserver.storage.collection import Body

UID_LABEL, NAME_LABEL = "batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name"
PODS_STAY = (
    "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set "
    "propagationPolicy=Orphan to suppress this warning"
)
_OLD_UID_LABEL, _OLD_NAME_LABEL = "controller-uid", "job-name"
_COUNTS = (
    "parallelism",
    "completions",
    "activeDeadlineSeconds",
    "backoffLimit",
    "ttlSecondsAfterFinished",
    "backoffLimitPerIndex",
    "maxFailedIndexes",
)
_IMMUTABLE = ("selector", "completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy")
_DIRECTIVES = ("nodeSelector", "tolerations", "schedulingGates")
_MOST_INDEXED = 100_000


def complete_job(job: dict[str, Any]) -> None:
    """Label a Job that has no labels as its pods will be."""
    labels = (job["spec"]["template"].get("metadata") or {}).get("labels")
    if labels and not job["metadata"].get("labels"):
        job["metadata"]["labels"] = dict(labels)


def finish_job(job: dict[str, Any]) -> None:
    """Give the pods labels by which they are found, as no two Jobs have them."""
    spec, metadata = job["spec"], job["metadata"]
    forget_signals(spec["template"]["spec"])
    if not _is_generated(job):
        return
    spec["selector"] = _selector(job)
    template = spec["template"].setdefault("metadata", {})
    before = template.get("labels") or {}
    template["labels"] = _labels(job)
    if before and metadata.get("labels") == before:  # those of the Job are the very same ones
        metadata["labels"] = dict(template["labels"])


def _is_generated(job: Body) -> bool:
    """Whether labels are still to be made."""
    labels = (job["spec"]["template"].get("metadata") or {}).get("labels") or {}
    return not job["spec"].get("manualSelector") and UID_LABEL not in labels


def _labels(job: Body) -> dict[str, str]:
    """What the pods' labels will be."""
    labels = (job["spec"]["template"].get("metadata") or {}).get("labels") or {}
    if not _is_generated(job):
        return dict(labels)
    uid, name = job["metadata"]["uid"], job["metadata"]["name"]
    return {**labels, UID_LABEL: uid, _OLD_UID_LABEL: uid, NAME_LABEL: name, _OLD_NAME_LABEL: name}


def _selector(job: Body) -> dict[str, Any] | None:
    """What the selector will be."""
    selector: dict[str, Any] | None = job["spec"].get("selector")
    if not _is_generated(job):
        return selector
    selector = selector or {}
    return {**selector, "matchLabels": {**(selector.get("matchLabels") or {}), UID_LABEL: job["metadata"]["uid"]}}


def check_job(job: Body) -> list[Cause]:
    return [*_check_origin(job), *_check_spec(job)]


def _check_spec(job: Body) -> list[Cause]:
    spec, template = job["spec"], job["spec"]["template"]["spec"]
    causes = [cause for name in _COUNTS for cause in not_negative(f"spec.{name}", spec.get(name))]
    causes += [*_check_pods(job), *_check_indexes(spec), *check_policies(spec)]
    if spec.get("managedBy") is not None:
        causes += each_invalid("spec.managedBy", spec["managedBy"], domain_prefixed_path(spec["managedBy"]))
    replaced = ("Failed",) if spec.get("podFailurePolicy") else ("Failed", "TerminatingOrFailed")
    if spec["podReplacementPolicy"] not in replaced:
        causes.append(unsupported("spec.podReplacementPolicy", spec["podReplacementPolicy"], replaced))
    causes += check_template(template, "spec.template.spec")
    causes += check_pod_spec(template, "spec.template.spec")
    field, policy = "spec.template.spec.restartPolicy", template.get("restartPolicy")
    if policy in {"", "Always"}:
        causes.append(required(field, 'valid values: "OnFailure", "Never"'))
    elif policy not in {"OnFailure", "Never"}:
        causes.append(unsupported(field, policy, ("OnFailure", "Never")))
    elif spec.get("podFailurePolicy") and policy != "Never":
        causes.append(invalid(field, policy, 'only "Never" is supported when podFailurePolicy is specified'))
    return causes


def _check_origin(job: Body) -> Iterator[Cause]:
    """That its selector is the one that is made for it, if it does not bring its own."""
    selector, uid, name = _selector(job), job["metadata"]["uid"], job["metadata"]["name"]
    known = {UID_LABEL: uid, NAME_LABEL: name, _OLD_UID_LABEL: uid, _OLD_NAME_LABEL: name}
    if selector is not None and not job["spec"].get("manualSelector") and not matches_selector(selector, known):
        yield invalid("spec.selector", selector, "`selector` not auto-generated")


def _check_pods(job: Body) -> Iterator[Cause]:
    """How they are found."""
    selector, labels = _selector(job), _labels(job)
    if _is_generated(job):
        own = {name: labels[name] for name in (NAME_LABEL, _OLD_NAME_LABEL)}
        if job["metadata"].get("labels"):
            yield from validate_labels("metadata.labels", own)
        yield from validate_labels("spec.template.labels", own)
    else:
        yield from validate_labels("spec.template.labels", labels)
    if selector is None:
        yield required("spec.selector")
    if not matches_selector(selector, labels):
        why = "`selector` does not match template `labels`"
        yield invalid("spec.template.metadata.labels", dict(sorted(labels.items())) or None, why)


def _check_indexes(spec: Mapping[str, Any]) -> Iterator[Cause]:
    """What Jobs have whose pods are numbered."""
    mode, most = spec["completionMode"], spec.get("maxFailedIndexes")
    completions = spec.get("completions")
    if mode not in {"NonIndexed", "Indexed"}:
        yield unsupported("spec.completionMode", mode, ("NonIndexed", "Indexed"))
    if most is not None and spec.get("backoffLimitPerIndex") is None:
        yield required("spec.backoffLimitPerIndex", "when maxFailedIndexes is specified")
    if mode == "NonIndexed":
        for name in ("backoffLimitPerIndex", "maxFailedIndexes"):
            if spec.get(name) is not None:
                yield invalid(f"spec.{name}", spec[name], "requires indexed completion mode")
    if mode != "Indexed":
        return
    if completions is None:
        yield required("spec.completions", "when completion mode is Indexed")
    parallelism = spec.get("parallelism") or 0
    if parallelism > _MOST_INDEXED:
        why = f"must be less than or equal to {_MOST_INDEXED} when completion mode is Indexed"
        yield invalid("spec.parallelism", parallelism, why)
    if most is not None and completions is not None and most > completions:
        yield invalid("spec.maxFailedIndexes", most, "must be less than or equal to completions")


def check_job_update(new: Body, old: Body) -> list[Cause]:
    """A real server looks at the whole spec once more, and tells everything twice."""
    before, after = old["spec"], new["spec"]
    causes = [
        invalid(f"spec.{name}", after.get(name), "field is immutable")
        for name in _IMMUTABLE
        if after.get(name) != before.get(name)
    ]
    completions = after.get("completions")
    if completions != before.get("completions"):
        if after["completionMode"] != "Indexed":
            causes.append(invalid("spec.completions", completions, "field is immutable"))
        elif completions is not None and completions != after.get("parallelism"):
            why = "can only be modified in tandem with spec.parallelism"
            causes.append(invalid("spec.completions", completions, why))
    return _check_spec(new) + causes + _check_template_update(new, old)


def _check_template_update(new: Body, old: Body) -> list[Cause]:
    """Where its pods may run is settled once the first of them may: until then, who queues Jobs decides it."""
    before, after = old["spec"]["template"], new["spec"]["template"]
    if before == after:
        return []
    shown = as_server("PodSpec", after["spec"])
    if old["spec"].get("suspend") and (old.get("status") or {}).get("startTime") is None:
        is_same = _directed(before["spec"], after["spec"]) == after["spec"]
        return [] if is_same else [invalid("spec.template.spec", shown, "field is immutable")]
    metadata = after.get("metadata") or {}
    told = {name: dict(sorted(metadata[name].items())) for name in ("labels", "annotations") if metadata.get(name)}
    return [invalid("spec.template", {**told, "Spec": shown}, "field is immutable")]


def _directed(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """The old pod, scheduled as the new one."""
    found = {name: each for name, each in before.items() if name not in _DIRECTIVES}
    found |= {name: after[name] for name in _DIRECTIVES if name in after}
    affinities = [(each.get("affinity") or {}) for each in (before, after)]
    rest = {name: each for name, each in affinities[0].items() if name != "nodeAffinity"}
    affinity = rest | {name: each for name, each in affinities[1].items() if name == "nodeAffinity"}
    found.pop("affinity", None)
    return {**found, "affinity": affinity} if affinity or "affinity" in after else found
