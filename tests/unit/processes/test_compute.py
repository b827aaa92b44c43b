"""`compute` where there are no processes: it refuses what they would refuse."""

from __future__ import annotations

import threading
from contextlib import closing
from typing import Any

import pytest

from btcctl import CONFIG_MAPS, App, ComputingFailed, ControllerOptions, ObjectKey, Result, compute
from btcctl.testing import make_env
from tests.integration.processes import computations

MAP = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": "default", "name": "a"}}


def raised_on_the_bench(what: Any, processes: int = 1) -> BaseException | None:
    """What a reconcile that calls it is told."""
    raised: list[BaseException] = []

    def build(app: App) -> None:
        def reconcile(_: ObjectKey) -> Result:
            try:
                what()
            except BaseException as error:
                raised.append(error)
            return Result()

        app.controller(CONFIG_MAPS).reconciles(reconcile, options=ControllerOptions(processes=processes))

    with closing(make_env("fake", build, objects=[MAP])):
        return raised[0] if raised else None


@pytest.mark.parametrize("processes", [0, 1])
def test_a_lambda_is_refused_on_the_bench_as_in_production(processes):
    error = raised_on_the_bench(lambda: compute(lambda: 1), processes)
    assert isinstance(error, TypeError)
    assert "must be a function that stands in a module" in str(error)


def test_an_argument_that_no_other_process_can_have_is_named():
    error = raised_on_the_bench(lambda: compute(computations.double, threading.Lock()))  # type: ignore[arg-type]
    assert isinstance(error, TypeError)
    assert str(error).startswith("argument 1 of double is of type lock")


def test_what_cannot_be_brought_back_is_a_failure_on_the_bench():
    assert isinstance(raised_on_the_bench(lambda: compute(computations.unpicklable)), ComputingFailed)
    assert isinstance(raised_on_the_bench(lambda: compute(computations.fail_particularly)), ComputingFailed)


def test_what_a_function_does_to_its_arguments_is_not_seen_here_and_its_errors_are_its_own():
    given: list[int] = []
    assert raised_on_the_bench(lambda: compute(computations.append, given)) is None
    assert given == []
    error = raised_on_the_bench(lambda: compute(computations.fail, "no such thing"))
    assert isinstance(error, ValueError)
    assert error.__traceback__ is not None


def test_a_lambda_is_refused_outside_of_a_reconcile_too():
    with pytest.raises(TypeError, match="stands in a module"):
        compute(lambda: 1)
    assert compute(computations.double, 21) == 42
