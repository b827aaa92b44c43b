"""Who set which field: `metadata.managedFields`, and server-side apply, which is built on it."""

from __future__ import annotations

from btcctl.apiserver.managedfields.entries import in_order
from btcctl.apiserver.managedfields.targets import Target, without_late
from btcctl.apiserver.managedfields.tracking import Author, settled, track

__all__ = ["Author", "Target", "in_order", "settled", "track", "without_late"]
