"""What a real API server writes down of the requests that it has answered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

POLICY = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
  userGroups: ["system:serviceaccounts"]
- level: None
"""


class AuditLog:
    """The log of one API server, which it writes request by request.

    Args:
        directory: For the log and its policy.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / "audit.log"
        policy = directory / "policy.yaml"
        policy.write_text(POLICY)
        self.flags = (f"--audit-policy-file={policy}", f"--audit-log-path={self._path}")

    def records(self, user: str) -> list[dict[str, Any]]:
        """All of one user, oldest first; a watch stands there from its beginning and once more from its end."""
        text = self._path.read_text() if self._path.exists() else ""
        *lines, _ = text.split("\n")  # what comes after the last newline is still being written
        return [each for each in map(json.loads, lines) if each["user"]["username"] == user]
