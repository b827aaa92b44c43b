"""Whether the CEL expressions of webhooks and policies make sense, and can be done here."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

from btcctl.apiserver.machinery import errors
from btcctl.apiserver.machinery.errors import Cause
from btcctl.apiserver.machinery.field_errors import invalid
from btcctl.apiserver.schemas.cel.syntax import CompileError, Unsupported, words_in
from btcctl.apiserver.schemas.cel.types import Type


def condition(text: str, field: str) -> Iterator[Cause]:
    """What is wrong with a condition of a webhook.

    Raises:
        StatusError: 501, this server would not do it right.
    """
    yield from check(text, field)


def check(text: str, field: str, types: list[Type] | None = None, **how: Any) -> Iterator[Cause]:
    """What is wrong with any of them.

    Args:
        types: The type of one that is right is added to it.
        how: As for `conditions.compile_text`.

    Raises:
        StatusError: 501, this server would not do it right.
    """
    conditions = importlib.import_module("btcctl.apiserver.schemas.cel.conditions")  # late: most have none
    errors.spend_words(words_in(text))
    try:
        found = conditions.compile_text(text, **how)
        if types is not None:
            types.append(found.type)
    except CompileError as error:
        yield invalid(field, text, str(error))
    except Unsupported as error:
        raise errors.not_implemented(f"{field} with {error}") from error
