"""The real helm, and what it renders."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import yaml

from tests.integration.programs import HELM

ROOT = Path(__file__).parents[3]
CHART = ROOT / "helm/btcctl"
MANIFESTS = ROOT / "manifests"
NAMESPACE = "bitcoin-controller"
API = "bitcoincontroller.christianb93.github.com/v1"
SECONDS = 200.0
Objects = dict[tuple[str, str], dict[str, Any]]


def helm(
    *arguments: str | Path, stdin: str = "", env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run it, whatever comes of it."""
    assert HELM, "no helm: `make controlplane` builds one"
    command = [HELM, *map(str, arguments)]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, timeout=SECONDS, env=env)


def template(
    *options: str, values: dict[str, Any] | None = None, release: str = "btcctl"
) -> subprocess.CompletedProcess[str]:
    """`helm template`, for a cluster that has networks."""
    given = ("--namespace", NAMESPACE, "--api-versions", API, "--values", "-", *options)
    return helm("template", release, CHART, *given, stdin=yaml.safe_dump(values or {}))


def rendered(*options: str, values: dict[str, Any] | None = None, release: str = "btcctl") -> list[dict[str, Any]]:
    """The objects of a release.

    Raises:
        AssertionError: helm refuses; the message has its words.
    """
    done = template(*options, values=values, release=release)
    assert done.returncode == 0, done.stderr
    return [each for each in yaml.load_all(done.stdout, yaml.CSafeLoader) if each]  # in a tenth of the time


def by_name(objects: list[dict[str, Any]]) -> Objects:
    found = {(each["kind"], each["metadata"]["name"]): each for each in objects}
    assert len(found) == len(objects), "two objects of one name"
    return found
