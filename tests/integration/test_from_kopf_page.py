"""docs/from-kopf.md: its two operators do the same on one server, and the second takes over from the first."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from btcctl import CONFIG_MAPS, CUSTOM_RESOURCE_DEFINITIONS, NAMESPACES, ApiClient, ObjectKey, crd_for, load_config
from btcctl.apiserver.api import Api
from btcctl.apiserver.http import EmbeddedServer
from btcctl.apiserver.network.kubeconfig import kubeconfig, write_kubeconfig
from tests import pages
from tests.integration.support import eventually
from tests.types_of import mypy

PAGE = pages.DOCS / "from-kopf.md"
FINALIZER = "kopf.zalando.org/KopfFinalizerMarker"


def programs(folder: Path) -> tuple[Path, Path]:
    [kopf] = re.findall(r"```python kopf\n(.*?)```", PAGE.read_text(), re.DOTALL)
    ours, forgetting = pages.blocks("from-kopf.md")
    before, main = ours.split("\n\nif __name__")
    theirs, mine = folder / "with_kopf.py", folder / "with_btcctl.py"
    theirs.write_text(kopf)
    mine.write_text(f"{before}\n\n{forgetting}\n\nif __name__{main}")
    return theirs, mine


@contextmanager
def running(command: list[str], config: Path) -> Iterator[None]:
    environ = {**os.environ, "KUBECONFIG": str(config)}
    with (config.parent / f"{Path(command[-1]).stem}.log").open("w") as log:
        process = subprocess.Popen(command, env=environ, stdout=log, stderr=log)
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Scene:
    def __init__(self, config: Path) -> None:
        self.client = ApiClient.from_config(load_config(config))

    def says(self, namespace: str, text: str) -> bool:
        found, _ = self.client.resource(CONFIG_MAPS, namespace).list(field_selector="metadata.name=a")
        return [each.body()["data"] for each in found] == [{"text": text}]


def make(client: ApiClient, page: Any, namespace: str, **metadata: Any) -> None:
    client.resource(NAMESPACES).create({"metadata": {"name": namespace}})
    body = {"metadata": {"name": "a", **metadata}, "spec": {"name": "Ada"}}
    client.resource(page.Greeting, namespace).untyped.create(body)


@pytest.mark.timeout(600)
def test_both_operators_do_the_same_and_the_second_takes_over(tmp_path: Path):
    theirs, mine = programs(tmp_path)
    page, config = pages.load(mine), tmp_path / "config"
    with EmbeddedServer(Api()) as server:
        write_kubeconfig(config, kubeconfig(server.url))
        scene = Scene(config)
        with scene.client as client:
            client.resource(CUSTOM_RESOURCE_DEFINITIONS).create(crd_for(page.Greeting))
            greetings = client.resource(page.Greeting)
            eventually(lambda: greetings.list() == [])
            for namespace in ("kopf", "ours"):
                make(client, page, namespace)
            of_kopf = [sys.executable, "-m", "kopf", "run", "--standalone", "-n", "kopf", str(theirs)]
            with running(of_kopf, config), running([sys.executable, str(mine), "-n", "ours"], config):
                for namespace in ("kopf", "ours"):
                    eventually(lambda: scene.says(namespace, "Hello, Ada!"), 60)  # noqa: B023  at once
                    greetings.patch(ObjectKey(namespace, "a"), {"spec": {"name": "Alan"}})
                    eventually(lambda: scene.says(namespace, "Hello, Alan!"), 60)  # noqa: B023
                    eventually(lambda: greetings.get(ObjectKey(namespace, "a")).status.said, 60)  # noqa: B023
            marked = greetings.get(ObjectKey("kopf", "a"))
            assert any(name.startswith("kopf.zalando.org/") for name in marked.metadata.annotations)
            greetings.patch(marked.key, {"metadata": {"finalizers": [FINALIZER, "example.org/mine"]}})
            page.forget_kopf(client)
            left = greetings.get(marked.key).metadata
            assert left.finalizers == ["example.org/mine"]
            assert [name for name in left.annotations if "kopf" in name] == []


def test_kopf_names_its_finalizer_as_the_page_does():
    import kopf  # noqa: PLC0415  slow to import

    assert kopf.OperatorSettings().persistence.finalizer == FINALIZER


@pytest.mark.timeout(600)
def test_the_operator_that_comes_of_it_has_types(tmp_path: Path):
    _, mine = programs(tmp_path)
    done = mypy(tmp_path, "--strict", "--config-file=", str(mine))
    assert done.returncode == 0, done.stdout
