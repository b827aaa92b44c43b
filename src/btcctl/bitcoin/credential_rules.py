"""Which RPC credentials a node can be started with. Pure.

One rule, kept by the operator, by the node image's start-up script and by the sandbox; a test runs one table of odd
values through all three. It follows from what Bitcoin Core makes of bitcoin.conf (common/config.cpp): blanks around
a value do not count, "#" begins a comment (and is refused in rpcpassword), and HTTP separates user and password by
the first colon.
"""

from __future__ import annotations

from typing import Final

#: As Core's TrimString has them (util/string.h); other blanks, such as a no-break space, belong to the value.
BLANKS: Final = " \f\n\r\t\v"


def chosen(user: str | None, password: str | None, default: tuple[str, str]) -> tuple[str, str]:
    """What a node is started with: the well-known default only if neither is given. What is given by half is a mistake.

    Args:
        user, password: As given, untrimmed; None if not given at all.
    """
    return default if user is None and password is None else (user or "", password or "")


def trim(value: str) -> str:
    """What of a value counts: `echo` leaves a newline in a Secret, an editor on Windows two characters."""
    return value.strip(BLANKS)


def problem_with(user: str, password: str) -> tuple[int, str] | None:
    """What is wrong with trimmed credentials: which of the two (0 or 1), and why; None if nothing is."""
    for number, value in enumerate((user, password)):
        if not value:
            return number, "must not be empty or blank"
        if any(ord(each) < 0x20 or ord(each) == 0x7F for each in value):
            return number, "must be one line of printable text"
        if "#" in value:
            return number, "must not contain #, with which bitcoind does not start"
    return (0, "must not contain a colon") if ":" in user else None
