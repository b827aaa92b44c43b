"""Faults of what keeps pods from being taken away, and their data."""

from __future__ import annotations

from tests.mutations.fault import faults_in

VOLUME_FAULTS = [
    *faults_in(
        "apiserver/endpoints/evictions.py",
        ("apiserver/endpoints/test_evictions.py",),
        (
            "a budget nobody has looked at lets pods go",
            'if (status.get("observedGeneration") or 0) < (metadata.get("generation") or 0):',
            "if False:",
        ),
        ("a budget that allows nothing lets pods go", "    if allowed == 0:\n", "    if False:\n"),
        ("a dry run uses a budget up", "        if not is_dry:\n", "        if True:\n"),
        ("of two budgets one is asked", "if len(budgets) > 1:", "if False:"),
        ("what does not run is held back", "            if not _is_free(pod):\n", "            if True:\n"),
        (
            "a pod that is not ready may go without a budget's leave",
            "    return desired > 0 and healthy >= desired\n",
            "    return True\n",
        ),
        ("an eviction deletes another pod than it names", "!= route.name:", "is None:"),
    ),
    *faults_in(
        "sandbox/controllers/budget_status.py",
        ("sandbox/controllers/test_disruption.py",),
        (
            "an evicted pod counts as healthy until it is seen to go",
            " and pod.name not in disrupted for pod in pods",
            " for pod in pods",
        ),
        ("a pod that goes counts as healthy", "pod.is_ready and not pod.is_going and", "pod.is_ready and"),
        ("a budget without pods lets the first one go", "if expected > 0 else 0", "if True else 0"),
        ("an eviction that came to nothing counts for ever", "> now}", "> datetime.min.replace(tzinfo=now.tzinfo)}"),
    ),
    *faults_in(
        "sandbox/controllers/disruption.py",
        ("sandbox/controllers/test_disruption.py",),
        ("a settled budget is written all the same", 'if status != budget.get("status"):', "if True:"),
    ),
    *faults_in(
        "sandbox/controllers/stateful/set_claims.py",
        ("sandbox/controllers/stateful/test_set_claims.py",),
        (
            "a pod is made on a claim that is going",
            "        return claim.deletion_timestamp is None and all(",
            "        return all(",
        ),
        (
            "a claim goes with any set that is deleted",
            'elif policy.get("whenDeleted") == "Delete":',
            "else:",
        ),
        (
            "a claim goes with any pod that is scaled away",
            'if is_surplus and policy.get("whenScaled") == "Delete":',
            "if is_surplus:",
        ),
        ("what others own of a claim is taken from them", "if not _is_ours(each, stateful_set, pod)]", "if False]"),
    ),
    *faults_in(
        "sandbox/controllers/claim_keeper.py",
        ("sandbox/controllers/test_claim_keeper.py",),
        ("a claim that a pod uses goes", "if PROTECTION in finalizers and not self._is_used(claim.key):", "if True:"),
        (
            "a claim finds what another one of its name has left",
            "(claim is None or claim.uid != known)",
            "claim is None",
        ),
    ),
    *faults_in(
        "sandbox/kubelet/kubelet.py",
        ("sandbox/kubelet/test_kubelet.py",),
        (
            "a pod starts before its volume is there",
            'if claim is None or (claim.get("status") or {}).get("phase") != BOUND:',
            "if claim is None:",
        ),
    ),
    *faults_in(
        "sandbox/kubelet/pods/runner.py",
        ("sandbox/kubelet/test_kubelet.py",),
        ("a claim's volume is not mounted", "volume=next(iter(mounted), None),", "volume=None,"),
    ),
    *faults_in(
        "apiserver/kinds/claims.py",
        ("apiserver/kinds/test_claims.py",),
        ("a claim is not protected", "if PROTECTION not in finalizers:", "if False:"),
        (
            "a claim changes under its volume",
            "    if wanted != had:\n",
            "    if False:\n",
        ),
    ),
]
