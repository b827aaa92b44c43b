from __future__ import annotations

import pytest

from btcctl.errors import ObjectDecodeError
from btcctl.objects import read_deep_object
from tests.deep import DEEP


def test_an_object_is_known_by_the_scalars_of_its_metadata():
    deep = DEEP.decode()
    raw = f'{{"spec":{deep},"metadata":{{"uid":"u","labels":{{"a":"b"}},"name":"n","generation":3}}}}'.encode()
    found = read_deep_object(raw)
    assert (found.name, found.uid, found.generation, found.raw) == ("n", "u", 3, raw)


def test_an_object_without_a_name_is_refused():
    with pytest.raises(ObjectDecodeError, match=r"metadata\.name"):
        read_deep_object(b'{"metadata":{}}')
