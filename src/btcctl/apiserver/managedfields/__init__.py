"""Who set which field: `metadata.managedFields`, and server-side apply, which is built on it."""

from __future__ import annotations

from btcctl.apiserver.managedfields.kinds import Kind, kind_of, without_late
from btcctl.apiserver.managedfields.tracking import Author, settled, track

__all__ = ["Author", "Kind", "kind_of", "settled", "track", "without_late"]
