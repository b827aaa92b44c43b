"""Calls of webhooks: a POST of JSON over HTTPS, and what a real server says if it fails.

Source of the words: Go's net/http and crypto/tls, and k8s.io/client-go/rest.
"""

from __future__ import annotations

import json
import math
import ssl
import threading
from base64 import b64decode
from collections.abc import Callable, Mapping
from errno import ECONNREFUSED, ECONNRESET, EHOSTUNREACH, ENETUNREACH
from typing import Any
from urllib.parse import urlsplit

import urllib3
from cachetools import LRUCache

from btcctl import codecs
from btcctl.apiserver.gotypes import TYPE_META, json_name, yaml_text
from btcctl.apiserver.machinery.gofmt import json_text
from btcctl.clock import SYSTEM_CLOCK
from btcctl.errors import BtcctlError

#: Where a Service's port is: host and port. Raises `ServiceError`.
Resolve = Callable[[str, str, int], tuple[str, int]]

#: Answers in this process: takes path, body and seconds, and returns status, content type and body.
Local = Callable[[str, bytes, float], tuple[int, str, bytes]]

_HTTPS = 443
_SCHEME = "pkg/runtime/scheme.go:111"
_MOST_CLIENTS = 30  # defaultCacheSize
_MOST_BYTES = 8 << 20  # of an answer: patches of an object that etcd takes are smaller
_MOST_TEXT_BYTES = 2048  # maxUnstructuredResponseTextBytes
_HEADERS = {
    "Accept": "application/json, */*",
    "Content-Type": "application/json",
    "User-Agent": "kube-apiserver-admission",
}
_UNTRUSTED = "x509: certificate signed by unknown authority"
_EXPIRED, _NOT_YET, _WRONG_HOST, _WRONG_ADDRESS = 10, 9, 62, 64  # X509_V_ERR_…
_STATUS_WORDS = {
    400: "the server rejected our request for an unknown reason",
    401: "the server has asked for the client to provide credentials",
    404: "the server could not find the requested resource",
    405: "the server does not allow this method on the requested resource",
    409: "the server reported a conflict",
    422: "the server rejected our request due to an error in our request",
    429: "the server has received too many requests and has asked us to try again later",
    503: "the server is currently unable to handle the request",
    504: "the server was unable to return a response in the time allotted, but may still be processing the request",
}


class CallError(BtcctlError):
    """A webhook could not be called, or answered nothing of use; in a real server's words."""


class ServiceError(BtcctlError):
    """A Service leads nowhere."""


class HookClient:
    """Calls webhooks. Thread-safe; connections are kept.

    Args:
        resolve: Finds Services.

    Attributes:
        local: Who answers without a network, by the address that he would have: `https://NAME.NAMESPACE.svc:PORT`, or
            scheme and host of a URL; change it in place.
    """

    def __init__(self, resolve: Resolve) -> None:
        self.local: dict[str, Local] = {}
        self._resolve = resolve
        self._lock = threading.Lock()  # guards the pools
        self._pools: LRUCache[tuple[str, int, str, str], urllib3.HTTPSConnectionPool] = LRUCache(_MOST_CLIENTS)

    def post(self, client: Mapping[str, Any], body: Mapping[str, Any], seconds: float) -> Any:
        """What a webhook answers, as JSON.

        Args:
            client: The clientConfig.
            seconds: For all of it.

        Raises:
            CallError: It cannot be reached, is not trusted, takes too long, or does not answer with JSON.
        """
        service = client.get("service")
        if service:
            name = f"{service['name']}.{service['namespace']}.svc"
            base, path = f"https://{name}:{service.get('port') or _HTTPS}", service.get("path") or "/"
        else:
            parts = urlsplit(client["url"])
            name, base, path = parts.hostname or "", f"https://{parts.netloc}", parts.path or "/"
        target = f"{path if path.startswith('/') else f'/{path}'}?timeout={math.ceil(seconds)}s"
        prefix = f'Post "{base}{target}": '
        local = self.local.get(base)
        try:
            host, port = self._address(client) if local is None else ("", 0)
            if local is not None:
                status, content_type, data = local(path, codecs.encode(body), seconds)
            else:
                pool = self._pool(host, port, name, client.get("caBundle") or "")
                status, content_type, data = _exchange(pool, target, body, seconds)
        except ServiceError as error:
            raise CallError(f"{prefix}{error}") from error
        except (OSError, urllib3.exceptions.HTTPError, ValueError) as error:
            raise CallError(f"{prefix}{_why(error, host, port)}") from error
        if not 200 <= status <= 206:
            raise CallError(_refused(status, content_type, data))
        return _decoded(status, content_type, data)

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            for pool in self._pools.values():
                pool.close()
            self._pools.clear()

    def _address(self, client: Mapping[str, Any]) -> tuple[str, int]:
        service = client.get("service")
        if service:
            return self._resolve(service["namespace"], service["name"], service.get("port") or _HTTPS)
        parts = urlsplit(client["url"])
        return parts.hostname or "", parts.port or _HTTPS

    def _pool(self, host: str, port: int, name: str, bundle: str) -> urllib3.HTTPSConnectionPool:
        """
        Args:
            name: Whose certificate it must be.
        """
        key = (host, port, name, bundle)
        with self._lock:
            found = self._pools.get(key)
            if found is None:
                context = _trusting(bundle)
                found = self._pools[key] = urllib3.HTTPSConnectionPool(
                    host, port, ssl_context=context, server_hostname=name, maxsize=4
                )
        return found


def _trusting(bundle: str) -> ssl.SSLContext:
    """A context that trusts these authorities, or those of the machine if there are none."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # as Go: what is in the bundle is trusted, authority or not
    if bundle:
        context.load_verify_locations(cadata=b64decode(bundle).decode("ascii", "replace"))
    else:
        context.load_default_certs()
    return context


def _exchange(
    pool: urllib3.HTTPSConnectionPool, target: str, body: Mapping[str, Any], seconds: float
) -> tuple[int, str, bytes]:
    ends_at = SYSTEM_CLOCK.now() + seconds
    response = pool.urlopen(
        "POST",
        target,
        body=codecs.encode(body),
        headers=_HEADERS,
        retries=False,
        redirect=False,
        preload_content=False,
        timeout=urllib3.Timeout(total=seconds),
    )
    chunks, size = [], 0
    for chunk in response.stream(1 << 16):
        chunks.append(chunk)
        size += len(chunk)
        if size > _MOST_BYTES or SYSTEM_CLOCK.now() > ends_at:
            response.close()
            raise (
                TimeoutError("the answer is too long") if size <= _MOST_BYTES else ValueError("the answer is too long")
            )
    response.release_conn()
    return response.status, response.headers.get("Content-Type", ""), b"".join(chunks)


def _why(error: Exception, host: str, port: int) -> str:
    """What Go would say."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, OSError):
        cause = cause.__cause__ or cause.__context__
    where = f"{f'[{host}]' if ':' in host else host}:{port}"
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"tls: failed to verify certificate: {_distrust(cause, host)}"
    if isinstance(cause, ssl.SSLError) and "WRONG_VERSION" in str(cause):
        return "http: server gave HTTP response to HTTPS client"
    known = {
        ECONNREFUSED: "connection refused",
        ENETUNREACH: "network is unreachable",
        EHOSTUNREACH: "no route to host",
    }
    if isinstance(cause, OSError) and cause.errno in known:
        return f"dial tcp {where}: connect: {known[cause.errno]}"
    if isinstance(error, TimeoutError | urllib3.exceptions.TimeoutError):
        return "context deadline exceeded"
    if isinstance(cause, OSError) and cause.errno == ECONNRESET:
        return "read: connection reset by peer"
    return "EOF" if isinstance(error, urllib3.exceptions.ProtocolError) else str(error)


def _distrust(error: ssl.SSLCertVerificationError, host: str) -> str:
    if error.verify_code in {_EXPIRED, _NOT_YET}:
        return "x509: certificate has expired or is not yet valid"
    if error.verify_code in {_WRONG_HOST, _WRONG_ADDRESS}:
        return f"x509: certificate is not valid for {host}"
    return _UNTRUSTED


def _refused(status: int, content_type: str, data: bytes) -> str:
    """What a client says of an answer with an error status: the Status in it, or what the code means."""
    try:
        sent = json.loads(data)
    except ValueError:
        sent = None
    if isinstance(sent, dict) and sent.get("kind") == "Status" and sent.get("status") != "Success":
        return str(sent.get("message") or "unknown")
    is_text = not content_type or content_type.startswith("text/")
    said = data[:_MOST_TEXT_BYTES].decode(errors="replace").strip() if is_text else "unknown"
    if status in {403, 406, 415}:
        return said
    if status in _STATUS_WORDS:
        return _STATUS_WORDS[status]
    if status >= 500:
        return f"an error on the server ({json_text(said)}) has prevented the request from succeeding"
    return f"the server responded with the status code {status} but did not return more information"


def _decoded(status: int, content_type: str, data: bytes) -> Any:
    media_type = content_type.partition(";")[0].strip()
    if media_type and media_type != "application/json":
        raise CallError(f"serializer for {content_type} doesn't exist")
    if not data:
        raise CallError(f"0-length response with status code: {status} and content type: {content_type}")
    try:
        found = codecs.decode(data)
    except (ValueError, RecursionError):
        found = _as_yaml(data)
    if not isinstance(found, dict):
        why = f"json: cannot unmarshal {json_name(found)} into {TYPE_META}"
        raise CallError(f"couldn't get version/kind; json parse error: {why}")
    return found


def _as_yaml(data: bytes) -> Any:
    """A real server takes that, too."""
    try:
        return yaml_text.load(data)
    except yaml_text.YamlError as error:
        raise CallError(f"couldn't get version/kind; json parse error: {error}") from error


def check_kind(answer: Mapping[str, Any], group: str, kind: str, versions: tuple[str, ...]) -> None:
    """That an answer is what it should be; one that does not say may be.

    Raises:
        CallError: It is something else.
    """
    api_version, found = str(answer.get("apiVersion") or f"{group}/{versions[0]}"), str(answer.get("kind") or kind)
    if (api_version, found) == ("v1", "Status"):
        raise CallError(f"converting (v1.Status) to ({versions[0]}.{kind}): unknown conversion")
    if found != kind or api_version not in {f"{group}/{each}" for each in versions}:
        raise CallError(f'no kind "{found}" is registered for version "{api_version}" in scheme "{_SCHEME}"')
