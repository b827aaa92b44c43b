"""The commands for people, at a sandbox whose nodes are simulated or Bitcoin Core."""

from __future__ import annotations

import fcntl
import json
import os
import re
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from btcctl.cli.main import main
from btcctl.sandbox.session import SandboxOptions, Session
from tests.integration.kubectl import Terminal
from tests.integration.sandbox.nodes import ADDRESS, real_bitcoind

Run = Callable[..., str]


@pytest.fixture(scope="module", params=["simulated", pytest.param("real", marks=pytest.mark.real_bitcoind)])
def kubeconfig(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("sandbox") / "kubeconfig"
    bitcoind = real_bitcoind() if request.param == "real" else None
    options = SandboxOptions(nodes=3, simulated=bitcoind is None, bitcoind=bitcoind, kubeconfig_out=path)
    with Session(options, say=lambda _: None) as session:
        session.show_progress()
        yield path


@pytest.fixture
def btcctl(kubeconfig: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command; returns what it printed, on stdout, or with `status` on stderr."""

    def run(*words: str, status: int = 0) -> str:
        found = main([words[0], "--kubeconfig", str(kubeconfig), *words[1:]], {})
        captured = capsys.readouterr()
        assert found == status, captured.err
        return captured.err if status else captured.out

    return run


def test_networks_are_listed_as_a_table_as_names_and_as_json(btcctl: Run) -> None:
    btcctl("wait", "my-network")
    header, row = btcctl("get").splitlines()
    assert header.split() == ["NAME", "NODES", "READY", "HEIGHT", "STATUS", "AGE"]
    assert row.split()[:3] == ["my-network", "3", "3"]
    assert btcctl("get", "-o", "name") == "my-network\n"
    assert json.loads(btcctl("get", "my-network", "-o", "json"))["items"][0]["kind"] == "BitcoinNetwork"
    assert btcctl("get", "-A").split()[0] == "NAMESPACE"


def test_mining_moves_every_node_and_status_shows_it(btcctl: Run) -> None:
    btcctl("wait", "my-network")
    height = int(btcctl("rpc", "my-network", "getblockcount"))
    said = btcctl("mine", "my-network", "25", "--on", "1", "--to", ADDRESS)
    assert said.startswith(f"node 1 mined 25 blocks: height {height + 25}, tip ")
    btcctl("wait", "my-network", "--for", f"height={height + 25}")
    assert btcctl("wait", "my-network", "--for", "synced") == "my-network is synced\n"
    shown = btcctl("status", "my-network")
    assert f"3 of 3 nodes answer, height {height + 25}" in shown
    assert f"●─ {height + 25} " in shown
    assert re.search(r"0  ·  ↔  ↔", shown)
    assert re.search(r"Ready +True +Connected", shown)
    assert re.search(r"NodeJoined .* node 2 at ", shown)


def test_status_as_json_is_for_programs(btcctl: Run) -> None:
    btcctl("wait", "my-network", "--for", "synced")
    seen = json.loads(btcctl("status", "my-network", "-o", "json"))
    assert (seen["synced"], seen["wantedNodes"], len(seen["tips"])) == (True, 3, 1)
    assert [node["dialled"] for node in seen["nodes"]] == [[1, 2], [0, 2], [0, 1]]


def test_rpc_takes_and_prints_what_bitcoin_cli_does(btcctl: Run) -> None:
    assert btcctl("rpc", "my-network/2", "getblockhash", "0").startswith("0f9188f1")
    assert btcctl("rpc", "--named", "my-network/2", "getblockhash", "height=0").startswith("0f9188f1")
    assert '"difficulty": 4.656542373906925e-10' in btcctl("rpc", "my-network", "getblockchaininfo")
    assert btcctl("rpc", "my-network", "getblockhash", "x", status=2) == "btcctl rpc: Error parsing JSON: x\n"
    assert btcctl("rpc", "my-network", "nosuch", status=1) == "btcctl rpc: Method not found (-32601)\n"


def test_all_of_it_works_through_the_api_server_too(btcctl: Run) -> None:
    assert "3 of 3 nodes answer" in btcctl("status", "my-network", "--rpc-via", "port-forward")


def test_logs_are_those_of_a_node_or_of_all_with_their_numbers(btcctl: Run) -> None:
    assert len(btcctl("logs", "my-network/1", "--tail", "2").splitlines()) == 2
    assert {line.split()[0] for line in btcctl("logs", "my-network").splitlines()} == {"0", "1", "2"}


@pytest.mark.parametrize(
    ("line", "status", "words"),
    [
        ("status nonesuch", 1, "no network nonesuch in namespace default; there is: my-network"),
        ("rpc my-network/7 help", 1, "network my-network has no node 7; there is: 0, 1, 2"),
        ("wait my-network --for height=900000 --timeout 0.1", 1, "the lowest node has height"),
        ("partition my-network 0,1|7", 2, "there is no node 7"),
        ("get nonesuch -n elsewhere", 1, "no network nonesuch in namespace elsewhere; there is: none at all"),
    ],
)
def test_what_cannot_be_done_is_said_with_what_there_is(btcctl: Run, line: str, status: int, words: str) -> None:
    assert words in btcctl(*line.split(), status=status)


@contextmanager
def watched(kubeconfig: Path, interval: str, lines: int) -> Iterator[tuple[Terminal, Callable[[int], None]]]:
    """A watch on a terminal with so many lines, and what gives it others. Ended by Ctrl-C, and read to its end."""
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "btcctl", "status", "my-network", "-w", "--interval", interval]
    env = {"PATH": os.defpath, "HOME": str(kubeconfig.parent), "KUBECONFIG": str(kubeconfig), "TERM": "xterm"}
    env |= {name: value for name, value in os.environ.items() if name == "PYTHONPATH"}

    def resize(lines: int) -> None:
        fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", lines, 200, 0, 0))

    resize(lines)
    with (
        subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=env) as process,
        ExitStack() as stack,
    ):
        stack.callback(process.kill)
        os.close(theirs)
        yield Terminal(ours), resize
        process.send_signal(signal.SIGINT)
        with suppress(OSError):  # the terminal ends with the process
            while os.read(ours, 4096):
                pass
        assert process.wait(60) == 0
    os.close(ours)


def test_on_a_terminal_status_is_drawn_in_colour_again_and_again_until_ctrl_c(kubeconfig: Path) -> None:
    with watched(kubeconfig, "0.1", 100) as (terminal, _):
        for shown in (b"nodes answer", b"\x1b[32m", b"nodes answer"):
            terminal.wait_for(shown)


def test_a_watch_says_what_a_terminal_has_no_room_for_and_follows_its_size(kubeconfig: Path) -> None:
    with watched(kubeconfig, "1h", 6) as (terminal, resize):
        terminal.wait_for(b"2 more nodes")
        resize(4)
        terminal.wait_for(b"\xe2\x80\xa6 3 nodes")
        resize(100)
        terminal.wait_for(b"LINKS")


def test_following_logs_ends_when_nobody_reads_them(kubeconfig: Path) -> None:
    command = f'"{sys.executable}" -m btcctl logs my-network -f --kubeconfig "{kubeconfig}"'
    command = f"{command} | head -1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (1, "")


def test_elsewhere_nothing_has_colour(btcctl: Run) -> None:
    assert "\x1b" not in btcctl("status", "my-network") + btcctl("get")
