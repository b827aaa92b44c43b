"""Who may ask. Pure.

* The first part of every path is the token. Without it there is nothing to be seen; the page itself, its script and
  what the script asks for all stand below it, so that no cookie is needed, and nothing is sent along by itself.
* A page of another site can make a browser ask us, and by DNS rebinding under a name of its own even read the answers:
  `Host` must be an address, `localhost`, or a name that was allowed. A browser that names an `Origin` must name ours.
* What does something wants JSON and the token once more, in a header of its own: no form can send either, and no script
  of another site may.
"""

from __future__ import annotations

import hmac
import ipaddress
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from btcctl.errors import ConfigError
from btcctl.secret import Secret, SecretBytes

TOKEN_HEADER: Final = "x-btcctl-token"  # noqa: S105  a name
_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,128}")
_NAME = re.compile(r"[A-Za-z0-9._-]+")
_HOST = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::[0-9]{1,5})?")

#: Nothing is loaded but from here, nothing stands inline, and nobody puts the page into a frame.
HEADERS: Final[Mapping[str, str]] = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",  # the address holds the token
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "no-store",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """The answer to who may not ask."""

    status: int
    why: str


class Guard:
    """Looks at requests.

    Args:
        token: What stands in the address.
        names: Further values of `Host` without a port, for example of a Service.

    Raises:
        ConfigError: The token is too short, or has characters that have no place in a path. Or no caller can name
            such a host: with a port, a scheme or a wildcard nobody would ever be let in by it.
    """

    def __init__(self, token: Secret, names: tuple[str, ...] = ()) -> None:
        if not _TOKEN.fullmatch(token):
            raise ConfigError("the token must have 16 to 128 letters, digits, dashes and underscores")
        wrong = next((name for name in names if not _NAME.fullmatch(name)), None)
        if wrong is not None:
            raise ConfigError(
                f"{wrong!r} is no host name: write it as view.example.com, without scheme, port and blanks"
            )
        self._token = SecretBytes(token.encode())
        self._names = frozenset({"localhost", *(name.lower().rstrip(".") for name in names)})

    def path(self, path: str) -> str | None:
        """What stands behind the token, without a slash in front; None if the token is not ours."""
        token, slash, rest = path.removeprefix("/").partition("/")
        return rest if slash and hmac.compare_digest(token.encode(), self._token) else None

    def refusal(self, method: str, headers: Mapping[str, str]) -> Refusal | None:
        """Why a request is not answered; None if it is.

        Args:
            headers: By their names in lower case.
        """
        host = headers.get("host", "")
        if not self._is_ours(host):
            return Refusal(421, "open the address as it was printed; another name has to be allowed with --allow-host")
        origin = headers.get("origin")
        if origin is not None and origin.lower() not in {f"http://{host.lower()}", f"https://{host.lower()}"}:
            return Refusal(403, "this is a request of another site's page")
        is_followed = method == "GET" and headers.get("sec-fetch-mode") == "navigate"  # a link: it had the token
        if not is_followed and headers.get("sec-fetch-site", "none") not in {"same-origin", "none"}:
            return Refusal(403, "this is a request of another site's page")
        return self._refused_post(headers) if method == "POST" else None

    def _refused_post(self, headers: Mapping[str, str]) -> Refusal | None:
        if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            return Refusal(415, "send JSON")
        if not hmac.compare_digest(headers.get(TOKEN_HEADER, "").encode(), self._token):
            return Refusal(403, f"send the token of the address in the header {TOKEN_HEADER}, too")
        return None

    def _is_ours(self, host: str) -> bool:
        match = _HOST.fullmatch(host)
        if match is None:
            return False
        name = (match[1] or match[2]).lower().rstrip(".")
        return name in self._names or is_address(name)


def is_address(name: str) -> bool:
    """Whether it is an IP address: nobody can make that lead elsewhere."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def new_token() -> Secret:
    """A random one, of 192 bits."""
    return Secret(secrets.token_urlsafe(24))
