"""Every shape on the embedded API server, whose answers agree with a real one's (see tests/integration/typed)."""

from __future__ import annotations

import pytest

from btcctl import Invalid, ObjectKey, TypedResource
from btcctl.testing import FakeClient
from tests.shapes import REQUIRED, SHAPES, Shape

A = ObjectKey("default", "a")


def resource(shape: Shape) -> TypedResource:
    return FakeClient(types=[shape.model()]).resource(shape.model(), "default")


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_what_the_class_allows_comes_back_as_it_was_sent(shape):
    for value in shape.good:
        shapes = resource(shape)
        model = shapes.model
        spec = model.__orig_bases__[0].__args__[0](value=value)
        assert shapes.create(model.named("a", spec)).spec == spec
        assert shapes.get(A).spec == spec


@pytest.mark.parametrize("shape", [each for each in SHAPES if each.bad], ids=str)
def test_what_the_class_does_not_allow_is_refused_by_the_server(shape):
    shapes = resource(shape)
    for number, value in enumerate(shape.bad):
        with pytest.raises(Invalid):
            shapes.untyped.create({"metadata": {"name": f"a{number}"}, "spec": {"value": value}})


@pytest.mark.parametrize("shape", [each for each in SHAPES if each.default is not REQUIRED], ids=str)
def test_what_is_not_said_is_what_the_class_would_have(shape):
    shapes = resource(shape)
    shapes.untyped.create({"metadata": {"name": "a"}, "spec": {}})
    model = shapes.model
    assert shapes.get(A).spec == model.__orig_bases__[0].__args__[0]()


@pytest.mark.parametrize("shape", [each for each in SHAPES if each.default is REQUIRED], ids=str)
def test_what_has_no_default_is_required(shape):
    with pytest.raises(Invalid, match=r"spec.value: Required value"):
        resource(shape).untyped.create({"metadata": {"name": "a"}, "spec": {}})
