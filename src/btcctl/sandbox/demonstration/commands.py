"""Which program a node pod is, and how it is started."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from btcctl.bitcoin.credential_rules import chosen, problem_with, trim
from btcctl.bitcoin.pod_template import SNAPSHOT_KEY, UTXO_SNAPSHOT_KEY
from btcctl.bitcoin.spec.chains import DEFAULT_PORTS, REGTEST
from btcctl.bitcoin.utxo import UTXO_SNAPSHOT
from btcctl.errors import ConfigError
from btcctl.sandbox.bitcoincli.settings import DIRECTORY_VARIABLE, NODE_VARIABLE
from btcctl.sandbox.demonstration.node_settings import NodeSettings
from btcctl.sandbox.demonstration.snapshot import Snapshot
from btcctl.sandbox.kubelet.images import Program
from btcctl.sandbox.simnode.rpc.credentials import RpcAuth
from btcctl.secret import ENVIRON
from btcctl.testing.control_plane.binaries import user_cache

RPC_PORT, P2P_PORT = DEFAULT_PORTS[REGTEST]  #: where nothing else is asked for

#: The image of a simulated node that says it has the version of its tag.
SIMULATED_IMAGE = "btcctl-simnode"
AUTO = Path("auto")  #: instead of a program's path: whichever there is
#: The image of the operator, whatever its tag.
OWN_IMAGE = "btcctl"
#: What the node image has without a Secret.
DEFAULT_USER, DEFAULT_PASSWORD = "user", "password"

_VERSION_SECONDS = 10.0
_SOURCE = str(Path(__file__).parents[3])  # so that the pod's programs find this very btcctl
# Small caches and few threads: a sandbox runs many nodes on one machine.
_FLAGS = (
    *("-server=1", "-rest=1", "-rpcallowip=127.0.0.0/8", "-listenonion=0", "-natpmp=0"),
    *("-dnsseed=0", "-fixedseeds=0", "-discover=0", "-dbcache=4", "-par=1", "-rpcthreads=4", "-rpcworkqueue=64"),
)
_BITCOIND_FLAGS = ("-nodebuglogfile", "-printtoconsole=1")


@dataclass(frozen=True, slots=True)
class Command:
    """What to run.

    Attributes:
        argv: Program and arguments; no secrets among them.
        env: The whole environment.
        snapshot: What the node begins with if it has no chain yet.
        links: Where what is, by path.
        files: What must be written before the start, by path; secrets, so `write_files` with mode 0600.
    """

    argv: tuple[str, ...]
    env: dict[str, str]
    files: dict[Path, str]
    snapshot: Snapshot | None = None
    links: Mapping[Path, Path] = field(default_factory=dict)

    def write_files(self) -> None:
        if self.snapshot is not None:
            self.snapshot.unpack()
        for path, target in self.links.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            path.symlink_to(target)
        for path, text in self.files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(text)


def node_command(
    env: Mapping[str, str], ip: str, data_dir: Path, bitcoind: Path | None, programs: Path | None = None
) -> Command:
    """The command of one node: what the node image's start-up script does in a cluster.

    Args:
        env: The pod's environment: the variables of `images/bitcoind/start-bitcoind.sh`.
        ip: The pod's address.
        data_dir: Where the node keeps its chain.
        bitcoind: Bitcoin Core, or None for the simulated node.
        programs: First on the pod's PATH, as `write_programs` has filled it; None for nothing.

    Raises:
        ConfigError: With these settings a node cannot be started; never shows credentials.
    """
    conf, settings = data_dir / "bitcoin.conf", NodeSettings.of(env)
    host = f"[{ip}]" if ":" in ip else ip
    program = (str(bitcoind),) if bitcoind else (sys.executable, "-m", "btcctl.sandbox.simnode")
    flags = (
        *(f"-datadir={data_dir}", f"-conf={conf}", f"-bind={host}:{settings.ports.p2p}", f"-rpcbind={host}"),
        *(f"-rpcport={settings.ports.rpc}", f"-{settings.chain}", *settings.without_chosen(_FLAGS)),
        f"-rpcallowip={ip}",  # whoever calls a node on its own machine has the address that it calls
        *(_BITCOIND_FLAGS if bitcoind else ()),
    )
    return Command(
        argv=(*program, *flags),
        env={**_surroundings(data_dir, f"{host}:{settings.ports.rpc}", programs), **env},
        files={conf: _conf(*_credentials(env), settings)},
        snapshot=Snapshot(Path(env[SNAPSHOT_KEY]), data_dir / settings.chain) if env.get(SNAPSHOT_KEY) else None,
        links={data_dir / settings.chain / UTXO_SNAPSHOT: Path(env[UTXO_SNAPSHOT_KEY])}
        if env.get(UTXO_SNAPSHOT_KEY)
        else {},
    )


def _credentials(env: Mapping[str, str]) -> tuple[str, str]:
    return chosen(env.get("BC_RPC_USER"), env.get("BC_RPC_PASSWORD"), (DEFAULT_USER, DEFAULT_PASSWORD))


def is_simulated_image(image: str) -> bool:
    """Whether it is `btcctl-simnode:VERSION`, of whatever registry."""
    name, colon, _ = image.rpartition(":")
    return bool(colon) and name.rpartition("/")[2] == SIMULATED_IMAGE


def at_version(command: Command, image: str) -> Command:
    """The simulated node of an image: it says that it has the version of the tag."""
    return replace(command, argv=(*command.argv, f"-simversion={image.rpartition(':')[2]}"))


def own_program() -> Program:
    """What the operator's image stands for: this very btcctl."""
    return Program((sys.executable, "-m", "btcctl"), {"PYTHONPATH": _SOURCE}, is_ours=True)


def write_programs(directory: Path) -> None:
    """Make `directory`, with the programs that a pod has beside its node: bitcoin-cli.

    Raises:
        OSError: It cannot be made.
    """
    directory.mkdir(parents=True, exist_ok=True)
    program = directory / "bitcoin-cli"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m btcctl.sandbox.bitcoincli "$@"\n')
    program.chmod(0o700)


def cached_bitcoind(environ: Mapping[str, str] = ENVIRON) -> Path:
    """Where `make bitcoind` puts one, whether it has or not."""
    return user_cache(environ) / "bitcoind" / "bitcoind"


def find_bitcoind(explicit: Path | None) -> Path | None:
    """The Bitcoin Core to use: the one given, else the one on PATH, else None.

    Args:
        explicit: A program, or AUTO: the one on PATH, else what `make bitcoind` has put into the user's cache.

    Raises:
        ConfigError: It is there, but does not run.
    """
    if explicit == AUTO:
        explicit = None if shutil.which("bitcoind") else cached_bitcoind()
        if explicit is not None and not explicit.exists():
            raise ConfigError("--bitcoind auto: there is none on PATH, and `make bitcoind` has put none into the cache")
    found = shutil.which(explicit or "bitcoind")
    if found is None and explicit is not None:
        raise ConfigError(f"--bitcoind {explicit}: no such program, or not executable")
    if found is None:
        return None
    path = Path(found).resolve()
    _check_that_it_runs(path)
    return path


def _check_that_it_runs(path: Path) -> None:
    try:
        answer = subprocess.run(  # noqa: S603
            [path, "-version"], capture_output=True, text=True, errors="replace", timeout=_VERSION_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ConfigError(f"{path} does not start: {error}") from error
    if answer.returncode != 0 or "version" not in answer.stdout:
        said = (answer.stderr or answer.stdout).strip().partition("\n")[0]
        raise ConfigError(f"{path} is no bitcoind that starts here: exit status {answer.returncode}: {said}")


def _surroundings(data_dir: Path, rpc: str, programs: Path | None) -> dict[str, str]:
    path = os.defpath if programs is None else f"{programs}:{os.defpath}"
    node = {DIRECTORY_VARIABLE: str(data_dir), NODE_VARIABLE: rpc}
    return {"PATH": path, "HOME": str(data_dir), "LANG": "C.UTF-8", "PYTHONPATH": _SOURCE, **node}


def _conf(user: str, password: str, settings: NodeSettings) -> str:
    user, password = trim(user), trim(password)
    problem = problem_with(user, password)
    if problem is not None:
        number, why = problem
        raise ConfigError(f"{('BC_RPC_USER', 'BC_RPC_PASSWORD')[number]} {why}")
    # Only the salted hash: nothing to read for others.
    section = "\n".join((f"[{settings.chain}]", *settings.lines))
    return f"{settings.chain}=1\nrpcauth={RpcAuth.of(user, password)}\n\n{section}\n"
