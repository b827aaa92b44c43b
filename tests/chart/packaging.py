"""`make chart`: the chart as an archive, and the index of a repository. The same content, the same bytes."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
from datetime import UTC, datetime
from pathlib import Path

import yaml

from tests.integration.controlplane.build import Failure, run, say
from tests.integration.programs import find_program

ROOT = Path(__file__).parents[2]
CHART = ROOT / "helm/btcctl"
OUTPUT = ROOT / "dist/chart"


def package(output: Path, url: str = "", *, epoch: int | None = None) -> Path:
    """Write the archive and index.yaml; earlier versions that are there stay in the index.

    Args:
        output: The folder of the repository.
        url: Where it will be served; "" makes the index's addresses relative.
        epoch: The time that everything gets; $SOURCE_DATE_EPOCH, or 0, if None.

    Raises:
        Failure: helm is missing, or finds something wrong.
    """
    helm = find_program("helm")
    if helm is None:
        raise Failure("no helm: `make controlplane` builds one")
    when = int(os.environ.get("SOURCE_DATE_EPOCH", "0")) if epoch is None else epoch
    output.mkdir(parents=True, exist_ok=True)
    run([helm, "lint", "--strict", str(CHART)], "helm lint")
    work = output / ".work"
    shutil.rmtree(work, ignore_errors=True)
    try:
        run([helm, "package", str(CHART), "--destination", str(work)], "helm package")
        (made,) = work.glob("*.tgz")
        archive = output / made.name
        archive.write_bytes(_repacked(made, when))
    finally:
        shutil.rmtree(work, ignore_errors=True)
    run([helm, "repo", "index", str(output), *(["--url", url] if url else [])], "helm repo index")
    _stamp_index(output / "index.yaml", when)
    return archive


def _repacked(archive: Path, when: int) -> bytes:
    """With one time, one owner and one order."""
    packed = io.BytesIO()
    with tarfile.open(archive) as old, tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as new:
        for member in sorted(old.getmembers(), key=lambda each: (not each.name.endswith("/Chart.yaml"), each.name)):
            clean = tarfile.TarInfo(member.name)
            clean.size, clean.mode, clean.mtime = member.size, 0o644, when
            new.addfile(clean, old.extractfile(member))
    return gzip.compress(packed.getvalue(), mtime=when)


def _stamp_index(index: Path, when: int) -> None:
    time = datetime.fromtimestamp(when, UTC).isoformat().replace("+00:00", "Z")
    content = yaml.safe_load(index.read_text(encoding="utf-8"))
    content["generated"] = time
    for entry in (entry for entries in content["entries"].values() for entry in entries):
        entry["created"] = time
    index.write_text(yaml.safe_dump(content, sort_keys=True, allow_unicode=True), encoding="utf-8")


def digest(path: Path) -> str:
    """SHA-256, as the index has it."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main() -> int:
    try:
        archive = package(OUTPUT, *sys.argv[1:2])
    except (Failure, subprocess.SubprocessError) as failure:
        sys.stderr.write(f"make chart: {failure}\n")
        return 1
    say(f"chart: {archive} and index.yaml; serve the folder by any web server")
    return 0


if __name__ == "__main__":
    sys.exit(main())
