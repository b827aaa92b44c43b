"""From names in JSON to names in Python, and back."""

from __future__ import annotations

import builtins
import keyword
import re

#: What a generated module imports, or evaluates annotations with.
_TAKEN = frozenset(
    {"AGE", "Annotated", "Any", "Column", "CustomResource", "EmbeddedResource"}
    | {"Literal", "Meta", "Rule", "Scale", "msgspec"}
)
_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z0-9]+|[A-Z]+|[0-9]+")


def field_name(name: str, taken: frozenset[str] = frozenset()) -> str:
    """A name in snake case: none that Python or an annotation means something else by.

    Args:
        taken: Names that others have already.
    """
    made = "_".join(word.lower() for word in _WORD.findall(name)) or "field"
    if made[0].isdigit():
        made = f"field_{made}"
    while keyword.iskeyword(made) or hasattr(builtins, made) or made in taken or made in _TAKEN:
        made += "_"
    return made


def camel(name: str) -> str:
    """What msgspec's `rename="camel"` makes of a name."""
    first, *rest = name.lstrip("_").split("_")
    return first + "".join(word.title() for word in rest)


def class_name(*parts: str) -> str:
    """A name in Pascal case."""
    words = "".join(word[:1].upper() + word[1:] for part in parts for word in re.findall(r"[A-Za-z0-9]+", part))
    return words if words and not words[0].isdigit() else f"Type{words}"


class ClassNames:
    """Gives each class a name of its own."""

    def __init__(self) -> None:
        self._given: set[str] = set(_TAKEN)

    def take(self, wanted: str) -> str:
        """`wanted`, or with a number if that is taken."""
        name, number = wanted, 2
        while name in self._given:
            name, number = f"{wanted}{number}", number + 1
        self._given.add(name)
        return name
