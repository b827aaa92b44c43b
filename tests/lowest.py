"""An environment with the lowest versions that setup.cfg names: `make test-lowest` runs unit tests in it."""

from __future__ import annotations

import configparser
import re
import sys
from pathlib import Path

from tests.installing import install
from tests.integration.controlplane.build import Failure, run, say

ROOT = Path(__file__).parents[1]
_AT_LEAST = re.compile(r"([A-Za-z0-9._-]+)(?:\[[a-z]+\])?>=([0-9.]+)")


def lowest(setup_cfg: str) -> dict[str, str]:
    """Of every dependency that has one, the lowest version, extras that are shipped included."""
    setup = configparser.ConfigParser()
    setup.read_string(setup_cfg)
    texts = [setup["options"]["install_requires"], setup["options.extras_require"]["sandbox"]]
    return {name: version for text in texts for name, version in _AT_LEAST.findall(text)}


def constraints(setup_cfg: str, pinned: str) -> str:
    """constraints.txt with the lowest versions instead; what is not named stays pinned, but what only those need."""
    low = {_normal(name): (name, version) for name, version in lowest(setup_cfg).items()}
    kept = [line for line in pinned.splitlines() if "==" in line and _normal(line.partition("==")[0]) not in low]
    return "\n".join([*kept, *(f"{name}=={version}" for name, version in low.values())]) + "\n"


def _normal(name: str) -> str:
    return re.sub("[-_.]+", "-", name).lower()


def make_environment(home: Path) -> None:
    """
    Raises:
        Failure: It cannot be made; says why.
    """
    file = home.with_suffix(".constraints.txt")
    setup_cfg = (ROOT / "setup.cfg").read_text(encoding="utf-8")
    wanted = constraints(setup_cfg, (ROOT / "constraints.txt").read_text(encoding="utf-8"))
    if (home / ".ready").exists() and file.exists() and file.read_text(encoding="utf-8") == wanted:
        return
    file.write_text(wanted, encoding="utf-8")
    say(f"making {home.name} with {', '.join(f'{name} {version}' for name, version in lowest(setup_cfg).items())} …")
    run([sys.executable, "-m", "venv", "--clear", "--without-pip", str(home)], "cannot make a venv")
    tools = ["pytest", "pytest-mock", "pytest-randomly", "pytest-timeout", "pytest-xdist", "hypothesis"]
    wanted = ["-e", f"{ROOT}[sandbox,socks]", *tools]
    install(home / "bin" / "python", wanted, file, "the lowest versions cannot be installed")
    (home / ".ready").touch()


def main() -> int:
    try:
        make_environment(ROOT / ".venv-lowest")
    except Failure as failure:
        sys.stderr.write(f"make test-lowest: {failure}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
