from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from btcctl import CustomResource, Int32, IntOrString, crd_for, matching
from btcctl.crds.docstrings import description_of, field_descriptions


class Volume(msgspec.Struct):
    """A volume, which
    outlives its pod.

    Kinds are:
    - small ones
    - others

    Attributes:
        size: How large it is,
            for example 10Gi.
        free (int): What is left.
        undescribed: Said at the field.
    """

    size: Annotated[IntOrString, matching("^[0-9]+(Gi)?$")] = "10Gi"
    free: Int32 = 0
    undescribed: Annotated[str, Meta(description="not this")] = ""


class Larger(Volume):
    """A volume that grows.

    Args:
        free: What is left, roughly.
        limit: Where it ends.
    """

    limit: Annotated[int, Meta(description="never seen")] = 1


class Disk(CustomResource[Volume, None], group="example.org", version="v1", plural="disks"):
    """A disk."""


def test_a_description_is_all_but_the_fields_with_paragraphs_in_one_line():
    assert description_of(Volume) == "A volume, which outlives its pod.\n\nKinds are:\n- small ones\n- others"


def test_fields_are_described_with_their_lines_joined_and_inherited():
    assert field_descriptions(Volume)["size"] == "How large it is, for example 10Gi."
    described = {"size": "How large it is, for example 10Gi.", "undescribed": "Said at the field."}
    assert field_descriptions(Larger) == described | {"free": "What is left, roughly.", "limit": "Where it ends."}


def test_they_are_in_the_schema():
    schema = crd_for(Disk)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
    assert schema["apiVersion"] == {"type": "string", "description": "example.org/v1."}
    fields = schema["spec"]["properties"]
    assert fields["free"] == {"type": "integer", "format": "int32", "default": 0, "description": "What is left."}
    assert fields["size"]["pattern"] == "^[0-9]+(Gi)?$"
    assert fields["undescribed"]["description"] == "Said at the field."


def test_a_class_without_words_has_none():
    class Silent(msgspec.Struct):
        a: int = 0

    assert (description_of(Silent), field_descriptions(Silent)) == ("", {})
