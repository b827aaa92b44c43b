"""Bodies are read as strictly as Go reads them, and refused in its words."""

from __future__ import annotations

import pytest

from btcctl.apiserver.gotypes import Misfit, decode, syntax_problem, type_named, type_of_kind
from btcctl.apiserver.gotypes.scalars import base64_problem, canonical_time, time_problem

CONFIG_MAP = type_of_kind("v1", "ConfigMap")
POD = type_of_kind("v1", "Pod")


def misfit(type_, value):
    with pytest.raises(Misfit) as caught:
        decode(type_, value)
    return str(caught.value)


class TestSyntax:
    @pytest.mark.parametrize("text", ["{}", " [1, -2.5e+3, true, null]\n", '{"a": {"b": [["\\u12ab\\n"]]}}', "0", '""'])
    def test_json_has_no_problem(self, text):
        assert syntax_problem(text.encode()) == ""

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("", "unexpected end of JSON input"),
            ('{"a"', "unexpected end of JSON input"),
            ("[1", "unexpected end of JSON input"),
            ("{a:1}", "invalid character 'a' looking for beginning of object key string"),
            ('{"a" 1}', "invalid character '1' after object key"),
            ('{"a":1 "b":2}', "invalid character '\"' after object key:value pair"),
            ("[1 2]", "invalid character '2' after array element"),
            ("[1,]", "invalid character ']' looking for beginning of value"),
            ("01", "invalid character '1' after top-level value"),
            ("1.", "invalid character ' ' after decimal point in numeric literal"),
            ("1e", "invalid character ' ' in exponent of numeric literal"),
            ("-x", "invalid character 'x' in numeric literal"),
            ("trux", "invalid character 'x' in literal true (expecting 'e')"),
            ('"a\\x"', "invalid character 'x' in string escape code"),
            ('"\\u12g4"', "invalid character 'g' in \\u hexadecimal character escape"),
            ('"\x01"', "invalid character '\\x01' in string literal"),
            ("'a'", "invalid character '\\'' looking for beginning of value"),
        ],
    )
    def test_the_first_problem_is_told_as_go_tells_it(self, text, problem):
        assert syntax_problem(text.encode()) == problem

    def test_depth_is_no_problem_up_to_the_limit_of_go(self):
        assert syntax_problem(b"[" * 10_000 + b"]" * 10_000) == ""
        assert syntax_problem(b"[" * 10_001 + b"]" * 10_001) == "invalid character '[' exceeded max depth"


class TestTypes:
    def test_what_fits_is_kept_and_nulls_are_not(self):
        body = {"metadata": {"name": "a", "labels": None}, "data": {"k": "v", "n": None}}
        assert decode(CONFIG_MAP, body)[0] == {"metadata": {"name": "a"}, "data": {"k": "v", "n": ""}}

    def test_a_misfit_is_told_with_the_struct_it_is_in_and_its_path(self):
        assert misfit(CONFIG_MAP, {"metadata": {"labels": {"a": 1}}}) == (
            "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string"
        )

    @pytest.mark.parametrize(
        ("spec", "problem"),
        [
            ({"containers": {}}, "object into Go struct field PodSpec.spec.containers of type []v1.Container"),
            ({"containers": [1]}, "number into Go struct field PodSpec.spec.containers of type v1.Container"),
            ({"restartPolicy": True}, "bool into Go struct field PodSpec.spec.restartPolicy of type v1.RestartPolicy"),
            ({"hostNetwork": "no"}, "string into Go struct field PodSpec.spec.hostNetwork of type bool"),
            (
                {"priority": 3000000000},
                "number 3000000000 into Go struct field PodSpec.spec.priority of type int32",
            ),
        ],
    )
    def test_each_type_has_its_go_name(self, spec, problem):
        assert misfit(POD, {"spec": spec}) == f"json: cannot unmarshal {problem}"

    def test_the_first_of_several_is_told(self):
        assert "terminationGracePeriodSeconds" in misfit(
            POD, {"spec": {"terminationGracePeriodSeconds": "x", "hostNetwork": "no"}}
        )

    def test_a_type_that_reads_itself_is_told_before_the_others(self):
        body = {"data": {"a": 1}, "metadata": {"creationTimestamp": "today"}}
        assert misfit(CONFIG_MAP, body).startswith('parsing time "today"')

    def test_a_value_without_a_field_has_no_path(self):
        assert misfit(type_named("meta.v1.ObjectMeta"), "x") == (
            "json: cannot unmarshal string into Go value of type v1.ObjectMeta"
        )

    def test_kinds_that_are_not_built_in_have_no_type(self):
        assert type_of_kind("example.org/v1", "Thing") is None


class TestScalars:
    @pytest.mark.parametrize("text", ["2001-02-28T23:59:59Z", "2000-02-29T00:00:00.5+01:00"])
    def test_times(self, text):
        assert time_problem(text) == ""

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("2001-02-30T00:00:00Z", ": day out of range"),
            ("2001-13-01T00:00:00Z", ": month out of range"),
            ("2001-01-01", ' as "2006-01-02T15:04:05Z07:00": cannot parse "" as "T"'),
            ("2001-01-01T00:00:00Zx", ': extra text: "x"'),
        ],
    )
    def test_what_is_no_time(self, text, problem):
        assert time_problem(text) == f'parsing time "{text}"{problem}'

    def test_micro_times_have_six_digits(self):
        assert time_problem("2001-01-01T00:00:00.123456Z", micro=True) == ""
        assert time_problem("2001-01-01T00:00:00Z", micro=True).endswith('cannot parse "Z" as ".000000"')

    @pytest.mark.parametrize(
        ("written", "kept"),
        [
            ("2001-01-01T12:00:00.75Z", "2001-01-01T12:00:00Z"),
            ("2001-01-01T12:00:00+02:00", "2001-01-01T10:00:00Z"),
            ("2001-01-01T12:00:00-13:30", "2001-01-02T01:30:00Z"),
        ],
    )
    def test_times_are_kept_in_utc_and_whole_seconds(self, written, kept):
        assert canonical_time(written) == kept

    def test_micro_times_keep_their_digits(self):
        assert canonical_time("2001-01-01T12:00:00.000100+01:00", micro=True) == "2001-01-01T11:00:00.000100Z"
        assert canonical_time("2001-01-01T12:00:00,000100Z", micro=True) == "2001-01-01T12:00:00.000100Z"

    @pytest.mark.parametrize(
        ("text", "place"), [("MQ=*", 2), ("MQ", 0), ("M===", 1), ("MQ==x", 4), ("MQ=", 3), ("abcd*", 4)]
    )
    def test_base64_is_told_where_it_goes_wrong(self, text, place):
        assert base64_problem(text) == f"illegal base64 data at input byte {place}"

    @pytest.mark.parametrize("text", ["", "MQ==", "TWFu\nTWE="])
    def test_base64(self, text):
        assert base64_problem(text) == ""
