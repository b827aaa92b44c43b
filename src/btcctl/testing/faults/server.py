"""An API server on which everything can go wrong: the embedded one, behind a FaultProxy."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from btcctl import codecs
from btcctl.apiserver.api import Api, ApiRequest
from btcctl.apiserver.http import EmbeddedServer
from btcctl.apiserver.network.pump import BOOKMARK_SECONDS
from btcctl.apiserver.requests.messages import ApiResponse
from btcctl.apiserver.storage.store import Store
from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.resources import CUSTOM_RESOURCE_DEFINITIONS, ResourceType
from btcctl.rest.config.client_config import ClientConfig
from btcctl.rest.credentials import TokenFile
from btcctl.testing.faults.answers import Answering, refusal
from btcctl.testing.faults.connection import Target
from btcctl.testing.faults.proxy import FaultProxy

_HISTORY = 1_000_000
_SECONDS = 10.0


class FaultServer:
    """Starts and ends with its `with` block.

    Writers take the store from `store()`, which no restart interrupts.

    Args:
        *types: Custom kinds it serves from the beginning, whose objects may hold anything.
        token_file: Where clients find their token; None for a server that asks for none.
        bookmark_seconds: From one bookmark to the next.
        clock: Times everything.
    """

    def __init__(
        self,
        *types: ResourceType,
        token_file: Path | None = None,
        bookmark_seconds: float = BOOKMARK_SECONDS,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self.types = types
        self._token_file = token_file
        self._bookmark_seconds = bookmark_seconds
        self._clock = clock
        self._writing = threading.RLock()  # guards the five below
        self._tokens = 0
        self._restarts = 0
        self._api = Api(self._new_store(), clock=clock)
        self._server = self._new_server()
        for each in types:
            self.define(each)
        self._server.start()
        self.proxy = FaultProxy(Target("127.0.0.1", self._server.port), clock=clock)
        self.renew_token()

    @contextmanager
    def store(self) -> Iterator[Store]:
        """The store, for writing to it: there is no restart meanwhile, and no fault that needs calm."""
        with self._writing:
            yield self._api.store

    @contextmanager
    def calm(self) -> Iterator[None]:
        """Nothing else is written meanwhile."""
        with self._writing:
            yield

    def config(self) -> ClientConfig:
        """How to reach it, through the proxy."""
        if self._token_file is None:
            return ClientConfig(self.proxy.url)
        return ClientConfig(self.proxy.url, credentials=TokenFile(self._token_file, clock=self._clock))

    def restart(self, *, at: dict[str, Any] | None = None) -> None:
        """End it, and start another with its data, which remembers no older version.

        Args:
            at: An earlier `snapshot`, which becomes the data: as from a backup.
        """
        with self._writing, self.proxy.refusing():
            self._write_elsewhere()
            data = self._api.store.snapshot() if at is None else at
            self._server.stop()
            store = self._new_store()
            store.restore(data)
            self._api = Api(store, clock=self._clock)
            self._server = self._new_server()
            self._server.start()
            self.proxy.upstream = Target("127.0.0.1", self._server.port)

    def snapshot(self) -> dict[str, Any]:
        """Everything there is, to restart from."""
        with self._writing:
            return self._api.store.snapshot()

    def define(self, type_: ResourceType, *columns: str) -> None:
        """Make or change the definition of a custom kind.

        Args:
            columns: Names of printer columns: something to change.
        """
        free = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        shown = [{"name": name, "type": "string", "jsonPath": ".spec.n"} for name in columns]
        version = {"name": type_.version, "served": True, "storage": True, "schema": {"openAPIV3Schema": free}}
        names = {
            "plural": type_.plural,
            "kind": type_.kind,
            "listKind": f"{type_.kind}List",
            "singular": type_.kind.lower(),
        }
        versions = [{**version, "additionalPrinterColumns": shown}]
        body: dict[str, Any] = {
            "apiVersion": CUSTOM_RESOURCE_DEFINITIONS.api_version,
            "kind": CUSTOM_RESOURCE_DEFINITIONS.kind,
            "metadata": {"name": type_.group_resource},
            "spec": {
                "group": type_.group,
                "scope": "Namespaced" if type_.namespaced else "Cluster",
                "names": names,
                "versions": versions,
            },
        }
        path = CUSTOM_RESOURCE_DEFINITIONS.path("")
        if self._ask("POST", path, body)[0] == 409:
            path = CUSTOM_RESOURCE_DEFINITIONS.path("", type_.group_resource)
            patch = {"spec": {"versions": versions}}
            self._ask("PATCH", path, patch, content_type="application/merge-patch+json")

    def undefine(self, type_: ResourceType) -> None:
        """Delete the definition of a custom kind, and so all objects of it; returns when it is gone."""
        path = CUSTOM_RESOURCE_DEFINITIONS.path("", type_.group_resource)
        self._ask("DELETE", path)
        if not self._wait_until(lambda: self._ask("GET", path)[0] == 404):
            raise TimeoutError(f"{type_} is still defined")

    def expire_token(self) -> Answering:
        """A rule by which the token that is in the file now is believed no longer."""
        old = f"Bearer {self._token()}"
        return Answering(
            refusal(401, "Unauthorized", "Unauthorized"), lambda asked: asked.headers.get("authorization") == old
        )

    def renew_token(self) -> None:
        """Put another token into the file."""
        if self._token_file is not None:
            self._tokens += 1
            self._token_file.write_text(self._token())

    def stop(self) -> None:
        """End proxy and server, and every connection. Idempotent."""
        self.proxy.stop()
        self._server.stop()

    def __enter__(self) -> Self:
        self.proxy.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    def _write_elsewhere(self) -> None:
        """In every cluster something is written all the time, so that no version is the newest for long."""
        self._restarts += 1
        metadata = {"name": f"restart-{self._restarts}", "namespace": "default", "uid": f"restart-{self._restarts}"}
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}
        self._api.store.create(("", "configmaps"), body)

    def _token(self) -> str:
        return f"token-{self._tokens}"

    def _new_store(self) -> Store:
        return Store(self._clock, _HISTORY, float("inf"))

    def _new_server(self) -> EmbeddedServer:
        return EmbeddedServer(self._api, clock=self._clock, bookmark_seconds=self._bookmark_seconds)

    def _ask(
        self, method: str, path: str, body: Any = None, *, content_type: str = "application/json"
    ) -> tuple[int, bytes]:
        encoded = b"" if body is None else codecs.encode(body)
        answer = self._api.handle(ApiRequest(method, path, headers={"content-type": content_type}, body=encoded))
        return (answer.status, answer.body) if isinstance(answer, ApiResponse) else (200, b"")

    def _wait_until(self, is_true: Callable[[], bool]) -> bool:
        deadline = self._clock.now() + _SECONDS
        pause = threading.Event()
        while not is_true():
            if self._clock.now() > deadline:
                return False
            pause.wait(0.005)
        return True
