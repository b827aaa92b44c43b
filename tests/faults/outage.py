"""How soon an operator acts again after an outage of its server: `python -m tests.faults.outage`.

A server is killed and started again, with its data and on its address. An object is changed as soon as the server
takes that, and the operators are waited for to act on it. Ours and kopf's, if there is one, are measured together.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import yaml

from btcctl.clock import SYSTEM_CLOCK, sleep
from btcctl.errors import BtcctlError
from btcctl.objects import ObjectKey
from btcctl.resources import CONFIG_MAPS
from btcctl.rest.client import ApiClient
from btcctl.rest.config.client_config import ClientConfig
from btcctl.testing.control_plane import BinariesMissing, ControlPlane
from btcctl.threads import Runner
from tests.faults.run import be_quiet

ROOT = Path(__file__).parents[2]
KOPF_PYTHON = ROOT / "benchmarks" / ".build" / "rivals" / "bin" / "python"
OUTAGES = (0.0, 20.0)
NAMESPACE = "default"
KEY = ObjectKey(NAMESPACE, "outage")
PREFIX = "outage.example.org"
_LOOK_SECONDS = 0.02
_LONGEST_SECONDS = 120.0
_CALM_SECONDS = 6.0  # from one outage to the next: a list each is allowed every five seconds


@dataclass(frozen=True, slots=True)
class Return:
    """How soon one operator was back after one outage.

    Attributes:
        server: "embedded" or "real".
        outage: Seconds that nothing listened, at least.
        operator: "btcctl" or "kopf".
        seconds: From the server's first answer to the change acted on; the longest looked for if it never was.
    """

    server: str
    outage: float
    operator: str
    seconds: float


class Server(Protocol):
    """One that can be killed and started again."""

    name: str
    kubeconfig: Path

    def client(self) -> ApiClient: ...

    def kill(self) -> None: ...

    def start(self) -> None: ...


class EmbeddedProcess:
    """The embedded server, as a process with a data file."""

    name = "embedded"

    def __init__(self, directory: Path) -> None:
        self._data = directory / "data"
        self._port = 0
        self._process: subprocess.Popen[str] | None = None
        self.kubeconfig = directory / "kubeconfig"
        self.start()
        self.kubeconfig.write_text(_kubeconfig(self._url))

    @property
    def _url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def client(self) -> ApiClient:
        return ApiClient.from_config(ClientConfig(self._url))

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()

    def start(self) -> None:
        command = [sys.executable, "-m", "btcctl.apiserver", "--data", str(self._data), "--port", str(self._port)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self._process.stdout is not None
        self._port = int(self._process.stdout.readline().rpartition(":")[2])


class RealServer:
    """A kube-apiserver; its etcd runs on."""

    name = "real"

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane
        self.kubeconfig = plane.kubeconfig()

    def client(self) -> ApiClient:
        return self._plane.client()

    def kill(self) -> None:
        self._plane.kill()

    def start(self) -> None:
        self._plane.restart()


@contextmanager
def embedded() -> Iterator[Server]:
    with tempfile.TemporaryDirectory() as directory:
        server = EmbeddedProcess(Path(directory))
        try:
            yield server
        finally:
            server.kill()


@contextmanager
def real() -> Iterator[Server]:
    with ControlPlane() as plane:
        yield RealServer(plane)


SERVERS = {"embedded": embedded, "real": real}


def measure(server: str, outages: Sequence[float], runs: int, kopf: Path | None) -> Iterator[Return]:
    """So many outages of each length, one after the other."""
    with SERVERS[server]() as running, ExitStack() as stack:
        client = stack.enter_context(running.client())
        maps = client.resource(CONFIG_MAPS, NAMESPACE)
        maps.create({"metadata": {"name": KEY.name}, "data": {"value": "begin"}})
        names = ["btcctl", *(["kopf"] if kopf else [])]
        for name in names:
            stack.enter_context(_operator(name, running.kubeconfig, kopf))
        if any(seconds == _LONGEST_SECONDS for seconds in _acted(client, "begin", names).values()):
            raise RuntimeError("an operator does not work")
        for number in range(runs):
            for outage in outages:
                value = f"{number} {outage}"
                sleep(_CALM_SECONDS)
                running.kill()
                sleep(outage)
                with Runner("faults-start", lambda _: running.start()):  # which waits for more than an answer
                    _change_when_it_answers(client, value)
                    took = _acted(client, value, names)
                for name, seconds in took.items():
                    yield Return(server, outage, name, seconds)


def _change_when_it_answers(client: ApiClient, value: str) -> None:
    deadline = SYSTEM_CLOCK.now() + _LONGEST_SECONDS
    while True:
        try:
            client.resource(CONFIG_MAPS, NAMESPACE).patch(KEY, {"data": {"value": value}})
        except BtcctlError:
            if SYSTEM_CLOCK.now() > deadline:
                raise
            sleep(_LOOK_SECONDS)
        else:
            return


def _acted(client: ApiClient, value: str, names: Sequence[str]) -> dict[str, float]:
    """How long each operator has taken to act, counted from now."""
    began_at = SYSTEM_CLOCK.now()
    took: dict[str, float] = {}
    while len(took) < len(names) and SYSTEM_CLOCK.now() - began_at < _LONGEST_SECONDS:
        with contextlib.suppress(BtcctlError):
            annotations = client.resource(CONFIG_MAPS, NAMESPACE).get(KEY).annotations
            for name in names:
                if name not in took and annotations.get(f"{PREFIX}/{name}") == value:
                    took[name] = SYSTEM_CLOCK.now() - began_at
        sleep(_LOOK_SECONDS)
    return {name: took.get(name, _LONGEST_SECONDS) for name in names}


@contextmanager
def _operator(name: str, kubeconfig: Path, kopf: Path | None) -> Iterator[None]:
    annotation = f"{PREFIX}/{name}"
    folder = Path(__file__).parent / "operators"
    command = [sys.executable, str(folder / "ours.py"), NAMESPACE, annotation]
    if name == "kopf":
        command = [str(kopf), "-m", "kopf", "run", "--standalone", "-n", NAMESPACE, str(folder / "with_kopf.py")]
    environment = {**os.environ, "KUBECONFIG": str(kubeconfig), "OUTAGE_ANNOTATION": annotation}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _kubeconfig(url: str) -> str:
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "c", "cluster": {"server": url}}],
            "users": [{"name": "u", "user": {"token": "anybody"}}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u", "namespace": NAMESPACE}}],
            "current-context": "x",
        }
    )


def measure_all(runs: int) -> Iterator[Return]:
    """So many outages of each length, of each server that there is, with kopf if the benchmarks have set it up."""
    be_quiet()
    kopf = KOPF_PYTHON if KOPF_PYTHON.exists() else None
    for server in SERVERS:
        try:
            yield from measure(server, OUTAGES, runs, kopf)
        except BinariesMissing as error:
            print(f"left out: {error}")


def section(returns: Sequence[Return]) -> str:
    """What docs/reliability.md says of it; "" if nothing was measured."""
    if not returns:
        return ""
    return f"""## Back after an outage

A server is killed (SIGKILL) and started again with its data, at once or after 20 s; a real one's etcd runs on. Seconds
from the first write that it takes, which changes an object, to the moment in which an operator has acted on that. Both
operators run side by side through the same outages: ours, whose keys fail meanwhile because each reconcile asks the
server, and kopf's with its defaults. The embedded server forgets every older version with its restart: informers list.

{table(returns)}

"""


def table(returns: Sequence[Return]) -> str:
    """One line per server, outage and operator, in Markdown."""
    lines = ["| server | outage | operator | runs | median s | p95 s | longest s |", "|---|---|---|---|---|---|---|"]
    for server, outage, operator in dict.fromkeys((each.server, each.outage, each.operator) for each in returns):
        took = sorted(
            each.seconds for each in returns if (each.server, each.outage, each.operator) == (server, outage, operator)
        )
        figures = f"{took[len(took) // 2]:.2f} | {_percentile(took, 0.95):.2f} | {took[-1]:.2f}"
        lines.append(f"| {server} | {outage:g} s | {operator} | {len(took)} | {figures} |")
    return "\n".join(lines)


def _percentile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print each outage as a line of JSON, and the table. Exit status: 0 if ours is back within the goal, else 1."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.outage", description=__doc__)
    parser.add_argument("--runs", type=int, default=10, metavar="N", help="of each length (default: 10)")
    parser.add_argument("--server", action="append", choices=SERVERS, help="default: embedded")
    parser.add_argument("--outage", type=float, action="append", metavar="SECONDS", help="default: 0 and 20")
    parser.add_argument(
        "--kopf", type=Path, default=KOPF_PYTHON, help="a Python that has kopf; left out if it is not there"
    )
    parser.add_argument("--goal", type=float, default=3.0, metavar="SECONDS", help="for the 95th percentile")
    args = parser.parse_args(arguments)
    be_quiet()
    kopf = args.kopf if args.kopf.exists() else None
    returns: list[Return] = []
    for server in args.server or ["embedded"]:
        for each in measure(server, args.outage or OUTAGES, args.runs, kopf):
            print(json.dumps(_as_dict(each)), flush=True)
            returns.append(each)
    print(table(returns))
    ours = sorted(each.seconds for each in returns if each.operator == "btcctl")
    return 0 if _percentile(ours, 0.95) <= args.goal else 1


def _as_dict(each: Return) -> Mapping[str, object]:
    return {"server": each.server, "outage": each.outage, "operator": each.operator, "seconds": round(each.seconds, 3)}


if __name__ == "__main__":
    sys.exit(main())
