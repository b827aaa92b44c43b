"""Small requests that cost more than their number: what each took before it was mended stands beside its bound."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from btcctl.apiserver.gotypes import syntax_problem, yaml_text
from btcctl.apiserver.kinds.warnings import of_pod
from btcctl.apiserver.machinery.labels import all_of, parse_labels
from btcctl.apiserver.machinery.quantities import canonical_quantity
from btcctl.apiserver.printers import jsonpath
from btcctl.apiserver.requests.bodies import duplicate_fields
from tests.unit.apiserver.calls import (
    APPLY,
    CONFIG_MAPS,
    DEFINITIONS,
    GROUP,
    MERGE,
    PODS,
    STRATEGIC,
    THINGS,
    Server,
    at_most,
    definition,
    pod,
    thing,
)


def applied(server: Server, path: str, body: Any, manager: str = "m", **query: str) -> int:
    return server.send("PATCH", path, body, APPLY, fieldManager=manager, **query).status


class TestApply:
    def test_lists_that_others_have_in_another_order_are_merged_in_one_pass(self, server: Server):
        parts = [{"name": f"p{number}"} for number in range(6000)]
        assert applied(server, f"{THINGS}/a", thing(parts=parts)) == 201
        with at_most(5):  # more than 20 s
            assert applied(server, f"{THINGS}/a", thing(parts=[*reversed(parts)]), "other") == 200

    def test_thousands_of_managers_are_compared_with_one_set(self, server: Server):
        parts = [{"name": f"p{number}"} for number in range(2000)]
        entries = [
            {
                "manager": f"m{number}",
                "operation": "Apply",
                "apiVersion": f"{GROUP}/v1",
                "fieldsType": "FieldsV1",
                "fieldsV1": {"f:spec": {"f:parts": {f'k:{{"name":"p{number}"}}': {"f:name": {}}}}},
            }
            for number in range(2000)
        ]
        server.created(THINGS, thing(metadata={"managedFields": entries}, parts=parts))
        with at_most(1.5):  # 3 s, and four times as much for twice as many
            assert server.patch(f"{THINGS}/a", {"spec": {"size": 2}}, MERGE).status == 200
            assert applied(server, f"{THINGS}/a", thing(size=2), "m1") == 200

    def test_items_that_come_twice_are_looked_up(self, server: Server):
        variables = [{"name": f"v{number // 2}"} for number in range(10_000)]
        container = {"name": "c", "image": "i", "env": variables}
        with at_most(4):
            assert server.call("POST", PODS, pod(containers=[container])).status == 201

    def test_items_without_an_end_are_put_in_order_once(self, server: Server):
        container = {"name": "c", "image": "i", "env": [{"name": f"v{number}"} for number in range(60_000)]}
        with at_most(3):  # half of what it took; a second where nothing else runs
            answer = server.call("POST", PODS, pod(containers=[container]))
        assert (answer.status, answer.message) == (500, "etcdserver: request is too large")

    def test_conflicts_with_long_paths_are_not_listed_without_end(self, server: Server):
        def nested(value: int) -> dict[str, Any]:
            inner: dict[str, Any] = {f"a{number}": value for number in range(900)}
            for _ in range(60):
                inner = {"k" * 5000: inner}
            return thing(free=inner)

        assert applied(server, f"{THINGS}/a", nested(1)) == 201
        answer = server.send("PATCH", f"{THINGS}/a", nested(2), APPLY, fieldManager="other")
        assert (answer.status, len(answer.body) < 1000) == (422, True)  # 540 MB
        assert b"takes more than 4000000 characters" in answer.body


class TestSelectors:
    def test_spaces_are_passed_over_once(self):
        with at_most(1):  # minutes
            assert len(parse_labels("a" + " " * 60_000)) == 1

    @pytest.mark.parametrize(
        "part",
        ["!k{}", "a", "a!=v{}", "a>{}", "a notin (x,y{})"],
        ids=["absent", "same", "unequal", "greater", "notin"],
    )
    def test_requirements_are_gathered_by_their_keys(self, part: str):
        matches = all_of(parse_labels(",".join(part.format(number + 1) for number in range(5000))))
        with at_most(1):  # 20 s
            assert all(matches({"a": "9999", "b": "2"}) for _ in range(10_000))

    @pytest.mark.parametrize(
        ("text", "labels"),
        [
            ("a in (x,y),a in (y,z)", [{"a": "y"}]),
            ("a!=x,a notin (y)", [{"a": "z"}, {"a": "4"}, {"a": "7"}, {}]),
            ("a>3,a>5,a<9", [{"a": "7"}]),
            ("a>5,a>3", [{"a": "7"}]),
            ("a>3,a>99999999999999999999", []),
            ("a>99999999999999999999,a>3", []),
            ("a,!b", [{"a": "y"}, {"a": "7"}, {"a": "4"}, {"a": "x"}, {"a": "z"}]),
        ],
    )
    def test_gathered_they_mean_what_each_means(self, text: str, labels: list[dict[str, str]]):
        requirements = parse_labels(text)
        matches = all_of(requirements)
        for each in [{}, *({"a": value} for value in "xyz47"), {"a": "x", "b": ""}]:
            assert matches(each) is all(one.matches(each) for one in requirements)
            assert matches(each) is (each in labels)

    def test_fields_are_compared_once_for_each_object(self, server: Server):
        for number in range(200):
            server.created(CONFIG_MAPS, {"metadata": {"name": f"a{number}"}})
        with at_most(1):  # 4 s
            terms = ",".join(f"metadata.name!=x{number}" for number in range(20_000))
            assert len(server.get(CONFIG_MAPS, fieldSelector=terms).names) == 200


class TestMetadata:
    def test_owners_are_printed_once_and_not_once_for_each(self, server: Server):
        owners = [
            {"apiVersion": "v1", "kind": "A", "name": "a", "uid": f"{number}", "controller": True}
            for number in range(4000)
        ]
        with at_most(2):
            answer = server.send("POST", CONFIG_MAPS, {"metadata": {"name": "a", "ownerReferences": owners}})
        assert (answer.status, len(answer.body) < 1000) == (422, True)  # 800 MB of memory

    def test_keys_to_retain_are_looked_up(self, server: Server):
        data = {f"k{number}": "" for number in range(20_000)}
        server.created(CONFIG_MAPS, {"metadata": {"name": "a"}, "data": data})
        with at_most(3):  # 5 s, and four times as much for twice as many
            patch = {"data": {"$retainKeys": [*data], **data}}
            assert server.patch(f"{CONFIG_MAPS}/a", patch, STRATEGIC).status == 200


class TestJson:
    def test_a_field_that_comes_again_and_again_is_told_of_once(self):
        text = b'{"a":{' + b",".join([b'"b":1'] * 1000) + b"}}"
        assert duplicate_fields(text, json.loads(text)) == ['duplicate field "a.b"']

    def test_no_more_duplicates_are_told_of_than_a_strict_decoder_keeps(self):
        keys = b",".join(b'"b%d":1' % number for number in range(1000))
        text = b'{"a":[{' + keys + b"," + keys + b"}]}"
        found = duplicate_fields(text, json.loads(text))
        assert (len(found), found[0], found[-1]) == (100, 'duplicate field "a[0].b0"', 'duplicate field "a[0].b99"')

    def test_long_paths_are_not_told_of_without_end(self):
        keys = b",".join([b'"%d":1' % (number // 2) for number in range(200)])
        text = b'{"' + b"k" * 600_000 + b'":{' + keys + b"}}"
        assert len(duplicate_fields(text, json.loads(text))) == 2

    @pytest.mark.parametrize(
        "text",
        [
            b"[" + b'1,-2.5e3,"a",true,{},' * 40_000 + b"]",
            b'{"a":"' + b"\\n" * 600_000,
            b"[" + b'[1],{"a":[]},' * 60_000 + b"x",
            b"{" + b'"a" : {"b": [1, 2]} ,' * 40_000 + b"}",
        ],
        ids=["scalars", "escapes", "nested", "objects"],
    )
    def test_where_a_long_text_goes_wrong_is_found_soon(self, text: bytes):
        with at_most(0.4):  # 0.7 to 2 s
            assert syntax_problem(text)

    @given(text=st.text('[]{},:"\\/ue0123.-+ \n', max_size=30))
    @example('["\\u0e0e",{"":[]},{},[0,-1.5e+3],]')
    @example('{"a":{"b":1},"c":[[[]]],"d":0 }')
    def test_what_is_right_is_what_python_reads(self, text: str):
        try:
            json.loads(text)
        except ValueError:
            assert syntax_problem(text.encode())
        else:
            assert syntax_problem(text.encode()) == ""

    def test_an_amount_of_any_length_is_written(self):
        assert canonical_quantity("9" * 5000) == "9" * 5000
        assert canonical_quantity("-" + "9" * 5000 + "0000") == "-" + "9" * 5000 + "0k"


class TestYaml:
    @pytest.mark.parametrize(
        ("text", "value"),
        [
            (
                b"{1: a, true: b, 1.5: d, x: {on: [off, {2: 3}]}}",
                '{"1":"a","true":"b","1.5":"d","x":{"true":[false,{"2":3}]}}',
            ),
            (
                b"base: &b {a: 1, b: 2}\nmore: {<<: *b, a: 3, off: 4}\n",
                '{"base":{"a":1,"b":2},"more":{"a":3,"b":2,"false":4}}',
            ),
            (b"[007, 0x10, 12, -5, +5, '12', !!str 12, !foo bar]", '[7,16,12,-5,5,"12","12","bar"]'),
            (b"--- {a: 1}\n--- [", '{"a":1}'),
            (b"a: 1\na: 2\n", '{"a":2}'),
            (b"", "null"),
            (b"{a: 3, <<: [{a: 1, b: 1}, {a: 2, c: 2}]}", '{"a":1,"c":2,"b":1}'),
            (
                b"{a: &x 1, b: &x 2, c: *x, d: &y !!set {p, q}, e: *y}",
                '{"a":1,"b":2,"c":2,"d":{"p":null,"q":null},"e":{"p":null,"q":null}}',
            ),
            (
                b"[0o, 0x, 1e20, -1e18, !!float 5, !!null ~, !!int '7', ! 8]",
                '["0o","0x",100000000000000000000,-1000000000000000000,5,null,7,"8"]',
            ),
        ],
    )
    def test_a_document_is_built_in_one_pass(self, text: bytes, value: str):
        assert json.dumps(yaml_text.load(text), separators=(",", ":")) == value

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            (b"!!int a", "cannot decode !!str `a` as a !!int"),
            (b"!!binary '?'", "!!binary value contains invalid base64 data"),
            (b"{<<: 1}", "map merge requires map or sequence of maps as the value"),
            (b"? [a]\n: b", "invalid map key"),
        ],
    )
    def test_what_has_no_value_is_refused(self, text: bytes, why: str):
        with pytest.raises(yaml_text.YamlError, match=why):
            yaml_text.load(text)

    @pytest.mark.parametrize(
        "text",
        [
            b"data:\n" + b"".join(b" k%d: v\n" % number for number in range(200_000)),
            b"[" + b"{}," * 330_000 + b"]",
            b"[" + b"a," * 700_000 + b"]",
        ],
        ids=["keys", "maps", "texts"],
    )
    def test_megabytes_are_read_without_nodes(self, text: bytes):
        with at_most(1.5):  # 2 to 3 s
            assert yaml_text.load(text)


class TestPods:
    def test_many_parts_that_are_too_much_together_are_not_looked_at_one_by_one(self, server: Server):
        volumes = [{"name": f"v{number}"} for number in range(50_000)]
        answer = server.call("POST", PODS, pod(volumes=[*volumes, {"name": "-"}]))
        assert (answer.status, answer.message) == (500, "etcdserver: request is too large")

    def test_much_text_is_checked_as_ever(self, server: Server):
        answer = server.call("POST", CONFIG_MAPS, {"metadata": {"name": "a"}, "data": {"a": "x" * 2_000_000}})
        assert answer.status == 422

    def test_ports_that_thousands_listen_on_are_not_all_warned_of(self):
        ports = [{"containerPort": 1, "protocol": "TCP"}] * 20_000
        spec = {"containers": [{"ports": ports}], "terminationGracePeriodSeconds": 30}
        with at_most(1):  # a minute, and 6 GB
            assert len(of_pod({"spec": spec}, None)) == 1000

    def test_ports_that_do_not_overlap_are_not_looked_at(self):
        ports = [{"containerPort": 1, "protocol": "TCP", "hostPort": number + 1} for number in range(10_000)]
        ports += [
            {**ports[0], "hostPort": 7, "hostIP": f"10.0.{number >> 8}.{number & 255}"} for number in range(10_000)
        ]
        spec = {"containers": [{"ports": ports}], "terminationGracePeriodSeconds": 30}
        with at_most(2):  # a minute
            assert len(of_pod({"spec": spec}, None)) == 1000

    def test_ports_overlap_in_three_ways(self):
        known = [{}, {"hostPort": 1}, {"hostPort": 1, "hostIP": "10.0.0.1"}, {"hostPort": 2}]
        for port, expected in (
            ({}, ["duplicate", "overlapping", "overlapping", "overlapping"]),
            ({"hostPort": 1}, ["overlapping", "duplicate", "dangerously ambiguous"]),
            ({"hostPort": 1, "hostIP": "10.0.0.1"}, ["overlapping", "dangerously ambiguous", "duplicate"]),
            ({"hostPort": 1, "hostIP": "10.0.0.2"}, ["overlapping", "dangerously ambiguous"]),
        ):
            ports = [{"containerPort": 1, **each} for each in (*known, port)]
            spec = {"containers": [{"ports": ports}], "terminationGracePeriodSeconds": 30}
            told = [each for each in of_pod({"spec": spec}, None) if each.startswith("spec.containers[0].ports[4]")]
            assert [each.split(": ")[1].partition(" port ")[0] for each in told] == expected


class TestDefinitions:
    def test_a_path_is_not_followed_along_every_way_there_is(self):
        value: Any = 1
        for _ in range(60):
            value = {"a": value, "b": 1}
        with at_most(5), pytest.raises(ValueError, match="too many values"):  # longer than anybody waits
            jsonpath.find("..a" * 12, value)

    @pytest.mark.parametrize("path", [".a" + "[0,0]" * 30, ".a" + "[*]" * 3, "..[*]..[*]"])
    def test_nor_is_one_that_multiplies_what_it_finds(self, path: str):
        value: Any = [[[1] * 100] * 100] * 100
        with at_most(5), pytest.raises(ValueError, match=r"too many values|not an array"):
            jsonpath.find(path, {"a": value})

    def test_keys_of_a_list_are_compared_once(self, server: Server):
        items = {"type": "object", "required": ["k"], "properties": {"k": {"type": "string"}}}
        listed = {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"] * 60_000}
        schema = {"type": "object", "properties": {"l": {**listed, "items": items}}}
        version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
        names = {"plural": "others", "kind": "Other"}
        with at_most(5):  # more than a minute
            answer = server.call("POST", DEFINITIONS, definition(names=names, versions=[version]))
        assert answer.status == 422

    def test_items_with_keys_find_their_predecessors_by_them(self, server: Server):
        parts = [{"name": f"p{number}"} for number in range(5000)]
        server.created(THINGS, thing(parts=parts))
        with at_most(4):  # 15 s
            patch = {"spec": {"parts": [{**each, "weight": 2} for each in reversed(parts)]}}
            assert server.patch(f"{THINGS}/a", patch, MERGE).status == 200
