"""What a machine must have for a sandbox."""

from __future__ import annotations

import os
import resource
from pathlib import Path
from types import SimpleNamespace

import pytest

from btcctl.errors import BtcctlError, ConfigError
from btcctl.sandbox.demonstration.limits import DESCRIPTORS, raise_descriptor_limit, require_space


@pytest.fixture
def limits(mocker):
    """The limits of a process that has none yet."""
    now = [(1024, 4096)]
    mocker.patch.object(resource, "getrlimit", side_effect=lambda _: now[-1])
    mocker.patch.object(resource, "setrlimit", side_effect=lambda _, pair: now.append(pair))
    return now


def test_as_many_descriptors_are_asked_for_as_may_be_had(limits):
    raise_descriptor_limit(3)
    assert limits[-1] == (4096, 4096)


def test_a_limit_that_is_high_already_stays(limits):
    limits.append((100_000, 200_000))
    raise_descriptor_limit(3)
    assert limits[-1] == (100_000, 200_000)


def test_too_few_descriptors_are_said_before_anything_starts(limits):
    limits.append((64, DESCRIPTORS))
    with pytest.raises(ConfigError, match="a sandbox of 3 nodes needs 164 file descriptors, and may have 128"):
        raise_descriptor_limit(3)


def test_a_full_disk_is_named(mocker, tmp_path: Path):
    mocker.patch.object(os, "statvfs", return_value=SimpleNamespace(f_bavail=1, f_frsize=4096))
    with pytest.raises(BtcctlError, match=f"no space left for {tmp_path}"):
        require_space(tmp_path)


def test_a_disk_with_room_is_no_failure(mocker, tmp_path: Path):
    asked = mocker.patch.object(os, "statvfs", return_value=SimpleNamespace(f_bavail=1000, f_frsize=4096))
    require_space(tmp_path)
    asked.assert_called_once_with(tmp_path)
