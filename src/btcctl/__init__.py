"""A Kubernetes controller toolkit for Python.

    from btcctl import ApiClient, Controller, Result, SharedInformerFactory, run_until_signal

Every public name can be imported from here; what it needs is loaded when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from btcctl.controller.controller import Controller as Controller
    from btcctl.controller.handlers import own_key as own_key
    from btcctl.controller.handlers import owner_keys as owner_keys
    from btcctl.controller.manager import Manager as Manager
    from btcctl.controller.manager import run_until_signal as run_until_signal
    from btcctl.controller.result import Result as Result
    from btcctl.errors import ApiError as ApiError
    from btcctl.errors import BtcctlError as BtcctlError
    from btcctl.errors import Conflict as Conflict
    from btcctl.errors import NotFound as NotFound
    from btcctl.errors import TerminalError as TerminalError
    from btcctl.events.recorder import EventRecorder as EventRecorder
    from btcctl.informers.factory import SharedInformerFactory as SharedInformerFactory
    from btcctl.informers.notifications import Deleted as Deleted
    from btcctl.informers.notifications import HandlerFuncs as HandlerFuncs
    from btcctl.informers.shared_informer import SharedInformer as SharedInformer
    from btcctl.informers.transform import drop_managed_fields as drop_managed_fields
    from btcctl.informers.typed import TypedInformer as TypedInformer
    from btcctl.objects import Object as Object
    from btcctl.objects import ObjectKey as ObjectKey
    from btcctl.resources import ResourceType as ResourceType
    from btcctl.rest.client import ApiClient as ApiClient
    from btcctl.rest.config import load_config as load_config
    from btcctl.rest.resource import PatchKind as PatchKind
    from btcctl.workqueue.queue import ShutDown as ShutDown
    from btcctl.workqueue.rate_limited import RateLimitingQueue as RateLimitingQueue

_HOMES = {
    "ApiClient": "rest.client",
    "ApiError": "errors",
    "BtcctlError": "errors",
    "Conflict": "errors",
    "Controller": "controller.controller",
    "Deleted": "informers.notifications",
    "EventRecorder": "events.recorder",
    "HandlerFuncs": "informers.notifications",
    "Manager": "controller.manager",
    "NotFound": "errors",
    "Object": "objects",
    "ObjectKey": "objects",
    "PatchKind": "rest.resource",
    "RateLimitingQueue": "workqueue.rate_limited",
    "ResourceType": "resources",
    "Result": "controller.result",
    "SharedInformer": "informers.shared_informer",
    "SharedInformerFactory": "informers.factory",
    "ShutDown": "workqueue.queue",
    "TerminalError": "errors",
    "TypedInformer": "informers.typed",
    "drop_managed_fields": "informers.transform",
    "load_config": "rest.config",
    "own_key": "controller.handlers",
    "owner_keys": "controller.handlers",
    "run_until_signal": "controller.manager",
}

__all__ = sorted(_HOMES)  # noqa: PLE0605  # type: ignore[assignment]


def __getattr__(name: str) -> object:
    try:
        home = _HOMES[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    value = getattr(importlib.import_module(f"btcctl.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*globals(), *_HOMES]
