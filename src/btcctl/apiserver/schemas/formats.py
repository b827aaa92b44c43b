"""The string formats a schema may ask for, as loose or strict as a real server checks them.

Source: k8s.io/kube-openapi/pkg/validation/strfmt and apiextensions-apiserver's formats.go, v0.36.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Callable
from datetime import date
from urllib.parse import urlsplit

from btcctl.patterns import again

_UUID = r"(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?%s[0-9a-f]{3}-?%s[0-9a-f]{3}-?[0-9a-f]{12}"
_ANY, _VARIANT = "[0-9a-f]", "[89ab]"
_SHORT_NAME = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_CLOCK = re.compile(r"(\d{2}):(\d{2}):(\d{2})(.\d+)?(z|([+-]\d{2}:\d{2}))", re.ASCII)
#: One or more numbers with their units, as Go writes a duration.
GO_DURATION = again(r"(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h)", "+")
_GO_DURATION = re.compile(rf"[-+]?(?:0|{GO_DURATION})", re.ASCII)
_WORDY_DURATION = re.compile(r"(?<!\d)(\d+)\s*([A-Za-zµ]+)", re.ASCII)
_DURATION_UNIT = re.compile(
    "ns|nano(second)?s?|us|µs|micro(second)?s?|ms|milli(second)?s?|s|sec|secs|seconds?|m|min|mins|minutes?"
    "|h|hr|hours?|d|days?|w|wk|weeks?"
)
_ATOM = r"[\w!#$%&'*+/=?^`{|}~-]+(\.[\w!#$%&'*+/=?^`{|}~-]+)*"
_CARD = re.compile(
    r"(?:4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|(222[1-9]|22[3-9][0-9]|2[3-6][0-9]{2}|27[01][0-9]|2720)[0-9]{12}"
    r"|6(?:011|5[0-9][0-9])[0-9]{12}|3[47][0-9]{13}|3(?:0[0-5]|[68][0-9])[0-9]{11}|(?:2131|1800|35\d{3})\d{11}"
    r"|6[27][0-9]{14})"
)
_HOST_NAME = re.compile(
    "[a-zA-Z0-9](-?[a-zA-Z0-9]{0,62})?|([a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?[.])+[a-zA-Z]{2,63}"
)
_BYTE_OF_RGB = r"(0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])"


def fits(name: str, text: str) -> bool:
    """Whether a text has the format; any text has one that nobody knows."""
    check = _CHECKS.get(name.replace("-", ""))
    return check is None or check(text)


def is_known(name: str) -> bool:
    """Whether a server checks texts for this format."""
    return name.replace("-", "") in _CHECKS


def _matching(pattern: str, longest: int = 0) -> Callable[[str], bool]:
    compiled = re.compile(pattern, re.ASCII)
    return lambda text: bool(compiled.fullmatch(text)) and (not longest or len(text) <= longest)


def _is_date(text: str) -> bool:
    try:
        return bool(re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII)) and bool(date.fromisoformat(text))
    except ValueError:
        return text.startswith("0000-") and _is_date(f"0004-{text[5:]}")


def _is_date_time(text: str) -> bool:
    day, _, clock = text.lower().partition("t")
    found = _CLOCK.fullmatch(clock.partition("t")[0])
    return _is_date(day) and found is not None and found[1] <= "23" and found[2] <= "59" and found[3] <= "59"


def _is_duration(text: str) -> bool:
    if _GO_DURATION.fullmatch(text):
        return True
    found = _WORDY_DURATION.findall(text)
    return any(_DURATION_UNIT.fullmatch(unit.lower()) for _, unit in found)


def _address(text: str) -> bool:
    if ":" not in text:  # leading zeros were allowed once, and still are
        text = ".".join(part.lstrip("0") or "0" if part else "" for part in text.split("."))
    try:
        return "%" not in text and bool(ipaddress.ip_address(text).packed)
    except ValueError:
        return False


def _is_cidr(text: str) -> bool:
    address, slash, bits = text.partition("/")
    most = 128 if ":" in address else 32
    return bool(slash) and _address(address) and bool(re.fullmatch(r"[0-9]{1,3}", bits)) and int(bits) <= most


def _is_hardware_address(text: str) -> bool:
    for separator, digits in ((":", 2), ("-", 2), (".", 4)):
        parts = text.split(separator)
        if len(parts) * digits // 2 in {6, 8, 20} and all(
            re.fullmatch(f"[0-9a-fA-F]{{{digits}}}", part) for part in parts
        ):
            return True
    return False


def _is_uri(text: str) -> bool:
    if (
        not text
        or any(ord(each) < 0x20 or ord(each) == 0x7F for each in text)
        or re.search(r"%(?![0-9a-fA-F]{2})", text)
    ):
        return False
    if not re.match(r"/|[a-zA-Z][a-zA-Z0-9+.-]*:", text):
        return text == "*"
    try:
        parts = urlsplit(text)
        return " " not in parts.netloc and (parts.port or 0) >= 0
    except ValueError:
        return False


def _is_host_name(text: str) -> bool:
    """As loose as upstream's pattern, to which any letter is a letter and any symbol a digit."""
    plain = "".join(each if each.isascii() and (each.isalnum() or each in "-.") else _class_of(each) for each in text)
    return len(text.encode()) <= 255 and bool(_HOST_NAME.fullmatch(plain)) and max(map(len, text.split("."))) <= 63


def _class_of(character: str) -> str:
    return "a" if character.isalpha() else "0" if unicodedata.category(character)[0] == "S" else "_"


def _is_isbn10(text: str) -> bool:
    digits = re.sub(r"[\s-]+", "", text)
    if not re.fullmatch(r"[0-9]{9}X|[0-9]{10}", digits):
        return False
    return sum((index + 1) * (10 if each == "X" else int(each)) for index, each in enumerate(digits)) % 11 == 0


def _is_isbn13(text: str) -> bool:
    digits = re.sub(r"[\s-]+", "", text)
    if not re.fullmatch(r"[0-9]{13}", digits):
        return False
    return sum(int(each) * (3 if index % 2 else 1) for index, each in enumerate(digits)) % 10 == 0


def _is_credit_card(text: str) -> bool:
    digits = re.sub(r"[^0-9]+", "", text)
    if not _CARD.fullmatch(digits):
        return False
    doubled = [int(each) * (1 + index % 2) for index, each in enumerate(reversed(digits))]
    return sum(each // 10 + each % 10 for each in doubled) % 10 == 0


_CHECKS: dict[str, Callable[[str], bool]] = {
    "bsonobjectid": _matching(r"[0-9a-fA-F]{24}"),
    "uri": _is_uri,
    "email": _matching(rf"\s*({_ATOM}@{_ATOM}|[^<>@]*<{_ATOM}@{_ATOM}>)\s*"),
    "hostname": _is_host_name,
    "ipv4": lambda text: "." in text and _address(text),
    "ipv6": lambda text: ":" in text and _address(text),
    "cidr": _is_cidr,
    "mac": _is_hardware_address,
    "uuid": _matching(_UUID % (_ANY, _ANY)),
    "uuid3": _matching(_UUID % ("3", _ANY)),
    "uuid4": _matching(_UUID % ("4", _VARIANT)),
    "uuid5": _matching(_UUID % ("5", _VARIANT)),
    "isbn": lambda text: _is_isbn10(text) or _is_isbn13(text),
    "isbn10": _is_isbn10,
    "isbn13": _is_isbn13,
    "creditcard": _is_credit_card,
    "ssn": _matching(r"\d{3}[- ]\d{2}[- ]\d{4}"),
    "hexcolor": _matching(r"#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})"),
    "rgbcolor": _matching(rf"rgb\(\s*{_BYTE_OF_RGB}\s*,\s*{_BYTE_OF_RGB}\s*,\s*{_BYTE_OF_RGB}\s*\)"),
    "byte": _matching(r"([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})"),
    "password": lambda _: True,
    "date": _is_date,
    "duration": _is_duration,
    "datetime": _is_date_time,
    "k8sshortname": _matching(_SHORT_NAME, 63),
    "k8slongname": _matching(rf"{_SHORT_NAME}(\.{_SHORT_NAME})*", 253),
}
