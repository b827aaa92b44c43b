"""`make dist`: builds a release into dist/, twice, and compares; tries the wheel alone.

In it: wheel, source archive, chart with index, CustomResourceDefinition, install.yaml, both images, a bill of materials
of the controller's, and SHA256SUMS of them all. Images are not built twice: the second time the user's cache has them.
`--without-images` leaves the images out, where they cannot be built.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.chart.packaging import package
from tests.images.build import build, version
from tests.integration.controlplane.build import Failure, say
from tests.integration.programs import find_program
from tests.release.python_packages import ROOT, build_packages, try_wheel
from tests.release.sbom import bill_of_materials

OUTPUT = ROOT / "dist"


def release(output: Path, work: Path, *, with_images: bool) -> None:
    """Everything, into an empty folder.

    Raises:
        Failure: Something cannot be built; says what.
    """
    output.mkdir(parents=True)
    epoch = _epoch()
    build_packages(output, work, epoch)
    package(output / "chart", epoch=epoch)
    (output / "crd.yaml").write_bytes((ROOT / "src/btcctl/bitcoin/crd.yaml").read_bytes())
    (output / "install.yaml").write_text(_single_manifest(), encoding="utf-8")
    (output / "sbom.cdx.json").write_text(bill_of_materials(version()), encoding="utf-8")
    if with_images:
        built = build()
        for each in (built.controller, built.node):
            shutil.copy(each, output / each.name)
    _write_checksums(output)


def _epoch() -> int:
    """Of the last commit, unless SOURCE_DATE_EPOCH says otherwise."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given:
        return int(given)
    command = ["git", "log", "-1", "--format=%ct"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=30)
    return int(done.stdout.strip() or "0")


def _single_manifest() -> str:
    kubectl = find_program("kubectl")
    if kubectl is None:
        raise Failure("no kubectl: `make controlplane` builds one")
    command = [kubectl, "kustomize", str(ROOT / "manifests")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    if done.returncode:
        raise Failure(f"kubectl kustomize: {done.stderr.strip()}")
    return done.stdout


def _write_checksums(output: Path) -> None:
    files = sorted(each for each in output.rglob("*") if each.is_file())
    lines = [f"{_sum(each)}  {each.relative_to(output)}\n" for each in files]
    (output / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def main() -> int:
    work = OUTPUT.with_name("build") / "release"
    for each in (OUTPUT, work):
        shutil.rmtree(each, ignore_errors=True)
    with_images = "--without-images" not in sys.argv
    try:
        release(OUTPUT, work / "first", with_images=with_images)
        release(work / "again", work / "second", with_images=with_images)
        if (OUTPUT / "SHA256SUMS").read_bytes() != (work / "again/SHA256SUMS").read_bytes():
            raise Failure("two builds of the same source differ: compare dist/ with build/release/again")
        (wheel,) = OUTPUT.glob("*.whl")
        try_wheel(wheel, work, "", ["--help"], os.environ)
        say("the wheel alone: a sandbox with three nodes …")
        try_wheel(wheel, work, "sandbox", ["sandbox", "--nodes", "3", "--check"], os.environ)
    except (Failure, subprocess.SubprocessError) as failure:
        sys.stderr.write(f"make dist: {failure}\n")
        return 1
    shutil.rmtree(work)
    say((OUTPUT / "SHA256SUMS").read_text(encoding="utf-8").rstrip())
    return 0


if __name__ == "__main__":
    sys.exit(main())
