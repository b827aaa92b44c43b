"""Metrics, health and debug pages over HTTP."""

from btcctl.controller.serving.status_server import StatusServer

__all__ = ["StatusServer"]
