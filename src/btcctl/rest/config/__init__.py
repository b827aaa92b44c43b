"""Where the API server is, who we are, and whom we trust."""

from collections.abc import Callable
from importlib import import_module

from btcctl.rest.config.client_config import ClientConfig

__all__ = ["ClientConfig"]


def __getattr__(name: str) -> Callable[..., ClientConfig]:
    """`load_config` has moved to `btcctl.rest.loading`, which needs ClientConfig from here."""
    if name != "load_config":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: Callable[..., ClientConfig] = import_module("btcctl.rest.loading").load_config
    return found
