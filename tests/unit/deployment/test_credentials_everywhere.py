"""What a Secret may hold is judged alike by the operator, by the node image and by the sandbox."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from btcctl.bitcoin.credential_rules import BLANKS
from btcctl.bitcoin.credentials import CredentialsProblem, read_credentials
from btcctl.errors import ConfigError
from btcctl.objects import Object
from btcctl.sandbox.demonstration.commands import node_command
from btcctl.sandbox.simnode.rpc.credentials import RpcAuth
from tests.unit.bitcoin.builders import network, secret_body

SCRIPT = Path(__file__).parents[3] / "images/bitcoind/start-bitcoind.sh"
Pair = tuple[str, str] | None  #: the credentials that a node is started with; None: it is not

PAIRS = {
    "plain": ("u", "p"),
    "a colon in the password": ("u", "a:b"),
    "a colon in the user": ("a:b", "p"),
    "equals and quotes": ("u=1", "\"p'=\\$(x)"),
    "blanks within": ("a b", "c\u00a0d"),
    "blanks around": (" u ", " p "),
    "a newline at the end": ("u\n", "p\n"),
    "CR LF at the end": ("u\r\n", "p\r\n"),
    "newlines around": ("\nu\n\n", "\n\np"),
    "tab and form feed around": ("\tu\f", "\vp\t"),
    "a newline within": ("u", "p\nrest=0"),
    "a tab within": ("u", "p\tq"),
    "an escape character": ("u", "p\x1bq"),
    "a delete character": ("u\x7f", "p"),
    "a number sign in the user": ("a#b", "p"),
    "a number sign in the password": ("u", "a#b"),
    "an empty user": ("", "p"),
    "an empty password": ("u", ""),
    "nothing but blanks": (" \t\n", "p"),
    "a no-break space at the beginning": ("u", "\u00a0p"),
    "an ideographic space at the end": ("u", "p\u3000"),
    "a line separator": ("u", "p\u2028q"),
    "letters of any alphabet": ("жanna", "pässwörd💥"),
    "dashes first": ("-n", "--version"),
    "brackets and stars": ("[u]", "*p?"),
}


def of_operator(user: str, password: str) -> Pair:
    secret = secret_body("mine", BC_RPC_USER=user, BC_RPC_PASSWORD=password)
    try:
        found = read_credentials(network(secret="mine"), lambda key: Object.from_body(secret)).credentials
    except CredentialsProblem:
        return None
    return found.user, found.password


def of_image(user: str, password: str, folder: Path) -> Pair:
    return started_with({"BC_RPC_USER": user, "BC_RPC_PASSWORD": password}, folder)


def started_with(given: dict[str, str], folder: Path) -> Pair:
    """Read bitcoin.conf as Bitcoin Core does."""
    stub = folder / "bitcoind"
    stub.write_text("#!/bin/sh\nexit 0\n")
    stub.chmod(0o755)
    environ = {"PATH": f"{folder}:{os.defpath}", "BC_DATA_DIR": str(folder)}
    environ |= given
    if subprocess.run(["sh", str(SCRIPT)], env=environ, capture_output=True, timeout=10, check=False).returncode:
        return None
    lines = (folder / "bitcoin.conf").read_text().split("\n")
    found = dict(line.split("=", 1) for line in lines if line.startswith("rpc"))
    return found["rpcuser"].strip(BLANKS), found["rpcpassword"].strip(BLANKS)


def sandbox_admits(user: str, password: str, admitted: Pair, folder: Path) -> bool:
    return sandbox_admits_env({"BC_RPC_USER": user, "BC_RPC_PASSWORD": password}, admitted, folder)


def sandbox_admits_env(given: dict[str, str], admitted: Pair, folder: Path) -> bool:
    """Whether a sandbox's node takes just these credentials, or does not start where there are none."""
    try:
        command = node_command(given, "127.0.0.1", folder, None)
    except ConfigError:
        return admitted is None
    (text,) = command.files.values()
    return admitted is not None and RpcAuth.parse(text.split("rpcauth=")[1].partition("\n")[0]).admits(*admitted)


@pytest.mark.parametrize("name", PAIRS)
def test_credentials_are_judged_alike_by_operator_image_and_sandbox(name: str, tmp_path: Path) -> None:
    pair = PAIRS[name]
    ours = of_operator(*pair)
    assert of_image(*pair, tmp_path) == ours
    assert sandbox_admits(*pair, ours, tmp_path)


@pytest.mark.parametrize(
    ("given", "admitted"),
    [
        ({}, ("user", "password")),
        ({"BC_RPC_USER": "u"}, None),
        ({"BC_RPC_PASSWORD": "p"}, None),
        ({"BC_RPC_USER": "", "BC_RPC_PASSWORD": ""}, None),
        ({"BC_RPC_USER": "u", "BC_RPC_PASSWORD": "p"}, ("u", "p")),
    ],
    ids=["nothing", "a user", "a password", "two that are empty", "both"],
)
def test_what_is_given_by_half_is_a_mistake_for_image_and_sandbox(
    given: dict[str, str], admitted: Pair, tmp_path: Path
) -> None:
    assert started_with(given, tmp_path) == admitted
    assert sandbox_admits_env(given, admitted, tmp_path)
