"""What tests ask of etcd itself, through its JSON gateway."""

from __future__ import annotations

import base64
from typing import Any

import urllib3

from btcctl import codecs
from btcctl.testing.control_plane.errors import ControlPlaneError

COMPACTED_KEY = "compact_rev_key"
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
        answer = self._post("/v3/kv/range", {"key": _base64(COMPACTED_KEY), "count_only": True})
        return int(answer["header"]["revision"])

    def compact(self, revision: int | None = None) -> int:
        """Forget everything before a revision; the newest if None.

        Told to API servers as they tell each other (etcd3/compact.go).

        Returns:
            The revision.
        """
        wanted = self.revision() if revision is None else revision
        self._post("/v3/kv/compaction", {"revision": str(wanted), "physical": True})
        self._post("/v3/kv/put", {"key": _base64(COMPACTED_KEY), "value": _base64(str(wanted))})
        return wanted

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        try:
            with urllib3.PoolManager() as pool:
                answer = pool.request("POST", self.url + path, json=body, timeout=_SECONDS, retries=False)
        except urllib3.exceptions.HTTPError as error:
            raise ControlPlaneError(f"etcd did not answer: {error}") from error
        if answer.status != 200:
            raise ControlPlaneError(f"etcd refused {path}: {answer.status} {answer.data.decode(errors='replace')}")
        decoded: dict[str, Any] = codecs.decode(answer.data)
        return decoded


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
