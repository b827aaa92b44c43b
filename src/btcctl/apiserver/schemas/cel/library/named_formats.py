"""`format.dns1123Label().validate('a')`: what is wrong with a text that must look like something.

Source: k8s.io/apiserver/pkg/cel/library/format.go, v0.36.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import ClassVar

from btcctl.apiserver.machinery import names
from btcctl.apiserver.schemas import formats
from btcctl.apiserver.schemas.cel.data import Optional
from btcctl.apiserver.schemas.cel.library.overload import Functions, LibraryValue, Overload, member
from btcctl.apiserver.schemas.cel.library.urls import parse_uri
from btcctl.apiserver.schemas.cel.types import STRING, Type, list_of

FORMAT = Type("kubernetes.NamedFormat")
_UUID_PATTERN, _TIME_PATTERN, _URL_PATTERN, _BASE64_PATTERN = 70, 71, 1103, 84  # characters

Check = Callable[[str], list[str]]


@dataclass(frozen=True, slots=True)
class NamedFormat(LibraryValue):
    """
    Attributes:
        check: What is wrong with a text.
        pattern_size: Characters of the pattern that it would take; for what it costs.
    """

    type_name: ClassVar[str] = "kubernetes.NamedFormat"
    name: str
    check: Check = field(compare=False)
    pattern_size: int = field(compare=False)


def _prefix_of(check: Check) -> Check:
    """Of what something will be appended to, so that a hyphen may stand last."""

    def checked(text: str) -> list[str]:
        return check(text[:-2] + "a" if len(text) > 1 and text.endswith("-") else text)

    return checked


def _uri_complaints(text: str) -> list[str]:
    try:
        parse_uri(text)
    except ValueError as error:
        return [str(error)]
    return []


def _format_complaints(name: str, complaint: str, text: str) -> list[str]:
    return [] if formats.fits(name, text) else [complaint]


_BY_NAME = {
    "dns1123Label": NamedFormat("DNS1123Label", names.label_name, 30),
    "dns1123Subdomain": NamedFormat("DNS1123Subdomain", names.subdomain_name, 60),
    "dns1035Label": NamedFormat("DNS1035Label", names.service_name, 30),
    "qualifiedName": NamedFormat("QualifiedName", names.qualified_name_complaints, 60),
    "dns1123LabelPrefix": NamedFormat("DNS1123LabelPrefix", _prefix_of(names.label_name), 30),
    "dns1123SubdomainPrefix": NamedFormat("DNS1123SubdomainPrefix", _prefix_of(names.subdomain_name), 60),
    "dns1035LabelPrefix": NamedFormat("DNS1035LabelPrefix", _prefix_of(names.service_name), 30),
    "labelValue": NamedFormat("LabelValue", names.label_value_complaints, 40),
    "uri": NamedFormat("URI", _uri_complaints, _URL_PATTERN),
    "uuid": NamedFormat("uuid", partial(_format_complaints, "uuid", "does not match the UUID format"), _UUID_PATTERN),
    "byte": NamedFormat("byte", partial(_format_complaints, "byte", "invalid base64"), _BASE64_PATTERN),
    "date": NamedFormat("date", partial(_format_complaints, "date", "invalid date"), _TIME_PATTERN),
    "datetime": NamedFormat("datetime", partial(_format_complaints, "datetime", "invalid datetime"), _TIME_PATTERN),
}


def _named(name: str) -> Optional:
    return Optional(_BY_NAME[name], is_there=True) if name in _BY_NAME else Optional()


def _validate(held: NamedFormat, text: str) -> Optional:
    complaints = held.check(text)
    return Optional(complaints, is_there=True) if complaints else Optional()


def _constant(held: NamedFormat) -> Overload:
    return Overload((), FORMAT, lambda: held)


FUNCTIONS: Functions = {
    "validate": [member((FORMAT, STRING), Type("optional_type", (list_of(STRING),)), _validate)],
    "format.named": [Overload((STRING,), Type("optional_type", (FORMAT,)), _named)],
    **{f"format.{name}": [_constant(held)] for name, held in _BY_NAME.items()},
}
