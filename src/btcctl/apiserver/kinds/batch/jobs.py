"""The rules of Jobs: those that decide how their pods are found and ended. Policies are stored unchecked."""

from __future__ import annotations

from typing import Any

from btcctl.apiserver.kinds.pods.debugging import check_template
from btcctl.apiserver.kinds.pods.pods import check_pod_spec
from btcctl.apiserver.machinery.errors import Cause
from btcctl.apiserver.machinery.field_errors import invalid, not_negative, required, unsupported
from btcctl.apiserver.machinery.labels import matches_selector
from btcctl.apiserver.storage.collection import Body

UID_LABEL, NAME_LABEL = "batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name"
PODS_STAY = (
    "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set "
    "propagationPolicy=Orphan to suppress this warning"
)
_OLD_UID_LABEL, _OLD_NAME_LABEL = "controller-uid", "job-name"
_COUNTS = ("parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished")
_IMMUTABLE = ("selector", "completionMode", "podFailurePolicy", "backoffLimitPerIndex")


def complete_job(job: dict[str, Any]) -> None:
    """Label a Job that has no labels as its pods will be."""
    labels = (job["spec"]["template"].get("metadata") or {}).get("labels")
    if labels and not job["metadata"].get("labels"):
        job["metadata"]["labels"] = dict(labels)


def finish_job(job: dict[str, Any]) -> None:
    """Give the pods labels by which they are found, as no two Jobs have them."""
    spec, metadata = job["spec"], job["metadata"]
    template = spec["template"].setdefault("metadata", {})
    before = template.get("labels") or {}
    if spec.get("manualSelector") or UID_LABEL in before:
        return
    uid, name = metadata["uid"], metadata["name"]
    own = {UID_LABEL: uid, _OLD_UID_LABEL: uid, NAME_LABEL: name, _OLD_NAME_LABEL: name}
    template["labels"] = {**before, **own}
    if before and metadata.get("labels") == before:  # those of the Job are the very same ones
        metadata["labels"] = {**before, **own}
    spec.setdefault("selector", {}).setdefault("matchLabels", {})[UID_LABEL] = uid


def check_job(job: Body) -> list[Cause]:
    spec = job["spec"]
    causes = [cause for name in _COUNTS for cause in not_negative(f"spec.{name}", spec.get(name))]
    labels = (spec["template"].get("metadata") or {}).get("labels")
    if spec.get("manualSelector") and spec.get("selector") is None:
        causes.append(required("spec.selector"))
    if spec.get("manualSelector") and not matches_selector(spec.get("selector"), labels or {}):
        causes.append(invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`"))
    if spec["completionMode"] not in {"NonIndexed", "Indexed"}:
        causes.append(unsupported("spec.completionMode", spec["completionMode"], ("NonIndexed", "Indexed")))
    elif spec["completionMode"] == "Indexed" and spec.get("completions") is None:
        causes.append(required("spec.completions", "when completion mode is Indexed"))
    template = spec["template"]["spec"]
    causes += check_template(template, "spec.template.spec")
    causes += check_pod_spec(template, "spec.template.spec", ())
    if template.get("restartPolicy") not in {"OnFailure", "Never"}:
        field, policy = "spec.template.spec.restartPolicy", template.get("restartPolicy")
        if policy in {"", "Always"}:
            causes.append(required(field, 'valid values: "OnFailure", "Never"'))
        else:
            causes.append(unsupported(field, policy, ("OnFailure", "Never")))
    return causes


def check_job_update(new: Body, old: Body) -> list[Cause]:
    before, after = old["spec"], new["spec"]
    causes = [
        invalid(f"spec.{name}", after.get(name), "field is immutable")
        for name in _IMMUTABLE
        if after.get(name) != before.get(name)
    ]
    if after["completionMode"] != "Indexed" and after.get("completions") != before.get("completions"):
        causes.append(invalid("spec.completions", after.get("completions"), "field is immutable"))
    if after["template"] != before["template"]:
        causes.append(invalid("spec.template", after["template"], "field is immutable"))
    return causes


def check_job_status(new: Body, _: Body) -> list[Cause]:
    status = new.get("status") or {}
    names = ("active", "succeeded", "failed", "ready", "terminating")
    return [cause for name in names for cause in not_negative(f"status.{name}", status.get(name))]
