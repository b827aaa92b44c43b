"""The real programs that tests run, and what holds where there are none."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping

from btcctl.sandbox.demonstration.commands import cached_bitcoind
from btcctl.testing.control_plane.binaries import find_binary
from tests.chromium.__main__ import cached_chromium
from tests.promtool.__main__ import cached_promtool

#: By marker: the program. A test without its program is left out, with one printed line, unless
#: BTCCTL_TEST_REQUIRES names the marker: then nothing runs.
PROGRAMS = {"kubectl": "kubectl", "helm": "helm", "real_bitcoind": "bitcoind", "promtool": "promtool"}


def find_program(name: str, environ: Mapping[str, str] = os.environ) -> str | None:
    """$BTCCTL_TEST_<PROGRAM>, or where a control plane's programs are, or PATH, or what `make bitcoind` has fetched."""
    named = environ.get(variable_for(name))
    if named:
        return shutil.which(named, path=environ.get("PATH", ""))
    found = find_binary(name, environ)
    if found is None and name == "bitcoind":
        return shutil.which(cached_bitcoind(environ))
    if found is None and name == "promtool":
        return shutil.which(cached_promtool(environ))
    if found is None and name == "chromium":
        return shutil.which(cached_chromium(environ))
    return str(found) if found else None


def what_is_missing(name: str) -> str:
    """For a person."""
    return f"no {name}: not on PATH, nor in {variable_for(name)}"


def variable_for(name: str) -> str:
    return f"BTCCTL_TEST_{name.upper()}"


def required(environ: Mapping[str, str] = os.environ) -> frozenset[str]:
    """The markers of which no test may be left out."""
    return frozenset(environ.get("BTCCTL_TEST_REQUIRES", "").split())


KUBECTL = find_program("kubectl")
HELM = find_program("helm")
PROMTOOL = find_program("promtool")
BITCOIND = find_program("bitcoind")
CHROMIUM = find_program("chromium")
