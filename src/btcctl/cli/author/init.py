"""`btcctl init`: a project for an operator of one's own, whose tests pass as it is made."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from string import Template
from types import ModuleType
from typing import Any

from btcctl.crds.definition import to_yaml
from btcctl.crds.modules import crds_in
from btcctl.errors import ConfigError

_NAME = re.compile(r"[a-z]([-a-z0-9]{0,48}[a-z0-9])?")
_KIND = re.compile(r"[A-Z][A-Za-z0-9]{0,62}")
_GROUP = re.compile(r"(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+")

#: Where each template goes.
_FILES = {
    "types.py": "{package}/types.py",
    "operator.py": "{package}/operator.py",
    "main.py": "{package}/__main__.py",
    "test_operator.py": "tests/test_operator.py",
    "rbac.yaml": "manifests/rbac.yaml",
    "deployment.yaml": "manifests/deployment.yaml",
    "example.yaml": "manifests/example.yaml",
    "pyproject.toml": "pyproject.toml",
    "Dockerfile": "Dockerfile",
    "ci.yaml": ".github/workflows/ci.yaml",
    "README.md": "README.md",
}


@dataclass(frozen=True, slots=True)
class Project:
    """What is to be made.

    Attributes:
        name: Of the operator: "my-operator".
        kind: "Database"
        group: "db.example.org"

    Raises:
        ConfigError: One of them cannot be what it is said to be.
    """

    name: str
    kind: str
    group: str

    def __post_init__(self) -> None:
        for what, value, pattern, example in (
            ("name", self.name, _NAME, "my-operator"),
            ("kind", self.kind, _KIND, "Database"),
            ("group", self.group, _GROUP, "db.example.org"),
        ):
            if not pattern.fullmatch(value):
                raise ConfigError(f"{value!r} is no {what} of an operator: it looks like {example}")

    @property
    def package(self) -> str:
        """What is imported."""
        return self.name.replace("-", "_")

    @property
    def plural(self) -> str:
        """As in paths."""
        lower = self.kind.lower()
        if lower.endswith("y") and lower[-2:-1] not in "aeiou":
            return f"{lower[:-1]}ies"
        return f"{lower}es" if lower.endswith(("s", "x", "z", "ch", "sh")) else f"{lower}s"

    def files(self) -> dict[str, str]:
        """The text of each file, by its path in the project."""
        words = {name: getattr(self, name) for name in ("name", "kind", "group", "package", "plural")}
        folder = resources.files("btcctl.cli.author") / "scaffold"
        made = {
            path.format(package=self.package): Template((folder / f"{name}.txt").read_text()).substitute(words)
            for name, path in _FILES.items()
        }
        types = made[f"{self.package}/types.py"]
        return made | {f"{self.package}/__init__.py": "", "manifests/crds.yaml": _definitions(self.package, types)}


def add_parser(commands: Any, environ: Mapping[str, str]) -> argparse.ArgumentParser:
    """Add the command to the command line."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "init",
        help="a project for an operator of your own",
        description=(
            "Make a directory with an operator of your own: types, CustomResourceDefinition, reconcile, tests, rights, "
            "manifests, Dockerfile and CI. Its tests pass as it is made."
        ),
    )
    parser.add_argument("name", metavar="NAME", help="of the operator and its directory: my-operator")
    parser.add_argument("--kind", metavar="KIND", help="what it looks after; made of NAME if missing")
    parser.add_argument("--group", metavar="GROUP", help="its API group; NAME.example.org if missing")
    parser.set_defaults(command=make_project)
    return parser


def make_project(args: argparse.Namespace) -> int:
    """Write the files into a new directory."""
    kind = args.kind or "".join(part.title() for part in args.name.split("-"))
    project = Project(args.name, kind, args.group or f"{args.name}.example.org")
    folder = Path(project.name)
    files = project.files()
    try:
        folder.mkdir()
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
    except FileExistsError as error:
        raise ConfigError(f"{folder} is there already: nothing was written") from error
    except OSError as error:
        raise ConfigError(f"{folder} cannot be written: {error}") from error
    print(f"{len(files)} files in {folder}/: cd {folder} && pip install -e '.[dev]' && pytest")
    return 0


def _definitions(package: str, types: str) -> str:
    module = ModuleType(f"{package}.types")
    exec(compile(types, f"{package}/types.py", "exec", dont_inherit=True), vars(module))  # noqa: S102  our own template
    return to_yaml(crds_in(module))
