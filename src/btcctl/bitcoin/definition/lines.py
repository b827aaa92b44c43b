"""A line of bitcoin.conf, as a definition refuses it: from the same table, in the same words, as the operator does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, TypeAlias

from msgspec import Meta

from btcctl.bitcoin.spec.config_lines import REFUSED
from btcctl.crds.annotations import obeys
from btcctl.typed.definition import Rule


def _rules() -> Iterator[Rule]:
    yield Rule(
        r"self.matches('^[a-z][a-z0-9]*=[^#\\x00-\\x1f\\x7f]*$')",
        "a line is name=value: the name of lower-case letters and digits, and no # in the value",
    )
    for why, names in REFUSED.items():
        yield Rule(f"!self.matches('^(no)?({'|'.join(names)})=')", f"{', '.join(names)}: {why}")


ConfigLine: TypeAlias = Annotated[str, Meta(max_length=500), obeys(*_rules())]
