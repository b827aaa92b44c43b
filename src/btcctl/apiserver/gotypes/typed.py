"""A JSON value read into a Go type: what is unknown is dropped and told, what does not fit refused.

There are two ways into a type on a real server, with different words: its JSON decoder, and the
converter that a strategic merge patch goes through. Source: sigs.k8s.io/json and
k8s.io/apimachinery/pkg/runtime 0.36.2. Of what does not fit the first is told, in the order of the
text; but a type that reads itself ends the reading at once, and so is told before the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from btcctl.apiserver.gotypes import types
from btcctl.apiserver.gotypes.scalars import base64_problem, canonical_time
from btcctl.apiserver.gotypes.types import GoType
from btcctl.apiserver.machinery.gofmt import go_type
from btcctl.apiserver.machinery.quantities import canonical_quantity
from btcctl.errors import BtcctlError
from btcctl.json_values import is_identical

_MOST_PROBLEMS = 100  # that a strict decoder keeps
# Without any entries, `managedFields` mean that nobody owns anything, and a schema's `dependencies` are refused.
_SAYS_SOMETHING = frozenset({"managedFields", "dependencies"})
_INT32_LIMIT = 2**31
_INT_LIMITS = {"int32": _INT32_LIMIT, "int64": 2**63}
_INT32 = GoType(types.INT, "int32")


_CONTAINERS = (dict, list)
#: Which method of a decoder reads values of a kind.
_READERS = {
    types.STRUCT: "_struct",
    types.MAP: "_map",
    types.LIST: "_list",
    types.STRING: "_string",
    types.BOOL: "_bool",
    types.INT: "_int",
    types.FLOAT: "_float",
    types.BYTES: "_bytes",
    types.QUANTITY: "_quantity",
    types.TIME: "_time",
    types.MICRO_TIME: "_time",
    types.INT_OR_STRING: "_int_or_string",
    types.ANY: "_any",
    types.SCHEMA_OR_BOOL: "_schema_or",
    types.SCHEMA_OR_LIST: "_schema_or",
}


class Misfit(BtcctlError):
    """A value does not fit its type; the message says it in the server's words."""


class Pairs(list[tuple[str, Any]]):
    """A JSON object with all its keys, some of which may come twice."""


class _Wrong(Exception):
    """A value that does not fit, on its way up to the struct and the fields it is in.

    Args:
        found: What JSON calls the value; "" if `text` says all.
        wanted: The Go type it should have.
        is_final: A type that reads itself says so, which ends the reading.
    """

    def __init__(self, found: str, wanted: str, text: str = "", *, is_final: bool = False) -> None:
        super().__init__(text)
        self.found, self.wanted, self.text, self.is_final = found, wanted, text, is_final
        self.struct = ""
        self.path: list[str] = []

    def __str__(self) -> str:
        if self.text:
            return self.text
        if not self.path:
            return f"json: cannot unmarshal {self.found} into Go value of type {self.wanted}"
        place = f"{self.struct}.{'.'.join(reversed(self.path))}"
        return f"json: cannot unmarshal {self.found} into Go struct field {place} of type {self.wanted}"


def decode(type_: GoType, value: Any, known: Mapping[str, Any] | None = None) -> tuple[dict[str, Any], list[str]]:
    """What Go's JSON decoder makes of an object.

    Args:
        value: May have `Pairs` for objects.
        known: An object that was made so before: what is equal in it is taken from it, which is much quicker.

    Returns:
        The object, and what is strictly wrong with it, in the order of the document.

    Raises:
        Misfit: A field has another type than it must.
    """
    try:
        found, problems = _decoded(_Decoder(), type_, value, known)
        return found, problems[:_MOST_PROBLEMS]
    except _Wrong as wrong:
        raise Misfit(str(wrong if wrong.is_final else _final(type_, value) or wrong)) from wrong


def convert(type_: GoType, value: Any, known: Mapping[str, Any] | None = None) -> tuple[dict[str, Any], list[str]]:
    """As `decode`, in the words of Go's converter of unstructured objects."""
    try:
        found, problems = _decoded(_Converter(), type_, value, known)
    except _Wrong as wrong:
        raise Misfit(str(wrong)) from wrong
    return found, sorted(problems)


def _final(type_: GoType, value: Any) -> _Wrong | None:
    """The first complaint of a type that reads itself, whatever else is wrong."""
    try:
        _decoded(_Decoder(is_lenient=True), type_, value, None)
    except _Wrong as wrong:
        return wrong if wrong.is_final else None
    return None


def _decoded(
    decoder: _Decoder, type_: GoType, value: Any, known: Mapping[str, Any] | None
) -> tuple[dict[str, Any], list[str]]:
    same = {}
    if known is not None and isinstance(value, dict):
        same = {
            name: known[name]
            for name, each in value.items()
            if each is not None and name in known and known[name] == each and is_identical(known[name], each)
        }
        value = {name: each for name, each in value.items() if name not in same}
    found: dict[str, Any] = decoder.decode(type_, value)
    return {**found, **same}, [f'{what} field "{path}"' for what, path in dict.fromkeys(decoder.problems)]


class _Decoder:
    """Walks a value along its type. `problems` are below the struct that is being read.

    Args:
        is_lenient: Pass over what does not fit, unless a type that reads itself says so.
    """

    names_fields = True  #: whether a complaint says where the value stands

    def __init__(self, *, is_lenient: bool = False) -> None:
        self._is_lenient = is_lenient
        self.problems: list[tuple[str, str]] = []

    def decode(self, type_: GoType, value: Any) -> Any:
        return getattr(self, _READERS[type_.kind])(type_, value)

    def misfit(self, type_: GoType, value: Any) -> _Wrong:
        return _Wrong(json_name(value), type_.go)

    def _struct(self, type_: GoType, value: Any) -> dict[str, Any]:
        found: dict[str, Any] = {}
        fields = type_.fields
        for name, each in value.items() if type(value) is dict else self._entries(type_, value):
            below = fields.get(name)
            if below is None:
                self.problems.append(("unknown", name))
            elif each is not None:
                is_plain = type(each) is below.plain or _is_small(below, each)
                made = each if is_plain else self._below(below, each, name, f"{name}.", type_)
                if made or not _is_omitted(type_, name, below, made):
                    found[name] = made
        return found

    def _map(self, type_: GoType, value: Any) -> dict[str, Any]:
        element = type_.element or type_
        if type(value) is dict and element.plain is not None and {*map(type, value.values())} <= {element.plain}:
            return dict(value)
        entries = self._entries(type_, value)
        return {key: self._element(element, each, key, f"{key}.") for key, each in entries}

    def _list(self, type_: GoType, value: Any) -> list[Any]:
        if not isinstance(value, list) or isinstance(value, Pairs):
            raise self.misfit(type_, value)
        element = type_.element or type_
        if element.plain is not None and {*map(type, value)} <= {element.plain}:
            return list(value)
        return [self._element(element, each, f"[{index}]", f"[{index}].") for index, each in enumerate(value)]

    def _element(self, type_: GoType, value: Any, name: str, prefix: str) -> Any:
        if value is None:
            return _zero(type_)
        is_plain = type(value) is type_.plain or _is_small(type_, value)
        return value if is_plain else self._below(type_, value, name, prefix)

    def _entries(self, type_: GoType, value: Any) -> Iterable[tuple[str, Any]]:
        if isinstance(value, Pairs):
            return self._noting_duplicates(value)
        if not isinstance(value, Mapping):
            raise self.misfit(type_, value)
        return value.items()

    def _noting_duplicates(self, pairs: Pairs) -> Iterable[tuple[str, Any]]:
        seen = set()
        for name, each in pairs:
            if name in seen:
                self.problems.append(("duplicate", name))
            seen.add(name)
            yield name, each

    def _below(self, type_: GoType, value: Any, name: str, prefix: str, struct: GoType | None = None) -> Any:
        """A part, whose problems are told from here."""
        known = len(self.problems)
        try:
            made = getattr(self, _READERS[type_.kind])(type_, value)
        except _Wrong as wrong:
            if self._is_lenient and not wrong.is_final:
                return None
            if struct is not None and self.names_fields:
                wrong.struct = wrong.struct or struct.struct
                wrong.path.append(name)
            raise
        if len(self.problems) > known:
            is_list = type_.kind == types.LIST
            head = name if is_list else prefix
            self.problems[known:] = [(what, f"{head}{path}") for what, path in self.problems[known:]]
        return made

    def _string(self, type_: GoType, value: Any) -> str:
        if not isinstance(value, str):
            raise self.misfit(type_, value)
        return value

    def _bool(self, type_: GoType, value: Any) -> bool:
        if not isinstance(value, bool):
            raise self.misfit(type_, value)
        return value

    def _int(self, type_: GoType, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.misfit(type_, value)
        limit = _INT_LIMITS[type_.go]
        if isinstance(value, float) or not -limit <= value < limit:
            raise _Wrong(f"number {value!r}", type_.go)
        return value

    def _float(self, type_: GoType, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.misfit(type_, value)
        return value

    def _bytes(self, type_: GoType, value: Any) -> str:
        if not isinstance(value, str):
            raise self.misfit(type_, value)
        problem = base64_problem(value)
        if problem:
            raise _Wrong("", "", problem)
        return value.replace("\n", "").replace("\r", "")

    def _quantity(self, type_: GoType, value: Any) -> str:
        try:
            return canonical_quantity(value)
        except ValueError as error:
            raise _Wrong("", "", str(error), is_final=True) from error

    def _time(self, type_: GoType, value: Any) -> str:
        if not isinstance(value, str):
            raise _Wrong(json_name(value), "string", is_final=True)
        try:
            return canonical_time(value, micro=type_.kind == types.MICRO_TIME)
        except ValueError as error:
            raise _Wrong("", "", str(error), is_final=True) from error

    def _int_or_string(self, type_: GoType, value: Any) -> Any:
        if isinstance(value, str):
            return value
        return self._finally(_Decoder._int, _INT32, value)

    def _finally(self, read: Callable[[_Decoder, GoType, Any], Any], type_: GoType, value: Any) -> Any:
        try:
            return read(self, type_, value)
        except _Wrong as wrong:
            wrong.is_final = True
            raise

    def _any(self, type_: GoType, value: Any) -> Any:
        if isinstance(value, Pairs):
            return {name: self._any(type_, each) for name, each in value}
        return [self._any(type_, each) for each in value] if isinstance(value, list) else value

    def _schema_or(self, type_: GoType, value: Any) -> Any:
        """A schema, or else what may stand for one; what is unknown in it is dropped without a word."""
        if isinstance(value, bool) and type_.kind == types.SCHEMA_OR_BOOL:
            return value
        known = len(self.problems)
        schema = type_.element or type_
        if isinstance(value, list) and not isinstance(value, Pairs) and type_.kind == types.SCHEMA_OR_LIST:
            made: Any = [self._finally(_Decoder._struct, schema, each) for each in value]
        elif isinstance(value, Mapping | Pairs):
            made = self._finally(_Decoder._struct, schema, value)
        else:
            raise _Wrong("", "", "boolean or JSON schema expected", is_final=True)
        del self.problems[known:]
        return made


class _Converter(_Decoder):
    """Says itself what does not fit where a type has no decoder of its own."""

    names_fields = False

    def misfit(self, type_: GoType, value: Any) -> _Wrong:
        go, found = go_type(value), go_type(value).partition("[")[0] or "slice"
        if type_.kind == types.STRUCT:
            return _Wrong("", "", f"cannot restore struct from: {found}")
        if type_.kind in {types.MAP, types.LIST, types.BYTES}:
            what = "map" if type_.kind == types.MAP else "slice"
            return _Wrong("", "", f"cannot restore {what} from {found}")
        is_number = go in {"int64", "float64"}
        if is_number and (type_.kind in {types.INT, types.FLOAT} or (type_.kind, go) == (types.STRING, "int64")):
            return _Wrong("", "", f"cannot convert {go} to {type_.go}")
        kind = {types.INT: type_.go, types.FLOAT: type_.go}.get(type_.kind, type_.kind)
        return _Wrong("", "", f"unrecognized type: {kind}")

    def _int(self, type_: GoType, value: Any) -> int:
        """Numbers are converted as Go converts them: too large ones lose their upper bits."""
        if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
            raise self.misfit(type_, value)
        limit = _INT_LIMITS[type_.go]
        return (int(value) + limit) % (2 * limit) - limit


def _is_small(type_: GoType, value: Any) -> bool:
    """Whether it is an integer that every decoder takes."""
    return type(value) is int and type_.kind == types.INT and -_INT32_LIMIT <= value < _INT32_LIMIT


def _is_omitted(struct: GoType, name: str, type_: GoType, value: Any) -> bool:
    """Whether an empty value is not written; one that Go has a pointer to is."""
    if name in struct.zeros or name in _SAYS_SOMETHING:
        return False
    if value in ([], {}):
        return type_.kind in {types.LIST, types.MAP}
    return name in struct.omitted


def _zero(type_: GoType) -> Any:
    """What null is to Go in a list or a map."""
    if type_.kind == types.STRUCT:
        return {}
    zeros = {types.STRING: "", types.BYTES: "", types.BOOL: False, types.INT: 0, types.FLOAT: 0, types.QUANTITY: "0"}
    return zeros.get(type_.kind)


def json_name(value: Any) -> str:
    """What Go's decoder calls a JSON value."""
    if isinstance(value, Pairs | Mapping):
        return "object"
    names = {str: "string", bool: "bool", list: "array"}
    return names.get(type(value), "number")
