"""The images that `make images` has built of this source; without them its tests are left out, and one line says so."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.images.build import images
from tests.images.container import Container, Image

_LEFT_OUT = pytest.StashKey[str]()
_HERE = Path(__file__).parent


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    missing = _what_is_missing()
    ours = [item for item in items if _HERE in item.path.parents]
    if missing and ours:
        items[:] = [item for item in items if item not in ours]
        config.hook.pytest_deselected(items=ours)
        config.stash[_LEFT_OUT] = f"{missing}: {len(ours)} tests left out"


def pytest_report_collectionfinish(config: pytest.Config) -> list[str]:
    said = config.stash.get(_LEFT_OUT, "")
    return [said] if said else []


def _what_is_missing() -> str:
    if os.geteuid() != 0 or not shutil.which("runc"):
        return "images are run by runc, as root"
    return "" if images().are_there else "no images of this source: `make images` builds them"


@pytest.fixture(scope="session")
def controller(tmp_path_factory: pytest.TempPathFactory) -> Image:
    return Image.unpack(images().controller, tmp_path_factory.mktemp("controller"))


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Image:
    return Image.unpack(images().node, tmp_path_factory.mktemp("node"))


@pytest.fixture
def container(tmp_path: Path) -> Callable[..., Container]:
    """Makes containers; see `Container`."""

    def make(image: Image, **options: object) -> Container:
        return Container(image, tmp_path, **options)  # type: ignore[arg-type]

    return make
