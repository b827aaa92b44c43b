"""The rules of the house that a grep can check."""

from __future__ import annotations

import re
import types
from collections.abc import Iterator
from pathlib import Path

import btcctl

SOURCE = Path(btcctl.__file__).parent
DOCS = Path(__file__).parents[2] / "docs"

BROAD_EXCEPT_ALLOWED = re.compile(
    r"threads\.py|metrics\.py|processes/(computing|pickling)\.py|errors\.py|logging\.py|objects\.py|typed/values\.py|informers/(sharing/(listener|filters)|reflector/transform|cache/indexer)\.py"
    r"|controller/((reconciling|lives)/(processing|coroutines|failures|passing|looping|timers|daemons)|keys/(handlers|sources)|serving/(status_server|http_server))\.py"
    r"|webhooks/answers/reviews\.py|events/watcher_queue\.py"
    r"|crds/modules\.py"  # an author's module is imported
    r"|rest/credentials\.py|rest/collection/waiting\.py|secret\.py"
    r"|rest/exchange/(exchange|reaching/route)\.py"  # to close what was opened, whatever is raised, and raise it on
    r"|leaderelection/elector\.py|bitcoin/passes\.py"
    r"|apiserver/(api|http|network/\w+)\.py|testing/\w+\.py|cli/main\.py"
)
BROAD_EXCEPT = r"except( \(?(Exception|BaseException)\)?( as \w+)?)?:"


def modules(*but: str) -> Iterator[tuple[str, str]]:
    for path in sorted(SOURCE.rglob("*.py")):
        name = path.relative_to(SOURCE).as_posix()
        if not name.startswith(but):
            yield name, path.read_text()


def offenders(pattern: str, *but: str) -> list[str]:
    return [
        f"{name}:{number}: {line.strip()}"
        for name, text in modules(*but)
        for number, line in enumerate(text.splitlines(), start=1)
        if re.search(pattern, line)
    ]


def test_threads_are_made_in_one_module():
    assert offenders(r"\bThread\(", "threads.py") == []


def test_clocks_are_read_in_one_module():
    assert offenders(r"\btime\.(sleep|time|monotonic|perf_counter)\(|datetime\.(now|utcnow)\(", "clock.py") == []


def test_json_is_made_and_read_in_one_module():
    """Because msgspec must not see a type for the first time in two threads."""
    assert offenders(r"msgspec\.(json|yaml|toml|msgpack)\.\w+\(|msgspec\.(convert|to_builtins)\(", "codecs.py") == []


def test_broad_excepts_stand_only_where_foreign_code_is_called():
    found = offenders(BROAD_EXCEPT)
    assert [each for each in found if not BROAD_EXCEPT_ALLOWED.match(each)] == []


def test_groups_are_repeated_possessively_in_one_module():
    """Because Pythons before 3.11.5 cannot."""
    assert offenders(r"(?<![\\(])\)[*+?]\+", "patterns.py") == []  # `()*+` are characters of a class


def test_modules_log_over_the_standard_library_whoever_has_configured_structlog():
    assert offenders(r"structlog\.(get_logger|stdlib|configure)|import structlog$", "logging.py") == []


def test_the_toolkit_knows_nothing_of_what_is_built_on_it():
    assert offenders(r"(?i)bitcoin", "bitcoin/", "sandbox/", "cli/") == []


def test_no_default_argument_is_the_environment_which_help_would_print():
    assert offenders(r"[\]\w]\s*=\s*os\.environ\s*[,)]") == []


def test_nothing_is_left_unfinished():
    assert offenders(r"\b(TODO|FIXME|XXX)\b|NotImplementedError") == []


def test_no_module_is_longer_than_a_person_reads():
    lengths = {name: len(text.splitlines()) for name, text in modules()}
    assert {name: lines for name, lines in lengths.items() if lines > 400} == {}


def counted_packages() -> Iterator[Path]:
    for name in ("informers", "rest", "workqueue", "events", "leaderelection", "controller", "webhooks", "sandbox"):
        yield from (path.parent for path in sorted((SOURCE / name).rglob("__init__.py")))


def test_no_package_has_more_modules_than_a_reader_keeps_in_mind():
    counts = {str(each.relative_to(SOURCE)): len([*each.glob("*.py")]) - 1 for each in counted_packages()}
    assert {package: modules for package, modules in counts.items() if modules > 10} == {}


def test_imports_are_absolute():
    assert offenders(r"^\s*from \.") == []


def test_every_public_name_can_be_imported_and_is_listed_for_type_checkers():
    for name in btcctl.__all__:
        value = getattr(btcctl, name)
        assert not isinstance(value, type | types.FunctionType) or value.__name__ == name
    text = (SOURCE / "__init__.py").read_text()
    assert set(re.findall(r"import \w+ as (\w+)", text)) == set(btcctl.__all__)


def in_navigation() -> Iterator[str]:
    """The entries of every toctree, from docs/."""
    for page in DOCS.rglob("*.md"):
        for tree in re.findall(r"```\{toctree\}\n(.*?)```", page.read_text(), re.DOTALL):
            lines = [line for line in tree.splitlines() if line and not line.startswith(":")]
            entries = [re.sub(r".* <(.*)>", r"\1", line) for line in lines]  # a title of its own may stand before
            yield from ((page.parent / entry).relative_to(DOCS).as_posix() for entry in entries)


def test_every_page_of_the_documentation_is_in_its_navigation_once():
    """Beginning with docs/index.md. That links lead somewhere is checked by `make docs`."""
    pages = (each.relative_to(DOCS).with_suffix("").as_posix() for each in DOCS.rglob("*.md"))
    assert sorted([*in_navigation(), "index"]) == sorted(pages)
