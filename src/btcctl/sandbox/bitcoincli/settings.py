"""What to call, of which node, as whom: from the command line, the pod's environment and bitcoin.conf."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from btcctl.bitcoin.credential_rules import BLANKS
from btcctl.sandbox.bitcoincli.errors import CliError, UsageError

#: In a pod's environment, `address:port`: what 127.0.0.1 is in a real pod.
NODE_VARIABLE = "BTCCTL_NODE_RPC"
#: Likewise: the directory that holds the node's bitcoin.conf and its chain.
DIRECTORY_VARIABLE = "BTCCTL_NODE_DIR"
#: Where the first controller's image had it. Paths are this machine's, but for this one.
IMAGE_CONF = "/bitcoin.conf"

# Name in options and configuration → its directory and its RPC port (chainparamsbase.cpp).
_CHAINS = {
    "main": ("", 8332),
    "test": ("testnet3", 18332),
    "testnet4": ("testnet4", 48332),
    "signet": ("signet", 38332),
    "regtest": ("regtest", 18443),
}
_CHAIN_FLAGS = {"regtest": "regtest", "signet": "signet", "testnet": "test", "testnet4": "testnet4"}
_SWITCHES = {"named", "rpcwait", "stdin", "stdinrpcpass", "version", "help", "getinfo", "generate", "addrinfo"}
_SWITCHES |= _CHAIN_FLAGS.keys()
_VALUES = {"conf", "datadir", "rpcconnect", "rpcport", "rpcuser", "rpcpassword", "rpccookiefile", "rpcwallet", "chain"}
_VALUES |= {"rpcwaittimeout", "rpcclienttimeout", "color"}
_ALIASES = {"h": "help", "?": "help", "help-debug": "help"}
_TOO_MANY_CHAINS = "Invalid combination of -regtest, -signet, -testnet, -testnet4 and -chain. Can use at most one."


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything but the method and its arguments.

    Attributes:
        options: What was said, by name without the dash; the command line before the file.
        directory: The data directory.
        conf: The configuration file, whether it exists or not.
        chain: As in `-chain`.
        endpoint: Host and port that nobody has said otherwise.
    """

    options: Mapping[str, str]
    directory: Path
    conf: Path
    chain: str
    endpoint: tuple[str, int]

    def is_on(self, name: str) -> bool:
        return self.options.get(name, "0") not in {"0", "false"}

    def seconds(self, name: str, default: float) -> float:
        """0 is for ever."""
        try:
            return float(self.options.get(name, default)) or float("inf")
        except ValueError:
            raise CliError(f"Invalid number provided in -{name}: {self.options[name]}") from None

    def address(self) -> tuple[str, int]:
        """Host and port of the node.

        Raises:
            CliError: What was said is neither.
        """
        host, port = self.endpoint
        if "rpcconnect" in self.options:
            host, port = split_endpoint(self.options["rpcconnect"], port)
        if "rpcport" in self.options:
            port = _port(self.options["rpcport"], f"-rpcport: {self.options['rpcport']}")
        return host, port

    def login(self) -> str | None:
        """`user:password`, or what the node's cookie says; None if there is neither."""
        if self.options.get("rpcpassword"):
            return f"{self.options.get('rpcuser', '')}:{self.options['rpcpassword']}"
        cookie = self.directory / _CHAINS[self.chain][0] / self.options.get("rpccookiefile", ".cookie")
        try:
            return cookie.read_text(encoding="utf-8").strip()
        except OSError:
            return None


def parse_command_line(words: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Options up to the first word without a dash, and the words from there on.

    Raises:
        CliError: An option that there is not.
    """
    options: dict[str, str] = {}
    for number, word in enumerate(words):
        if word == "-":  # as if nothing followed
            return options, []
        if not word.startswith("-"):
            return options, list(words[number:])
        name, equals, value = word.removeprefix("-").removeprefix("-").partition("=")
        name = _ALIASES.get(name, name)
        is_negated = name.startswith("no") and name.removeprefix("no") in _SWITCHES | _VALUES
        if name not in _SWITCHES | _VALUES and not is_negated:
            raise UsageError(f"Error parsing command line arguments: Invalid parameter {word.partition('=')[0]}")
        options[name.removeprefix("no") if is_negated else name] = "0" if is_negated else value if equals else "1"
    return options, []


def load_settings(options: Mapping[str, str], environ: Mapping[str, str]) -> Settings:
    """Complete the command line's options by the pod's environment and the configuration file.

    Raises:
        CliError: In bitcoin-cli's words.
    """
    directory = Path(options.get("datadir") or _default_directory(environ))
    conf = _conf_path(options, directory, environ)
    sections = _read_conf(conf, is_wanted="conf" in options)
    chain = _chain(options, sections[""])
    in_file = {**sections[""], **sections.get(chain, {})}
    endpoint = ("127.0.0.1", _CHAINS[chain][1])
    if NODE_VARIABLE in environ:
        endpoint = split_endpoint(environ[NODE_VARIABLE], endpoint[1])
    return Settings({**in_file, **options}, directory, conf, chain, endpoint)


def split_endpoint(text: str, default_port: int) -> tuple[str, int]:
    """`host`, `host:port`, `::1` or `[::1]:port`.

    Raises:
        CliError: The port is none.
    """
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        port = rest.removeprefix(":")
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    else:
        host, port = text, ""
    return host, _port(port, f"-rpcconnect: {text}") if port else default_port


def _default_directory(environ: Mapping[str, str]) -> Path:
    return Path(environ.get(DIRECTORY_VARIABLE) or Path(environ.get("HOME", "/")) / ".bitcoin")


def _conf_path(options: Mapping[str, str], directory: Path, environ: Mapping[str, str]) -> Path:
    given = options.get("conf", "bitcoin.conf")
    if given == IMAGE_CONF and DIRECTORY_VARIABLE in environ and not Path(given).exists():
        return Path(environ[DIRECTORY_VARIABLE]) / "bitcoin.conf"
    return directory / given


def _read_conf(path: Path, *, is_wanted: bool) -> dict[str, dict[str, str]]:
    """Settings by section, "" for those above all; the first of two equal names counts."""
    sections: dict[str, dict[str, str]] = {"": {}}
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError):
        if is_wanted:
            raise UsageError(
                f'Error reading configuration file: specified config file "{path}" could not be opened.'
            ) from None
        return sections
    section = ""
    for line in (each.partition("#")[0].strip(BLANKS) for each in lines):
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1]
        elif "=" in line:
            name, _, value = line.partition("=")
            sections.setdefault(section, {}).setdefault(name.strip(BLANKS), value.strip(BLANKS))
    return sections


def _chain(options: Mapping[str, str], in_file: Mapping[str, str]) -> str:
    sources = (options, in_file)  # -noregtest does not undo the file's regtest=1, nor in bitcoin-cli
    found = {
        chain for source in sources for name, chain in _CHAIN_FLAGS.items() if source.get(name, "0") not in {"0", ""}
    }
    found |= {source["chain"] for source in sources if "chain" in source}
    if len(found) > 1:
        raise UsageError(f"Error reading configuration file: {_TOO_MANY_CHAINS}")
    chain = next(iter(found), "main")
    if chain not in _CHAINS:
        raise UsageError(f"Error: Unknown chain {chain}.")
    return chain


def _port(text: str, where: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise CliError(f"Invalid port provided in {where}")
    return int(text)
