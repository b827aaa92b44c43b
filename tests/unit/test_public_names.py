"""Whoever reads docs/toolkit.md can import what it names from `btcctl`."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import btcctl
import btcctl.testing
import btcctl.testing.faults
from btcctl import errors, resources
from btcctl.resources import ResourceType
from btcctl.rest.client import ApiClient

SOURCE = Path(btcctl.__file__).parent
DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "toolkit.md").read_text()
#: Imported from where the page says: for tests and logging, and what is not the toolkit's.
ELSEWHERE = ("apiserver", "bitcoin", "cli", "codecs", "logging", "processes", "sandbox", "testing")


def words_of_code() -> set[str]:
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL))
    return set(re.findall(r"(?<![\w.])[A-Za-z_]\w+", " ".join([*blocks, *spans])))


def public_definitions() -> Iterator[str]:
    for path in SOURCE.rglob("*.py"):
        if path.relative_to(SOURCE).parts[0].removesuffix(".py") in ELSEWHERE:
            continue
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
                yield node.name
            elif isinstance(node, ast.Assign):
                yield from (each.id for each in node.targets if isinstance(each, ast.Name))


def test_every_name_of_the_toolkit_that_the_page_mentions_can_be_imported():
    mentioned = {name for name in words_of_code() & set(public_definitions()) if not name.startswith("_")}
    assert len(mentioned) > 50
    assert sorted(mentioned - set(btcctl.__all__)) == []


def test_every_built_in_kind_and_every_error_can_be_imported():
    kinds = {name for name, value in vars(resources).items() if isinstance(value, ResourceType)}
    ours = {name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)}
    assert (kinds | ours) - set(btcctl.__all__) == set()


def test_what_a_name_needs_is_loaded_when_it_is_first_used():
    assert btcctl.ApiClient is ApiClient
    assert "ApiClient" in dir(btcctl)


#: A controller in a cluster has no use for them, or not before it needs them. Together they take longer to import than
#: all that it needs (docs/performance.md, "Whole controllers").
NEEDLESS = (
    *("asyncio", "concurrent.futures", "email", "http.client", "importlib.metadata", "multiprocessing", "subprocess"),
    *("cryptography", "h11", "kubernetes", "prometheus_client", "rich", "structlog", "urllib3", "websockets", "yaml"),
    *(f"btcctl.{each}" for each in ("apiserver", "cli", "crds", "events", "leaderelection", "metrics", "webhooks")),
    *("btcctl.rest.kubeconfig", "btcctl.rest.typed.resource"),
)


def test_what_a_controller_imports_brings_nothing_along_that_it_may_not_need():
    program = (
        "import sys; from btcctl import ApiClient, CONFIG_MAPS, Controller, ControllerOptions, Manager, ObjectKey,"
        " ResourceType, Result, SharedInformerFactory, create_or_update, generation_changed, load_config,"
        " run_until_signal, set_controller, write_status; print(*sys.modules)"
    )
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert "btcctl.controller.manager" in loaded
    assert [each for each in NEEDLESS if each in loaded] == []


def test_the_version_is_that_of_the_package():
    assert btcctl.__version__ == importlib.metadata.version("btcctl")


@pytest.mark.parametrize("module", [btcctl, btcctl.testing, btcctl.testing.faults], ids=lambda each: each.__name__)
def test_the_reference_has_every_public_name_once(module):
    """In docs/api, where `make docs` puts its docstring, and fails if there is none."""
    text = "\n".join(page.read_text() for page in (DOCS / "api").glob("*.md"))
    directive = rf"^\.\. (?:auto\w+|py:data):: {re.escape(module.__name__)}\.(?!pytest_plugin)(\w+)$"
    assert sorted(re.findall(directive, text, re.MULTILINE)) == sorted(module.__all__)
