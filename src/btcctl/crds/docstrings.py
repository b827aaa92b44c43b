"""What the docstring of a class says of it, and of its fields.

    class Storage(msgspec.Struct):
        \"\"\"A volume for each node.

        Attributes:
            size: How large it is,
                for example 10Gi.
        \"\"\"

The fields' part is a section called Attributes or Args, as Google's style has it; no part of the class' description.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator

_SECTION = re.compile(r"(Attributes|Args):\s*")
_OWN_LINE = re.compile(r"\s|[-*] |\d+\. ")
_ENTRY = re.compile(r"(\w+)(?: \([^)]*\))?: *(.*)")


def description_of(cls: type) -> str:
    """The docstring of a class, if it has one of its own, without the part about its fields.

    Lines of a paragraph are one line; what is indented, or an item of a list, stays as it is.
    """
    text = "\n".join(_without_fields(_docstring(cls).splitlines())).strip()
    return "\n\n".join(_unwrapped(each) for each in re.split(r"\n\s*\n", text))


def field_descriptions(cls: type) -> dict[str, str]:
    """What it says of the fields, its own and inherited ones, by their names in Python."""
    found: dict[str, str] = {}
    for each in reversed(cls.__mro__):
        if each is not object:
            found |= _fields_in(_docstring(each).splitlines())
    return found


def _unwrapped(paragraph: str) -> str:
    lines = paragraph.splitlines()
    return paragraph if any(_OWN_LINE.match(each) for each in lines) else " ".join(lines)


def _docstring(cls: type) -> str:
    written = vars(cls).get("__doc__")
    if not written or (hasattr(cls, "__dataclass_fields__") and written.startswith(f"{cls.__name__}(")):
        return ""  # what a dataclass writes itself
    return inspect.cleandoc(written)


def _without_fields(lines: Iterable[str]) -> Iterator[str]:
    is_inside = False
    for line in lines:
        if line.strip() and not line.startswith(" "):
            is_inside = _SECTION.fullmatch(line) is not None
        if not is_inside:
            yield line


def _fields_in(lines: Iterable[str]) -> dict[str, str]:
    """Of each entry its lines, joined. What is indented as the first one begins another."""
    found: dict[str, list[str]] = {}
    words: list[str] = []
    indent: int | None = None
    for line in lines:
        text, depth = line.strip(), len(line) - len(line.lstrip())
        if text and depth == 0:
            indent, words = (0 if _SECTION.fullmatch(line) else None), []
        elif text and indent is not None:
            indent = indent or depth
            entry = _ENTRY.fullmatch(text) if depth == indent else None
            if entry is not None:
                words = found[entry[1]] = []
            words.append(text if entry is None else entry[2])
    return {name: " ".join(filter(None, each)) for name, each in found.items()}
