"""What requests cost the embedded API server: `python -m benchmarks.apiserver jumps` and `… writes`.

    jumps                 how often one request goes from package to package, for a stranger who follows it
    writes [--beside DIR] CPU microseconds of a create, an update and a get, here and with the sources in DIR

No sockets: requests are made of bytes, answers are bytes. A source tree is measured in processes of its own, the rounds
are interleaved, and the least is shown: what others do on the machine only adds to it.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from btcctl.apiserver.api import Api, ApiRequest, ApiResponse

HERE = Path(__file__).parents[1] / "src"
_SERVER = f"{os.sep}btcctl{os.sep}apiserver{os.sep}"
_AGENT = {"user-agent": "benchmark/1", "content-type": "application/json"}
_DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_ACCOUNTS = "/api/v1/namespaces/default/serviceaccounts"


@dataclass(frozen=True)
class Subject:
    """A kind whose objects are written.

    Attributes:
        body: An object without a name.
        change: Makes, in place, the next state of an object.
    """

    path: str
    body: dict[str, Any]
    change: Callable[[dict[str, Any], int], None]

    def named(self, name: str) -> bytes:
        return json.dumps({**self.body, "metadata": {**self.body["metadata"], "name": name}}).encode()


def _set_data(body: dict[str, Any], turn: int) -> None:
    body["data"]["value"] = str(turn)


def _set_label(body: dict[str, Any], turn: int) -> None:
    body["metadata"]["labels"]["turn"] = str(turn)


def _set_spec(body: dict[str, Any], turn: int) -> None:
    body["spec"]["confirmations"] = turn


_CONTAINER = {
    "name": "bitcoind",
    "image": "bitcoin/bitcoin:28.0",
    "args": ["-regtest", "-server"],
    "env": [
        {"name": "NETWORK", "value": "regtest"},
        {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
    ],
    "ports": [{"name": "p2p", "containerPort": 18444}, {"name": "rpc", "containerPort": 18443}],
    "resources": {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "512Mi"}},
    "readinessProbe": {"tcpSocket": {"port": "rpc"}, "periodSeconds": 5},
    "volumeMounts": [{"name": "data", "mountPath": "/data"}],
}
_SCHEMA = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "required": ["nodes"],
            "properties": {
                "nodes": {"type": "integer", "minimum": 1, "maximum": 100},
                "image": {"type": "string", "default": "bitcoin/bitcoin:28.0"},
                "confirmations": {"type": "integer", "format": "int32"},
                "peers": {
                    "type": "array",
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["name"],
                    "items": {
                        "type": "object",
                        "required": ["name"],
                        "properties": {"name": {"type": "string"}, "port": {"type": "integer", "default": 18444}},
                    },
                },
            },
        },
        "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    },
}
_DEFINITION = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "ledgers.benchmark.example"},
    "spec": {
        "group": "benchmark.example",
        "scope": "Namespaced",
        "names": {"kind": "Ledger", "plural": "ledgers", "singular": "ledger", "listKind": "LedgerList"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": _SCHEMA},
                "subresources": {"status": {}},
            }
        ],
    },
}
SUBJECTS = {
    "ConfigMap": Subject(
        "/api/v1/namespaces/default/configmaps",
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"labels": {"app": "ledger"}},
            "data": {"value": "0", "more": "x" * 200},
        },
        _set_data,
    ),
    "Pod": Subject(
        "/api/v1/namespaces/default/pods",
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"labels": {"app": "ledger"}},
            "spec": {"containers": [_CONTAINER], "volumes": [{"name": "data", "emptyDir": {}}]},
        },
        _set_label,
    ),
    "custom": Subject(
        "/apis/benchmark.example/v1/namespaces/default/ledgers",
        {
            "apiVersion": "benchmark.example/v1",
            "kind": "Ledger",
            "metadata": {"labels": {"app": "ledger"}},
            "spec": {"nodes": 3, "confirmations": 0, "peers": [{"name": "a"}, {"name": "b", "port": 18445}]},
        },
        _set_spec,
    ),
}


def answer(api: Api, method: str, path: str, body: bytes = b"") -> bytes:
    """
    Raises:
        AssertionError: The server refuses.
    """
    found = api.handle(ApiRequest(method, path, headers=_AGENT, body=body))
    assert isinstance(found, ApiResponse), found
    assert found.status < 300, found.body
    return found.body


def prepared() -> Api:
    """A server in which the subjects can be written."""
    api = Api()
    answer(api, "POST", _DEFINITIONS, json.dumps(_DEFINITION).encode())
    return api


# -- jumps -----------------------------------------------------------------------------------------------------------


@dataclass
class Trail:
    """The way of one request through the packages of the server.

    Attributes:
        calls: Of Python functions in the server, resumed generators included.
        jumps: Those of them that come from another package.
        between: How often, from where to where.
        moves: Those that are elsewhere than the call before: going back counts, too, once something else is called.
    """

    calls: int = 0
    jumps: int = 0
    moves: int = 0
    last: str | None = None
    files: set[str] = field(default_factory=set)
    between: dict[tuple[str, str], int] = field(default_factory=dict)

    def follow(self, frame: FrameType, event: str, _: object) -> None:
        """A profile function: `sys.setprofile` has more."""
        here = package_of(frame.f_code.co_filename)
        if event != "call" or here is None:
            return
        self.calls += 1
        self.moves += self.last not in {None, here}
        self.last = here
        self.files.add(frame.f_code.co_filename)
        caller, there = frame.f_back, None
        while caller is not None and (there := package_of(caller.f_code.co_filename)) is None:
            caller = caller.f_back
        if there is not None and there != here:
            self.jumps += 1
            self.between[there, here] = self.between.get((there, here), 0) + 1


def package_of(filename: str) -> str | None:
    """The package of a file, below btcctl.apiserver: "kinds/pods", "" for its root; None for any other file."""
    _, found, below = filename.rpartition(_SERVER)
    return below.rpartition(os.sep)[0] if found else None


def trail(request: Callable[[], object]) -> Trail:
    found = Trail()
    sys.setprofile(found.follow)
    try:
        request()
    finally:
        sys.setprofile(None)
    return found


def trails() -> Iterator[tuple[str, Trail]]:
    """Of one request of each kind; those before have filled what is kept from one to the next."""
    api, maps, pods = prepared(), SUBJECTS["ConfigMap"], SUBJECTS["Pod"]
    for subject in (maps, pods):
        answer(api, "POST", subject.path, subject.named("warm"))
    body = json.loads(answer(api, "GET", f"{maps.path}/warm"))
    maps.change(body, 1)
    body = json.loads(answer(api, "PUT", f"{maps.path}/warm", json.dumps(body).encode()))
    maps.change(body, 2)
    sent = json.dumps(body).encode()
    yield "POST of a pod", trail(lambda: answer(api, "POST", pods.path, pods.named("one")))
    yield "PUT of a ConfigMap", trail(lambda: answer(api, "PUT", f"{maps.path}/warm", sent))
    yield "GET of a ConfigMap", trail(lambda: answer(api, "GET", f"{maps.path}/warm"))


def print_jumps(*, each: bool) -> None:
    print("| request | calls | files | jumps | moves |\n| --- | ---: | ---: | ---: | ---: |")
    for name, found in trails():
        print(f"| {name} | {found.calls} | {len(found.files)} | {found.jumps} | {found.moves} |")
        for (there, here), count in sorted(found.between.items(), key=lambda item: -item[1]) if each else ():
            print(f"{count:6} {there or '(root)'} -> {here or '(root)'}")


# -- writes ----------------------------------------------------------------------------------------------------------


def microseconds(subject: Subject, count: int) -> dict[str, float]:
    """CPU microseconds of one create, update and get of a kind."""
    api = prepared()
    bodies = [subject.named(f"n{n}") for n in range(count)]
    found = {}
    begin = time.process_time()
    for body in bodies:
        answer(api, "POST", subject.path, body)
    found["create"] = time.process_time() - begin
    sent = []
    begin = time.process_time()
    for n in range(count):
        answer(api, "GET", f"{subject.path}/n{n}")
    found["get"] = time.process_time() - begin
    for n in range(count):
        changed = json.loads(answer(api, "GET", f"{subject.path}/n{n}"))
        subject.change(changed, n + 1)
        sent.append(json.dumps(changed).encode())
    begin = time.process_time()
    for n, body in enumerate(sent):
        answer(api, "PUT", f"{subject.path}/n{n}", body)
    found["update"] = time.process_time() - begin
    return {name: seconds / count * 1e6 for name, seconds in found.items()}


def measured(source: Path, name: str, count: int) -> dict[str, float]:
    """The same in a process of its own, with other sources."""
    command = [sys.executable, "-m", "benchmarks.apiserver", "measure", name, str(count)]
    environment = {**os.environ, "PYTHONPATH": f"{source}{os.pathsep}{HERE.parent}"}
    output = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE).stdout
    found: dict[str, float] = json.loads(output)
    return found


def print_writes(sources: list[Path], rounds: int, count: int) -> None:
    found: dict[tuple[str, str, Path], list[float]] = {}
    for _ in range(rounds):
        for name in SUBJECTS:
            for source in sources:
                for verb, cost in measured(source, name, count).items():
                    found.setdefault((name, verb, source), []).append(cost)
    print("| CPU µs | here |" + (" beside | ratio |" if len(sources) > 1 else ""))
    print("| --- | ---: |" + (" ---: | ---: |" if len(sources) > 1 else ""))
    for name in SUBJECTS:
        for verb in ("create", "update", "get"):
            costs = [min(found[name, verb, source]) for source in sources]
            ratios = [f"{one / other:.2f}" for one, other in itertools.pairwise(costs)]
            print(" | ".join((f"| {verb} {name}", *(f"{each:.0f}" for each in costs), *ratios)) + " |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    jumps = commands.add_parser("jumps")
    jumps.add_argument("--each", action="store_true", help="also from where to where")
    writes = commands.add_parser("writes")
    writes.add_argument("--beside", type=Path, metavar="DIR", help="sources to compare with: the src of a worktree")
    writes.add_argument("--rounds", type=int, default=5)
    writes.add_argument("--objects", type=int, default=500)
    measure = commands.add_parser("measure", help="one kind, as JSON; what `writes` starts")
    measure.add_argument("kind", choices=SUBJECTS)
    measure.add_argument("objects", type=int)
    args = parser.parse_args()
    if args.command == "jumps":
        print_jumps(each=args.each)
    elif args.command == "measure":
        print(json.dumps(microseconds(SUBJECTS[args.kind], args.objects)))
    else:
        print_writes([HERE, *([args.beside] if args.beside else [])], args.rounds, args.objects)


if __name__ == "__main__":
    main()
