"""Small requests that would cost much: what a server does not take of them."""

from __future__ import annotations

from tests.integration.conformance.harness import Talk, case
from tests.integration.conformance.manifests import CONFIG_MAPS, WIDGETS, config_map, define_widgets, widget

_FREE = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
_DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_YAML = "application/yaml"
_HEAD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"


@case("limits", error=True)
def aliases_of_aliases_are_refused(talk: Talk) -> None:
    for levels in (2, 3, 4, 8):
        lines = [f"  x0: &a0 [{','.join(['lol'] * 9)}]"]
        lines += [f"  x{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]" for n in range(1, levels)]
        talk.post(CONFIG_MAPS, _HEAD + "data:\n" + "\n".join(lines), content_type=_YAML)
    talk.post(CONFIG_MAPS, f"{_HEAD}data: &a {{b: *a}}", content_type=_YAML)
    talk.post(CONFIG_MAPS, f"{_HEAD}data: {{b: *a}}", content_type=_YAML)
    talk.post(CONFIG_MAPS, f"{_HEAD}data: {{a: &x hello, b: *x}}", content_type=_YAML)


@case("limits")
def many_aliases_of_something_small_are_fine(talk: Talk) -> None:
    define_widgets(talk, _FREE)
    for aliases in (95, 120, 1100):
        head = f"apiVersion: {{group}}/v1\nkind: Widget\nmetadata: {{name: a{aliases}}}\nspec:\n"
        talk.post(WIDGETS, f"{head}  base: &b [1]\n  many: [{','.join(['*b'] * aliases)}]", content_type=_YAML)


@case("limits", error=True)
def nesting_has_a_limit(talk: Talk) -> None:
    define_widgets(talk, _FREE)
    talk.post(CONFIG_MAPS, config_map())
    talk.post(WIDGETS, widget())
    brackets, braces = "[" * 10_001 + "]" * 10_001, '{"a":' * 10_001 + "1" + "}" * 10_001
    talk.post(CONFIG_MAPS, f'{{"x":{brackets}}}')
    talk.post(CONFIG_MAPS, f"{_HEAD}data: {{a: {brackets}}}", content_type=_YAML)
    for indicator in ("? ", "- "):
        talk.post(CONFIG_MAPS, indicator * 20_000, content_type=_YAML)
        talk.post(CONFIG_MAPS, _HEAD + indicator * 20_000, content_type=_YAML)
    talk.post(CONFIG_MAPS, brackets, content_type=_YAML)
    talk.post(WIDGETS, f'{{"spec":{braces}}}')
    for kind in ("merge", "json"):
        talk.patch(f"{WIDGETS}/a", f'{{"spec":{braces}}}', content_type=kind)
    talk.patch(f"{CONFIG_MAPS}/a", f'{{"data":{braces}}}', content_type="strategic")


@case("limits", error=True)
def copies_of_a_json_patch_are_counted(talk: Talk) -> None:
    define_widgets(talk, _FREE)
    talk.post(WIDGETS, widget())
    for copies in (11, 12, 24):
        operations: list[dict[str, object]] = [{"op": "add", "path": "/z", "value": {"a": "x" * 1000}}]
        operations += [{"op": "copy", "from": "/z", "path": f"/z/k{n}"} for n in range(copies)]
        talk.patch(f"{WIDGETS}/a", [*operations, {"op": "remove", "path": "/z"}], content_type="json")


@case("limits", error=True)
def operations_of_a_json_patch_are_counted(talk: Talk) -> None:
    define_widgets(talk, _FREE)
    talk.post(WIDGETS, widget())
    test = {"op": "test", "path": "/spec/none", "value": None}
    for operations in (10_000, 10_001):
        talk.patch(f"{WIDGETS}/a", [test] * operations, content_type="json")
    for index in ("9" * 5000, "99", "-1", "+0", "1_0", " 1"):
        add = {"op": "add", "path": f"/spec/l/{index}", "value": 1}
        talk.patch(f"{WIDGETS}/a", [{"op": "add", "path": "/spec/l", "value": [1]}, add], content_type="json")


@case("limits", error=True)
def integers_have_64_bits_and_nothing_else_in_them(talk: Talk) -> None:
    for text in ("9" * 30, "9" * 5000, "-5", "+5", " 5", "5 ", "1_0", "٣", "0x5", "5.0", str(2**63), str(2**64)):
        for option in ("limit", "timeoutSeconds", "resourceVersion"):
            if option != "resourceVersion" or text not in {"+5", str(2**63)}:  # those are waited for
                talk.get("/api/v1/namespaces/{ns}/secrets", query={option: text})


@case("limits", error=True)
def numbers_of_any_length_are_taken_or_refused(talk: Talk) -> None:
    define_widgets(talk, _FREE)
    for index, number in enumerate(("9" * 25, "9" * 400, "1E+2", "-0", "1e-400", "0." + "9" * 400)):
        head = f'{{"apiVersion":"{{group}}/v1","kind":"Widget","metadata":{{"name":"a{index}"}},"spec":'
        talk.post(WIDGETS, f'{head}{{"x":{number}}}}}')


@case("limits", error=True)
def patterns_are_of_go(talk: Talk) -> None:
    patterns = [
        "^(a+)+$", "[[:alpha:]]+", r"\p{L}+", r"\pN", "(?i)abc", "(?P<x>a)", "(?<x>a)", r"\z", r"\A", r"[\d-z]",
        r"\Qa.b\E", "(?U)a+", r"\x{10FFFF}", "a{1000}", "(" * 900 + ")" * 900, "a" * 20_000,
        "a{1001}", "(a{1000}){1000}", "((a{100}){100}){100}", r"\Z", "(?=a)", r"\1", "[a", "(", "*", "a**", r"\u0041",
        r"\C", r"\\C", "a++", "(?#c)a", "[[:foo:]]", r"\p{Foo}", "x{2}{3}", r"\h", "(?x) a", "a)", "[z-a]", "a{2,1}",
        "\\", "(?P<x", "(?P<1>a)", "[[.a.]]", "a{,5}", "(?z)a", "{1}", "|*", "(|a)*", "(*)", "^*", r"\b+",
        "(" * 1001 + ")" * 1001,
    ]  # fmt: skip
    for index, pattern in enumerate(patterns):
        schema = {"type": "object", "properties": {"spec": {"type": "string", "pattern": pattern}}}
        version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
        names = {"plural": f"p{index}s", "kind": f"P{index}"}
        spec = {"group": talk.group, "scope": "Namespaced", "names": names, "versions": [version]}
        body = {"metadata": {"name": f"p{index}s.{talk.group}"}, "spec": spec}
        answer = talk.post(_DEFINITIONS, body, query={"dryRun": "All"})
        talk.note("taken", [pattern[:20], answer.status])


@case("limits", error=True)
def patterns_are_found_as_go_finds_them(talk: Talk) -> None:
    patterns = {
        "bomb": "^(a+)+$", "letter": r"^\p{L}$", "digit": r"^\d$", "line": "^a$", "dot": "^.$", "flags": "(?i)^ABC$",
        "posix": "^[[:upper:]]+$", "bounded": r"\bb\b", "end": r"a\z",
    }  # fmt: skip
    path = talk.crd(schema={name: {"type": "string", "pattern": each} for name, each in patterns.items()})
    head = {"apiVersion": f"{talk.group}/v1", "kind": "Thing"}
    values = {
        "bomb": ["a" * 40 + "!"], "letter": ["é", "1", "ж"], "digit": ["3", "٣"], "line": ["a", "a\n", "b\na"],
        "dot": ["x", "\n", "é", "🙂"], "flags": ["aBc"], "posix": ["AB", "É"], "bounded": ["a b c", "abc"],
        "end": ["a", "a\n"],
    }  # fmt: skip
    for name, texts in values.items():
        for index, text in enumerate(texts):
            talk.post(path, {**head, "metadata": {"name": f"{name}{index}"}, "spec": {name: text}})


@case("limits", error=True)
def rules_that_run_too_long_are_refused(talk: Talk) -> None:
    rule = "self.all(x, self.all(y, x + y >= 0))"
    items = {"type": "array", "maxItems": 700, "items": {"type": "integer"}}
    path = talk.crd(schema={"l": {**items, "x-kubernetes-validations": [{"rule": rule}]}})
    for size in (10, 600):
        head = {"apiVersion": f"{talk.group}/v1", "kind": "Thing", "metadata": {"name": f"a{size}"}}
        talk.post(path, {**head, "spec": {"l": list(range(size))}})
