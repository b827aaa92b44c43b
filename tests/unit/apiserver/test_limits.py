"""Small requests that would cost much. What is expected is what kube-apiserver 1.36.2 answered, where it says so."""

from __future__ import annotations

import json
import sys
from time import process_time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from btcctl.apiserver.gotypes import yaml_text
from btcctl.apiserver.machinery.errors import Cause
from btcctl.apiserver.machinery.integers import IntegerError, parse_int, parse_uint
from btcctl.apiserver.machinery.quantities import canonical_quantity
from btcctl.apiserver.schemas import patterns, validation
from btcctl.apiserver.schemas.cel import data, rules
from btcctl.apiserver.storage.collection import MAX_HISTORY_BYTES
from tests.unit.apiserver.calls import (
    APPLY,
    CONFIG_MAPS,
    JSON_PATCH,
    MERGE,
    PODS,
    STRATEGIC,
    THINGS,
    Server,
    pod,
    thing,
)


def aliases(levels: int) -> bytes:
    lines = [f"x0: &a0 [{','.join(['lol'] * 9)}]"]
    lines += [f"x{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]" for n in range(1, levels)]
    return "\n".join(lines).encode()


def complaint(text: bytes) -> str:
    with pytest.raises(yaml_text.YamlError) as caught:
        yaml_text.load(text)
    return str(caught.value)


class TestYaml:
    def test_aliases_may_stand_for_a_little_and_not_for_more(self):
        assert len(yaml_text.load(aliases(3))["x2"]) == 9
        assert {complaint(aliases(levels)) for levels in (4, 5, 8, 200)} == {
            "yaml: document contains excessive aliasing"
        }

    def test_many_aliases_are_fine_beside_much_that_is_none(self):
        text = f"base: &b 1\nmany: [{','.join(['*b'] * 3000)}]\nrest: [{','.join(['1'] * 100)}]"
        assert len(yaml_text.load(text.encode())["many"]) == 3000

    def test_a_value_that_contains_itself_and_an_unknown_anchor_are_named(self):
        assert complaint(b"a: &x [*x]") == "yaml: anchor 'x' value contains itself"
        assert complaint(b"a: *y") == "yaml: unknown anchor 'y' referenced"

    def test_nesting_has_a_limit(self):
        assert "exceeded max depth of 10000" in complaint(b"a: " + b"[" * 10_001 + b"]" * 10_001)

    @pytest.mark.skipif(sys.version_info >= (3, 13), reason="Pythons from 3.13 on decode 9,000 levels and more")
    def test_what_is_too_deep_for_the_decoder_is_refused(self):
        assert "nested deeper" in complaint(b"a: " + b"[" * 2000 + b"]" * 2000)

    @pytest.mark.parametrize("indicators", [b"? ", b"- ", b"- ? "])
    def test_lists_and_keys_nested_on_one_line_do_not_overflow_the_stack(self, indicators):
        assert complaint(indicators * 20_000) == "yaml: exceeded max depth of 10000"

    def test_plain_texts_are_what_they_are_to_go(self):
        text = b"[12:30, y, off, 1e3, 0o17, 017, 089, 1_000, 5., !foo x, !!binary aGk=, " + b"9" * 500 + b"]\n---\nb"
        assert yaml_text.load(text) == ["12:30", True, False, 1000, 15, 15, 89, 1000, 5, "x", "hi", "9" * 500]
        assert complaint(b"[-.inf]") == "json: unsupported value: -Inf"

    def test_numbers_in_base_60_are_not_computed(self):
        begun = process_time()
        assert yaml_text.load(b"59:" * 100_000 + b"59").startswith("59:59")
        assert process_time() - begun < 1


class TestMuchThatIsWrong:
    """A body of 3 MB can be wrong in a million places, each of them a line of the answer."""

    @pytest.mark.parametrize(
        "metadata",
        [{"labels": {f"-{n}": "" for n in range(2000)}}, {"finalizers": [f"-{n}" for n in range(2000)]}],
        ids=["labels", "finalizers"],
    )
    def test_more_than_a_thousand_causes_are_not_listed(self, server, metadata):
        answer = server.post(CONFIG_MAPS, {"metadata": {"name": "a", **metadata}})
        assert (answer.status, answer.reason) == (422, "Invalid")
        assert answer.message == "the object is invalid in more than 1000 places, which this server does not list"

    def test_a_thousand_are_listed_by_each_of_two_requests(self, server):
        body = {"metadata": {"name": "a", "labels": {f"-{n}": "" for n in range(1000)}}}
        for _ in range(2):
            assert len(server.post(CONFIG_MAPS, body).body["details"]["causes"]) == 1000

    @pytest.mark.parametrize("container", ["null", "{}"])
    def test_more_parts_than_etcd_takes_are_not_given_their_defaults(self, server, container):
        begun = process_time()
        containers = ",".join([container] * 500_000)
        answer = server.post(
            PODS, f'{{"metadata": {{"name": "a"}}, "spec": {{"containers": [{containers}]}}}}'.encode()
        )
        assert (answer.status, answer.message) == (500, "etcdserver: request is too large")
        assert process_time() - begun < 2


def updater(number: int) -> dict[str, object]:
    entry = {"operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1"}
    return {**entry, "manager": f"m{number}", "fieldsV1": {"f:data": {f"f:a{number}": {}}}}


class TestMetadata:
    @pytest.mark.parametrize(
        ("metadata", "seconds"),
        [
            (
                {
                    "ownerReferences": [
                        {"apiVersion": "v1", "kind": "A", "name": "a", "uid": f"{n}"} for n in range(9000)
                    ]
                },
                3,
            ),
            ({"managedFields": [updater(number) for number in range(8000)]}, 3),
        ],
    )
    def test_thousands_of_entries_cost_no_more_than_their_number(self, server: Server, metadata, seconds):
        begun = process_time()
        assert server.call("POST", CONFIG_MAPS, {"metadata": {"name": "a", **metadata}}).status == 201
        assert process_time() - begun < seconds  # 18,000 owners compared with each other took 18 s


class TestStrategicPatches:
    @pytest.mark.parametrize("directive", ["", "$setElementOrder/", "$deleteFromPrimitiveList/"])
    def test_long_lists_are_merged_in_a_moment(self, server: Server, directive):
        names = [f"example.org/{number}" for number in range(15_000)]
        server.call("POST", CONFIG_MAPS, {"metadata": {"name": "a", "finalizers": names}})
        begun = process_time()
        patch = {
            "metadata": {f"{directive}finalizers": names, **({"finalizers": names} if "Order" in directive else {})}
        }
        assert server.patch(f"{CONFIG_MAPS}/a", patch, STRATEGIC).status == 200
        assert process_time() - begun < 3  # 40,000 of them took more than 15 s


def test_thousands_of_wrong_values_cost_no_more_than_their_number():
    schema = {"type": "object", "additionalProperties": {"type": "integer"}}
    begun = process_time()
    assert len(validation.validate(schema, {f"k{number}": "x" for number in range(12_000)})) == 12_000
    assert process_time() - begun < 3  # each was compared with all before: 50,000 took minutes


class TestPatterns:
    @pytest.mark.parametrize(
        ("pattern", "why"),
        [
            ("a{1001}", "invalid repeat count: `{1001}`"),
            ("(a{1000}){1000}", "invalid repeat count: `{1000}`"),
            (r"\Z", r"invalid escape sequence: `\Z`"),
            (r"\C", r"invalid escape sequence: `\C`"),
            ("(?=a)", "invalid or unsupported Perl syntax: `(?=`"),
            ("[a", "missing closing ]: `[a`"),
            ("(", "missing closing ): `(`"),
            ("*", "missing argument to repetition operator: `*`"),
            ("a++", "invalid nested repetition operator: `++`"),
            ("(" * 1001 + ")" * 1001, "expression nests too deeply: `" + "(" * 1001 + ")" * 1001 + "`"),
        ],
    )
    def test_what_go_does_not_take_is_refused_in_its_words(self, pattern, why):
        with pytest.raises(patterns.PatternError) as caught:
            patterns.check(pattern)
        assert str(caught.value) == why

    @pytest.mark.parametrize(
        "pattern", [r"\p{L}+", "(?<x>a)", r"[\d-z]", r"\Qa.b\E", r"\\C", "[[:alpha:]]", "(" * 900 + ")" * 900]
    )
    def test_what_go_takes_is_taken(self, pattern):
        patterns.check(pattern)
        assert patterns.is_found(pattern, "\ud800") in {True, False}  # half a character is only a text

    def test_time_does_not_explode(self):
        begun = process_time()
        assert not patterns.is_found("^(a+)+$", "a" * 100_000 + "!")
        assert process_time() - begun < 5  # re would take longer than the universe

    @pytest.mark.parametrize(
        ("pattern", "text", "found"), [("^a$", "a\n", False), (r"^\d$", "٣", False), ("^.$", "🙂", True)]
    )
    def test_they_are_found_as_go_finds_them(self, pattern, text, found):
        assert patterns.is_found(pattern, text) is found


class TestIntegers:
    @pytest.mark.parametrize("text", ["", " 5", "5 ", "1_0", "٣", "0x5", "5.0", "+", "--1"])
    def test_only_ascii_digits_are_an_integer(self, text):
        with pytest.raises(IntegerError, match="invalid syntax"):
            parse_int(text)

    @given(st.integers())
    def test_those_of_64_bits_are_read_and_no_others(self, number):
        for parse, least, most in ((parse_int, -(2**63), 2**63 - 1), (parse_uint, 0, 2**64 - 1)):
            if least <= number <= most:
                assert parse(str(number)) == number
            else:
                with pytest.raises(IntegerError):
                    parse(str(number))

    @pytest.mark.parametrize("text", ["+5", "-5", "-0"])
    def test_what_is_unsigned_has_no_sign(self, text):
        with pytest.raises(IntegerError, match="invalid syntax"):
            parse_uint(text)

    def test_no_length_is_too_much(self):
        with pytest.raises(IntegerError, match="value out of range"):
            parse_int("9" * 10_000)
        assert parse_int("0" * 10_000 + "7") == 7

    def test_quantities_of_any_size_are_written_or_refused(self):
        assert canonical_quantity("1e1000") == "10e999"
        assert canonical_quantity("9" * 400) == "9" * 400
        with pytest.raises(ValueError, match="suffix"):
            canonical_quantity("1e999999999")


class TestRequests:
    def test_copies_of_a_json_patch_are_counted(self, server: Server):
        server.created(THINGS, thing())
        copies = [{"op": "copy", "from": "/z", "path": f"/z/k{n}"} for n in range(24)]
        for count, status in ((11, 200), (12, 422), (24, 422)):
            operations = [{"op": "add", "path": "/z", "value": {"a": "x" * 1000}}, *copies[:count]]
            operations.append({"op": "remove", "path": "/z"})
            assert server.patch(f"{THINGS}/a", operations, JSON_PATCH).status == status

    @pytest.mark.parametrize("index", ["9" * 5000, "99", "1_0"])
    def test_an_index_is_a_place_in_the_list(self, server: Server, index):
        server.created(THINGS, thing(args=["a"]))
        operation = {"op": "add", "path": f"/spec/args/{index}", "value": "b"}
        assert server.patch(f"{THINGS}/a", [operation], JSON_PATCH).status == 422

    def test_what_is_nested_too_deep_is_refused_whatever_it_is(self, server: Server):
        server.created(THINGS, thing())
        for depth in (200, 400, 900, 3000, 20_000):
            deep = '{"a":' * depth + "1" + "}" * depth
            head = '{"apiVersion":"things.example.org/v1","kind":"Thing","metadata":{"name":"a"},"spec":{"size":1,'
            body = f'{head}"free":{deep}}}}}'
            answers = [server.send("PUT", f"{THINGS}/a", body.encode())]
            answers += [server.send("PATCH", f"{THINGS}/a", body.encode(), type_) for type_ in (MERGE, JSON_PATCH)]
            answers.append(server.send("PATCH", f"{THINGS}/a", body.encode(), APPLY, fieldManager="m", force="true"))
            assert max(each.status for each in answers) < 500

    @pytest.mark.parametrize("option", ["limit", "timeoutSeconds", "resourceVersion"])
    def test_options_are_integers_of_64_bits(self, server: Server, option):
        assert server.get(CONFIG_MAPS, **{option: "9" * 5000}).status == 400

    def test_a_service_that_lost_its_spec_is_invalid(self, server: Server):
        path = "/api/v1/namespaces/default/services"
        server.created(path, {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}], "selector": {"a": "b"}}})
        assert server.patch(f"{path}/s", [{"op": "remove", "path": "/spec"}], JSON_PATCH).status == 422

    def test_metadata_that_is_no_map_is_said(self, server: Server):
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": "x"}
        assert (
            ".metadata: expected map, got &{x}"
            in server.patch(f"{CONFIG_MAPS}/a", body, APPLY, fieldManager="m").message
        )

    def test_large_objects_are_forgotten_sooner(self, server: Server):
        name = server.created(CONFIG_MAPS, {"metadata": {"name": "a"}})["metadata"]["name"]
        first = server.get(f"{CONFIG_MAPS}/{name}").version
        for number in range(MAX_HISTORY_BYTES // 1_000_000 + 2):
            server.patch(f"{CONFIG_MAPS}/{name}", {"data": {"k": str(number) + "x" * 1_000_000}})
        assert server.watch(CONFIG_MAPS, resourceVersion=first).events[0]["object"]["code"] == 410


INTEGERS = {"type": "array", "items": {"type": "integer"}}


class TestRules:
    @pytest.mark.parametrize(
        ("rule", "fits"), [("self.all(x, self.all(y, true))", 576), ("!self.exists(x, self.exists(y, false))", 499)]
    )
    def test_a_rule_that_runs_too_long_is_ended_where_a_real_server_ends_it(self, rule, fits):
        schema = {"type": "array", "items": {"type": "integer"}, "x-kubernetes-validations": [{"rule": rule}]}
        node = rules.compile_rules(schema, is_root=False)
        assert rules.run(node, [1] * fits, None) == ([], [])
        causes, _ = rules.run(node, [1] * (fits + 1), None)
        why = "no further validation rules will be run due to call cost exceeds limit for rule"
        assert f"actual cost limit exceeded': {why}: {rule}" in causes[0].message

    def test_a_rule_that_runs_too_long_is_refused_though_nothing_has_changed(self):
        rule = {"rule": "self.all(x, self.all(y, true))"}
        node = rules.compile_rules({**INTEGERS, "x-kubernetes-validations": [rule]}, is_root=False)
        causes, warnings = rules.run(node, [1] * 577, [1] * 577)
        assert ([each.reason for each in causes], warnings) == (["FieldValueInvalid"], [])

    def test_a_message_that_runs_too_long_is_the_last_to_be_told(self):
        message = "self.all(x, self.all(y, true)) ? 'a' : 'b'"
        rule = {"rule": "false", "messageExpression": message}
        node = rules.compile_rules({**INTEGERS, "x-kubernetes-validations": [rule, {"rule": "false"}]}, is_root=False)
        why = "no further validation rules will be run due to call cost exceeds limit for messageExpression"
        told = f'Invalid value: "array": {why}: "{message}"'
        assert rules.run(node, [1] * 577, None)[0] == [Cause("FieldValueInvalid", told, "<nil>")]
        assert rules.run(node, [1] * 577, [1] * 577) == ([], [f"<nil>: {told}"])

    def test_an_expression_nested_too_deep_is_refused(self):
        schema = {"type": "integer", "x-kubernetes-validations": [{"rule": "(" * 300 + "self > 0" + ")" * 300}]}
        with pytest.raises(rules.CompileError, match="expression recursion limit exceeded: 250"):
            rules.compile_rules(schema, is_root=False)

    def test_all_rules_together_have_a_budget(self):
        budget = data.Budget(cost=10)
        budget.begin_rule()
        budget.spend(10)
        with pytest.raises(data.BudgetExceeded, match="running out of cost budget"):
            budget.begin_rule()


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=20)
    | st.sampled_from(["9" * 5000, "1e99", "[", "%"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "spec", "labels", "size", "free"]), inner, max_size=3)
    ),
    max_leaves=8,
)
TYPES = st.sampled_from(["application/json", "application/yaml", MERGE, JSON_PATCH, APPLY])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
@given(data=st.data())
def test_no_request_makes_the_server_fail(server: Server, data: st.DataObject):
    path, body = data.draw(
        st.sampled_from([(THINGS, thing()), (PODS, pod()), (CONFIG_MAPS, {"metadata": {"name": "a"}})])
    )
    field = data.draw(st.sampled_from([*body, "metadata", "status"]))
    sent = json.dumps({**body, field: data.draw(VALUES)}).encode()
    method, type_ = data.draw(st.sampled_from(["POST", "PUT", "PATCH", "DELETE"])), data.draw(TYPES)
    name = "" if method == "POST" else f"/{body['metadata']['name']}"
    answer = server.send(method, path + name, sent, type_, fieldManager="m")
    assert b"embedded API server failed" not in answer.body
