"""Whatever fails, and whoever renders the traceback with the values of variables: no secret is in it."""

from __future__ import annotations

import contextlib
import io
import pydoc
import socket
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest
import structlog
from rich.console import Console
from rich.traceback import Traceback

import btcctl
from btcctl import (
    ApiClient,
    Controller,
    EventRecorder,
    HttpTransport,
    ObjectKey,
    ObjectReference,
    PatchKind,
    Resource,
    Result,
    WatchEvent,
    create_or_update,
    set_controller,
    set_fields,
    write_status,
)
from btcctl.apiserver.api import Api
from btcctl.apiserver.http import EmbeddedServer
from btcctl.errors import BtcctlError, Unauthorized
from btcctl.objects import Object
from btcctl.resources import CONFIG_MAPS, SECRETS
from btcctl.rest.config.client_config import ClientConfig
from btcctl.rest.credentials import StaticCredentials
from btcctl.rest.loading import load_config
from btcctl.rest.transport.transport import Request, Response
from btcctl.testing import FakeClient
from btcctl.threads import Runner, Stop
from tests.integration import support

TOKEN, SECRET = "sesame-sesame-open", "rosebud-rosebud"
A = ObjectKey("default", "a")


def rendered(error: BaseException) -> str:
    """As rich, and structlog's default, show it."""
    out = io.StringIO()
    options: dict[str, Any] = {"show_locals": True, "locals_max_string": 10_000, "locals_max_length": 100}
    Console(file=out, width=300).print(Traceback.from_exception(type(error), error, error.__traceback__, **options))
    logger = structlog.wrap_logger(structlog.WriteLogger(out), processors=[structlog.dev.ConsoleRenderer(colors=False)])
    logger.error("failed", exc_info=error)
    transformed = structlog.tracebacks.ExceptionDictTransformer(show_locals=True, locals_max_string=10_000)
    out.write(str(transformed((type(error), error, error.__traceback__))))
    out.write(repr(error) + repr(error.args) + repr(error.__cause__) + repr(error.__context__))
    return out.getvalue()


def failure_of(call: Callable[[], object]) -> BaseException:
    try:
        call()
    except BaseException as error:
        return error
    raise AssertionError("it did not fail")


def secret(name: str = "a") -> dict[str, Any]:
    return {"metadata": {"name": name}, "stringData": {"key": SECRET}}


HELD = Object.from_body({"metadata": {"name": "a", "namespace": "default"}})


def put_secret(body: dict[str, Any]) -> None:
    body["stringData"] = {"key": SECRET}


@pytest.fixture
def closed_port() -> Iterator[int]:
    with support.closed_port() as port:
        yield port


@pytest.fixture
def server() -> Iterator[EmbeddedServer]:
    with EmbeddedServer(Api(), token="the right one") as server:
        yield server


def client_of(url: str) -> ApiClient:
    return ApiClient.from_config(ClientConfig(url, credentials=StaticCredentials.bearer(TOKEN)), field_manager="me")


def calls(client: ApiClient) -> list[Callable[[], object]]:
    secrets = client.resource(SECRETS, "default")
    return [
        lambda: secrets.create(secret()),
        lambda: secrets.update(secret()),
        lambda: secrets.update_status(secret()),
        lambda: secrets.patch(A, secret()),
        lambda: secrets.patch_from(Object.from_body({"metadata": {"name": "a"}}), secret()),
        lambda: secrets.apply(secret()),
        lambda: secrets.subresource_post(A, "x", secret()),
        lambda: secrets.get(A),
        secrets.list,
        lambda: secrets.watch(resource_version=""),
        lambda: client.post_json("/apis/x", secret()),
        lambda: create_or_update(secrets, A, put_secret, cached=None),
        lambda: create_or_update(secrets, A, put_secret, cached=HELD),
        lambda: write_status(secrets, HELD, {"key": SECRET}),
    ]


@pytest.mark.parametrize("number", range(14))
def test_a_call_without_the_right_credentials(server, number):
    with client_of(server.url) as client:
        error = failure_of(calls(client)[number])
    assert isinstance(error, Unauthorized)
    check(error)


@pytest.mark.parametrize("number", range(14))
def test_a_call_that_reaches_nobody(closed_port, number):
    with client_of(f"http://127.0.0.1:{closed_port}") as client:
        error = failure_of(calls(client)[number])
    assert isinstance(error, BtcctlError)
    check(error)


WRONG: dict[str, Callable[[dict[str, Any]], object]] = {
    "no number of JSON": lambda body: body.update(spec={"ratio": float("nan")}),
    "a list that is none": lambda body: body.update(spec={"hosts": ("a",)}),
    "a key that is no text": lambda body: body.update({5: "five"}),
    "half a character": lambda body: body.update(spec="\ud800"),
    "itself": lambda body: body.update(spec=body),
    "no name": lambda body: body.pop("metadata"),
    "metadata that are none": lambda body: body.update(metadata="a"),
    "a name that is none": lambda body: body["metadata"].update(name=5),
    "a name with a slash": lambda body: body["metadata"].update(name="a/b"),
    "another namespace": lambda body: body["metadata"].update(namespace="other"),
    "another kind": lambda body: body.update(kind="Pod", apiVersion="v1"),
    "no version": lambda body: body["metadata"].update(resourceVersion=5),
}


def wrong(what: str) -> dict[str, Any]:
    body = secret()
    WRONG[what](body)
    return body


def put_wrong(what: str) -> Callable[[dict[str, Any]], None]:
    def mutate(body: dict[str, Any]) -> None:
        put_secret(body)
        WRONG[what](body)

    return mutate


WRITES: dict[str, Callable[[Resource, str], object]] = {
    "create": lambda secrets, what: secrets.create(wrong(what)),
    "update": lambda secrets, what: secrets.update(wrong(what)),
    "update_status": lambda secrets, what: secrets.update_status(wrong(what)),
    "update of a scale": lambda secrets, what: secrets.update(wrong(what), subresource="scale"),
    "patch": lambda secrets, what: secrets.patch(A, wrong(what)),
    "a JSON patch": lambda secrets, what: secrets.patch(A, [wrong(what)], kind=PatchKind.JSON),
    "patch_from": lambda secrets, what: secrets.patch_from(HELD, wrong(what)),
    "patch_from a wrong one": lambda secrets, what: secrets.patch_from(wrong(what), secret()),
    "apply": lambda secrets, what: secrets.apply(wrong(what)),
    "subresource_post": lambda secrets, what: secrets.subresource_post(A, "x", wrong(what)),
    "an Object": lambda secrets, what: Object.from_body(wrong(what)),
    "create_or_update, new": lambda secrets, what: create_or_update(secrets, A, put_wrong(what), cached=None),
    "create_or_update": lambda secrets, what: create_or_update(secrets, A, put_wrong(what), cached=HELD),
    "write_status": lambda secrets, what: write_status(secrets, HELD, wrong(what)),
    "set_fields": lambda secrets, what: set_fields(secret(), wrong(what)),
    "set_controller": lambda secrets, what: set_controller(wrong(what), SECRETS, HELD),
    "a FakeClient": lambda secrets, what: FakeClient(wrong(what)),
}


@pytest.mark.parametrize("what", WRONG)
@pytest.mark.parametrize("call", WRITES)
def test_a_body_that_is_refused_before_it_is_sent(closed_port, call, what):
    with client_of(f"http://127.0.0.1:{closed_port}") as client:
        error = failure_of(lambda: (WRITES[call](client.resource(SECRETS, "default"), what), Unrefused.fail()))
    shown = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())  # rich takes long
    assert SECRET not in shown + repr(error.args)
    assert TOKEN not in shown


class Unrefused(Exception):
    """Nothing was wrong with it."""

    @classmethod
    def fail(cls) -> None:
        raise cls


def test_an_answer_that_is_no_object():
    client = FakeClient()
    client.reactors.append(lambda _action: {"data": {"key": SECRET}})
    check(failure_of(lambda: client.resource(SECRETS, "default").get(A)))


@pytest.mark.parametrize("raw", [b'{"metadata": {"name": 1}, "x": "%s"}', b'{"metadata": "%s', b'{"x": "%s\xff"}'])
def test_bytes_that_are_no_object(raw):
    check(failure_of(lambda: Object.from_raw(raw.replace(b"%s", SECRET.encode()))))


OBJECT = b'{"kind":"Secret","metadata":{"name":"a","namespace":"default","resourceVersion":"1"},"data":{"key":"%b"}}'
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"


class Spoilt(msgspec.Struct):
    data: dict[str, int]


def spoilt(body: bytes) -> bytes:
    return HEAD + b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


def watched(secrets: Resource) -> list[WatchEvent]:
    with secrets.watch(resource_version="1") as events:
        return [*events]


@contextmanager
def answering(answer: bytes) -> Iterator[ApiClient]:
    """A server that says the same to whoever comes, as one behind a broken proxy does."""

    def serve(_stop: Stop) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listener, Runner("answering", serve) as runner:
        with client_of(f"http://127.0.0.1:{listener.getsockname()[1]}") as client:
            yield client
        runner.request_stop()
        listener.shutdown(socket.SHUT_RDWR)


HELD_SECRET = OBJECT % SECRET.encode()
A_LIST = b'{"metadata":{"resourceVersion":"1"},"items":[%b]}'
ANSWERS: dict[str, tuple[bytes, Callable[[Resource], object]]] = {
    "one that was cut": (spoilt(HELD_SECRET[:-2]), lambda secrets: secrets.get(A)),
    "one that is no JSON": (spoilt(HELD_SECRET.replace(b'"key"', b"key")), lambda secrets: secrets.get(A)),
    "one of which the beginning is gone": (spoilt(HELD_SECRET[9:]), lambda secrets: secrets.get(A)),
    "a list that was cut": (spoilt(A_LIST[:-2] % HELD_SECRET), lambda secrets: secrets.list()),
    "what a write made, cut": (spoilt(HELD_SECRET[:-2]), lambda secrets: secrets.create({"metadata": {"name": "a"}})),
    "one that does not fit its class": (spoilt(HELD_SECRET), lambda secrets: secrets.get(A).decode(Spoilt)),
    "an event that was cut": (
        HEAD + b'\r\n{"type":"ADDED","object":%b\n' % HELD_SECRET[:-2],
        watched,
    ),
}


@pytest.mark.parametrize("what", ANSWERS)
def test_a_secret_that_comes_spoilt(what):
    answer, read = ANSWERS[what]
    with answering(answer) as client:
        error = failure_of(lambda: read(client.resource(SECRETS, "default")))
    assert isinstance(error, BtcctlError)
    check(error)


def test_a_proxy_whose_url_is_none():
    check(failure_of(lambda: HttpTransport(ClientConfig("http://a:1", proxy_url=f"ftp://u:{SECRET}@b:1"))))


def test_a_reconcile_that_fails_with_a_secret_at_hand():
    held = Object.from_body(secret())

    def fail(obj: Object) -> None:
        raise ZeroDivisionError(obj)

    check(failure_of(lambda: fail(held)))


def test_what_has_no_configuration_prints_neither(closed_port, capfd):
    broken = client_of(f"http://127.0.0.1:{closed_port}")
    began = threading.Event()

    def reconcile(key: ObjectKey) -> Result:
        began.set()
        held = Object.from_body(secret())
        broken.resource(SECRETS, "default").create(held.body())
        return Result()

    controller = Controller("c", reconcile)
    recorder = EventRecorder(broken, "me")
    controller.start()
    controller.queue.add(A)
    recorder.event(ObjectReference.of(CONFIG_MAPS, Object.from_body(secret())), "Normal", "Made", "made it")
    assert began.wait(60.0)
    recorder.stop()
    controller.stop(5.0)
    broken.close()
    printed = "".join(capfd.readouterr())
    assert TOKEN not in printed
    assert SECRET not in printed


@pytest.mark.parametrize(
    "content", ["{users: [{name: a, user: {token: %s, oops}}]}", "users: [{user: {token: '%s'}}]\n- x"]
)
def test_a_kubeconfig_that_cannot_be_read(tmp_path, content):
    (tmp_path / "config").write_text(content.replace("%s", SECRET))
    check(failure_of(lambda: load_config(tmp_path / "config")))


def test_an_exec_plugin_that_fails(tmp_path):
    plugin = tmp_path / "plugin"
    plugin.write_text(f'#!/bin/sh\necho \'{{"status": {{"token": "{SECRET}"\'\nexit 0\n')
    plugin.chmod(0o755)
    command = f"{{apiVersion: client.authentication.k8s.io/v1, command: {plugin}, env: [{{name: X, value: {TOKEN}}}]}}"
    (tmp_path / "config").write_text(
        "clusters: [{name: c, cluster: {server: 'http://127.0.0.1:1'}}]\n"
        f"users: [{{name: u, user: {{exec: {command}}}}}]\n"
        "contexts: [{name: x, context: {cluster: c, user: u}}]\ncurrent-context: x\n"
    )

    def call() -> None:
        with ApiClient.from_config(load_config(tmp_path / "config")) as client:
            client.server_version()

    check(failure_of(call))


def test_repr_of_what_carries_secrets():
    config = ClientConfig("http://h", credentials=StaticCredentials.bearer(TOKEN))
    request = Request("POST", "/x", {}, {"Authorization": TOKEN}, SECRET.encode())
    response = Response(200, {"Set-Cookie": TOKEN}, SECRET.encode())
    held = Object.from_body(secret())
    with ApiClient.from_config(config) as client:
        for each in (config, config.credentials, request, response, held, client, client.resource(SECRETS)):
            out = io.StringIO()
            Console(file=out, width=300).print([each])
            text = out.getvalue() + repr(each) + str(each)
            assert TOKEN not in text
            assert SECRET not in text


def test_help_of_every_public_name(monkeypatch):
    monkeypatch.setenv("PLANTED", SECRET)
    for name in btcctl.__all__:
        assert SECRET not in pydoc.render_doc(getattr(btcctl, name))


def check(error: BaseException) -> None:
    text = rendered(error)
    assert type(error).__name__ in text
    assert TOKEN not in text
    # In the frames of this file, which are the author's own, there are calls only.
    assert SECRET not in text
