"""Faults of what says that a right is missing."""

from __future__ import annotations

from tests.mutations.fault import faults_in

DEPLOYMENT_FAULTS = [
    *faults_in(
        "bitcoin/refusals.py",
        ("bitcoin/test_refusals.py",),
        ("a quota passes for a missing right", "elif body is None or _NO_RIGHT.search(body):", "else:"),
        (
            "a Secret that a user named turns /readyz red",
            "if right is None or right.resource in _ELSEWHERE:",
            "if right is None:",
        ),
        ("a right that came is missed for ever", "            self._missing.discard(right)\n", ""),
        ("a namespace says what another lacks", 'if each.namespace in {"", namespace}]', "]"),
        ("the log repeats a missing right", "        if is_new:\n", "        if True:\n"),
    ),
    *faults_in(
        "bitcoin/doctor/lease.py",
        ("bitcoin/doctor/test_lease.py",),
        ("a holder that is gone leads", "return age is None or age < record.duration_seconds", "return True"),
    ),
    *faults_in(
        "bitcoin/doctor/definition.py",
        ("bitcoin/doctor/test_definition.py",),
        ("an older definition passes", "    if ours - theirs:\n", "    if False:\n"),
    ),
]
