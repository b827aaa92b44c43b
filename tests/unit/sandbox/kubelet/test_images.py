"""Which program an image stands for."""

from __future__ import annotations

import sys

import pytest

from btcctl.errors import ConfigError
from btcctl.sandbox.kubelet.images import Images, Program, parse_mappings, without_tag

PATH = {"PATH": "/bin:/usr/bin"}


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("op", "op"),
        ("op:1", "op"),
        ("op:dev@sha256:0", "op"),
        ("a/op@sha256:0", "a/op"),
        ("registry.example:5000/a/op:1", "registry.example:5000/a/op"),
        ("registry.example:5000/a/op", "registry.example:5000/a/op"),
    ],
)
def test_a_name_without_tag_stands_for_every_tag(image, name):
    program = Program(("/bin/true",))
    assert without_tag(image) == name
    assert Images({name: program}).find(image) is program


def test_a_name_with_a_tag_stands_for_that_one_only():
    one, other = Program(("/bin/true",)), Program(("/bin/false",))
    images = Images({"op:1": one, "op": other})
    assert (images.find("op:1"), images.find("op:2"), images.find("an-op:1")) == (one, other, None)


def test_an_image_may_be_a_program_itself():
    assert Images().find("exec:/usr/bin/env") == Program(("/usr/bin/env",))


def test_a_mapping_is_split_as_a_shell_does():
    found = parse_mappings(["my/op:dev=sh -c 'echo a=b'"], PATH)
    assert found["my/op:dev"].argv[1:] == ("-c", "echo a=b")
    assert found["my/op:dev"].argv[0].endswith("/sh")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("op", "write IMAGE=COMMAND"),
        ("=sh", "write IMAGE=COMMAND"),
        ("exec:/bin/sh=sh", "write IMAGE=COMMAND"),
        ("op=", "no command"),
        ("op='", "quotation"),
        ("op=no-such-program-here", "no such program"),
    ],
)
def test_a_mapping_that_is_none_is_refused_with_what_is_wrong(text, why):
    with pytest.raises(ConfigError, match=why):
        parse_mappings([text], PATH)


def test_a_path_is_a_program_too():
    assert parse_mappings([f"op={sys.executable} -m op"])["op"].argv == (sys.executable, "-m", "op")
