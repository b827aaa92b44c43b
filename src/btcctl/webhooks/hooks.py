"""What an author declares: validators, mutators and converters."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeAlias, TypedDict, TypeVar, Unpack, overload

from btcctl.objects import Object
from btcctl.resources import ResourceType
from btcctl.typed.kinds import AnyKind, TypedKind, kind_of, type_of
from btcctl.typed.typed_object import TypedObject
from btcctl.webhooks.admission import Admission, Operation, Verdict

T = TypeVar("T")
K = TypeVar("K", bound=TypedObject)
A = TypeVar("A", bound=TypedObject)
B = TypeVar("B", bound=TypedObject)

FailurePolicy: TypeAlias = Literal["Fail", "Ignore"]

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_OPERATIONS = ("CREATE", "UPDATE", "DELETE")
_MOST_SECONDS = 30  # admissionregistration.k8s.io/v1, timeoutSeconds


class HookWords(TypedDict, total=False):
    """Those of HookOptions, as the arguments of a decorator."""

    on: tuple[Operation, ...]
    subresource: str
    name: str
    failure_policy: FailurePolicy
    timeout_seconds: int
    match_conditions: Mapping[str, str]
    namespace_selector: Mapping[str, Any]
    object_selector: Mapping[str, Any]
    has_effects: bool
    reinvoked: bool


@dataclass(frozen=True, slots=True)
class HookOptions:
    """When the API server asks a hook, and what it does without an answer.

    Attributes:
        on: Of which requests.
        subresource: Of which part of the object: "status", …; "" is the object itself.
        name: As it appears in the server's messages; the function's name if "".
        failure_policy: If there is no answer, "Fail" refuses the request, "Ignore" lets it pass.
        timeout_seconds: How long the server waits for an answer: 1 to 30.
        match_conditions: CEL expressions by name, all of which must be true of what the hook is asked about.
        namespace_selector: Labels of the namespaces whose objects are meant, as in a manifest.
        object_selector: Labels of the objects that are meant.
        has_effects: The hook does something that lasts beside answering; it heeds `dry_run`.
        reinvoked: A mutator is asked again if one that came after it has changed the object.
    """

    on: tuple[Operation, ...] = ("CREATE", "UPDATE")
    subresource: str = ""
    name: str = ""
    failure_policy: FailurePolicy = "Fail"
    timeout_seconds: int = 10
    match_conditions: Mapping[str, str] = field(default_factory=dict)
    namespace_selector: Mapping[str, Any] = field(default_factory=dict)
    object_selector: Mapping[str, Any] = field(default_factory=dict)
    has_effects: bool = False
    reinvoked: bool = False

    def __post_init__(self) -> None:
        on: object = self.on
        if not isinstance(on, tuple) or not on or not {*self.on} <= {*_OPERATIONS}:
            raise ValueError(f"on is {self.on!r}, must be some of {_OPERATIONS}")
        if self.failure_policy not in {"Fail", "Ignore"}:
            raise ValueError(f"failure_policy is {self.failure_policy!r}, must be 'Fail' or 'Ignore'")
        if type(self.timeout_seconds) is not int or not 1 <= self.timeout_seconds <= _MOST_SECONDS:
            raise ValueError(f"timeout_seconds is {self.timeout_seconds!r}, must be an int from 1 to {_MOST_SECONDS}")
        if self.name and not _NAME.fullmatch(self.name):
            raise ValueError(f"the name {self.name!r} must be of small letters, digits and '-'")


@dataclass(frozen=True, slots=True)
class AdmissionHook(Generic[T]):
    """A function that is asked about requests. It can be called as it was written.

    Attributes:
        kind: What its objects are.
        model: The class of its objects; None hands out an `Object`.
        options: When it is asked.
    """

    kind: ResourceType
    model: type[Any] | None
    function: Callable[[Admission[T]], Any]
    options: HookOptions

    @property
    def name(self) -> str:
        """Of the hook, in the configuration: "size-only-grows.databases.db.example.org"."""
        own = self.options.name or _dashed(self.function.__name__)
        return f"{own}.{self.kind.plural}.{self.kind.group or 'core'}"


class Validator(AdmissionHook[T]):
    """Admits or refuses. Made by `validates`."""

    __slots__ = ()

    def __call__(self, request: Admission[T]) -> Verdict:
        verdict: Verdict = self.function(request)
        return verdict


class Mutator(AdmissionHook[T]):
    """Changes objects before they are stored. Made by `mutates`."""

    __slots__ = ()

    def __call__(self, request: Admission[T]) -> T | Mapping[str, Any] | None:
        changed: T | Mapping[str, Any] | None = self.function(request)
        return changed


@dataclass(frozen=True, slots=True)
class Converter(Generic[A, B]):
    """Makes an object of one version of one of another. Made by `converts`.

    Attributes:
        old: The class of what is given.
        new: The class of what is returned.
    """

    old: type[A]
    new: type[B]
    function: Callable[[A], B]

    def __call__(self, obj: A) -> B:
        return self.function(obj)


#: Whatever can be given to `App.webhooks`.
Hook: TypeAlias = Validator[Any] | Mutator[Any] | Converter[Any, Any]


@overload
def validates(
    kind: type[K], **options: Unpack[HookWords]
) -> Callable[[Callable[[Admission[K]], Verdict]], Validator[K]]: ...
@overload
def validates(
    kind: TypedKind[T], **options: Unpack[HookWords]
) -> Callable[[Callable[[Admission[T]], Verdict]], Validator[T]]: ...
@overload
def validates(
    kind: ResourceType, **options: Unpack[HookWords]
) -> Callable[[Callable[[Admission[Object]], Verdict]], Validator[Object]]: ...
def validates(
    kind: AnyKind, **options: Unpack[HookWords]
) -> Callable[[Callable[[Admission[Any]], Any]], Validator[Any]]:
    """Have the API server ask a function before it stores or deletes objects of a kind.

        @validates(Database, on=("CREATE", "UPDATE"))
        def size_only_grows(request: Admission[Database]) -> Verdict:
            if request.old is not None and request.object.spec.size < request.old.spec.size:
                return Refused("cannot become smaller", field="spec.size")
            return None

    It refuses by raising `Refused`, or by returning one, or several, or texts. Whatever else it raises is no answer:
    `failure_policy` decides. It is called by many threads at once.

    Args:
        kind: A class of objects, a TypedKind, or a ResourceType, of which it is told Objects.
        options: Those of `HookOptions`.

    Raises:
        TypeError: It is no plain function; there is no such option.
        ValueError: An option cannot be what it is said to be.
    """
    given, type_ = HookOptions(**options), type_of(kind)

    def make(function: Callable[[Admission[Any]], Any]) -> Validator[Any]:
        return Validator(type_, _model(kind), _checked("a validator", function), given)

    return make


@overload
def mutates(
    kind: type[K], **options: Unpack[HookWords]
) -> Callable[[Callable[[Admission[K]], K | None]], Mutator[K]]: ...
@overload
def mutates(
    kind: TypedKind[T], **options: Unpack[HookWords]
) -> Callable[[Callable[[Admission[T]], T | None]], Mutator[T]]: ...
@overload
def mutates(
    kind: ResourceType, **options: Unpack[HookWords]
) -> Callable[[Callable[[Admission[Object]], Mapping[str, Any] | None]], Mutator[Object]]: ...
def mutates(kind: AnyKind, **options: Unpack[HookWords]) -> Callable[[Callable[[Admission[Any]], Any]], Mutator[Any]]:
    """Have the API server ask a function what is to become of an object before it is stored.

        @mutates(Database)
        def with_defaults(request: Admission[Database]) -> None:
            request.object.spec.storage_class = request.object.spec.storage_class or "fast"

    It changes `request.object` in place, or returns another; of a ResourceType, another body. What the class does not
    name stays. It may refuse by raising `Refused`. It must come to the same when it sees its own result again.

    Args:
        kind: As of `validates`.
        options: Those of `HookOptions`.

    Raises:
        TypeError: It is no plain function; there is no such option.
        ValueError: An option cannot be what it is said to be; nothing is changed by a DELETE.
    """
    given = HookOptions(**options)
    if "DELETE" in given.on:
        raise ValueError("a mutator is not asked about a DELETE: there is nothing to change")

    type_ = type_of(kind)

    def make(function: Callable[[Admission[Any]], Any]) -> Mutator[Any]:
        return Mutator(type_, _model(kind), _checked("a mutator", function), given)

    return make


def converts(old: type[A], new: type[B]) -> Callable[[Callable[[A], B]], Converter[A, B]]:
    """Have a function make objects of version `new` out of those of version `old`.

        @converts(DatabaseV1Beta1, DatabaseV1)
        def to_v1(old: DatabaseV1Beta1) -> DatabaseV1:
            return DatabaseV1(metadata=old.metadata, spec=DatabaseSpec(size=f"{old.spec.gigabytes}Gi"))

    What is returned without a name has the labels and annotations that there were. Names, owners and the like stay as
    they are in any case. Versions without a function of their own are reached over others.

    Raises:
        TypeError: It is no plain function; a class does not say which kind it is.
        ValueError: The two are of different kinds, or of one version.
    """
    one, other = type_of(old), type_of(new)
    if (one.group, one.plural) != (other.group, other.plural):
        raise ValueError(f"{old.__name__} of {one} and {new.__name__} of {other} are no versions of one kind")
    if one.version == other.version:
        raise ValueError(f"{old.__name__} and {new.__name__} are both of version {one.version}")

    def make(function: Callable[[A], B]) -> Converter[A, B]:
        return Converter(old, new, _checked("a converter", function))

    return make


F = TypeVar("F", bound=Callable[..., Any])


def _checked(what: str, function: F) -> F:
    if not callable(function) or isinstance(function, type):
        raise TypeError(f"{what} must be a function, is {function!r}")
    if inspect.iscoroutinefunction(function):
        raise TypeError(f"{what} must be a plain function: it is called by threads, use `def`")
    return function


def _model(kind: AnyKind) -> type[Any] | None:
    return None if isinstance(kind, ResourceType) else kind_of(kind).model


def _dashed(name: str) -> str:
    dashed = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    if not dashed:
        raise ValueError(f"the function {name!r} needs a name= for its hook")
    return dashed


def check_distinct(hooks: Sequence[Hook]) -> None:
    """Raise ValueError if two of them cannot be told apart, TypeError if one is none."""
    for each in hooks:
        given: object = each
        if not isinstance(given, AdmissionHook | Converter):
            raise TypeError(
                f"{given!r} is no hook: @validates(Database), @mutates(…) or @converts(…) makes a function one"
            )
    names = [(type(each), each.name) for each in hooks if isinstance(each, AdmissionHook)]
    for kind, name in names:
        if names.count((kind, name)) > 1:
            raise ValueError(f"two hooks are called {name}: give one another name=")
    pairs = [(each.old, each.new) for each in hooks if isinstance(each, Converter)]
    for old, new in pairs:
        if pairs.count((old, new)) > 1:
            raise ValueError(f"two functions make {new.__name__} of {old.__name__}")
