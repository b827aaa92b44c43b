"""The embedded API server as a process of its own: `python -m btcctl.apiserver`.

Exit status: 0 stopped as asked, 1 failed, 2 bad usage, 130 interrupted before it began.
"""

from __future__ import annotations

import argparse
import ipaddress
import signal
import ssl
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from btcctl import logging
from btcctl.apiserver.api import Api
from btcctl.apiserver.http import EmbeddedServer
from btcctl.apiserver.network.kubeconfig import kubeconfig, write_kubeconfig
from btcctl.apiserver.requests.messages import ADMIN, User
from btcctl.apiserver.storage.persistence import DataFile
from btcctl.apiserver.storage.store import Store
from btcctl.errors import BtcctlError, ConfigError
from btcctl.named_files import check_file, read_file, read_once

DESCRIPTION = """\
An embedded Kubernetes API server, for tests and for trying things out; never for production.

It speaks enough of the Kubernetes API for controllers and for the real kubectl, but runs nothing:
pods stay pending unless somebody acts as their kubelet (btcctl sandbox does).
"""

EPILOG = """\
example:
  python -m btcctl.apiserver --data /tmp/cluster.data --port 8001 --kubeconfig-out /tmp/kubeconfig &
  kubectl --kubeconfig /tmp/kubeconfig get namespaces

Ctrl-C or SIGTERM ends watches cleanly and exits; kill -9 loses nothing that was acknowledged.
"""

_SIGNALS = frozenset({signal.SIGINT, signal.SIGTERM})


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; a second one kills."""
    args = build_parser().parse_args(argv)
    logging.configure(args.log_level)
    # Threads inherit the mask, so the signal waits for sigwait, wherever it was delivered.
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        _serve(args)
    except ConfigError as error:
        return _fail(error, 2)
    except (BtcctlError, OSError) as error:
        return _fail(error, 1)
    return 0


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m btcctl.apiserver",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=_port, default=0, help="port to listen on (default: 0, any free one)")
    parser.add_argument("--data", type=Path, metavar="FILE", help="keep everything in FILE (default: in memory only)")
    parser.add_argument(
        "--kubeconfig-out", type=Path, metavar="FILE", help="write a kubeconfig that leads here, before serving starts"
    )
    parser.add_argument(
        "--token-file",
        type=Path,
        metavar="FILE",
        help="lines of TOKEN or TOKEN,USER[,GROUP...]: only these bearer tokens, and those of ServiceAccounts, are let "
        f"in; a token alone is {ADMIN.name}'s",
    )
    parser.add_argument(
        "--authorization",
        choices=("none", "rbac"),
        default="none",
        help="rbac: users may do what roles and bindings in the server allow (default: %(default)s, everything)",
    )
    parser.add_argument("--tls-cert", type=Path, metavar="FILE", help="serve https with this PEM certificate")
    parser.add_argument("--tls-key", type=Path, metavar="FILE", help="the certificate's PEM key")
    parser.add_argument("--log-level", choices=logging.LEVELS, default="info", help="default: %(default)s")
    return parser


def _serve(args: argparse.Namespace) -> None:
    tokens = {} if args.token_file is None else read_tokens(args.token_file)
    if not tokens and not _is_loopback(args.host):
        raise ConfigError(f"--host {args.host} is not a loopback address: give a --token-file as well")
    tls = _tls(args.tls_cert, args.tls_key)
    if tokens and tls is None:
        sys.stderr.write("btcctl.apiserver: note: kubectl sends tokens over https only; see --tls-cert\n")
    store = Store()
    data = None if args.data is None else DataFile(args.data)
    try:
        if data is not None:
            data.attach(store)
        token = next(iter(tokens), "")
        authorizer: Literal["rbac"] | None = "rbac" if args.authorization == "rbac" else None
        server = EmbeddedServer(
            Api(store, authorizer=authorizer), args.host, args.port, tls=tls, token=token, users=tokens
        )
        with server:
            if args.kubeconfig_out is not None:
                authority = read_file(args.tls_cert) if tls else b""
                write_kubeconfig(args.kubeconfig_out, kubeconfig(server.url, token=token, authority=authority))
            sys.stdout.write(f"serving at {server.url}\n")
            sys.stdout.flush()
            signal.sigwait(_SIGNALS)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    finally:
        if data is not None:
            data.close()


def read_tokens(path: Path) -> dict[str, User]:
    """The users that a file's tokens stand for, in the file's order.

    Raises:
        ConfigError: It cannot be read, or has no token.
    """
    try:
        lines = read_once(path).decode().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"--token-file {path}: {getattr(error, 'strerror', None) or error}") from error
    parts = [[each.strip() for each in line.split(",")] for line in lines if line.strip()]
    tokens = {token: _user(*rest) for token, *rest in parts}
    if not tokens or "" in tokens:
        why = "each line must be TOKEN or TOKEN,USER[,GROUP...], and there must be one"
        raise ConfigError(f"--token-file {path}: {why}")
    return tokens


def _user(name: str = "", *groups: str) -> User:
    own = [each for each in groups if each]
    return User(name, (*own, "system:authenticated")) if name else ADMIN


def _tls(certificate: Path | None, key: Path | None) -> ssl.SSLContext | None:
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise ConfigError("--tls-cert and --tls-key go together")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        check_file(certificate)
        check_file(key)
        context.load_cert_chain(certificate, key)
    except OSError as error:  # ssl.SSLError is one
        raise ConfigError(f"--tls-cert {certificate}, --tls-key {key}: {error.strerror or error}") from error
    return context


def _port(text: str) -> int:
    if text.isdecimal() and int(text) < 1 << 16:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no port: 0 to 65535")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _fail(error: Exception, status: int) -> int:
    sys.stderr.write(f"btcctl.apiserver: {error}\n")
    return status
