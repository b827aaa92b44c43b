"""The API servers that one test runs against, one after the other: the embedded one and the real one.

Each has a namespace of the test's own. What a test does to them differs in how, not in what.
"""

from __future__ import annotations

import signal
import uuid
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import Protocol, Self
from urllib.parse import urlsplit

from btcctl.apiserver.api import Api
from btcctl.apiserver.http import EmbeddedServer
from btcctl.apiserver.requests.messages import RequestAttributes
from btcctl.errors import AlreadyExists, NotFound
from btcctl.objects import ObjectKey
from btcctl.resources import (
    CUSTOM_RESOURCE_DEFINITIONS,
    DEPLOYMENTS,
    JOBS,
    LEASES,
    MUTATING_WEBHOOK_CONFIGURATIONS,
    NAMESPACES,
    PODS,
    ROLE_BINDINGS,
    ROLES,
    STATEFUL_SETS,
    VALIDATING_ADMISSION_POLICIES,
    VALIDATING_ADMISSION_POLICY_BINDINGS,
    VALIDATING_WEBHOOK_CONFIGURATIONS,
    ResourceType,
)
from btcctl.rest.client import ApiClient
from btcctl.rest.config.client_config import ClientConfig
from btcctl.rest.credentials import StaticCredentials
from btcctl.rest.loading import load_config
from btcctl.sandbox.cluster.access import Access
from btcctl.testing.control_plane import ControlPlane, ControlPlaneError
from tests.integration.apiserver.test_process import Server as Process
from tests.integration.support import eventually

ADMIN, ALICE = "admin", "alice"

# What stands in no namespace and changes the server for everybody, in the order in which it goes.
FOR_EVERYBODY = (
    MUTATING_WEBHOOK_CONFIGURATIONS,
    VALIDATING_WEBHOOK_CONFIGURATIONS,
    VALIDATING_ADMISSION_POLICY_BINDINGS,
    VALIDATING_ADMISSION_POLICIES,
    CUSTOM_RESOURCE_DEFINITIONS,
)

# What a controller of another test would work on, or wait for, in whatever namespace it is.
WORKED_ON = (DEPLOYMENTS, STATEFUL_SETS, JOBS, PODS, LEASES)


class ApiServer:
    """One of them.

    Attributes:
        namespace: The test's own.
    """

    name: str

    def __init__(self) -> None:
        self.namespace = f"test-{uuid.uuid4().hex[:8]}"
        self._clients = ExitStack()

    def config(self, user: str = ADMIN, *, port: int | None = None) -> ClientConfig:
        """How to reach it.

        Args:
            port: Of a relay to it.
        """
        config = self._config(user)
        if port is None:
            return config
        return replace(config, host=f"{urlsplit(config.host).scheme}://127.0.0.1:{port}")

    def client(self, user: str = ADMIN, *, port: int | None = None) -> ApiClient:
        """A new client, closed after the test."""
        return self._clients.enter_context(ApiClient.from_config(self.config(user, port=port)))

    @property
    def port(self) -> int:
        port = urlsplit(self._config(ADMIN).host).port
        assert port
        return port

    def __enter__(self) -> Self:
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace}}
        self.client().resource(NAMESPACES).create(body)
        return self

    def __exit__(self, *_: object) -> None:
        self._clients.close()

    def _config(self, user: str) -> ClientConfig:
        raise NotImplementedError


class Refusing(Protocol):
    """Can be told what ALICE may read in the namespace: nothing at first."""

    def allow(self, type_: ResourceType) -> None: ...

    def forbid(self) -> None: ...


class Lasting(Protocol):
    """Can end and come back, with all it was told, at the same address."""

    def kill(self) -> None: ...

    def terminate(self) -> None: ...

    def restart(self) -> None: ...

    def compact(self) -> None: ...

    def access(self) -> Access: ...


class EmbeddedApiServer(ApiServer):
    """In this process."""

    name = "embedded"

    def __init__(self) -> None:
        super().__init__()
        self._allowed: ResourceType | None = None
        users = {user: user for user in (ADMIN, ALICE)}
        self._server = EmbeddedServer(Api(authorizer=self._refuse), token="unused", users=users)

    def allow(self, type_: ResourceType) -> None:
        self._allowed = type_

    def forbid(self) -> None:
        self._allowed = None

    def __enter__(self) -> Self:
        self._server.start()
        return super().__enter__()

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        self._server.stop()

    def _refuse(self, asked: RequestAttributes) -> str | None:
        allowed = self._allowed is not None and asked.resource == self._allowed.plural
        return None if asked.user == ADMIN or allowed else "not allowed"

    def _config(self, user: str) -> ClientConfig:
        return ClientConfig(self._server.url, credentials=StaticCredentials.bearer(user))


class RealApiServer(ApiServer):
    """kube-apiserver; shared with other tests, which may have ended it.

    What a test makes for everybody goes with it, also what a program of its leaves behind; and so does what others
    look after wherever it is: workloads, Leases, and objects of kinds that stay.
    """

    name = "real"

    def __init__(self, plane: ControlPlane) -> None:
        super().__init__()
        self.plane = plane
        self._found: dict[ResourceType, set[ObjectKey]] = {}
        self._configs = {user: load_config(plane.kubeconfig(user)) for user in (ADMIN, ALICE)}

    def allow(self, type_: ResourceType, service_account: str = "") -> None:
        """Also to one of the namespace's ServiceAccounts."""
        rules = [{"apiGroups": [type_.group], "resources": [type_.plural], "verbs": ["get", "list", "watch"]}]
        client = self.client()
        role = {"apiVersion": ROLES.api_version, "kind": "Role", "metadata": {"name": ALICE}, "rules": rules}
        reference = {"apiGroup": ROLES.group, "kind": "Role", "name": ALICE}
        subjects = [{"apiGroup": ROLES.group, "kind": "User", "name": ALICE}]
        if service_account:
            subjects.append({"kind": "ServiceAccount", "name": service_account, "namespace": self.namespace})
        binding = {**role, "kind": "RoleBinding", "roleRef": reference, "subjects": subjects}
        del binding["rules"]
        for type_of_it, body in ((ROLES, role), (ROLE_BINDINGS, binding)):
            try:
                client.resource(type_of_it, self.namespace).create(body)
            except AlreadyExists:
                continue

    def forbid(self) -> None:
        self.client().resource(ROLE_BINDINGS).delete(ObjectKey(self.namespace, ALICE))

    def kill(self) -> None:
        self.plane.kill()

    def terminate(self) -> None:
        self.plane.terminate()

    def restart(self) -> None:
        self.plane.restart()

    def compact(self) -> None:
        """Have etcd forget what was."""
        self.plane.compact()

    def access(self) -> Access:
        return Access.by_file(self.plane.kubeconfig())

    def __enter__(self) -> Self:
        with ApiClient.from_config(self._config(ADMIN)) as client:
            eventually(lambda: not leaving(client), 60)
            self._found = {type_: self._keys(client, type_) for type_ in FOR_EVERYBODY}
        return super().__enter__()

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        try:
            self.plane.wait_until_ready()
        except ControlPlaneError:
            self.plane.restart()
        with ApiClient.from_config(self._config(ADMIN)) as client:
            for type_, found in self._found.items():
                for key in self._keys(client, type_) - found:
                    with suppress(NotFound):
                        client.resource(type_).delete(key)
            # Before the next test has the name of one again, and for those that do not come by here.
            eventually(lambda: not leaving(client), 60)
            for type_ in (*WORKED_ON, *defined(client)):
                with suppress(NotFound):  # a kind that somebody else takes away just now
                    client.resource(type_, self.namespace).delete_collection(grace_period_seconds=0)

    @staticmethod
    def _keys(client: ApiClient, type_: ResourceType) -> set[ObjectKey]:
        return {each.key for each in client.resource(type_).list()[0]}

    def _config(self, user: str) -> ClientConfig:
        return self._configs[user]


def leaving(client: ApiClient) -> bool:
    """Whether a definition that is deleted still has its name: a new one could not have it yet, and what is said to
    the old one goes with it."""
    definitions, _ = client.resource(CUSTOM_RESOURCE_DEFINITIONS).list()
    return any(each.deletion_timestamp for each in definitions)


def defined(client: ApiClient) -> list[ResourceType]:
    """The kinds in namespaces that definitions make, each in its stored version."""
    specs = [each.body()["spec"] for each in client.resource(CUSTOM_RESOURCE_DEFINITIONS).list()[0]]
    return [
        ResourceType.defined_by(spec, version["name"])
        for spec in specs
        for version in spec["versions"]
        if version["storage"] and spec["scope"] == "Namespaced"
    ]


class EmbeddedProcess(ApiServer):
    """`python -m btcctl.apiserver`, which writes down what it is told."""

    name = "embedded"

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self._data = str(directory / "data")
        self._port = 0
        self._process: Process | None = None

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def terminate(self) -> None:
        self._end(signal.SIGTERM)

    def restart(self) -> None:
        self._process = Process("--data", self._data, "--port", str(self._port))
        self._port = self._process.port

    def compact(self) -> None:
        """It forgets what was whenever it ends."""

    def access(self) -> Access:
        return Access.with_token(self._config(ADMIN).host, "")

    def __enter__(self) -> Self:
        self.restart()
        return super().__enter__()

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        if self._process is not None:
            self._process.process.kill()
            self._process.process.communicate()

    def _end(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.end(number)
        assert self._process.process.stdout is not None
        self._process.process.stdout.close()
        self._process = None

    def _config(self, user: str) -> ClientConfig:
        return ClientConfig(f"http://127.0.0.1:{self._port}")
