"""Which program of this machine an image stands for: nothing is pulled, and nothing is unpacked."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from btcctl.errors import ConfigError
from btcctl.secret import ENVIRON

EXEC = "exec:"  #: an image named exec:/path/to/program is that program


@dataclass(frozen=True, slots=True)
class Program:
    """What a container of an image runs.

    Attributes:
        argv: What the image's entrypoint would be: a container's `args` come after it, its `command` instead of it.
        env: What is in its environment beside what every pod has; the pod's own wins.
        is_ours: It looks for its ServiceAccount where BTCCTL_SERVICE_ACCOUNT says.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    is_ours: bool = False


class Images:
    """Programs by the names of images: one without a tag stands for every tag.

    Args:
        programs: By name.
    """

    def __init__(self, programs: Mapping[str, Program] | None = None) -> None:
        self._programs = dict(programs or {})

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._programs)

    def find(self, image: str) -> Program | None:
        """The program of an image, or None."""
        if image.startswith(EXEC):
            return Program((image.removeprefix(EXEC),))
        return self._programs.get(image) or self._programs.get(without_tag(image))


def without_tag(image: str) -> str:
    """`registry:5000/name` of `registry:5000/name:tag@sha256:…`."""
    name = image.partition("@")[0]
    path, slash, last = name.rpartition("/")
    return f"{path}{slash}{last.partition(':')[0]}"


def parse_mappings(texts: Iterable[str], environ: Mapping[str, str] = ENVIRON) -> dict[str, Program]:
    """What `--run IMAGE=COMMAND` says, as often as it stands there.

    Args:
        environ: Where PATH is looked up.

    Raises:
        ConfigError: It is no mapping, or there is no such program.
    """
    return dict(_parse_mapping(text, environ) for text in texts)


def _parse_mapping(text: str, environ: Mapping[str, str]) -> tuple[str, Program]:
    image, equals, command = text.partition("=")
    if not image or not equals or image.startswith(EXEC):
        raise ConfigError(f"--run {text}: write IMAGE=COMMAND, for example my-operator:dev='python -m my_operator'")
    try:
        argv = shlex.split(command)
    except ValueError as error:
        raise ConfigError(f"--run {text}: {error}") from error
    if not argv:
        raise ConfigError(f"--run {text}: there is no command after the =")
    found = shutil.which(argv[0], path=environ.get("PATH", ""))
    if found is None:
        raise ConfigError(f"--run {text}: no such program, or not executable: {argv[0]}")
    return image, Program((found, *argv[1:]))
