"""A Kubernetes controller toolkit for Python.

    from btcctl import ApiClient, Controller, Manager, Result, SharedInformerFactory, run_until_signal

Every public name can be imported from here; what it needs is loaded when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from btcctl.version import VERSION

if TYPE_CHECKING:
    from btcctl.app.app import App as App
    from btcctl.app.app import AppOptions as AppOptions
    from btcctl.cli.author.running import run as run
    from btcctl.clock import SYSTEM_CLOCK as SYSTEM_CLOCK
    from btcctl.clock import Clock as Clock
    from btcctl.controller.builder import ControllerBuilder as ControllerBuilder
    from btcctl.controller.controller import Controller as Controller
    from btcctl.controller.debugging import DebugPages as DebugPages
    from btcctl.controller.health import live_checks as live_checks
    from btcctl.controller.health import ready_checks as ready_checks
    from btcctl.controller.journey import Journey as Journey
    from btcctl.controller.keys.clusters import Cluster as Cluster
    from btcctl.controller.keys.clusters import Clusters as Clusters
    from btcctl.controller.keys.handlers import own_key as own_key
    from btcctl.controller.keys.handlers import owner_keys as owner_keys
    from btcctl.controller.keys.predicates import all_of as all_of
    from btcctl.controller.keys.predicates import any_of as any_of
    from btcctl.controller.keys.predicates import generation_changed as generation_changed
    from btcctl.controller.keys.predicates import has_label as has_label
    from btcctl.controller.keys.predicates import labels_changed as labels_changed
    from btcctl.controller.keys.predicates import not_ as not_
    from btcctl.controller.keys.predicates import resource_version_changed as resource_version_changed
    from btcctl.controller.lives.daemons import Daemons as Daemons
    from btcctl.controller.manager import Manager as Manager
    from btcctl.controller.manager import run_until_signal as run_until_signal
    from btcctl.controller.options import ControllerOptions as ControllerOptions
    from btcctl.controller.reconciling.result import Result as Result
    from btcctl.controller.serving.status_server import StatusServer as StatusServer
    from btcctl.controller.writing.conditions import Condition as Condition
    from btcctl.controller.writing.conditions import merge_conditions as merge_conditions
    from btcctl.controller.writing.contention import Contention as Contention
    from btcctl.controller.writing.contention import Contested as Contested
    from btcctl.controller.writing.fields import set_fields as set_fields
    from btcctl.controller.writing.finalizers import add_finalizer as add_finalizer
    from btcctl.controller.writing.finalizers import remove_finalizer as remove_finalizer
    from btcctl.controller.writing.writes import Ensured as Ensured
    from btcctl.controller.writing.writes import NotControlled as NotControlled
    from btcctl.controller.writing.writes import Outcome as Outcome
    from btcctl.controller.writing.writes import create_or_update as create_or_update
    from btcctl.controller.writing.writes import is_controlled_by as is_controlled_by
    from btcctl.controller.writing.writes import retry_on_conflict as retry_on_conflict
    from btcctl.controller.writing.writes import set_controller as set_controller
    from btcctl.controller.writing.writes import write_status as write_status
    from btcctl.crds.annotations import EmbeddedResource as EmbeddedResource
    from btcctl.crds.annotations import Int32 as Int32
    from btcctl.crds.annotations import IntOrString as IntOrString
    from btcctl.crds.annotations import Quantity as Quantity
    from btcctl.crds.annotations import atomic as atomic
    from btcctl.crds.annotations import list_map as list_map
    from btcctl.crds.annotations import list_set as list_set
    from btcctl.crds.annotations import matching as matching
    from btcctl.crds.annotations import obeys as obeys
    from btcctl.crds.definition import crd_for as crd_for
    from btcctl.errors import AlreadyExists as AlreadyExists
    from btcctl.errors import ApiError as ApiError
    from btcctl.errors import BadRequest as BadRequest
    from btcctl.errors import BtcctlError as BtcctlError
    from btcctl.errors import CacheSyncError as CacheSyncError
    from btcctl.errors import CallTimedOut as CallTimedOut
    from btcctl.errors import ComputingFailed as ComputingFailed
    from btcctl.errors import ConfigError as ConfigError
    from btcctl.errors import Conflict as Conflict
    from btcctl.errors import ConnectionRefused as ConnectionRefused
    from btcctl.errors import ConnectionSilent as ConnectionSilent
    from btcctl.errors import DeadlineExceeded as DeadlineExceeded
    from btcctl.errors import DecodeError as DecodeError
    from btcctl.errors import Forbidden as Forbidden
    from btcctl.errors import Gone as Gone
    from btcctl.errors import InternalError as InternalError
    from btcctl.errors import Interrupted as Interrupted
    from btcctl.errors import Invalid as Invalid
    from btcctl.errors import LeaseLost as LeaseLost
    from btcctl.errors import MethodNotAllowed as MethodNotAllowed
    from btcctl.errors import NotFound as NotFound
    from btcctl.errors import NotLeading as NotLeading
    from btcctl.errors import ObjectDecodeError as ObjectDecodeError
    from btcctl.errors import Refused as Refused
    from btcctl.errors import ServerTimeout as ServerTimeout
    from btcctl.errors import ServiceUnavailable as ServiceUnavailable
    from btcctl.errors import TerminalError as TerminalError
    from btcctl.errors import TooManyRequests as TooManyRequests
    from btcctl.errors import TransportError as TransportError
    from btcctl.errors import Unauthorized as Unauthorized
    from btcctl.errors import WatchDecodeError as WatchDecodeError
    from btcctl.events.broadcaster import Broadcaster as Broadcaster
    from btcctl.events.recorder import EventRecorder as EventRecorder
    from btcctl.events.recorder import SourceRecorder as SourceRecorder
    from btcctl.events.reference import ObjectReference as ObjectReference
    from btcctl.events.sinks.api_sink import log_event as log_event
    from btcctl.informers.cache.lister import Lister as Lister
    from btcctl.informers.clusters import ClusterInformer as ClusterInformer
    from btcctl.informers.clusters import ClusterLister as ClusterLister
    from btcctl.informers.factory import SharedInformerFactory as SharedInformerFactory
    from btcctl.informers.metrics import InformerMetrics as InformerMetrics
    from btcctl.informers.options import ReflectorOptions as ReflectorOptions
    from btcctl.informers.reflector.transform import drop_managed_fields as drop_managed_fields
    from btcctl.informers.shared_informer import SharedInformer as SharedInformer
    from btcctl.informers.sharing.filters import FilteringHandler as FilteringHandler
    from btcctl.informers.sharing.filters import PredicateHandler as PredicateHandler
    from btcctl.informers.sharing.notifications import Deleted as Deleted
    from btcctl.informers.sharing.notifications import HandlerFuncs as HandlerFuncs
    from btcctl.informers.typed import TypedInformer as TypedInformer
    from btcctl.leaderelection.election import Timing as Timing
    from btcctl.leaderelection.elector import Elector as Elector
    from btcctl.leaderelection.fence import Fence as Fence
    from btcctl.leaderelection.lease_lock import LeaseLock as LeaseLock
    from btcctl.metrics import Metrics as Metrics
    from btcctl.objects import ListPage as ListPage
    from btcctl.objects import Object as Object
    from btcctl.objects import ObjectKey as ObjectKey
    from btcctl.objects import OwnerReference as OwnerReference
    from btcctl.objects import WatchEvent as WatchEvent
    from btcctl.processes.at_hand import compute as compute
    from btcctl.resources import CLUSTER_ROLE_BINDINGS as CLUSTER_ROLE_BINDINGS
    from btcctl.resources import CLUSTER_ROLES as CLUSTER_ROLES
    from btcctl.resources import CONFIG_MAPS as CONFIG_MAPS
    from btcctl.resources import CONTROLLER_REVISIONS as CONTROLLER_REVISIONS
    from btcctl.resources import CUSTOM_RESOURCE_DEFINITIONS as CUSTOM_RESOURCE_DEFINITIONS
    from btcctl.resources import DEPLOYMENTS as DEPLOYMENTS
    from btcctl.resources import ENDPOINT_SLICES as ENDPOINT_SLICES
    from btcctl.resources import ENDPOINTS as ENDPOINTS
    from btcctl.resources import EVENTS as EVENTS
    from btcctl.resources import EVENTS_V1 as EVENTS_V1
    from btcctl.resources import JOBS as JOBS
    from btcctl.resources import LEASES as LEASES
    from btcctl.resources import MUTATING_ADMISSION_POLICIES as MUTATING_ADMISSION_POLICIES
    from btcctl.resources import MUTATING_ADMISSION_POLICY_BINDINGS as MUTATING_ADMISSION_POLICY_BINDINGS
    from btcctl.resources import MUTATING_WEBHOOK_CONFIGURATIONS as MUTATING_WEBHOOK_CONFIGURATIONS
    from btcctl.resources import NAMESPACES as NAMESPACES
    from btcctl.resources import NETWORK_POLICIES as NETWORK_POLICIES
    from btcctl.resources import NODES as NODES
    from btcctl.resources import PERSISTENT_VOLUME_CLAIMS as PERSISTENT_VOLUME_CLAIMS
    from btcctl.resources import POD_DISRUPTION_BUDGETS as POD_DISRUPTION_BUDGETS
    from btcctl.resources import PODS as PODS
    from btcctl.resources import REPLICA_SETS as REPLICA_SETS
    from btcctl.resources import ROLE_BINDINGS as ROLE_BINDINGS
    from btcctl.resources import ROLES as ROLES
    from btcctl.resources import SECRETS as SECRETS
    from btcctl.resources import SERVICE_ACCOUNTS as SERVICE_ACCOUNTS
    from btcctl.resources import SERVICES as SERVICES
    from btcctl.resources import STATEFUL_SETS as STATEFUL_SETS
    from btcctl.resources import VALIDATING_ADMISSION_POLICIES as VALIDATING_ADMISSION_POLICIES
    from btcctl.resources import VALIDATING_ADMISSION_POLICY_BINDINGS as VALIDATING_ADMISSION_POLICY_BINDINGS
    from btcctl.resources import VALIDATING_WEBHOOK_CONFIGURATIONS as VALIDATING_WEBHOOK_CONFIGURATIONS
    from btcctl.resources import ResourceType as ResourceType
    from btcctl.rest.client import ApiClient as ApiClient
    from btcctl.rest.collection.logs import LogLines as LogLines
    from btcctl.rest.collection.resource import PatchKind as PatchKind
    from btcctl.rest.collection.resource import Resource as Resource
    from btcctl.rest.config.client_config import ClientConfig as ClientConfig
    from btcctl.rest.http import HttpTransport as HttpTransport
    from btcctl.rest.limits import ReadLimits as ReadLimits
    from btcctl.rest.loading import load_config as load_config
    from btcctl.rest.loading import load_contexts as load_contexts
    from btcctl.rest.retry import RetryPolicy as RetryPolicy
    from btcctl.rest.typed.resource import TypedResource as TypedResource
    from btcctl.threads import Stop as Stop
    from btcctl.typed.definition import AGE as AGE
    from btcctl.typed.definition import Column as Column
    from btcctl.typed.definition import Rule as Rule
    from btcctl.typed.definition import Scale as Scale
    from btcctl.typed.differences import Change as Change
    from btcctl.typed.differences import diff as diff
    from btcctl.typed.kinds import TypedKind as TypedKind
    from btcctl.typed.metadata import Metadata as Metadata
    from btcctl.typed.typed_object import CustomResource as CustomResource
    from btcctl.typed.typed_object import TypedObject as TypedObject
    from btcctl.webhooks.admission import Admission as Admission
    from btcctl.webhooks.admission import Requester as Requester
    from btcctl.webhooks.admission import Verdict as Verdict
    from btcctl.webhooks.hooks import AdmissionHook as AdmissionHook
    from btcctl.webhooks.hooks import Converter as Converter
    from btcctl.webhooks.hooks import HookOptions as HookOptions
    from btcctl.webhooks.hooks import Mutator as Mutator
    from btcctl.webhooks.hooks import Validator as Validator
    from btcctl.webhooks.hooks import converts as converts
    from btcctl.webhooks.hooks import mutates as mutates
    from btcctl.webhooks.hooks import validates as validates
    from btcctl.webhooks.options import WebhookOptions as WebhookOptions
    from btcctl.workqueue.queue import ShutDown as ShutDown
    from btcctl.workqueue.rate_limited import RateLimitingQueue as RateLimitingQueue
    from btcctl.workqueue.rate_limiters import BucketRateLimiter as BucketRateLimiter
    from btcctl.workqueue.rate_limiters import FastSlowRateLimiter as FastSlowRateLimiter
    from btcctl.workqueue.rate_limiters import ItemExponentialRateLimiter as ItemExponentialRateLimiter
    from btcctl.workqueue.rate_limiters import MaxOfRateLimiter as MaxOfRateLimiter
    from btcctl.workqueue.rate_limiters import RateLimiter as RateLimiter

__version__ = VERSION

#: In which module each is, and what is there.
_NAMES = {
    "app.app": "App AppOptions",
    "cli.author.running": "run",
    "clock": "Clock SYSTEM_CLOCK",
    "controller.builder": "ControllerBuilder",
    "controller.controller": "Controller",
    "controller.debugging": "DebugPages",
    "controller.health": "live_checks ready_checks",
    "controller.journey": "Journey",
    "controller.keys.clusters": "Cluster Clusters",
    "controller.keys.handlers": "own_key owner_keys",
    "controller.keys.predicates": (
        "all_of any_of generation_changed has_label labels_changed not_ resource_version_changed"
    ),
    "controller.lives.daemons": "Daemons",
    "controller.manager": "Manager run_until_signal",
    "controller.options": "ControllerOptions",
    "controller.reconciling.result": "Result",
    "controller.serving.status_server": "StatusServer",
    "controller.writing.conditions": "Condition merge_conditions",
    "controller.writing.contention": "Contention Contested",
    "controller.writing.fields": "set_fields",
    "controller.writing.finalizers": "add_finalizer remove_finalizer",
    "controller.writing.writes": (
        "Ensured NotControlled Outcome create_or_update is_controlled_by retry_on_conflict set_controller write_status"
    ),
    "crds.annotations": "EmbeddedResource Int32 IntOrString Quantity atomic list_map list_set matching obeys",
    "crds.definition": "crd_for",
    "errors": (
        "AlreadyExists ApiError BadRequest BtcctlError CacheSyncError CallTimedOut ComputingFailed ConfigError "
        "Conflict ConnectionRefused ConnectionSilent DeadlineExceeded DecodeError Forbidden Gone InternalError "
        "Interrupted Invalid LeaseLost MethodNotAllowed NotFound NotLeading ObjectDecodeError Refused "
        "ServerTimeout ServiceUnavailable TerminalError TooManyRequests TransportError Unauthorized "
        "WatchDecodeError"
    ),
    "events.broadcaster": "Broadcaster",
    "events.recorder": "EventRecorder SourceRecorder",
    "events.reference": "ObjectReference",
    "events.sinks.api_sink": "log_event",
    "informers.cache.lister": "Lister",
    "informers.clusters": "ClusterInformer ClusterLister",
    "informers.factory": "SharedInformerFactory",
    "informers.metrics": "InformerMetrics",
    "informers.options": "ReflectorOptions",
    "informers.reflector.transform": "drop_managed_fields",
    "informers.shared_informer": "SharedInformer",
    "informers.sharing.filters": "FilteringHandler PredicateHandler",
    "informers.sharing.notifications": "Deleted HandlerFuncs",
    "informers.typed": "TypedInformer",
    "leaderelection.election": "Timing",
    "leaderelection.elector": "Elector",
    "leaderelection.fence": "Fence",
    "leaderelection.lease_lock": "LeaseLock",
    "metrics": "Metrics",
    "objects": "ListPage Object ObjectKey OwnerReference WatchEvent",
    "processes.at_hand": "compute",
    "resources": (
        "CLUSTER_ROLES CLUSTER_ROLE_BINDINGS CONFIG_MAPS CONTROLLER_REVISIONS CUSTOM_RESOURCE_DEFINITIONS "
        "DEPLOYMENTS ENDPOINTS ENDPOINT_SLICES EVENTS EVENTS_V1 JOBS LEASES MUTATING_ADMISSION_POLICIES "
        "MUTATING_ADMISSION_POLICY_BINDINGS MUTATING_WEBHOOK_CONFIGURATIONS NAMESPACES NETWORK_POLICIES NODES "
        "PERSISTENT_VOLUME_CLAIMS PODS POD_DISRUPTION_BUDGETS REPLICA_SETS ROLES ROLE_BINDINGS ResourceType "
        "SECRETS SERVICES SERVICE_ACCOUNTS STATEFUL_SETS VALIDATING_ADMISSION_POLICIES "
        "VALIDATING_ADMISSION_POLICY_BINDINGS VALIDATING_WEBHOOK_CONFIGURATIONS"
    ),
    "rest.client": "ApiClient",
    "rest.collection.logs": "LogLines",
    "rest.collection.resource": "PatchKind Resource",
    "rest.config.client_config": "ClientConfig",
    "rest.http": "HttpTransport",
    "rest.limits": "ReadLimits",
    "rest.loading": "load_config load_contexts",
    "rest.retry": "RetryPolicy",
    "rest.typed.resource": "TypedResource",
    "threads": "Stop",
    "typed.definition": "AGE Column Rule Scale",
    "typed.differences": "Change diff",
    "typed.kinds": "TypedKind",
    "typed.metadata": "Metadata",
    "typed.typed_object": "CustomResource TypedObject",
    "webhooks.admission": "Admission Requester Verdict",
    "webhooks.hooks": "AdmissionHook Converter HookOptions Mutator Validator converts mutates validates",
    "webhooks.options": "WebhookOptions",
    "workqueue.queue": "ShutDown",
    "workqueue.rate_limited": "RateLimitingQueue",
    "workqueue.rate_limiters": (
        "BucketRateLimiter FastSlowRateLimiter ItemExponentialRateLimiter MaxOfRateLimiter RateLimiter"
    ),
}
_HOMES = {name: home for home, names in _NAMES.items() for name in names.split()}

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
    return sorted({*globals(), *_HOMES})
