"""An expression as cel-python parses it, and how a real server points at a part of it."""

from __future__ import annotations

import importlib
import re
import threading
from typing import Any

from cachetools import LRUCache

from btcctl.errors import BtcctlError

_ESCAPE = re.compile(r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-3][0-7]{2}|.)", re.DOTALL)
MAX_CHARACTERS = 100_000  # of cel-go's parser
_WORD = re.compile(r"\w+|[^\w\s]")
_PLAIN = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


#: A literal text or a comment, to be passed over, or the sign of what may not be there.
_OPTIONAL = re.compile(
    r"""(?:[rR][bB]?|[bB][rR])(?:\"{3}.*?\"{3}|'{3}.*?'{3}|"[^"]*"|'[^']*')"""
    r"""|\"{3}(?:\\.|[^\\])*?\"{3}|'{3}(?:\\.|[^\\])*?'{3}|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|//[^\n]*|\.\?|\[\?""",
    re.DOTALL,
)

#: By the name of the rule in the grammar: the function, and how it is written.
OPERATORS = {
    "relation_lt": ("_<_", "<"), "relation_le": ("_<=_", "<="), "relation_gt": ("_>_", ">"),
    "relation_ge": ("_>=_", ">="), "relation_in": ("@in", "in"), "relation_eq": ("_==_", "=="),
    "relation_ne": ("_!=_", "!="), "addition_add": ("_+_", "+"), "addition_sub": ("_-_", "-"),
    "multiplication_mul": ("_*_", "*"), "multiplication_div": ("_/_", "/"), "multiplication_mod": ("_%_", "%"),
}  # fmt: skip
#: Rules that mean something even with one child, or none.
LEAVES = frozenset([
    "ident", "literal", "list_lit", "map_lit", "ident_arg", "member_object", "dot_ident", "dot_ident_arg",
])  # fmt: skip


class Unsupported(BtcctlError):
    """A real server may take this rule; this one would not do it right."""


class CompileError(BtcctlError):
    """A rule that no server takes, and the words for it."""


def without_optionals(text: str) -> tuple[str, frozenset[int]]:
    """The text with blanks for the `?` of `.?` and `[?`, which cel-python does not read, and where those dots are."""
    if ".?" not in text and "[?" not in text:
        return text, frozenset()
    found: set[int] = set()
    pieces, at = [], 0
    for each in _OPTIONAL.finditer(text):
        if each[0] in {".?", "[?"}:
            found.add(each.start())
            pieces += [text[at : each.start() + 1], " "]
            at = each.end()
    return "".join([*pieces, text[at:]]), frozenset(found)


def words_in(text: str) -> int:
    """How many words and signs there are: what an expression costs to parse, and takes as a tree, is in proportion.

    0 for what is too long to be parsed.
    """
    return len(_WORD.findall(text)) if len(text) <= MAX_CHARACTERS else 0


#: A tree has kilobytes for each word.
_trees = LRUCache[str, Any](20_000, getsizeof=lambda parsed: parsed[1])
_trees_lock = threading.Lock()


def parse(text: str) -> Any:
    """The syntax tree of an expression, not to be changed: a definition's rules are parsed to check and to serve them.

    Raises:
        Unsupported: It is no CEL, or newer than cel-python.
    """
    with _trees_lock:
        known = _trees.get(text)
    if known is None:
        known = _parsed(text), words_in(text)
        if known[1] < _trees.maxsize:
            with _trees_lock:
                _trees[text] = known
    return known[0]


def _parsed(text: str) -> Any:
    try:
        celparser = importlib.import_module("celpy.celparser")
    except ImportError as error:
        raise Unsupported("cel-python: pip install 'btcctl[testing]'") from error
    try:
        tree = celparser.CELParser().parse(text)
    except celparser.CELParseError as error:
        raise Unsupported(f"the syntax of {text!r}, at column {error.column}") from error
    _placed(tree, text, 0)
    return tree


def _placed(tree: Any, text: str, at: int) -> int:
    """Put a place to `true`, `false` and `null`, which cel-python has none for.

    Args:
        at: Where what is before the tree ends.

    Returns:
        Where the tree ends.
    """
    meta = tree.meta
    if tree.data == "literal" and getattr(meta, "start_pos", None) is None:
        word = str(tree.children[0])
        meta.empty, meta.start_pos = False, text.find(word, at)
        meta.end_pos = meta.start_pos + len(word)
    starts = []
    for each in tree.children:
        is_tree = hasattr(each, "meta")
        at = _placed(each, text, at) if is_tree else getattr(each, "end_pos", None) or at
        starts.append(getattr(each.meta if is_tree else each, "start_pos", None))
    known = [each for each in starts if each is not None]
    if getattr(meta, "start_pos", None) is None and known:
        meta.empty, meta.start_pos = False, known[0]
    if getattr(meta, "end_pos", None) is None:
        meta.end_pos = at
    end: int = max(at, meta.end_pos)
    return end


def located(text: str, position: int, message: str) -> str:
    """An error with the line it is in, and a caret below the place."""
    before = text[:position].split("\n")
    line, column = len(before), len(before[-1])
    source = text.split("\n")[line - 1]
    dots = "".join("．" if ord(each) > 0xFF else "." for each in source[:column])  # as wide as what is above
    return f"ERROR: <input>:{line}:{column + 1}: {message}\n | {source}\n | {dots}^"


def position_of(text: str, tree: Any) -> int:
    """Where a server points to if it means this part: at the operator, the dot, the bracket."""
    while len(tree.children) == 1 and tree.data not in LEAVES:
        tree = tree.children[0]
    children = tree.children
    if tree.data == "member_dot":
        return text.rindex(".", 0, children[1].start_pos)
    if tree.data in {"member_dot_arg", "ident_arg"}:
        return text.index("(", children[tree.data == "member_dot_arg"].end_pos)
    signs = {"member_index": "[", "member_object": "{", "expr": "?", "conditionalor": "||", "conditionaland": "&&"}
    if tree.data in signs:
        return text.index(signs[tree.data], children[0].meta.end_pos)
    if len(children) == 2 and children[0].data in OPERATORS:
        end: int = children[0].meta.end_pos
        return end - len(OPERATORS[children[0].data][1])
    start: int = tree.meta.start_pos
    return start


def text_of(literal: str) -> str:
    """The value of a string literal."""
    raw = literal[0] in "rR"
    body = literal[1:] if raw else literal
    fence = body[:3] if body[:3] in {'"""', "'''"} else body[0]
    inner = body[len(fence) : -len(fence)]
    return inner if raw else _ESCAPE.sub(_unescaped, inner)


def _unescaped(match: re.Match[str]) -> str:
    body = match[0][1:]
    if body[0] in "xuU" and len(body) > 1:
        return chr(int(body[1:], 16))
    if body.isdigit() and len(body) == 3:
        return chr(int(body, 8))
    if body in _PLAIN:
        return _PLAIN[body]
    if body in "\\\"'`?":
        return body
    raise Unsupported(f"the escape {match[0]}")


def number_of(kind: str, literal: str) -> int | float:
    """The value of a literal: INT_LIT or FLOAT_LIT."""
    if kind == "FLOAT_LIT":
        return float(literal)
    return int(literal, 16 if "x" in literal.lower() else 10)
