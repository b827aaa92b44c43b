from __future__ import annotations

from typing import Literal

import msgspec

from btcctl import CustomResource, crd_for


class Lamp(msgspec.Struct):
    colour: Literal["red", "green", "blue"]
    states: list[Literal["on", "off"]] | None = None


class Light(CustomResource[Lamp, None], group="example.org", version="v1", plural="lights"):
    """A light."""


def test_values_are_named_in_the_order_in_which_they_were_written():
    fields = crd_for(Light)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    assert fields["colour"]["enum"] == ["red", "green", "blue"]
    assert fields["states"]["items"]["enum"] == ["on", "off"]
