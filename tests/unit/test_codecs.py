from __future__ import annotations

import threading
from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated

import msgspec
import pytest

from btcctl import codecs
from btcctl.json_values import encode_json
from btcctl.secret import Secret


class Inner(msgspec.Struct):
    a: int = 0


class Outer(msgspec.Struct):
    inner: Inner
    more: list[Inner] = []


@dataclass
class Plain:
    a: int


def test_a_type_has_one_decoder() -> None:
    assert codecs.decoder_of(Outer) is codecs.decoder_of(Outer)
    assert codecs.decoder_of(list[Inner]) is codecs.decoder_of(list[Inner])


def test_what_cannot_be_told_from_others_by_its_hash_decodes_all_the_same() -> None:
    unhashable = Annotated[int, []]
    assert codecs.decode(b"7", unhashable) == 7


def test_structs_and_dataclasses_go_there_and_back() -> None:
    outer = Outer(Inner(1), [Inner(2)])
    assert codecs.decode(codecs.encode(outer), Outer) == outer
    assert codecs.convert(codecs.to_builtins(outer), Outer) == outer
    assert codecs.decode(b'{"a":1}', Plain) == Plain(1)


def test_members_are_sorted_if_that_is_asked_for() -> None:
    assert codecs.encode({"b": 1, "a": 2}, order="sorted") == b'{"a":2,"b":1}'
    assert codecs.encode({"b": 1, "a": 2}) == b'{"b":1,"a":2}'


def test_a_type_that_cannot_be_decoded_to_is_refused_each_time_and_keeps_nobody_waiting() -> None:
    refused: list[str] = []

    def attempt() -> None:
        for _ in range(3):
            with pytest.raises(TypeError):
                codecs.decode(b"{}", Outer | Inner)  # two Structs without tags
            refused.append("")

    threads = [threading.Thread(target=attempt) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60.0)
    assert len(refused) == 12


def test_a_program_that_makes_types_as_it_goes_does_not_keep_them_all() -> None:
    for number in range(codecs._MAX_DECODERS + 10):
        codecs.decode(b"{}", msgspec.defstruct(f"T{number}", []))
    assert len(codecs._decoders) <= codecs._MAX_DECODERS


def test_no_two_types_are_looked_at_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also not two different ones: they may have a third in common."""
    looking: list[object] = []
    most: list[int] = []
    second = threading.Event()

    def look(type_: object) -> msgspec.json.Decoder[object]:
        looking.append(type_)
        if len(looking) > 1:
            second.set()
        second.wait(0.05)  # time for another to come in, if it may
        most.append(len(looking))
        looking.remove(type_)
        return decoder(type_)

    decoder = msgspec.json.Decoder
    monkeypatch.setattr(msgspec.json, "Decoder", look)
    types = [msgspec.defstruct(f"Seen{number}", []) for number in range(3)]
    threads = [threading.Thread(target=codecs.convert, args=({}, each)) for each in types]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60.0)
    assert most == [1, 1, 1]


class Name(str):
    __slots__ = ()

    def __str__(self) -> str:
        raise RuntimeError("never asked")


class Ratio(float):
    pass


@pytest.mark.parametrize("value", [Secret("a"), Name("a"), Ratio(0.5), IntEnum("Port", {"A": 80}).A, 10**30])
def test_texts_and_numbers_of_classes_of_their_own_are_what_they_are(value):
    """As numpy's floats are, and texts of many a library."""
    plain = {"a": 0.5 if isinstance(value, float) else 10**30 if value == 10**30 else 80 if value == 80 else "a"}
    assert codecs.encode({"a": value}) == codecs.encode(plain)
    assert codecs.encode({"a": value}, order="sorted") == codecs.encode(plain)
    assert encode_json({"a": value}) == codecs.encode(plain)
    assert codecs.to_builtins({"a": value}) == plain
