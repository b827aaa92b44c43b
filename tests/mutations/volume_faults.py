"""Faults of what keeps pods from being taken away, and their data."""

from __future__ import annotations

from tests.mutations.fault import faults_in

VOLUME_FAULTS = [
    *faults_in(
        "apiserver/evictions.py",
        ("apiserver/test_evictions.py",),
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
        "sandbox/budget_status.py",
        ("sandbox/test_disruption.py",),
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
        "sandbox/disruption.py",
        ("sandbox/test_disruption.py",),
        ("a settled budget is written all the same", 'if status != budget.get("status"):', "if True:"),
    ),
]
