"""Faults of what turns Deployments and Jobs into pods."""

from __future__ import annotations

from tests.mutations.fault import faults_in

_REPLICAS = "sandbox/controllers/replicas"

WORKLOAD_FAULTS = [
    *faults_in(
        f"{_REPLICAS}/deployment_plan.py",
        (f"{_REPLICAS}/test_deployment_plan.py", f"{_REPLICAS}/test_deployment.py"),
        ("a share that may be missing is rounded up", "else math.floor(exact)", "else math.ceil(exact)"),
        (
            "no pod may be missing, and none be too many",
            "1 if surge == unavailable == 0 else unavailable",
            "unavailable",
        ),
        ("the new set takes no notice of the others", "rollout.most - others - new_size", "rollout.most - new_size"),
        ("old pods that do not work are kept", "broken = min(room,", "broken = min(0,"),
        (
            "old pods go before new ones are available",
            "room = sum(map(size, old)) + available(new) - rollout.least_available",
            "room = sum(map(size, old)) + size(new) - rollout.least_available",
        ),
        ("a template of old keeps its old revision", "if revision_of(new) < revision:", "if not before:"),
        ("sets with pods are forgotten", "return [each for each in surplus if _is_empty(each)]", "return surplus"),
    ),
    *faults_in(
        f"{_REPLICAS}/deployment_status.py",
        (f"{_REPLICAS}/test_deployment.py",),
        ("a rollout never times out", "+ deadline < now", "+ deadline < now.replace(year=1)"),
        ("a complete rollout is not said to be", "if is_complete(deployment, status):", "if False:"),
    ),
    *faults_in(
        f"{_REPLICAS}/deployment.py",
        (f"{_REPLICAS}/test_deployment.py",),
        (
            "with Recreate new pods come while old ones run",
            "if old or self._has_running_pods(turn.sets.old):",
            "if old:",
        ),
        ("a name that is taken is tried for ever", "collisions + 1}", "collisions}"),
    ),
    *faults_in(
        "sandbox/controllers/made_pods.py",
        (f"{_REPLICAS}/test_deployment.py",),
        (
            "a pod that is not shown yet is made again",
            "                living[uid] = found\n",
            "                pass\n",
        ),
    ),
    *faults_in(
        f"{_REPLICAS}/replica_set_plan.py",
        (f"{_REPLICAS}/test_replica_set_plan.py",),
        ("pods that run go first", "            ready is not None,\n", "            ready is None,\n"),
    ),
    *faults_in(
        "sandbox/controllers/jobs/job_plan.py",
        ("sandbox/controllers/jobs/test_job.py",),
        (
            "a pod is counted again each time",
            "and uid not in known]",
            "]",
        ),
        ("a Job fails for ever", 'if total(status, "failed") > limit or ', "if "),
    ),
]
