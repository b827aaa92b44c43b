"""Gets a headless Chromium, once, out of Debian's packages into the user's cache: `make chromium`.

It is of this system's own release, and runs with the system's C library: it starts its children from the file that the
kernel says it runs, which would be the loader if the C library beside it were taken. Fonts come with it, so that a
screenshot looks the same on every machine.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from btcctl.secret import ENVIRON
from btcctl.testing.control_plane.binaries import user_cache
from tests import debian

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

    def get(work: Path) -> None:
        home = program.parent / "root"
        debian.unpack(PACKAGES, debian.own_release(), home, work, environ)
        _make_launcher(home, program)

    what = "a headless Chromium from Debian's packages"
    return debian.had(program, lambda: debian.says_its_version(program), what, get)


def _make_launcher(home: Path, program: Path) -> None:
    roots = [folder for lib in ("lib", "usr/lib") for folder in (home / lib).glob("*-linux-gnu*")]
    for file in [file for folder in roots for pattern in _C_LIBRARY for file in folder.glob(pattern)]:
        file.unlink()
    libraries = sorted({file.parent for folder in roots for file in folder.rglob("lib*.so*")})
    fonts = program.parent / "fonts.conf"
    fonts.write_text(_FONTS.format(fonts=home / "usr/share/fonts", cache=program.parent / "fontcache"))
    path = ":".join(str(folder) for folder in libraries)
    program.write_text(_LAUNCHER.format(libraries=path, fonts=fonts, program=home / "usr/lib/chromium" / PACKAGES[0]))
    program.chmod(0o755)


if __name__ == "__main__":
    sys.exit(debian.main("chromium", get_chromium))
