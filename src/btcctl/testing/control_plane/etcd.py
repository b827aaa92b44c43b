"""What tests ask of etcd itself, through its JSON gateway."""

from __future__ import annotations

from typing import Any

import msgspec
import urllib3

from btcctl.testing.control_plane.errors import ControlPlaneError

_SECONDS = 10.0


class Etcd:
    """The HTTP side of one etcd.

    Args:
        url: Of its client port.
    """

    def __init__(self, url: str) -> None:
        self.url = url

    def revision(self) -> int:
        """The newest revision: the resourceVersion of the last write."""
        answer = self._post("/v3/kv/range", {"key": "AA==", "count_only": True})
        return int(answer["header"]["revision"])

    def compact(self, revision: int | None = None) -> int:
        """Forget everything before a revision; the newest if None.

        Returns:
            The revision.
        """
        wanted = self.revision() if revision is None else revision
        self._post("/v3/kv/compaction", {"revision": str(wanted), "physical": True})
        return wanted

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        try:
            with urllib3.PoolManager() as pool:
                answer = pool.request("POST", self.url + path, json=body, timeout=_SECONDS, retries=False)
        except urllib3.exceptions.HTTPError as error:
            raise ControlPlaneError(f"etcd did not answer: {error}") from error
        if answer.status != 200:
            raise ControlPlaneError(f"etcd refused {path}: {answer.status} {answer.data.decode(errors='replace')}")
        decoded: dict[str, Any] = msgspec.json.decode(answer.data)
        return decoded
