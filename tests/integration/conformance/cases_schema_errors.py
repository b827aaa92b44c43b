"""What a schema refuses, and in which words."""

from __future__ import annotations

from typing import Any

from tests.integration.conformance.harness import Body, Talk, case

STRING: Body = {"type": "string"}
INTEGER: Body = {"type": "integer"}
WHEN: Body = {"type": "string", "format": "date-time"}


def thing(spec: Any, name: str = "a", **more: Any) -> Body:
    return {"apiVersion": "{group}/v1", "kind": "Thing", "metadata": {"name": name}, "spec": spec, **more}


def define(talk: Talk, whole: Body, **version: Any) -> str:
    """Define things by the schema of the whole object."""
    served = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": whole}, **version}
    names = {"plural": "things", "singular": "thing", "kind": "Thing", "listKind": "ThingList"}
    return talk.define({"group": talk.group, "scope": "Namespaced", "names": names, "versions": [served]})


def post_each(talk: Talk, schema: Body, **tried: list[Any]) -> None:
    """Post a thing for each value of each field, one field at a time."""
    path = talk.crd(schema=schema)
    for field, values in tried.items():
        for value in values:
            talk.post(path, thing({field: value}), query={"dryRun": "All"})


@case("schema errors", error=True)
def each_type_takes_its_own_only(talk: Talk) -> None:
    kinds = ("string", "integer", "number", "boolean")
    schema = {f"a{kind}": {"type": kind} for kind in kinds}
    schema |= {"alist": {"type": "array", "items": STRING}, "amap": {"type": "object", "properties": {"x": STRING}}}
    values = ["x", 1, 1.5, 1.0, True, ["x"], [1], {"x": "y"}, {"x": 1}, 1e300]
    post_each(talk, schema, **{**dict.fromkeys(schema, values), "ainteger": [*values, 2**63, -(2**63) - 1]})


@case("schema errors", error=True)
def numbers_with_a_format_stay_in_its_range(talk: Talk) -> None:
    schema = {
        "i32": {"type": "integer", "format": "int32"},
        "i64": {"type": "integer", "format": "int64"},
        "f32": {"type": "number", "format": "float"},
        "f64": {"type": "number", "format": "double"},
        "odd": {"type": "integer", "format": "int8"},
    }
    values = [1, 1.0, 1.5, 2**31, -(2**31), -(2**31) - 1, 1e30, "x", True, {}, []]
    post_each(talk, schema, **dict.fromkeys(schema, values))


@case("schema errors", error=True)
def numbers_stay_within_their_bounds(talk: Talk) -> None:
    schema = {
        "closed": {"type": "integer", "minimum": 1, "maximum": 3},
        "open": {"type": "integer", "minimum": 1, "maximum": 3, "exclusiveMinimum": True, "exclusiveMaximum": True},
        "half": {"type": "number", "minimum": 0.5, "maximum": 2.5},
        "cut": {"type": "integer", "minimum": 0.5, "maximum": 2.5},
        "step": {"type": "integer", "multipleOf": 3},
        "part": {"type": "number", "multipleOf": 0.1},
    }
    values = [0, 1, 2, 3, 4, 0.25, 2.75, 0.3, 1e22, -1]
    post_each(talk, schema, **dict.fromkeys(schema, values))


@case("schema errors", error=True)
def texts_have_a_length_and_a_pattern(talk: Talk) -> None:
    schema = {
        "length": {"type": "string", "minLength": 2, "maxLength": 4},
        "pattern": {"type": "string", "pattern": "^[a-z]+$"},
        "part": {"type": "string", "pattern": r"\d{2}"},
        "both": {"type": "string", "minLength": 2, "pattern": "^a"},
    }
    values = ["", "a", "ab", "äöüß", "abcde", "AB", "a\n", "12", "x12y", "٣٣", 'q"\\', "<&>", "\u2028", "\x01"]
    post_each(talk, schema, **dict.fromkeys(schema, values))


@case("schema errors", error=True)
def only_what_is_enumerated_will_do(talk: Talk) -> None:
    schema = {
        "word": {"type": "string", "enum": ["a", "b"]},
        "count": {"type": "integer", "enum": [1, 2]},
        "share": {"type": "number", "enum": [1, 0.5]},
        "flag": {"type": "boolean", "enum": [True]},
        "maybe": {"type": "string", "nullable": True, "enum": ["a"]},
        "things": {"type": "array", "items": STRING, "enum": [["a"]]},
    }
    values = ["a", "c", 1, 3, 1.0, 0.5, 1.5, True, False, None, ["a"], ["b"]]
    post_each(talk, schema, **dict.fromkeys(schema, values))


@case("schema errors", error=True)
def lists_and_objects_have_a_size(talk: Talk) -> None:
    schema = {
        "items": {"type": "array", "minItems": 1, "maxItems": 2, "items": STRING},
        "keys": {"type": "object", "minProperties": 1, "maxProperties": 2, "additionalProperties": STRING},
    }
    post_each(
        talk,
        schema,
        items=[[], ["a"], ["a", "b", "c"], [1], [None], ["a", 2, "c"]],
        keys=[{}, {"a": "b"}, {"a": "1", "b": "2", "c": "3"}, {"a": 1}, {"a": None}],
    )


@case("schema errors", error=True)
def what_is_required_is_missed_at_every_level(talk: Talk) -> None:
    item = {"type": "object", "required": ["name"], "properties": {"name": STRING, "size": INTEGER}}
    schema = {
        "one": {**item, "required": ["name", "size"]},
        "many": {"type": "array", "items": item},
        "free": {"type": "object", "additionalProperties": item},
    }
    post_each(
        talk,
        schema,
        one=[{}, {"name": "a"}, {"name": None, "size": 1}, None],
        many=[[{}], [{"name": "a"}, {"size": 1}], [None]],
        free=[{"x": {}}, {"x": {"name": 1}}, {"x": None}],
    )


@case("schema errors", error=True)
def sets_and_maps_have_each_item_once(talk: Talk) -> None:
    part = {
        "type": "object",
        "required": ["name"],
        "properties": {"name": STRING, "port": {"type": "integer", "default": 1}},
    }
    a_set: Body = {"type": "array", "x-kubernetes-list-type": "set"}
    a_map: Body = {"type": "array", "x-kubernetes-list-type": "map", "items": part}
    schema = {
        "set": {**a_set, "items": STRING},
        "numbers": {**a_set, "items": {"type": "number"}},
        "map": {**a_map, "x-kubernetes-list-map-keys": ["name"]},
        "pairs": {**a_map, "x-kubernetes-list-map-keys": ["name", "port"]},
        "nested": {"type": "object", "additionalProperties": {**a_set, "items": STRING}},
    }
    post_each(
        talk,
        schema,
        set=[["a", "a"], ["a", "a", "a", "b", "b"]],
        numbers=[[1, 1.0], [1, 1], [1.5, 1.5]],
        map=[[{"name": "a"}, {"name": "a", "port": 2}], [{}, {}], [{"name": "a"}, "x"], [None, None]],
        pairs=[[{"name": "a"}, {"name": "a", "port": 2}], [{"name": "a"}, {"name": "a", "port": 1}]],
        nested=[{"x": ["a", "a"]}, {"a.b": ["a", "a"]}],
    )


@case("schema errors", error=True)
def alternatives_are_told_by_the_best_of_them(talk: Talk) -> None:
    schema = {
        "any": {"type": "integer", "anyOf": [{"minimum": 5}, {"maximum": 1}]},
        "one": {"type": "integer", "oneOf": [{"minimum": 1}, {"maximum": 5}]},
        "all": {"type": "integer", "allOf": [{"minimum": 1}, {"maximum": 5}]},
        "none": {"type": "integer", "not": {"minimum": 1}},
        "fields": {
            "type": "object",
            "properties": {"a": STRING, "b": STRING},
            "oneOf": [{"required": ["a"]}, {"required": ["b"]}],
        },
        "either": {
            "type": "object",
            "properties": {"a": STRING, "b": STRING},
            "anyOf": [{"required": ["a"], "properties": {"a": {"maxLength": 1}}}, {"required": ["b"]}],
        },
    }
    numbers = [0, 1, 3, 5, 7]
    objects = [{}, {"a": "x"}, {"b": "x"}, {"a": "x", "b": "x"}, {"a": "xyz"}]
    post_each(talk, schema, any=numbers, one=numbers, all=numbers, none=numbers, fields=objects, either=objects)


@case("schema errors", error=True)
def a_number_or_a_text_is_neither_a_list_nor_true(talk: Talk) -> None:
    either = [{"type": "integer"}, {"type": "string"}]
    schema = {
        "port": {"x-kubernetes-int-or-string": True},
        "told": {"x-kubernetes-int-or-string": True, "anyOf": either},
        "limited": {"x-kubernetes-int-or-string": True, "allOf": [{"anyOf": either}, {"maximum": 5, "maxLength": 3}]},
        "maybe": {"x-kubernetes-int-or-string": True, "nullable": True},
    }
    values: list[Any] = [1, "80%", 1.0, 1.5, True, ["x"], {}, None, 7, "long"]
    post_each(talk, schema, **dict.fromkeys(schema, values))


@case("schema errors", error=True)
def null_is_for_what_may_be_null(talk: Talk) -> None:
    schema = {
        "plain": STRING,
        "maybe": {"type": "string", "nullable": True, "minLength": 1},
        "given": {"type": "string", "default": "x"},
        "items": {"type": "array", "items": {"type": "string", "nullable": True}},
        "strict": {"type": "array", "items": STRING},
        "free": {"x-kubernetes-preserve-unknown-fields": True},
    }
    path = talk.crd(schema=schema)
    for field in schema:
        for value in (None, [None], ["a", None]):
            talk.post(path, thing({field: value}), query={"dryRun": "All"})


@case("schema errors", error=True)
def a_date_and_an_address_are_recognized(talk: Talk) -> None:
    tried = {
        "date-time": [
            "2026-01-02T03:04:05Z",
            "2026-01-02T03:04:05.678+01:00",
            "2026-01-02",
            "2026-13-01T00:00:00Z",
            "x",
        ],
        "date": ["2026-01-02", "2026-02-30", "26-01-02", ""],
        "duration": ["1h30m", "22 ns", "3 weeks", "1 fortnight", "5", "-1.5h"],
        "ipv4": ["127.0.0.1", "127.0.0.01", "127.0.0.256", "::ffff:1.2.3.4", "::1"],
        "ipv6": ["::1", "fe80::1%eth0", "127.0.0.1", "1:2"],
        "cidr": ["10.0.0.0/8", "10.0.0.0/33", "10.0.0.0", "::/0", "::/129"],
        "mac": ["00:00:5e:00:53:01", "02-00-5e-10-00-00", "0000.5e00.5301", "00:00:5e:00:53", "zz"],
    }
    post_each(talk, {f"f{index}": {"type": "string", "format": name} for index, name in enumerate(tried)},
              **{f"f{index}": values for index, values in enumerate(tried.values())})  # fmt: skip


@case("schema errors", error=True)
def a_name_and_a_number_of_any_kind_is_recognized(talk: Talk) -> None:
    tried = {
        "uri": ["http://a.b/c?d=e", "/path", "mailto:a@b.c", "a.b", "", "http://a b", "http://[::1", "%zz"],
        "email": ["a@b.c", "A <a@b.c>", "a", "a@", "@b"],
        "hostname": ["a", "a.b.com", "a_b", "-a", "a.b.c1", "a..b", "a-", ""],
        "uuid": ["123e4567-e89b-12d3-a456-426614174000", "123E4567E89B12D3A456426614174000", "123"],
        "uuid3": ["123e4567-e89b-32d3-a456-426614174000", "123e4567-e89b-42d3-a456-426614174000"],
        "uuid4": ["123e4567-e89b-42d3-a456-426614174000", "123e4567-e89b-42d3-7456-426614174000"],
        "isbn": ["0321751043", "978-0321751041", "0321751044", "x"],
        "creditcard": ["4111 1111 1111 1111", "4111111111111112", "1"],
        "ssn": ["123-45-6789", "123456789", "12-345-6789"],
        "hexcolor": ["#fff", "#FFFFFF", "ffff", "#ggg"],
        "rgbcolor": ["rgb(255,0, 1)", "rgb(256,0,0)", "rgb(1,2)"],
        "byte": ["YWJj", "YWI=", "YWI", "", "a b="],
        "password": ["anything"],
        "k8s-short-name": ["abc", "Abc", "-a"],
        "k8s-long-name": ["abc.def", "abc..d", "ABC"],
        "nobody-knows": ["anything"],
    }
    post_each(talk, {f"f{index}": {"type": "string", "format": name} for index, name in enumerate(tried)},
              **{f"f{index}": values for index, values in enumerate(tried.values())})  # fmt: skip


@case("schema errors", error=True)
def an_object_in_an_object_is_an_object(talk: Talk) -> None:
    schema = {
        "free": {
            "type": "object",
            "x-kubernetes-embedded-resource": True,
            "x-kubernetes-preserve-unknown-fields": True,
        },
        "known": {
            "type": "object",
            "x-kubernetes-embedded-resource": True,
            "properties": {"spec": {"type": "object", "properties": {"x": STRING}}},
        },
    }
    pod = {"apiVersion": "v1", "kind": "Pod"}
    values = [
        pod, {}, {"apiVersion": "v1"}, {**pod, "kind": "", "apiVersion": ""}, {**pod, "kind": "a_b"},
        {**pod, "apiVersion": "a/b/c"}, {**pod, "metadata": {"name": "a/b", "labels": {"-": "x"}}},
        {**pod, "metadata": {"name": "x", "annotations": {"a": "b"}}, "spec": {"x": "y", "z": 1}, "more": 1},
    ]  # fmt: skip
    post_each(talk, schema, **dict.fromkeys(schema, values))


@case("schema errors", error=True)
def the_scale_reads_counts(talk: Talk) -> None:
    paths = {
        "specReplicasPath": ".spec.size",
        "statusReplicasPath": ".status.size",
        "labelSelectorPath": ".status.pick",
    }
    free = {"x-kubernetes-preserve-unknown-fields": True}
    path = talk.crd(schema={"size": free}, subresources={"status": {}, "scale": paths})
    for value in (1, 1.0, 1.5, "x", True, None, -1, 2**31, {"a": 1}, [1]):
        talk.post(path, thing({"size": value}), query={"dryRun": "All"})
    talk.post(path, thing({"size": 1}))
    for status in ({"size": "x"}, {"size": -1}, {"pick": 1}, {"pick": {"a": "b"}}, "x", {"size": 2, "pick": "a=b"}):
        talk.put(f"{path}/a/status", thing({"size": 1}, status=status), query={"dryRun": "All"})
        talk.patch(f"{path}/a/status", {"status": status}, query={"dryRun": "All"})
    talk.get(f"{path}/a/scale")


@case("schema errors", error=True)
def the_whole_object_is_under_the_schema(talk: Talk) -> None:
    whole = {
        "type": "object",
        "required": ["spec", "status"],
        "minProperties": 5,
        "properties": {
            "metadata": {"type": "object", "properties": {"name": {"type": "string", "maxLength": 3, "pattern": "^a"}}},
            "kind": {"type": "string", "enum": ["Thing"]},
            "spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
            "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        },
    }
    path = define(talk, whole)
    for name in ("a", "b", "abcd", "zzzz"):
        talk.post(path, thing({}, name))
        talk.post(path, thing({}, name, status={}), query={"dryRun": "All"})


@case("schema errors", error=True)
def what_was_wrong_before_may_stay_until_it_is_touched(talk: Talk) -> None:
    part = {"type": "object", "properties": {"name": STRING, "size": INTEGER}, "required": ["name"]}
    loose = {
        "a": INTEGER,
        "b": INTEGER,
        "atomic": {"type": "array", "items": INTEGER},
        "keyed": {
            "type": "array",
            "items": part,
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name"],
        },
        "deep": {"type": "object", "properties": {"x": INTEGER, "y": INTEGER}},
        "set": {"type": "array", "items": STRING},
    }
    path = talk.crd(schema=loose)
    spec = {
        "a": 9, "b": 1, "atomic": [9, 1], "keyed": [{"name": "x", "size": 9}, {"name": "y", "size": 1}],
        "deep": {"x": 9, "y": 1}, "set": ["a", "a"],
    }  # fmt: skip
    talk.post(path, thing(spec))
    small = {"type": "integer", "maximum": 5}
    tight = {
        "a": small,
        "b": small,
        "atomic": {"type": "array", "items": small},
        "keyed": {**loose["keyed"], "items": {**part, "properties": {"name": STRING, "size": small}}},
        "deep": {"type": "object", "properties": {"x": small, "y": small}, "required": ["z"]},
        "set": {"type": "array", "items": STRING, "x-kubernetes-list-type": "set"},
        "new": {**small, "enum": [1]},
    }
    definition = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.{group}"
    place = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties"
    with talk.hush():
        change = [{"op": "replace", "path": place, "value": tight}]
        assert talk.patch(definition, change, content_type="json").status == 200
    probe = thing({"a": 9}, "probe")
    talk.eventually(lambda: talk.post(path, probe, query={"dryRun": "All"}).status == 422)
    changes: list[Body] = [
        {"b": 2}, {"b": 9}, {"a": 8}, {"a": 3}, {"atomic": [9, 2]}, {"atomic": [9, 1]},
        {"keyed": [{"name": "y", "size": 2}, {"name": "x", "size": 9}]}, {"keyed": [{"name": "x", "size": 8}]},
        {"keyed": [{"name": "z", "size": 9}]}, {"deep": {"y": 2}}, {"deep": {"z": 1}}, {"set": ["a", "a", "b"]},
        {"new": 9}, {"new": 1},
    ]  # fmt: skip
    for change in changes:
        talk.patch(f"{path}/a", {"spec": change}, query={"dryRun": "All"})
    talk.patch(f"{path}/a", {"metadata": {"labels": {"x": "y"}}})


@case("schema errors", error=True)
def a_status_is_checked_when_it_is_written(talk: Talk) -> None:
    status = {
        "type": "object",
        "required": ["phase"],
        "properties": {
            "phase": {"type": "string", "enum": ["Up"]},
            "conditions": {
                "type": "array",
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["type"],
                "items": {"type": "object", "required": ["type"], "properties": {"type": STRING, "when": WHEN}},
            },
        },
    }  # fmt: skip
    whole = {
        "type": "object",
        "properties": {"spec": {"type": "object", "properties": {"a": INTEGER}}, "status": status},
    }
    path = define(talk, whole, subresources={"status": {}})
    talk.post(path, thing({"a": 1}, status={"phase": "Nope"}))
    for value in (
        {}, {"phase": "Down"}, {"phase": 1}, {"phase": "Up", "conditions": [{"type": "a"}, {"type": "a"}]},
        {"phase": "Up", "conditions": [{"when": "now"}]}, None, "x", {"phase": "Up", "bogus": 1},
    ):  # fmt: skip
        talk.patch(f"{path}/a/status", {"status": value}, query={"dryRun": "All"})
    talk.patch(f"{path}/a/status", {"status": {"phase": "Up"}, "spec": {"a": "x"}})
