"""What is wrong with the numbers and names of ports."""

from __future__ import annotations

import re
from typing import Any

from btcctl.apiserver.machinery.errors import Cause
from btcctl.apiserver.machinery.field_errors import each_invalid, invalid

PROTOCOLS = ("SCTP", "TCP", "UDP")
_LONGEST_NAME = 15


def port_number(field: str, number: Any) -> list[Cause]:
    if 0 < (number or 0) < 65536:
        return []
    return [invalid(field, number or 0, "must be between 1 and 65535, inclusive")]


def port_name_complaints(name: str) -> list[str]:
    """What is wrong with a name: IANA's rules for service names."""
    found = [f"must be no more than {_LONGEST_NAME} characters"] if len(name) > _LONGEST_NAME else []
    if not re.fullmatch("[-a-z0-9]+", name):
        found.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not re.search("[a-z]", name):
        found.append("must contain at least one letter (a-z)")
    if "--" in name:
        found.append("must not contain consecutive hyphens")
    if name and (name[0] == "-" or name[-1] == "-"):
        found.append("must not begin or end with a hyphen")
    return found


def port_number_or_name(field: str, port: Any) -> list[Cause]:
    if isinstance(port, str):
        return each_invalid(field, port, port_name_complaints(port))
    return port_number(field, port)
