"""`btcctl init`: a project for an operator of one's own, whose tests pass as it is made."""

from __future__ import annotations

import argparse
import ast
import keyword
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from itertools import chain
from pathlib import Path
from string import Template
from types import ModuleType
from typing import Any

import yaml

from btcctl.crds.definition import to_yaml
from btcctl.crds.modules import crds_in
from btcctl.errors import ConfigError
from btcctl.rbac.rights import ELECTION, Right, cluster_role

_NAME = re.compile(r"[a-z]([-a-z0-9]{0,48}[a-z0-9])?")
_KIND = re.compile(r"[A-Z][A-Za-z0-9]{0,62}")
_GROUP = re.compile(r"(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+")

#: What the project, or what it stands on, imports by this name; and where its tests are.
_IMPORTED = sys.stdlib_module_names | {
    *("btcctl", "cachetools", "msgspec", "mypy", "prometheus_client", "pytest", "rich", "setuptools", "structlog"),
    *("tests", "urllib3", "yaml"),
}

#: Where each template goes.
_FILES = {
    "types.py": "{package}/types.py",
    "operator.py": "{package}/operator.py",
    "main.py": "{package}/__main__.py",
    "test_operator.py": "tests/test_operator.py",
    "deployment.yaml": "manifests/deployment.yaml",
    "example.yaml": "manifests/example.yaml",
    "chart/Chart.yaml": "chart/Chart.yaml",
    "chart/values.yaml": "chart/values.yaml",
    "chart/values.schema.json": "chart/values.schema.json",
    "chart/helmignore": "chart/.helmignore",
    "chart/helpers.tpl": "chart/templates/_helpers.tpl",
    "chart/crds.yaml": "chart/templates/crds.yaml",
    "chart/rbac.yaml": "chart/templates/rbac.yaml",
    "chart/deployment.yaml": "chart/templates/deployment.yaml",
    "chart/NOTES.txt": "chart/templates/NOTES.txt",
    "pyproject.toml": "pyproject.toml",
    "Dockerfile": "Dockerfile",
    "ci.yaml": ".github/workflows/ci.yaml",
    "README.md": "README.md",
}

#: What an operator does beside watching its own kind and writing its status: `group/resource` and verbs. The tests of
#: each project hold its manifest to what they have seen in use. What is not named is made as without `--like`.
_RIGHTS = {
    "": {"/configmaps": "list watch create patch"},
    "kopf": {"/configmaps": "get create patch delete", "GROUP/PLURAL": "patch"},
    "sample-controller": {"apps/deployments": "list watch create update"},
}
_IMPORTS = (ast.Import, ast.ImportFrom)
LIKES = tuple(name for name in _RIGHTS if name)


@dataclass(frozen=True, slots=True)
class Project:
    """What is to be made.

    Attributes:
        name: Of the operator: "my-operator".
        kind: "Database"
        group: "db.example.org"
        like: One of LIKES, whose shape it has; "" makes the smallest.

    Raises:
        ConfigError: One of them cannot be what it is said to be.
    """

    name: str
    kind: str
    group: str
    like: str = ""

    def __post_init__(self) -> None:
        for what, value, pattern, example in (
            ("name", self.name, _NAME, "my-operator"),
            ("kind", self.kind, _KIND, "Database"),
            ("group", self.group, _GROUP, "db.example.org"),
        ):
            if not pattern.fullmatch(value):
                raise ConfigError(f"{value!r} is no {what} of an operator: it looks like {example}")
        if keyword.iskeyword(self.package) or self.package in _IMPORTED:
            raise ConfigError(
                f"{self.name!r} would be imported in place of another module of this name: choose another"
            )
        if keyword.iskeyword(self.kind) or self.kind in self._names_in_use():
            raise ConfigError(f"{self.kind!r} means something else in the project's code: choose another --kind")

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
        made = {
            path.format(package=self.package): Template(self._template(name)).substitute(words)
            for name, path in _FILES.items()
        }
        made[f"{self.package}/__init__.py"] = ""
        definitions = _definitions(self.package, made[f"{self.package}/types.py"])
        for folder in ("manifests", "chart/files"):
            made |= {f"{folder}/crds.yaml": definitions, f"{folder}/rbac.yaml": self._rbac()}
        return made

    def _names_in_use(self) -> set[str]:
        """What modules of the project import, or call a class, beside its own kind."""
        words = dict.fromkeys(("name", "kind", "group", "package", "plural"), "_")
        trees = [ast.parse(Template(self._template(name)).substitute(words)) for name in _FILES if name.endswith(".py")]
        nodes = [*chain.from_iterable(ast.walk(each) for each in trees)]
        imported = (each.asname or each.name for node in nodes if isinstance(node, _IMPORTS) for each in node.names)
        return {*imported, *(node.name for node in nodes if isinstance(node, ast.ClassDef))}

    def _template(self, name: str) -> str:
        folder = resources.files("btcctl.cli.author") / "scaffold"
        special = folder / self.like.replace("-", "_") / f"{name}.txt"
        return (special if self.like and special.is_file() else folder / f"{name}.txt").read_text()

    def _rbac(self) -> str:
        named = {"GROUP/PLURAL": "list watch", "GROUP/PLURAL/status": "update", "/events": "create patch"}
        rights = [*ELECTION, *(right for each in (named, _RIGHTS[self.like]) for right in self._rights_in(each))]
        account = {"kind": "ServiceAccount", "name": self.name, "namespace": self.name}
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": self.name}
        objects = [
            {"apiVersion": "v1", "kind": account["kind"], "metadata": {"name": self.name, "namespace": self.name}},
            cluster_role(self.name, rights),
            {
                "apiVersion": f"{role['apiGroup']}/v1",
                "kind": "ClusterRoleBinding",
                "metadata": {"name": self.name},
                "roleRef": role,
                "subjects": [account],
            },
        ]
        return "# Written by: pytest --write-rbac\n" + yaml.safe_dump_all(objects, sort_keys=False)

    def _rights_in(self, named: Mapping[str, str]) -> list[Right]:
        found = []
        for where, verbs in named.items():
            group, _, resource = where.replace("GROUP", self.group).replace("PLURAL", self.plural).partition("/")
            found += [Right(group, resource, verb) for verb in verbs.split()]
        return found


def add_parser(commands: Any, environ: Mapping[str, str]) -> argparse.ArgumentParser:
    """Add the command to the command line."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "init",
        help="a project for an operator of your own",
        description=(
            "Make a directory with an operator of your own: types, CustomResourceDefinition, reconcile, tests, rights, "
            "manifests, chart, Dockerfile and CI. Its tests pass as it is made."
        ),
    )
    parser.add_argument("name", metavar="NAME", help="of the operator and its directory: my-operator")
    parser.add_argument("--kind", metavar="KIND", help="what it looks after; made of NAME if missing")
    parser.add_argument("--group", metavar="GROUP", help="its API group; NAME.example.org if missing")
    parser.add_argument(
        "--like",
        choices=LIKES,
        default="",
        help="kopf: with a finalizer and a poll, where kopf has handlers; sample-controller: it owns a Deployment",
    )
    parser.set_defaults(command=make_project)
    return parser


def make_project(args: argparse.Namespace) -> int:
    """Write the files into a new directory."""
    kind = args.kind or "".join(part.title() for part in args.name.split("-"))
    project = Project(args.name, kind, args.group or f"{args.name}.example.org", args.like)
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
