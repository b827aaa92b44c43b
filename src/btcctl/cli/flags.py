"""Flags that can be given as environment variables too.

`--log-level` is `BTCCTL_LOG_LEVEL`; a flag on the command line wins.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from btcctl.names import is_namespace, is_object_name
from btcctl.rest.config.client_config import ClientConfig
from btcctl.rest.loading import load_config
from btcctl.secret import ENVIRON, SecretMapping

TRUE_WORDS = frozenset({"1", "t", "true", "yes", "on"})
FALSE_WORDS = frozenset({"0", "f", "false", "no", "off", ""})

LONGEST_SECONDS = 2**63 / 1e9  # Go counts nanoseconds in an int64
_UNIT_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_WHOLE = re.compile(r"[+-]?[0-9]{1,4000}")  # int() takes 1_0, blanks and digits of other scripts, too
_PLAIN_SECONDS = re.compile(r"[0-9]+(\.[0-9]+)?")
_DURATION_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)")
_DURATION = re.compile(f"({_DURATION_PART.pattern})+")


def cluster_config(args: argparse.Namespace) -> ClientConfig:
    """The cluster that the flags of `Flags.cluster` mean.

    Raises:
        ConfigError: None is meant, or it cannot be understood.
    """
    return load_config(args.kubeconfig, args.context).acting_as(args.as_user, args.as_uid, args.as_group)


@dataclass(frozen=True, slots=True)
class _Wrong:
    """In the place of what a variable should have said."""

    message: str


class Parser(argparse.ArgumentParser):
    """Knows flags that are on or off: their value stands behind a "=" or nowhere.

    And variables that do not parse: an error of the command that asks for them, unless its flag is given. Flags are not
    abbreviated: what is one flag's beginning today is two flags' tomorrow.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"allow_abbrev": False, **kwargs})
        self.switches: set[str] = set()

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """See the base class. A word behind a switch is an argument of its own."""
        words = list(sys.argv[1:] if args is None else args)
        end = words.index("--") if "--" in words else len(words)
        whole = [self._with_value(each) for each in words[:end]]
        parsed, rest = super().parse_known_args([*whole, *words[end:]], namespace)
        for value in vars(parsed).values():
            if isinstance(value, _Wrong):
                self.error(value.message)
        return parsed, rest

    def _with_value(self, word: str) -> str:
        if word not in self.switches:
            return word
        return f"{word}=true" if word.startswith("--") else f"{word}true"


class Flags:
    """Adds flags to a parser, with their variables and their help.

    Args:
        parser: What to add to.
        environ: Where the variables are; the process' environment if None.
    """

    def __init__(self, parser: argparse.ArgumentParser, environ: Mapping[str, str] | None = None) -> None:
        self._parser = parser
        self._environ = ENVIRON if environ is None else SecretMapping(environ)

    def cluster(self) -> None:
        """Add those that say which cluster is meant, and as whom to act there; `cluster_config` reads them."""
        self.value("--kubeconfig", parse=parse_path, metavar="FILE", about="the kubeconfig to use")
        self.value("--context", metavar="NAME", about="the context in the kubeconfig, instead of the current one")
        self.value(
            "--as", dest="as_user", metavar="USER", default="", about="act as this user; the server asks if we may"
        )
        self.names("--as-group", metavar="GROUP", about="act as a member of this group, with --as")
        self.value("--as-uid", metavar="UID", default="", about="act as the user with this uid, with --as")

    def value(
        self, *names: str, parse: Callable[[str], Any] = str, default: Any = None, about: str, **options: Any
    ) -> None:
        """Add a flag with a value. A variable that does not parse is a usage error of this command."""
        variable, text = self._variable(names)
        if text is not None:
            default = self._parsed(variable, text, parse, options.get("choices"))
        self._parser.add_argument(
            *names, type=parse, default=default, help=self._help(about, variable, default, text), **options
        )

    def names(self, *names: str, parse: Callable[[str], Any] = str, about: str, **options: Any) -> None:
        """Add a flag that can be repeated; its variable has the values between commas. None given is ()."""
        variable, text = self._variable(names)
        given = [each.strip() for each in (text or "").split(",") if each.strip()]
        values = tuple(self._parsed(variable, each, parse, None) for each in given)
        default = next((each for each in values if isinstance(each, _Wrong)), values)
        shown = self._help(f"{about}; may be repeated", variable, None, text)
        self._parser.add_argument(*names, action=_Collect, type=parse, default=default, help=shown, **options)

    def switch(self, *names: str, about: str) -> None:
        """Add a flag that is on or off, as Go has them: `--flag`, `--flag=true`, `--flag=false`; likewise its variable.

        The parser must be a `Parser`, or a word that follows the flag is taken for its value.
        """
        variable, text = self._variable(names)
        default = text is not None and self._parsed(variable, text, parse_bool, None)
        self._parser.add_argument(
            *names,
            nargs="?",
            const=True,
            type=_parse_switch,
            default=default,
            metavar="=true|false",
            help=f"{about} [env {variable}]",
        )
        if isinstance(self._parser, Parser):
            self._parser.switches.update(names)

    def _variable(self, names: tuple[str, ...]) -> tuple[str, str | None]:
        long = next(name for name in names if name.startswith("--"))
        variable = "BTCCTL_" + long.removeprefix("--").replace("-", "_").upper()
        return variable, self._environ.get(variable)

    def _parsed(self, variable: str, text: str, parse: Callable[[str], Any], choices: Any) -> Any:
        try:
            value = parse(text)
        except (ValueError, argparse.ArgumentTypeError) as error:
            return self._wrong(f"{variable}={text!r}: {error}")
        if choices is not None and value not in choices:
            return self._wrong(f"{variable}={text!r}: choose from {', '.join(map(str, choices))}")
        return value

    def _wrong(self, message: str) -> _Wrong:
        if not isinstance(self._parser, Parser):
            self._parser.error(message)
        return _Wrong(message)  # perhaps it is meant for another command, or not asked for at all

    @staticmethod
    def _help(text: str, variable: str, default: Any, given: str | None) -> str:
        shown = "" if default in (None, "", []) or given is not None else f", default {default}"
        return f"{text} [env {variable}{shown}]".replace("%", "%%")


class _Collect(argparse.Action):
    """The values on the command line, instead of the default, not after it."""

    def __call__(self, _parser: Any, namespace: argparse.Namespace, value: Any, _option: Any = None) -> None:
        before = getattr(namespace, self.dest)
        setattr(namespace, self.dest, (value,) if before is self.default else (*before, value))


def _parse_switch(text: str) -> bool:
    try:
        if text:
            return parse_bool(text)
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"{text!r} is neither true nor false")


def parse_path(text: str) -> Path:
    """Of a file.

    Raises:
        argparse.ArgumentTypeError: It is empty, as of a variable that is not set; Python would take the current folder.
    """
    if not text:
        raise argparse.ArgumentTypeError("'' names no file")
    return Path(text)


def parse_namespace(text: str) -> str:
    """The name of a namespace; "" for none in particular.

    Raises:
        argparse.ArgumentTypeError: No namespace can have it.
    """
    if text and not is_namespace(text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no namespace: lower-case letters, digits and hyphens, 63 at most"
        )
    return text


def parse_object_name(text: str) -> str:
    """The name of an object.

    Raises:
        argparse.ArgumentTypeError: None can have it.
    """
    if not is_object_name(text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no object's name: lower-case letters, digits, hyphens and dots, 253 at most"
        )
    return text


def parse_bool(text: str) -> bool:
    """true or false, as people write them in environment variables.

    Raises:
        ValueError: Anything else.
    """
    word = text.strip().lower()
    if word in TRUE_WORDS:
        return True
    if word in FALSE_WORDS:
        return False
    raise ValueError("say true or false")


def parse_duration(text: str) -> float:
    """Seconds from "30", "30s", "10m" or "1h30m", as Go writes durations; not negative.

    Raises:
        argparse.ArgumentTypeError: Anything else, or more than Go's durations hold.
    """
    if _PLAIN_SECONDS.fullmatch(text):
        seconds = float(text)
    elif _DURATION.fullmatch(text):
        seconds = sum(float(number) * _UNIT_SECONDS[unit] for number, unit in _DURATION_PART.findall(text))
    else:
        raise argparse.ArgumentTypeError(f"{text!r} is no duration; write 30s, 10m or 1h30m")
    if seconds > LONGEST_SECONDS:
        raise argparse.ArgumentTypeError(f"{text!r} is longer than 292 years")
    return seconds


def parse_count(low: int, high: int) -> Callable[[str], int]:
    """A parser of whole numbers from `low` to `high`."""

    def parse(text: str) -> int:
        if not _WHOLE.fullmatch(text):
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number")
        number = int(text)
        if not low <= number <= high:
            raise argparse.ArgumentTypeError(f"{number} is not between {low} and {high}")
        return number

    return parse
