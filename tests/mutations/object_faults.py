"""Faults of what is read of objects, resources and refusals, and of the caches that hold them."""

from __future__ import annotations

from tests.mutations.cache_faults import CACHE_FAULTS
from tests.mutations.fault import faults_in

_OBJECTS = ("test_objects.py", "test_metadata.py", "testing/test_kinds_are_there.py")

OBJECT_FAULTS = [
    *CACHE_FAULTS,
    *faults_in(
        "codecs.py",
        ("test_codecs.py",),
        ("two threads see a type for the first time", "    with _lock:\n", "    if True:\n"),
        (
            "what is converted to is seen first by whoever comes",
            "    decoder_of(type_)\n    return msgspec.convert",
            "    return msgspec.convert",
        ),
        ("types that are made as it goes are kept for ever", "            _decoders.clear()\n", "            pass\n"),
    ),
    *faults_in(
        "patterns.py",
        ("test_patterns.py",),
        ("what was taken is given back", 'return f"(?:{pattern}){quantifier}+"', 'return f"(?:{pattern}){quantifier}"'),
        ("so it is by older Pythons", 'return f"(?>(?:', 'return f"(?:(?:'),
        (
            "without a bound older Pythons go on for ever so long",
            "if bound else quantifier",
            "if False else quantifier",
        ),
    ),
    *faults_in(
        "objects.py",
        _OBJECTS,
        (
            "a body says what it is only if its bytes do",
            'if type_meta is None or (body.get("kind") and body.get("apiVersion")):',
            "if True:",
        ),
        (
            "a typed read says what it is only if its bytes do",
            "if self.type_meta is None or _SAYS_ITS_TYPE.match(self.raw):",
            "if True:",
        ),
        (
            "an object with nothing in it is no JSON",
            '(beginning[:-1] if rest.startswith(b"}") else beginning)',
            "beginning",
        ),
        (
            "the collection counts for more than the object",
            "return TypeMeta(said.api_version or known.api_version, said.kind or known.kind)",
            "return TypeMeta(known.api_version or said.api_version, known.kind or said.kind)",
        ),
    ),
    *faults_in(
        "rest/watching/pages.py",
        _OBJECTS,
        ("items of a list are of no kind", "return Object(meta, raw, type_meta)", "return Object(meta, raw)"),
    ),
    *faults_in(
        "informers/reflector/transform.py",
        _OBJECTS,
        ("a transform takes the kind away", "transformed = transformed.of_type(obj.type_meta)", "pass"),
    ),
    *faults_in(
        "metadata.py",
        _OBJECTS,
        (
            "null in metadata is a value",
            "for name, value in members.items() if value is not None",
            "for name, value in members.items()",
        ),
        ("an owner that is null is an owner", "for each in items if each is not None", "for each in items"),
        ("a text that is null is no text", '{key: "" if value is None else value for', "{key: value for"),
        (
            "an object nested too deep may have no nulls",
            "metadata = _decode_any(metadata_of(raw, names)).metadata",
            "raise",
        ),
    ),
    *faults_in(
        "rest/client.py",
        ("rest/test_hostile_objects.py",),
        (
            "a server that serves nonsense ends the program",
            '    except msgspec.ValidationError as error:\n        raise ObjectDecodeError(f"{what}: no list',
            '    except ZeroDivisionError as error:\n        raise ObjectDecodeError(f"{what}: no list',
        ),
    ),
]
