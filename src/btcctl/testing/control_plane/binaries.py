"""Finds the programs, in the places where the Kubernetes ecosystem keeps them."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from btcctl.secret import ENVIRON
from btcctl.testing.control_plane.errors import BinariesMissing

#: What `make controlplane` builds. Part of the cache's name: another version gets another folder.
VERSIONS = {"kubernetes": "1.36.2", "etcd": "3.6.8", "helm": "3.21.4", "go": "1.26.4"}

ETCD = "etcd"
API_SERVER = "kube-apiserver"
CONTROLLER_MANAGER = "kube-controller-manager"
KUBECTL = "kubectl"

_KUBEBUILDER = Path("/usr/local/kubebuilder/bin")  # controller-runtime's default
_ASSETS = "KUBEBUILDER_ASSETS"


@dataclass(frozen=True, slots=True)
class Binaries:
    """The programs of one control plane.

    Attributes:
        controller_manager: None where there is none, as in the archives that setup-envtest fetches.
        kubectl: None where there is none; no control plane needs it, but tests may.
    """

    etcd: Path
    api_server: Path
    controller_manager: Path | None = None
    kubectl: Path | None = None


def find_binaries(environ: Mapping[str, str] = ENVIRON) -> Binaries:
    """Look for each program in $TEST_ASSET_<PROGRAM>, $KUBEBUILDER_ASSETS, what `make controlplane`
    built, /usr/local/kubebuilder/bin and PATH; the first that has it counts.

    The controller manager must be of the API server's version, so it is taken only from its own
    variable or from beside the API server.

    Raises:
        BinariesMissing: There is no etcd or no kube-apiserver.
    """
    api_server = _required(API_SERVER, environ)
    return Binaries(
        _required(ETCD, environ),
        api_server,
        _first(CONTROLLER_MANAGER, [*_named(CONTROLLER_MANAGER, environ), api_server.parent / CONTROLLER_MANAGER]),
        _first(KUBECTL, list(candidates(KUBECTL, environ))),
    )


def find_binary(name: str, environ: Mapping[str, str] = ENVIRON) -> Path | None:
    """Where the program is, or None.

    Raises:
        BinariesMissing: Its variable names something that is no program.
    """
    return _first(name, list(candidates(name, environ)))


def candidates(name: str, environ: Mapping[str, str] = ENVIRON) -> Iterator[Path]:
    """The files that may be the program, best first. A variable of its own leaves no other choice."""
    named = list(_named(name, environ))
    if named:
        yield from named
        return
    if environ.get(_ASSETS):
        yield Path(environ[_ASSETS]) / name
    yield cache_dir(environ) / "bin" / name
    yield _KUBEBUILDER / name
    on_path = shutil.which(name, path=environ.get("PATH", ""))
    if on_path:
        yield Path(on_path)


def cache_dir(environ: Mapping[str, str] = ENVIRON) -> Path:
    """Where `make controlplane` keeps what it builds, by versions."""
    key = "-".join(f"{name}-{version}" for name, version in VERSIONS.items())
    return user_cache(environ) / "controlplane" / key


def user_cache(environ: Mapping[str, str] = ENVIRON) -> Path:
    """Where everything is kept that is fetched or built once for a user (XDG Base Directory Specification)."""
    base = environ.get("XDG_CACHE_HOME") or ""
    root = Path(base) if Path(base).is_absolute() else Path(environ.get("HOME") or Path.home()) / ".cache"
    return root / "btcctl"


def variable_for(name: str) -> str:
    """The variable that names one program: `TEST_ASSET_KUBE_APISERVER`, as in controller-runtime."""
    return "TEST_ASSET_" + re.sub(r"[^A-Z0-9]+", "_", name.upper())


def _named(name: str, environ: Mapping[str, str]) -> Iterator[Path]:
    value = environ.get(variable_for(name))
    if value:
        yield Path(value)


def _required(name: str, environ: Mapping[str, str]) -> Path:
    places = list(candidates(name, environ))
    found = _first(name, places)
    if found is None:
        tried = ", ".join(str(each.parent) for each in places)
        raise BinariesMissing(
            f"no {name}: not in {tried} or PATH. Set {_ASSETS} to a folder that has it or {variable_for(name)} "
            f"to the file, or build it once with `make controlplane`"
        )
    return found


def _first(name: str, places: list[Path]) -> Path | None:
    for place in places:
        if place.is_file() and os.access(place, os.X_OK):
            return place.absolute()
    return None
