"""What `make pythons` decides, without apt."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from tests import debian
from tests.integration.controlplane.build import Failure
from tests.pythons import __main__ as pythons

BOOKWORM = {"ID": "debian", "VERSION_CODENAME": "bookworm"}
INDICES = """\
http://security.example/debian/ bookworm-security main
http://archive.example/debian/ bookworm contrib
http://archive.example/debian/ bookworm main
http://archive.example/debian/ bookworm-updates main
"""
THIS = f"{sys.version_info[0]}.{sys.version_info[1]}"


def test_the_archive_is_the_one_that_the_systems_own_release_comes_from():
    assert debian.archive(BOOKWORM, INDICES) == "http://archive.example/debian/"


@pytest.mark.parametrize(
    ("release", "indices", "said"),
    [
        ({"ID": "ubuntu", "VERSION_CODENAME": "noble"}, INDICES, "this is ubuntu, not debian"),
        ({}, INDICES, "no Linux that says its name"),
        ({**BOOKWORM, "VERSION_CODENAME": "trixie"}, INDICES, "no archive of this Debian"),
        (BOOKWORM, "", "no archive of this Debian"),
    ],
)
def test_a_system_without_debians_archive_says_so(release, indices, said):
    with pytest.raises(Failure, match=said):
        debian.archive(release, indices)


def test_a_python_on_path_is_used_as_it_is(tmp_path):
    shadow = tmp_path / f"python{THIS}"
    shadow.symlink_to(sys.executable)
    assert pythons.interpreter(THIS, {"PATH": str(tmp_path), "HOME": str(tmp_path / "none")}) == shadow


def test_a_python_that_does_not_start_or_is_another_does_not_count(tmp_path):
    broken = Path(shutil.copy(__file__, tmp_path))
    assert not pythons.works(broken, THIS)
    assert not pythons.works(Path(sys.executable), "2.7")
    assert pythons.works(Path(sys.executable), THIS)


def test_a_version_that_is_not_known_is_refused_with_those_that_are():
    with pytest.raises(Failure, match=r"knows Python 3\.13 and 3\.14, not 3\.9"):
        pythons.environments(["3.14", "3.9"], {})
