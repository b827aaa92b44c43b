"""Runs the real kubectl."""

from __future__ import annotations

import json
import os
import select
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.integration.support import eventually

TIMEOUT_SECONDS = 60.0  # for a line of output
COMMAND_SECONDS = 300.0  # a deletion waits for finalizers, and the one of a CRD looks again for a minute


class Terminal:
    """The keyboard and the screen of a program."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._seen = b""

    def write(self, keys: bytes) -> None:
        os.write(self._descriptor, keys)

    def wait_for(self, text: bytes) -> None:
        """Read until `text` has been shown.

        Raises:
            AssertionError: Not in time.
        """
        while text not in self._seen:
            readable, _, _ = select.select([self._descriptor], [], [], TIMEOUT_SECONDS)
            assert readable, self._seen
            self._seen += os.read(self._descriptor, 4096)
        self._seen = self._seen.partition(text)[2]


class Kubectl:
    """One kubectl with a home of its own, and so with a cold discovery cache.

    Args:
        binary: The program.
        home: Its home folder; made if needed.
    """

    def __init__(self, binary: str, home: Path) -> None:
        self._binary = binary
        self._home = home
        self.kubeconfig = home / "kubeconfig"
        home.mkdir(parents=True, exist_ok=True)

    def __call__(self, *args: str, stdin: str = "", env: dict[str, str] | None = None) -> str:
        """Run it and return what it printed.

        Raises:
            AssertionError: It failed; the message has both its outputs.
        """
        done = self.run(*args, stdin=stdin, env=env)
        assert done.returncode == 0, f"kubectl {' '.join(args)}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def run(self, *args: str, stdin: str = "", env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run it, whatever comes of it."""
        return subprocess.run(
            [self._binary, *args],
            input=stdin,
            env=self._environment(env),
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )

    def wait_until_served(self, resource: str) -> None:
        """Until a kind that was defined is found and can be listed.

        `kubectl wait --for=condition=Established` ends with an error while the conditions are null, as those of a young
        definition are; and a real server says Established before it lists the kind.
        """
        eventually(lambda: self("get", resource) is not None, COMMAND_SECONDS, every=0.2)

    def json(self, *args: str) -> Any:
        return json.loads(self(*args, "-o", "json"))

    def rows(self, *args: str) -> list[list[str]]:
        """The cells of `kubectl get`, without the headings."""
        return [line.split() for line in self("get", *args, "--no-headers").splitlines()]

    @contextmanager
    def started(self, *args: str) -> Iterator[subprocess.Popen[str]]:
        """Run it in the background (`get -w`, `wait`), and end it on leaving."""
        process = subprocess.Popen(
            [self._binary, *args],
            env=self._environment(None),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            bufsize=1,
        )
        too_long = threading.Timer(COMMAND_SECONDS, process.kill)  # or a read of its output would never end
        too_long.start()
        try:
            yield process
        finally:
            too_long.cancel()
            process.kill()
            process.communicate()

    @contextmanager
    def on_a_terminal(self, *args: str) -> Iterator[Terminal]:
        """Run it as a person would, and end it on leaving."""
        ours, theirs = os.openpty()
        with os.fdopen(theirs, "rb+", buffering=0) as far:
            process = subprocess.Popen(
                [self._binary, *args], env=self._environment(None), stdin=far, stdout=far, stderr=far
            )
        try:
            yield Terminal(ours)
        finally:
            process.kill()
            process.wait()
            os.close(ours)

    def _environment(self, extra: dict[str, str] | None) -> dict[str, str]:
        own = {"HOME": str(self._home), "KUBECONFIG": str(self.kubeconfig), "PATH": os.environ["PATH"]}
        return {**own, **(extra or {})}
