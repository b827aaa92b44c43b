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
from btcctl.cli.author.init import LIKES, Project
from btcctl.resources import ResourceType
from btcctl.rest.client import ApiClient

SOURCE = Path(btcctl.__file__).parent
ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
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


def _made_by_init() -> Iterator[tuple[str, str]]:
    for like in ("", *LIKES):
        files = Project("my-db", "Database", "db.example.org", like).files()
        yield from ((f"{like or 'plain'} {path}", text) for path, text in files.items() if path.endswith(".py"))


def _examples() -> Iterator[tuple[str, str]]:
    for path in (*(ROOT / "examples").glob("*.py"), *(ROOT / "tests" / "unit" / "examples").glob("test_*.py")):
        yield path.name, path.read_text()


def _imported_from_us(text: str) -> Iterator[tuple[str, str]]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "btcctl":
            yield from ((str(node.module), each.name) for each in node.names)
        elif isinstance(node, ast.Import):
            yield from ((each.name, "") for each in node.names if each.name.startswith("btcctl."))


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in (*_examples(), *_made_by_init())])
def test_examples_and_what_init_makes_use_public_names_alone(text):
    public = {each.__name__: {*each.__all__} for each in (btcctl, btcctl.testing)}
    found = [*_imported_from_us(text)]
    assert [f"{module}.{name}" for module, name in found if name not in public.get(module, set())] == []


_BLOCKED = """
import sys
from importlib.metadata import packages_distributions, requires
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

def needed_by(name):
    found = [Requirement(each) for each in requires(name) or ()]
    found = [each for each in found if each.marker is None or each.marker.evaluate({"extra": ""})]
    return {canonicalize_name(each.name) for each in found}

allowed, new = {"btcctl"}, {"btcctl"}
while new:
    new = {each for name in new for each in needed_by(name)} - allowed
    allowed |= new
others = {
    module for module, owners in packages_distributions().items()
    if not {canonicalize_name(each) for each in owners} & allowed
}

class OnlyWhatIsRequired:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in others:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, OnlyWhatIsRequired())
import btcctl
for name in btcctl.__all__:
    getattr(btcctl, name)
import btcctl.cli.main
print(sorted({"cryptography", "h11", "pytest"} - others))
"""


def test_every_name_can_be_used_without_extras():
    """An operator's image has what `pip install btcctl` brings, and nothing else."""
    done = subprocess.run([sys.executable, "-c", _BLOCKED], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr
