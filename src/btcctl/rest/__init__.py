"""Speaking to the API server: configuration, transport, resources, the watch stream."""

from btcctl.rest.breaker import Breaker
from btcctl.rest.client import ApiClient
from btcctl.rest.config import ClientConfig
from btcctl.rest.credentials import Credentials, StaticCredentials, TokenFile
from btcctl.rest.http import HttpTransport
from btcctl.rest.lister_watcher import ResourceListerWatcher
from btcctl.rest.loading import load_config
from btcctl.rest.resource import PatchKind, Resource
from btcctl.rest.retry import RetryPolicy
from btcctl.rest.stream import WatchDecoder, WatchStream
from btcctl.rest.tls import Tls
from btcctl.rest.transport import Request, Response, StreamResponse, Transport

__all__ = [
    "ApiClient",
    "Breaker",
    "ClientConfig",
    "Credentials",
    "HttpTransport",
    "PatchKind",
    "Request",
    "Resource",
    "ResourceListerWatcher",
    "Response",
    "RetryPolicy",
    "StaticCredentials",
    "StreamResponse",
    "Tls",
    "TokenFile",
    "Transport",
    "WatchDecoder",
    "WatchStream",
    "load_config",
]
