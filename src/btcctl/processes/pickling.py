"""What goes to another process and comes back from it, as bytes; what cannot is refused in words."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any, TypeVar, cast

from btcctl.errors import ComputingFailed, describe_error, type_name

T = TypeVar("T")


def check_named(function: object) -> None:
    """Raise TypeError if another process would not find the function."""
    try:
        pickle.dumps(function)
    except Exception as error:  # of whatever is asked to pickle itself
        raise TypeError(
            f"{_name(function)} cannot be computed in another process: it must be a function that stands in a module, "
            f"no lambda and none made in a function; what it is bound to is sent with it ({describe_error(error)})"
        ) from None


def pickled(function: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bytes:
    """What is sent to have it called.

    Raises:
        TypeError: The function, or something that it is given, cannot be pickled: says which.
    """
    try:
        return pickle.dumps((function, args, kwargs))
    except Exception as error:  # likewise
        check_named(function)
        for number, value in enumerate(args, 1):
            _check_argument(function, str(number), value)
        for name, value in kwargs.items():
            _check_argument(function, name, value)
        raise TypeError(f"what is to be computed elsewhere cannot be pickled: {describe_error(error)}") from None


def unpickled(question: bytes) -> tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]:
    """What there is to call, and with what."""
    return cast("tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]", pickle.loads(question))  # noqa: S301  of our own process


def answer(has_returned: bool, value: Any) -> bytes:
    """What was returned, or else raised; a ComputingFailed instead if that cannot be brought back."""
    try:
        data = pickle.dumps((has_returned, value))
        if not has_returned:
            pickle.loads(data)  # noqa: S301  an error that needs more than its message cannot be made again from that
        return data
    except Exception as error:  # of whatever is asked to pickle itself
        what = describe_error(error) if has_returned else describe_error(value)
        return pickle.dumps((False, ComputingFailed(f"what was computed cannot be brought back: {what}")))


def result(data: bytes) -> Any:
    """What was returned.

    Raises:
        ComputingFailed: It cannot be made again.
        BaseException: What was raised.
    """
    try:
        has_returned, value = pickle.loads(data)  # noqa: S301  of our own process
    except Exception as error:  # of a class that cannot be made again
        raise ComputingFailed(f"what was computed cannot be brought back: {describe_error(error)}") from None
    if not has_returned:
        raise value
    return value


class ComputingHere:
    """Stands in for processes where a reconcile is stepped by a test: refuses what they refuse, shares nothing either.

    It has no time: what hangs in it hangs.
    """

    def call(self, function: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any]) -> T:
        """As `ComputingProcesses.call`; what the function raised has its traceback."""
        own_function, own_args, own_kwargs = unpickled(pickled(function, args, kwargs))
        try:
            value = own_function(*own_args, **own_kwargs)
        except BaseException as error:
            _check_returns(error)
            raise
        return cast("T", result(answer(has_returned=True, value=value)))


def _check_returns(error: BaseException) -> None:
    """Raise ComputingFailed if it would not come back from a process."""
    try:
        result(answer(has_returned=False, value=error))
    except ComputingFailed:
        if not isinstance(error, ComputingFailed):
            raise
    except BaseException:  # as it is
        return


def _check_argument(function: object, name: str, value: object) -> None:
    try:
        pickle.dumps(value)
    except Exception as error:  # likewise
        raise TypeError(
            f"argument {name} of {_name(function)} is of type {type_name(value)}, which no other process can be "
            f"given: hand over plain data, no clients, caches or locks ({describe_error(error)})"
        ) from None


def _name(function: object) -> str:
    name = getattr(function, "__qualname__", None)
    return name if isinstance(name, str) else type_name(function)
