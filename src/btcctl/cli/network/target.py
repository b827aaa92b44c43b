"""What the commands for people have in common: which cluster, which network, which node."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from btcctl.bitcoin.client.networks import Networks
from btcctl.bitcoin.types import READY, BitcoinNetwork
from btcctl.cli.flags import Flags, cluster_config, parse_namespace
from btcctl.cli.network import reaching
from btcctl.errors import BtcctlError, ConfigError
from btcctl.names import is_object_name
from btcctl.objects import ObjectKey
from btcctl.rest.client import ApiClient
from btcctl.rest.config.client_config import ClientConfig
from btcctl.rest.http import HttpTransport

FIELD_MANAGER = "btcctl-cli"
_MOST_DIGITS = 9  # of an ordinal


def add_parser(
    commands: Any, environ: Mapping[str, str], name: str, run: Any, about: str, description: str
) -> tuple[argparse.ArgumentParser, Flags]:
    """A command with the flags that all of them have.

    Args:
        run: Takes the parsed arguments, returns the exit status.
    """
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=about, description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    flags = Flags(parser, environ)
    flags.cluster()
    about = "the network's; the kubeconfig's if not given"
    flags.value("--namespace", "-n", parse=parse_namespace, metavar="NAME", default="", about=about)
    reaching.add_flag(flags)
    parser.set_defaults(command=run)
    return parser, flags


@dataclass(frozen=True, slots=True)
class Place:
    """A cluster, as the flags say."""

    networks: Networks
    namespace: str

    def key(self, name: str) -> ObjectKey:
        return ObjectKey(self.namespace, name)


@contextmanager
def opened(args: argparse.Namespace) -> Iterator[Place]:
    """The cluster that is meant; its connections are closed afterwards.

    Raises:
        ConfigError: None is meant, or it cannot be understood.
    """
    config = cluster_config(args)
    via = reaching.chosen(args.rpc_via, config)
    with (
        closing(ApiClient(HttpTransport(config), field_manager=FIELD_MANAGER)) as client,
        reaching.forwarding(via, config) as forward,
        Networks(client, via, forward) as networks,
    ):
        yield Place(networks, args.namespace or _namespace_of(config))


def _namespace_of(config: ClientConfig) -> str:
    try:
        return parse_namespace(config.namespace or "default")
    except argparse.ArgumentTypeError as error:
        raise ConfigError(f"{config.source}: {error}") from None


def parse_name(text: str) -> str:
    """The name of a network.

    Raises:
        argparse.ArgumentTypeError: None can have it.
    """
    if not is_object_name(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no network's name: lower-case letters, digits and hyphens")
    return text


@dataclass(frozen=True, slots=True)
class NodeName:
    """`NAME` or `NAME/ORDINAL`."""

    name: str
    ordinal: int | None


def parse_node(text: str) -> NodeName:
    """A network, or one of its nodes.

    Raises:
        argparse.ArgumentTypeError: It is neither.
    """
    name, slash, digits = text.partition("/")
    is_ordinal = digits.isascii() and digits.isdigit() and len(digits) <= _MOST_DIGITS
    if not is_object_name(name) or is_ordinal != bool(slash):
        raise argparse.ArgumentTypeError(f"{text!r} is neither NAME nor NAME/ORDINAL, for example my-network/0")
    return NodeName(name, int(digits) if slash else None)


def first_answering(place: Place, network: BitcoinNetwork, ordinal: int | None) -> Any:
    """The node that is meant: the given one, or the first that is ready.

    Raises:
        BtcctlError: None runs.
        NetworkUnknown: There is no such node.
    """
    if ordinal is not None:
        return place.networks.node(network, ordinal)
    nodes = place.networks.nodes(network)
    ready = next((node for node in nodes if node.is_ready and node.rpc is not None), None)
    ready = ready or next((node for node in nodes if node.rpc is not None), None)
    if ready is None:
        raise none_runs(network)
    return ready


def none_runs(network: BitcoinNetwork) -> BtcctlError:
    """That there is no node to do it with, and why."""
    found = network.status.condition(READY)
    why = "no controller has looked at it yet" if found is None else f"{found.reason}: {found.message}"
    return BtcctlError(f"no node of {network.name} runs: {why}")
