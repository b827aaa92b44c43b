"""What can go wrong with a control plane."""

from __future__ import annotations

from btcctl.errors import BtcctlError, ConfigError


class BinariesMissing(ConfigError):
    """A program was not found; the message names every place looked at and what to do."""


class ControlPlaneError(BtcctlError):
    """A part of the control plane did not start, or did not do what it was asked."""


class NotOurs(ControlPlaneError):
    """Asked of a given cluster (USE_EXISTING_CLUSTER) what only one of our own can do."""


class PortTaken(ControlPlaneError):
    """Another process was quicker to listen on a port that had been free."""
