"""Whatever the name of a file leads to: nothing is waited for for ever, and what is wrong is said in words."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest

from btcctl import ConfigError, load_config
from btcctl.certificates.identity import Identity
from btcctl.certificates.keepers import FileKeeper
from btcctl.crds.files import objects_in
from btcctl.named_files import check_file, check_plain, read_file, read_once
from btcctl.rest.config import in_cluster
from btcctl.rest.config.tls import Tls, build_context, build_proxy_context
from btcctl.testing.clock import FakeClock
from btcctl.threads import Runner, Stop

POD = {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}
KINDS = ["a pipe", "a directory", "a socket", "a device", "missing", "endless"]
WHY = r"pipe|does not exist|[Ii]s a directory|socket|device|No such file|MiB"


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr("btcctl.named_files.PIPE_SECONDS", 0.05)


def make(kind: str, path: Path) -> str:
    """Such a thing; returns its name."""
    if kind == "a pipe":
        os.mkfifo(path)
    elif kind == "a directory":
        path.mkdir()
    elif kind == "a socket":
        with socket.socket(socket.AF_UNIX) as sock:
            sock.bind(str(path))
    elif kind == "a device":
        path.symlink_to("/dev/zero")
    elif kind == "endless":
        path.touch()
        os.truncate(path, 1 << 30)  # with holes: it takes no room
    return str(path)


def kubeconfig(path: Path, cluster: str = "", user: str = "token: t") -> Path:
    path.write_text(
        f"clusters: [{{name: a, cluster: {{server: 'https://a', {cluster}}}}}]\n"
        f"users: [{{name: a, user: {{{user}}}}}]\n"
        "contexts: [{name: a, context: {cluster: a, user: a}}]\ncurrent-context: a\n"
    )
    return path


def serving(directory: Path) -> FileKeeper:
    clock = FakeClock()
    return FileKeeper(str(directory), Identity("x", clock), clock)


def account(directory: Path, name: str) -> Path:
    """A service account's directory without that."""
    directory.mkdir()
    for each in {"token", "ca.crt"} - {name}:
        (directory / each).write_text("t")
    return directory


READERS: dict[str, Callable[[Path, str], object]] = {
    "kubeconfig": lambda _, name: load_config(name),
    "tokenFile": lambda at, name: load_config(kubeconfig(at / "c", user=f"tokenFile: '{name}'")),
    "certificate-authority": lambda at, name: load_config(kubeconfig(at / "c", f"certificate-authority: '{name}'")),
    "client-certificate": lambda at, name: load_config(
        kubeconfig(at / "c", user=f"client-certificate: '{name}', client-key: /dev/null")
    ),
    "client-key": lambda at, name: load_config(
        kubeconfig(at / "c", user=f"client-certificate: /dev/null, client-key: '{name}'")
    ),
    "CA of TLS": lambda _, name: build_context(Tls(ca_file=Path(name), ca_source="given")),
    "key of TLS": lambda _, name: build_context(
        Tls(insecure=True, client_certificate_file=Path("/dev/null"), client_key_file=Path(name))
    ),
    "definitions": lambda _, name: objects_in(Path(name)),
}


# OpenSSL reads what is a file until it finds a key.
@pytest.mark.parametrize(
    ("place", "kind"), [each for each in product(READERS, KINDS) if each != ("key of TLS", "endless")]
)
def test_what_a_configuration_names_is_a_file_or_refused_at_once(tmp_path, place, kind):
    name = make(kind, tmp_path / "named")
    with pytest.raises(ConfigError, match=WHY):
        READERS[place](tmp_path, name)


@pytest.mark.parametrize("name", ["token", "ca.crt"])
@pytest.mark.parametrize("kind", ["a pipe", "a directory", "a socket", "a device", "missing"])
def test_a_service_account_of_other_things_than_files_is_refused(tmp_path, kind, name):
    directory = account(tmp_path / "account", name)
    make(kind, directory / name)
    with pytest.raises(ConfigError, match=WHY):
        in_cluster.load(POD, directory)


def test_a_namespace_that_is_a_pipe_is_the_default_one(tmp_path):
    directory = account(tmp_path / "account", "")
    make("a pipe", directory / "namespace")
    assert in_cluster.load(POD, directory).namespace == "default"


@pytest.mark.parametrize("kind", KINDS)
def test_a_server_certificate_that_is_no_file_is_refused(tmp_path, kind):
    make(kind, tmp_path / "tls.crt")
    with pytest.raises(ConfigError, match=WHY):
        serving(tmp_path).read()


def test_a_pipe_in_the_environment_does_not_hold_up_openssl(tmp_path, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", make("a pipe", tmp_path / "named"))
    for build in (build_context, build_proxy_context):
        with pytest.raises(ConfigError, match="it is a pipe"):
            build(Tls())


def test_a_kubeconfig_may_come_out_of_a_pipe_in_pieces(tmp_path):
    name = make("a pipe", tmp_path / "named")
    whole = kubeconfig(tmp_path / "c").read_bytes()

    def write(_: Stop) -> None:
        with Path(name).open("wb", buffering=0) as pipe:
            pipe.writelines((whole[:40], whole[40:]))

    with Runner("writer", write):
        assert load_config(name).host == "https://a"


def test_nothing_is_an_empty_file_but_none_to_be_replaced(tmp_path):
    assert read_file("/dev/null") == read_once("/dev/null") == b""
    check_file("/dev/null")
    check_plain(tmp_path / "not there yet")
    with pytest.raises(OSError, match="a device"):
        check_plain("/dev/null")


@pytest.mark.parametrize("name", ["a\0b", "\ud800"])
def test_what_is_no_name_is_said_to_be_none_and_can_be_printed(name):
    with pytest.raises(OSError, match="it is no name of a file"):
        read_file(name)
    with pytest.raises(ConfigError, match=r"kubeconfig '\S+' does not exist"):
        load_config(name)
