from __future__ import annotations

from pathlib import Path

import pytest

from btcctl.sandbox.bitcoincli.errors import CliError
from btcctl.sandbox.bitcoincli.settings import load_settings, parse_command_line, split_endpoint

POD = {"BTCCTL_NODE_RPC": "127.9.0.2:18443"}


@pytest.fixture
def pod(tmp_path: Path) -> dict[str, str]:
    """The environment of a pod whose node is configured, and has written its cookie."""
    (tmp_path / "bitcoin.conf").write_text("regtest=1\nrpcauth=x:y$z\n")
    (tmp_path / "regtest").mkdir()
    (tmp_path / "regtest" / ".cookie").write_text("__cookie__:0123")
    return {**POD, "BTCCTL_NODE_DIR": str(tmp_path)}


def test_options_end_at_the_method_and_what_follows_may_begin_with_a_dash():
    assert parse_command_line(["-regtest", "--conf=/x", "addnode", "-regtest"]) == (
        {"regtest": "1", "conf": "/x"},
        ["addnode", "-regtest"],
    )


def test_an_unknown_option_is_named_without_its_value():
    with pytest.raises(CliError, match=r"Invalid parameter -rpcpasswort$"):
        parse_command_line(["-rpcpasswort=hush", "getblockcount"])


@pytest.mark.parametrize("options", [{}, {"conf": "/bitcoin.conf"}, {"regtest": "1"}])
def test_a_pod_s_program_finds_its_node_however_the_seeds_call_it(pod: dict[str, str], options: dict[str, str]):
    settings = load_settings(options, pod)
    assert settings.address() == ("127.9.0.2", 18443)
    assert settings.login() == "__cookie__:0123"


def test_a_password_that_is_given_goes_before_the_cookie(pod: dict[str, str]):
    assert load_settings({"rpcuser": "user", "rpcpassword": "word"}, pod).login() == "user:word"


def test_a_file_other_than_the_image_s_must_exist(pod: dict[str, str]):
    with pytest.raises(CliError, match=r'"/elsewhere.conf" could not be opened'):
        load_settings({"conf": "/elsewhere.conf"}, pod)


def test_the_file_s_section_counts_for_its_chain_alone(tmp_path: Path):
    (tmp_path / "bitcoin.conf").write_text("rpcuser=all\n[signet]\nrpcport=1\n[regtest]\nrpcport=2 # two\nrpcport=3\n")
    assert load_settings({"datadir": str(tmp_path), "regtest": "1"}, {}).address() == ("127.0.0.1", 2)
    assert load_settings({"datadir": str(tmp_path), "testnet4": "1"}, {}).address() == ("127.0.0.1", 48332)


def test_two_chains_are_refused(pod: dict[str, str]):
    with pytest.raises(CliError, match="Invalid combination"):
        load_settings({"signet": "1"}, pod)


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        ("node", ("node", 7)),
        ("node:8", ("node", 8)),
        ("::1", ("::1", 7)),
        ("[::1]", ("::1", 7)),
        ("[::1]:8", ("::1", 8)),
    ],
)
def test_an_endpoint_may_be_of_either_ip_family(text: str, endpoint: tuple[str, int]):
    assert split_endpoint(text, 7) == endpoint


def test_a_port_that_is_none_is_refused(pod: dict[str, str]):
    with pytest.raises(CliError, match="Invalid port provided in -rpcport: 70000"):
        load_settings({"rpcport": "70000"}, pod).address()
