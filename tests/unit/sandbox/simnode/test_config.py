from __future__ import annotations

from pathlib import Path

import pytest

from btcctl.errors import ConfigError
from btcctl.sandbox.simnode.config import NodeConfig, load_node_config
from btcctl.sandbox.simnode.p2p.addresses import Endpoint


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path


def load(data_dir: Path, *flags: str, conf: str | None = None, **environ: str) -> NodeConfig:
    if conf is not None:
        (data_dir / "bitcoin.conf").write_text(conf, encoding="utf-8")
    return load_node_config([f"-datadir={data_dir}", *flags], environ)


def test_the_flags_of_a_pod_are_understood(data_dir: Path) -> None:
    flags = ["-regtest", "-bind=127.0.7.2:18444", "-rpcbind=127.0.7.2", "-rpcport=18443", "-rpcallowip=127.0.0.0/8"]
    config = load(data_dir, *flags, "-rest=1", "-listenonion=0", "--rpcthreads=2")
    assert config.p2p_binds == (Endpoint("127.0.7.2", 18444),)
    assert config.rpc_binds == (Endpoint("127.0.7.2", 18443),)
    assert (config.rest, config.rpc_threads, config.v2) == (True, 2, True)
    assert config.warnings == ()


def test_unknown_flags_are_warned_about_and_ignored(data_dir: Path) -> None:
    config = load(data_dir, "-regtest", "-foo=1", "-nodnsseed", "-norest", conf="bar=2\n")
    assert config.warnings == ("Ignoring unknown option -bar", "Ignoring unknown option -foo")
    assert not config.rest


def test_the_command_line_goes_before_the_section_and_the_section_before_the_rest(data_dir: Path) -> None:
    conf = "regtest=1\nrpcthreads=1\nrpcworkqueue=1\nrest=1\n[regtest]\nrpcthreads=2\nrpcworkqueue=2\n[main]\nrest=0\n"
    config = load(data_dir, "-rpcthreads=3", "-rpcthreads=4", conf=conf)
    assert (config.rpc_threads, config.rpc_work_queue, config.rest) == (4, 2, True)


def test_of_two_equal_keys_in_a_file_the_first_wins(data_dir: Path) -> None:
    config = load(data_dir, conf="regtest=1\r\nrpcuser=u\r\nrpcpassword= a b = \r\nrpcpassword=second\r\n")
    assert config.password_pair == "u:a b ="


def test_comments_and_the_dotted_form_are_understood(data_dir: Path) -> None:
    config = load(data_dir, conf="# a file\nregtest=1 # yes\nregtest.rpcthreads=7\nmain.rpcthreads=8\n\n")
    assert config.rpc_threads == 7


@pytest.mark.parametrize(
    ("conf", "environ", "pair"),
    [
        ("regtest=1\n", {}, None),
        ("regtest=1\nrpcuser=u\nrpcpassword=\n", {}, None),
        ("regtest=1\n", {"BC_RPC_USER": "e", "BC_RPC_PASSWORD": "p"}, "e:p"),
        ("regtest=1\nrpcuser=u\nrpcpassword=f\n", {"BC_RPC_USER": "e", "BC_RPC_PASSWORD": "p"}, "u:f"),
        ("regtest=1\nrpcauth=u:00$11\n", {"BC_RPC_USER": "e", "BC_RPC_PASSWORD": "p"}, None),
    ],
)
def test_where_the_password_comes_from(data_dir: Path, conf: str, environ: dict[str, str], pair: str | None) -> None:
    assert load(data_dir, conf=conf, **environ).password_pair == pair


def test_a_file_may_be_named(data_dir: Path) -> None:
    (data_dir / "other.conf").write_text("regtest=1\n[regtest]\naddnode=1.2.3.4\naddnode=a\n")
    assert load(data_dir, "-conf=other.conf").added_nodes == ("1.2.3.4", "a")


def test_listening_elsewhere_for_rpc_wants_rpcallowip(data_dir: Path) -> None:
    config = load(data_dir, "-regtest", "-rpcbind=127.0.7.2")
    assert config.rpc_binds == (Endpoint("127.0.0.1", 18443),)
    assert "-rpcbind was ignored" in config.warnings[0]


@pytest.mark.parametrize(
    ("flags", "conf", "message"),
    [
        ([], "", "Only regtest, signet, testnet4 are simulated, not main"),
        ([], "[regtest]\nregtest=1\n", "Only regtest, signet, testnet4 are simulated, not main"),
        (["-regtest"], "rpcpassword=a#b\n", "parse error on line 1, using # in rpcpassword can be ambiguous"),
        (["-regtest"], "\nnonsense\n", "parse error on line 2: nonsense"),
        (["-regtest"], "-rest=1\n", "parse error on line 1: -rest"),
        (["-regtest"], "bind=1.2.3.4\n", "-bind only applied on regtest network when in [regtest] section"),
        (["-regtest"], "rpcauth=x\n", "Invalid -rpcauth argument"),
        (["-regtest", "word"], "", "unexpected token 'word'"),
        (["-regtest", "-conf=none.conf"], "", "could not be opened"),
        (["-regtest", "-rpcport=0"], "", "Invalid port specified in -rpcport: '0'"),
        (["-regtest", "-rpcport=x"], "", "-rpcport=x is no number"),
        (["-regtest", "-rpcthreads=-1"], "", "-rpcthreads=-1 is no number of 0 or more"),
        (["-regtest", "-bind=somewhere"], "", "Cannot resolve -bind address: 'somewhere'"),
        (["-regtest", "-rpcallowip=x"], "", "Invalid -rpcallowip subnet specification: x"),
    ],
)
def test_what_is_wrong_is_said(data_dir: Path, flags: list[str], conf: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(data_dir, *flags, conf=conf)
    assert message in str(caught.value)


def test_a_data_directory_that_does_not_exist_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r'Specified data directory ".*missing" does not exist'):
        load(tmp_path / "missing", "-regtest")


def test_a_file_that_is_no_text_cannot_be_opened(data_dir: Path) -> None:
    (data_dir / "bitcoin.conf").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="could not be opened"):
        load(data_dir, "-regtest")


@pytest.mark.parametrize(("chain", "ports"), [("signet", (38332, 38333)), ("testnet4", (48332, 48333))])
def test_another_chain_has_its_own_ports_section_and_directory(
    data_dir: Path, chain: str, ports: tuple[int, int]
) -> None:
    conf = f"{chain}=1\n[regtest]\nrpcthreads=1\n[{chain}]\nrpcthreads=5\nsignetchallenge=51\n"
    config = load(data_dir, "-rpcallowip=127.0.0.1", conf=conf)
    assert (config.chain, config.chain_dir, config.rpc_threads) == (chain, data_dir / chain, 5)
    assert (config.rpc_binds[0].port, config.p2p_binds[0].port) == ports
    assert config.challenge == ("51" if chain == "signet" else "")


@pytest.mark.parametrize("flags", [["-signet", "-regtest"], ["-testnet"], ["-chain=main"], []])
def test_two_chains_or_one_that_is_not_simulated_are_refused(data_dir: Path, flags: list[str]) -> None:
    with pytest.raises(ConfigError, match=r"Invalid combination|are simulated, not"):
        load(data_dir, *flags)


@pytest.mark.parametrize("sign", ["\x85", "\u2028", "\u2029"])
def test_what_other_scripts_take_for_the_end_of_a_line_belongs_to_the_value(data_dir: Path, sign: str) -> None:
    config = load(data_dir, "-regtest", conf=f"[regtest]\nuacomment=a{sign}rpcuser=me\nuacomment=b\u00a0\n")
    assert config.agent_comments == (f"a{sign}rpcuser=me", "b\u00a0")
    assert config.warnings == ()
