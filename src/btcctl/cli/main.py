"""The command `btcctl`: parses, wires, runs; decides nothing.

Exit status: 0 done or stopped as asked, 1 failed, 2 bad usage or configuration, 130 interrupted.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from btcctl import logging
from btcctl.cli.flags import Flags, Parser
from btcctl.errors import BtcctlError, ConfigError
from btcctl.secret import ENVIRON, SecretMapping
from btcctl.version import VERSION

# Each wake-up of an I/O thread waits for the interval times the number of busy threads: 1 ms cuts
# the latency of watches and renewals tenfold for 8 % of CPU-bound work (measured, four busy threads).
SWITCH_INTERVAL_SECONDS = 0.001

#: By name: the module below, what adds its parser there, and the least level to log. In the order of --help.
_COMMANDS = {
    "run": ("run", "add_parser", "info"),
    "sandbox": ("sandbox", "add_parser", "error"),
    "view": ("view", "add_parser", "error"),
    "crd": ("crd", "add_parser", "info"),
    "init": ("author.init", "add_parser", "info"),
    "crds": ("author.crds", "add_parser", "info"),
    "types": ("author.types", "add_parser", "info"),
    "rbac": ("author.rbac", "add_parser", "info"),
    "debug": ("debug", "add_parser", "info"),
    "doctor": ("doctor", "add_parser", "info"),
    "get": ("network.get", "add_parser", "error"),
    "status": ("network.status", "add_parser", "error"),
    "rpc": ("network.calls", "add_rpc_parser", "error"),
    "mine": ("network.calls", "add_mine_parser", "error"),
    "tx": ("network.tx", "add_parser", "error"),
    "partition": ("network.desired", "add_partition_parser", "error"),
    "heal": ("network.desired", "add_heal_parser", "error"),
    "wait": ("network.waiting", "add_parser", "error"),
    "logs": ("network.logs", "add_parser", "error"),
}

DESCRIPTION = """\
A Kubernetes operator for Bitcoin networks, and a sandbox to try it in.

  btcctl sandbox            a local cluster with a living network: no Kubernetes, no Docker
  btcctl run                the operator, in a cluster or beside one (--kubeconfig)
  btcctl view               a page that shows your networks live
  btcctl crd                the CustomResourceDefinition, for kubectl apply -f -
  btcctl debug              what goes on in a running operator
  btcctl doctor             what keeps an operator from its work, and how to mend it

For people, with a network that runs:

  btcctl get [NAME]         your networks, in a table
  btcctl status NAME        nodes, heights, links, tips, conditions and events of one, now
  btcctl rpc NAME[/N] …     call a node, as bitcoin-cli does
  btcctl mine NAME [N]      mine blocks;  btcctl tx NAME  makes transactions
  btcctl partition NAME 0,1|2   split a network;  btcctl heal NAME  makes it whole
  btcctl wait NAME          wait until it is ready, synced, or high enough
  btcctl logs NAME[/N]      what its nodes print

For operators of your own, built with the toolkit:

  btcctl init NAME          a project with types, tests, manifests and CI
  btcctl crds               the CustomResourceDefinitions of your classes
  btcctl types              classes from CustomResourceDefinitions
  btcctl rbac               the least rights for what an operator did

Every flag can be given as the environment variable that its help names.
"""

logger = logging.get_logger(__name__)


def main(argv: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """Run one command and return its exit status.

    Args:
        argv: What stands after the program's name; the process' if None.
        environ: Where flags have their variables; the process' if None.
    """
    words = sys.argv[1:] if argv is None else argv
    # To import all of them takes longer than most of them need.
    parser = build_parser(environ, words[:1] if words and words[0] in _COMMANDS else _COMMANDS)
    args = parser.parse_args(words)
    sys.setswitchinterval(SWITCH_INTERVAL_SECONDS)
    level = "debug" if args.verbose else args.log_level
    logging.configure(level, args.log_format, tracebacks=args.verbose)
    try:
        status: int = args.command(args)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return 130
    except OSError as error:  # of a file, or of our output, which nothing can be said to any more
        _give_up_lost_output()
        return 1 if isinstance(error, BrokenPipeError) else _fail(args, error, 1)
    except ConfigError as error:
        return _fail(args, error, 2)
    except BtcctlError as error:
        return _fail(args, error, 1)
    except Exception as error:
        return _fail(args, error, 1, f"unexpected {type(error).__name__}: ")
    return status


def make_output_safe() -> None:
    """Whoever has started us may have closed it, or chosen an encoding that lacks what we say: that fails nothing."""
    for name in ("stdout", "stderr"):
        stream: Any = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115  for as long as we live
        else:
            stream.reconfigure(errors="backslashreplace")


def _give_up_lost_output() -> None:
    """If what is left of it cannot be written: the interpreter would try again at its end, and say that it failed."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def build_parser(environ: Mapping[str, str] | None = None, names: Iterable[str] = _COMMANDS) -> argparse.ArgumentParser:
    """The command line, with the commands of these names."""
    environ = ENVIRON if environ is None else SecretMapping(environ)
    parser = Parser(prog="btcctl", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--version", action="version", version=f"btcctl {VERSION}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command_name")
    for name in names:
        module, add_parser, level = _COMMANDS[name]
        command = getattr(importlib.import_module(f"btcctl.cli.{module}"), add_parser)(commands, environ)
        _add_logging_flags(Flags(command, environ), level)
    return parser


def _add_logging_flags(flags: Flags, default_level: str) -> None:
    flags.value("--log-level", choices=logging.LEVELS, default=default_level, about="the least level to log")
    flags.value(
        "--log-format",
        choices=("auto", "console", "json"),
        default="auto",
        about="auto is console on a terminal, JSON otherwise",
    )
    flags.switch("-v", "--verbose", about="log everything, and show tracebacks")


def _fail(args: argparse.Namespace, error: Exception, status: int, prefix: str = "") -> int:
    if args.log_format == "json":  # asked for, so that a machine can read all, the last words too
        said = f"{prefix}{logging.scrub(str(error))}"
        logger.error("failed", command=args.command_name, error=said, status=status, exc_info=args.verbose and error)
        return status
    print(f"btcctl {args.command_name}: {prefix}{logging.for_terminal(str(error))}", file=sys.stderr)
    if args.verbose:
        raise error
    if prefix:
        print("Run it again with -v for the traceback.", file=sys.stderr)
    return status
