"""bitcoind's command line and bitcoin.conf, as far as a simulated node heeds them."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from btcctl.bitcoin.credential_rules import BLANKS
from btcctl.errors import ConfigError
from btcctl.sandbox.simnode.p2p.addresses import Endpoint, parse_endpoint
from btcctl.sandbox.simnode.rpc.credentials import RpcAuth
from btcctl.sandbox.simnode.rpc.http import IDLE_SECONDS
from btcctl.sandbox.simnode.rpc.server import AnyNetwork

#: Chains that can be simulated, their ports for RPC and P2P (chainparamsbase.cpp, chainparams.cpp).
CHAINS = {"regtest": (18443, 18444), "signet": (38332, 38333), "testnet4": (48332, 48333)}
WARM_UP_SECONDS = 0.1
VERSION_FLAG = "simversion"  #: ours, not bitcoind's: what the node says that it is
WARM_UP_FLAG = "simwarmup"  #: ours, not bitcoind's: seconds

_CHAIN_FLAGS = ("regtest", "signet", "testnet", "testnet4")
_SECTION_ONLY = ("addnode", "bind", "connect", "port", "rpcbind", "rpcport", "wallet")
_HEEDED = {
    *("addnode", "bind", "chain", "conf", "datadir", "port", "regtest", "rest", "rpcallowip", "rpcauth", "rpcbind"),
    *("rpcpassword", "rpcport", "rpcservertimeout", "rpcthreads", "rpcuser", "rpcworkqueue", "v2transport"),
    *("signet", "signetchallenge", "testnet4", "uacomment", VERSION_FLAG, WARM_UP_FLAG),
}
#: Without meaning here, and harmless: no warning.
_WITHOUT_EFFECT = {
    *("checkblocks", "checklevel", "daemon", "dbcache", "debug", "discover", "disablewallet", "dns", "dnsseed"),
    *("fallbackfee", "fixedseeds", "listen", "listenonion", "maxconnections", "natpmp", "par", "printtoconsole"),
    *("server", "txindex", "upnp", "wallet"),
}


@dataclass(slots=True)
class Settings:
    """Values by name, without their dash, from where they were given.

    Attributes:
        command_line: The last of several wins.
        sections: The file's, by name; the first wins, and any of these goes before the file's rest.
        top: The file outside of sections.
        chain: Whose section counts.
    """

    command_line: dict[str, list[str]]
    sections: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    top: dict[str, list[str]] = field(default_factory=dict)
    chain: str = "regtest"

    @property
    def section(self) -> dict[str, list[str]]:
        return self.sections.setdefault(self.chain, {})

    def get(self, name: str, default: str = "") -> str:
        if name in self.command_line:
            return self.command_line[name][-1]
        return next((values[0] for values in (self.section.get(name), self.top.get(name)) if values), default)

    def all(self, name: str) -> list[str]:
        return [value for source in (self.command_line, self.section, self.top) for value in source.get(name, [])]

    def flag(self, name: str, *, default: bool = False) -> bool:
        value = self.get(name, "1" if default else "0")
        return value not in ("0", "false")  # `-rest` alone is an empty value, and means yes

    def number(self, name: str, default: float) -> float:
        """A number of 0 or more.

        Raises:
            ConfigError: It is none.
        """
        text = self.get(name, str(default))
        try:
            number = float(text)
        except ValueError:
            number = -1.0
        if not 0 <= number < 1e9:
            raise ConfigError(f"-{name}={text} is no number of 0 or more")
        return number

    def port(self, name: str, default: int) -> int:
        number = self.number(name, default)
        if number != int(number) or not 0 < number < 65536:
            raise ConfigError(f"Invalid port specified in -{name}: '{self.get(name)}'")
        return int(number)


@dataclass(frozen=True, slots=True)
class NodeConfig:
    """What one node is started with.

    Attributes:
        chain: regtest, signet or testnet4.
        chain_dir: `<datadir>/<chain>`.
        challenge: Of the signet; "" on other chains.
        version: What it says that it is; "" for its own.
        agent_comments: What `-uacomment` adds to the node's name.
        password_pair: `user:password`, or None: then a cookie is written.
        warnings: Lines for the log.
    """

    chain: str
    chain_dir: Path
    challenge: str
    version: str
    agent_comments: tuple[str, ...]
    p2p_binds: tuple[Endpoint, ...]
    rpc_binds: tuple[Endpoint, ...]
    rpc_allowed: tuple[AnyNetwork, ...]
    password_pair: str | None
    rpc_auths: tuple[RpcAuth, ...]
    rest: bool
    rpc_threads: int
    rpc_work_queue: int
    rpc_idle_seconds: float
    added_nodes: tuple[str, ...]
    v2: bool
    warm_up_seconds: float
    warnings: tuple[str, ...]


def load_node_config(arguments: Sequence[str], environ: Mapping[str, str]) -> NodeConfig:
    """Read everything a node is started with.

    Args:
        arguments: The command line without the program.
        environ: BC_RPC_USER and BC_RPC_PASSWORD count where nothing else says who may call.

    Raises:
        ConfigError: In bitcoind's words where it has some.
    """
    settings = Settings(parse_command_line(arguments))
    data_dir = Path(settings.get("datadir") or Path.home() / ".bitcoin")
    if not data_dir.is_dir():
        raise ConfigError(f'Specified data directory "{data_dir}" does not exist.')
    _read_file(settings, data_dir)
    rpc_port, p2p_port = CHAINS[settings.chain]
    default_port = settings.port("port", p2p_port)
    rpc_binds, warnings = _rpc_binds(settings, rpc_port)
    return NodeConfig(
        chain=settings.chain,
        chain_dir=data_dir / settings.chain,
        challenge=settings.get("signetchallenge") if settings.chain == "signet" else "",
        version=settings.get(VERSION_FLAG),
        agent_comments=tuple(settings.all("uacomment")),
        p2p_binds=_endpoints(settings.all("bind") or ["0.0.0.0"], default_port),  # noqa: S104
        rpc_binds=rpc_binds,
        rpc_allowed=tuple(_networks(settings.all("rpcallowip"))),
        password_pair=_password_pair(settings, environ),
        rpc_auths=tuple(_auths(settings.all("rpcauth"))),
        rest=settings.flag("rest"),
        rpc_threads=max(1, int(settings.number("rpcthreads", 16))),
        rpc_work_queue=max(1, int(settings.number("rpcworkqueue", 64))),
        rpc_idle_seconds=settings.number("rpcservertimeout", IDLE_SECONDS),
        added_nodes=tuple(settings.all("addnode")),
        v2=settings.flag("v2transport", default=True),
        warm_up_seconds=settings.number(WARM_UP_FLAG, WARM_UP_SECONDS),
        warnings=(*warnings, *_unknown(settings)),
    )


def parse_command_line(arguments: Iterable[str]) -> dict[str, list[str]]:
    """`-name=value`, `--name=value`, `-name` and `-noname`.

    Raises:
        ConfigError: Something that is no flag.
    """
    flags: dict[str, list[str]] = {}
    for argument in arguments:
        if not argument.startswith("-") or argument.strip("-") == "":
            raise ConfigError(f"Command line contains unexpected token '{argument}'")
        name, equals, value = argument.removeprefix("-").removeprefix("-").partition("=")
        _keep(flags, name, value if equals else "1")
    return flags


def parse_conf(text: str, settings: Settings) -> None:
    """Add what a bitcoin.conf says to `settings`.

    Raises:
        ConfigError: With the number of the line.
    """
    section = ""
    for number, raw in enumerate(text.split("\n"), start=1):
        line, hash_, _ = raw.partition("#")
        line = line.strip(BLANKS)
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1]
            continue
        if not line:
            continue
        name, equals, value = (part.strip(BLANKS) for part in line.partition("="))
        if not equals or name.startswith("-"):
            raise ConfigError(f"Error reading configuration file: parse error on line {number}: {name}")
        if hash_ and "rpcpassword" in name:
            reason = "using # in rpcpassword can be ambiguous and should be avoided"
            raise ConfigError(f"Error reading configuration file: parse error on line {number}, {reason}")
        prefix, dot, rest = name.rpartition(".")
        where = prefix if dot else section
        _keep(settings.sections.setdefault(where, {}) if where else settings.top, rest, value)


def _keep(values: dict[str, list[str]], name: str, value: str) -> None:
    if name.startswith("no") and name.removeprefix("no") in _HEEDED | _WITHOUT_EFFECT:
        name, value = name.removeprefix("no"), "0" if value != "0" else "1"
    values.setdefault(name, []).append(value)


def _read_file(settings: Settings, data_dir: Path) -> None:
    given = settings.get("conf")
    path = data_dir / (given or "bitcoin.conf")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        if not given and isinstance(error, FileNotFoundError):
            settings.chain = _chain(settings)
            return
        message = f'specified config file "{path}" could not be opened.'
        raise ConfigError(f"Error reading configuration file: {message}") from error
    parse_conf(text, settings)
    settings.chain = _chain(settings)
    for name in _CHAIN_FLAGS:
        settings.section.pop(name, None)  # bitcoind looks for its chain above the sections only
    elsewhere = settings.command_line.keys() | settings.section.keys()
    misplaced = next((name for name in _SECTION_ONLY if name in settings.top and name not in elsewhere), None)
    if misplaced is not None:
        raise ConfigError(
            f"Config setting for -{misplaced} only applied on {settings.chain} network "
            f"when in [{settings.chain}] section."
        )


def _chain(settings: Settings) -> str:
    """As bitcoind chooses it, from the command line and the file above its sections.

    Raises:
        ConfigError: There are two, or one that is not simulated.
    """
    sources = (settings.command_line, settings.top)
    named = {name for name in _CHAIN_FLAGS for each in sources if each.get(name, ["0"])[-1] not in ("0", "")}
    chosen = named | {each["chain"][-1] for each in sources if "chain" in each}
    if len(chosen) > 1:
        flags = "-regtest, -signet, -testnet, -testnet4 and -chain"
        raise ConfigError(f"Invalid combination of {flags}. Can use at most one.")
    chain = next(iter(chosen), "main")
    if chain not in CHAINS:
        raise ConfigError(
            f"Only {', '.join(CHAINS)} are simulated, not {chain}: start with -regtest, or regtest=1 above the sections"
        )
    return chain


def _rpc_binds(settings: Settings, default_port: int) -> tuple[tuple[Endpoint, ...], list[str]]:
    port = settings.port("rpcport", default_port)
    wanted, loopback = settings.all("rpcbind"), (Endpoint("127.0.0.1", port),)
    if wanted and not settings.all("rpcallowip"):
        return loopback, ["Option -rpcbind was ignored because -rpcallowip was not specified"]
    return (_endpoints(wanted, port) if wanted else loopback), []


def _endpoints(texts: Iterable[str], default_port: int) -> tuple[Endpoint, ...]:
    endpoints = []
    for text in texts:
        any_address = Endpoint("0.0.0.0", default_port) if text == "0.0.0.0" else None  # noqa: S104
        endpoint = any_address or parse_endpoint(text.removesuffix("=onion"), default_port)
        if endpoint is None:
            raise ConfigError(f"Cannot resolve -bind address: '{text}'")
        endpoints.append(endpoint)
    return tuple(endpoints)


def _networks(texts: Iterable[str]) -> Iterable[AnyNetwork]:
    for text in texts:
        try:
            yield ipaddress.ip_network(text, strict=False)
        except ValueError as error:
            raise ConfigError(f"Invalid -rpcallowip subnet specification: {text}") from error


def _auths(texts: Iterable[str]) -> Iterable[RpcAuth]:
    for text in texts:
        try:
            yield RpcAuth.parse(text)
        except ValueError as error:
            raise ConfigError(f"Unable to start HTTP server: {error}") from error


def _password_pair(settings: Settings, environ: Mapping[str, str]) -> str | None:
    user, password = settings.get("rpcuser"), settings.get("rpcpassword")
    if not password and not settings.all("rpcauth"):
        user, password = environ.get("BC_RPC_USER", ""), environ.get("BC_RPC_PASSWORD", "")
    return f"{user}:{password}" if password else None


def _unknown(settings: Settings) -> list[str]:
    names = {name for source in (settings.command_line, settings.section, settings.top) for name in source}
    return [f"Ignoring unknown option -{name}" for name in sorted(names - _HEEDED - _WITHOUT_EFFECT)]
