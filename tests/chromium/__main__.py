"""Gets a headless Chromium, once, out of Debian's packages into the user's cache: `make chromium`.

It is of this system's own release, and runs with the system's C library: it starts its children from the file that the
kernel says it runs, which would be the loader if the C library beside it were taken. Fonts come with it, so that a
screenshot looks the same on every machine.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from btcctl.secret import ENVIRON
from btcctl.testing.control_plane.binaries import user_cache
from tests import debian
from tests.integration.controlplane.build import Failure, locked, say

PACKAGES = ("chromium-headless-shell", "fonts-dejavu-core")
_C_LIBRARY = (
    "ld-linux*",
    "libc.so*",
    "libm.so*",
    "libmvec*",
    "libpthread*",
    "libdl*",
    "librt*",
    "libresolv*",
    "libnss_*",
)
_FONTS = """\
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{fonts}</dir><cachedir>{cache}</cachedir></fontconfig>
"""
_LAUNCHER = """\
#!/bin/sh
export LD_LIBRARY_PATH="{libraries}" FONTCONFIG_FILE="{fonts}"
exec "{program}" "$@"
"""


def cached_chromium(environ: Mapping[str, str] = ENVIRON) -> Path:
    """Where it is put, whether it has been or not."""
    return user_cache(environ) / "chromium" / "chromium"


def get_chromium(environ: Mapping[str, str]) -> Path:
    """The program in the cache; unpacked there first if it is missing, or does not run.

    Raises:
        Failure: It cannot be had here; says why.
    """
    program = cached_chromium(environ)
    root = program.parent
    root.mkdir(parents=True, exist_ok=True)
    with locked(root / ".lock"):
        if not _runs(program):
            say("getting a headless Chromium from Debian's packages …")
            _unpack(root, program, environ)
        if not _runs(program):
            raise Failure(f"{program} does not run here")
    return program


def _runs(program: Path) -> bool:
    if not program.exists():
        return False
    return subprocess.run([program, "--version"], capture_output=True, check=False, timeout=60).returncode == 0


def _unpack(root: Path, program: Path, environ: Mapping[str, str]) -> None:
    work, home = root / "work", root / "root"
    try:
        debian.unpack(PACKAGES, debian.own_release(), home, work, environ)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    roots = [folder for lib in ("lib", "usr/lib") for folder in (home / lib).glob("*-linux-gnu*")]
    for file in [file for folder in roots for pattern in _C_LIBRARY for file in folder.glob(pattern)]:
        file.unlink()
    libraries = sorted({file.parent for folder in roots for file in folder.rglob("lib*.so*")})
    fonts = root / "fonts.conf"
    fonts.write_text(_FONTS.format(fonts=home / "usr/share/fonts", cache=root / "fontcache"))
    path = ":".join(str(folder) for folder in libraries)
    program.write_text(_LAUNCHER.format(libraries=path, fonts=fonts, program=home / "usr/lib/chromium" / PACKAGES[0]))
    program.chmod(0o755)


def main() -> int:
    try:
        say(f"chromium: {get_chromium(os.environ)}")
    except Failure as failure:
        sys.stderr.write(f"make chromium: {failure}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
