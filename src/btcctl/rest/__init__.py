"""Speaking to the API server: configuration, transport, resources, the watch stream."""

from btcctl.rest.client import ApiClient
from btcctl.rest.collection.resource import PatchKind, Resource
from btcctl.rest.config.client_config import ClientConfig
from btcctl.rest.config.tls import Tls
from btcctl.rest.credentials import Credentials, StaticCredentials, TokenFile
from btcctl.rest.http import HttpTransport
from btcctl.rest.loading import load_config
from btcctl.rest.retry import RetryPolicy
from btcctl.rest.transport.breaker import Breaker
from btcctl.rest.transport.transport import Request, Response, StreamResponse, Transport
from btcctl.rest.watching.lister_watcher import ResourceListerWatcher
from btcctl.rest.watching.stream import WatchDecoder, WatchStream

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
