from __future__ import annotations

from typing import Any

import pytest

from btcctl.apiserver.schemas.cel.compiler import compile_expression
from btcctl.apiserver.schemas.cel.costs import MOST
from btcctl.apiserver.schemas.cel.data import BUDGET, Budget, BudgetExceeded, EvaluationError
from btcctl.apiserver.schemas.cel.syntax import CompileError
from btcctl.apiserver.schemas.cel.types import DYN, STRING, list_of

VARIABLES = {"text": STRING, "names": list_of(STRING), "any": DYN}


def value(expression: str, **scope: Any) -> Any:
    known = {"text": "", "names": ["a", "b"], "any": 1, BUDGET: Budget()}
    known[BUDGET].begin_rule()
    return compile_expression(expression, VARIABLES).run({**known, **scope})


@pytest.mark.parametrize(
    "expression",
    [
        "quantity('1.5Gi').isGreaterThan(quantity('1G')) && quantity('1000m') == quantity('1')",
        "quantity('50k').add(20).sub(quantity('100k')).sub(-50000) == quantity('20')",
        "quantity('50k').asInteger() == 50000 && !quantity('1.5').isInteger() && isQuantity('100m')",
        "sign(quantity('-1')) == -1 && quantity('0.1').asApproximateFloat() == 0.1 && !isQuantity('Three')",
        "ip('::1').isLoopback() && ip('169.254.0.1').isLinkLocalUnicast() && ip('ff02::1').isLinkLocalMulticast()",
        "ip('0.0.0.0').isUnspecified() && ip('10.0.0.1').isGlobalUnicast() && !ip('224.0.0.1').isGlobalUnicast()",
        "string(ip('2001:DB8:0::1')) == '2001:db8::1' && !ip.isCanonical('2001:DB8::1') && ip('::').family() == 6",
        "cidr('10.0.0.0/8').containsIP('10.1.1.1') && cidr('10.0.0.0/8').containsCIDR(cidr('10.1.0.0/16'))",
        "string(cidr('10.1.1.1/8').masked()) == '10.0.0.0/8' && cidr('10.1.1.1/8').prefixLength() == 8",
        "!isIP('1.2.3') && !isIP('fe80::1%eth0') && !isIP('::ffff:1.2.3.4') && !isCIDR('10.0.0.0/33')",
        "url('https://[::1]:80/a?b=c%20d').getHostname() == '::1' && url('http://a:80/b').getPort() == '80'",
        "url('/a%20b?c=d').getEscapedPath() == '/a%20b' && url('/a?b=1&b=2').getQuery() == {'b': ['1', '2']}",
        "!isURL('a/b') && !isURL('http://a/%zz') && url('http://a/b') == url('http://a/b')",
        "!format.dns1123Label().validate('a').hasValue() && format.dns1123Label().validate('A').value().size() == 1",
        "format.named('uuid').value() == format.uuid() && !format.named('x').hasValue()",
        "semver('1.2.3-a').isLessThan(semver('1.2.3')) && semver('v1.02', true) == semver('1.2.0')",
        "semver('1.2.3+a') == semver('1.2.3+b') && semver('1.2.3-2').compareTo(semver('1.2.3-10')) == -1",
        "sets.contains(names, ['a']) && sets.intersects(names, ['b', 'c']) && sets.equivalent(names, ['b', 'a', 'a'])",
        "[3, 1, 2].sort() == [1, 2, 3] && [1, 1, 2].distinct() == [1, 2] && names.reverse() == ['b', 'a']",
        "[[1], [2, 3]].flatten() == [1, 2, 3] && lists.range(3).slice(1, 3) == [1, 2]",
        "!names.slice(0, 0).first().hasValue() && names.last().value() == 'b'",
        "bool('true') && string(bytes('a')) == 'a'",
        "timestamp('2023-07-14T10:30:45.123Z').getDayOfWeek() == 5 && timestamp(0).getFullYear() == 1970",
        "timestamp('2023-07-14T23:30:00Z').getDate('+01:00') == 15 && duration('1.5s').getMilliseconds() == 1500",
        "string(duration('1.5s')) == '1.5s' && string(timestamp('2023-07-14T10:30:45.5Z')) == '2023-07-14T10:30:45.5Z'",
        "any.?x.orValue(1) == 1 && {'a': 1}.?a.value() == 1 && !{'a': 1}[?'b'].hasValue() && [1][?0].value() == 1",
        "{'a': {'b': 2}}.?a.?b.optMap(x, x + 1).orValue(0) == 3 && optional.none().orValue(2) == 2",
        "optional.of(1).orValue(1 / 0) == 1 && !optional.ofNonZeroValue('').hasValue() && '.?x' == '.' + '?x'",
        "'%s is %d, %.1f, %x, %b'.format(['a', 7, 2.5, 255, true]) == 'a is 7, 2.5, ff, 1'",
        "'%s'.format([[1, 'a', {'b': null}]]) == '[1, \"a\", {\"b\":null}]' && strings.quote('a') == '\"a\"'",
        "type(any) == int && type('a') == string && type(any) != type('a') && type(ip('::1')) == type(ip('::2'))",
        "names.sortBy(n, n == 'a') == ['b', 'a'] && [3, 1].sortBy(x, x) == [1, 3]",
        "'abc'.lastIndexOf('b', 1) == 1 && 'abc'.indexOf('a', 9) == -1",
    ],
)
def test_what_a_library_says_is_so(expression):
    assert value(expression) is True


@pytest.mark.parametrize(
    ("expression", "error"),
    [
        ("quantity('1K')", "unable to parse quantity's suffix"),
        ("quantity('1.5').asInteger()", "cannot convert value to integer"),
        ("quantity('2') == quantity('1').add(1)", "no such overload"),
        (
            "ip('1.2.3')",
            'IP Address "1.2.3" parse error during conversion from string: ParseAddr("1.2.3"): IPv4 address ',
        ),
        ("cidr('10.0.0.0/8').containsIP('x')", "no such overload"),
        ("url('a')", 'URL parse error during conversion from string: parse "a": invalid URI for request'),
        ("semver('1.2')", "No Major.Minor.Patch elements found"),
        ("names.slice(0, 9)", "cannot slice(0, 9), list is length 2"),
        ("isQuantity(any)", "no such overload: isQuantity(int)"),
        ("any.reverse()", "no such overload: reverse(int)"),
        ("any.x", "no such key: x"),
    ],
)
def test_a_library_says_what_is_wrong(expression, error):
    with pytest.raises(EvaluationError) as caught:
        value(expression)
    assert str(caught.value).startswith(error)


@pytest.mark.parametrize(
    ("expression", "error"),
    [
        ("quantity(1)", "found no matching overload for 'quantity' applied to '(int)'"),
        ("quantity('1') < quantity('2')", "applied to '(kubernetes.Quantity, kubernetes.Quantity)'"),
        ("format.nope()", "undeclared reference to 'format'"),
        ("math.abs(1)", "undeclared reference to 'math'"),
        ("any.?x == 1", "found no matching overload for '_==_' applied to '(optional_type(dyn), int)'"),
        ("'%d'.format(['a'])", "decimal clause can only be used on integers, was given string"),
        ("duration('x') > duration('1s')", "invalid duration argument"),
        ("[1, true]", "ERROR: <input>:1:5: expected type 'int' but found 'bool'"),
        ("url('a').host", "unexpected failed resolution of 'kubernetes.URL'"),
    ],
)
def test_a_library_takes_its_own_types_only(expression, error):
    with pytest.raises(CompileError, match="ERROR") as caught:
        value(expression)
    assert error in str(caught.value)


@pytest.mark.parametrize(
    ("expression", "cost"),
    [
        ("quantity(text).isInteger()", 22),
        ("ip(text) == ip(text)", 43),
        ("format.uri().validate(text).hasValue()", 643),
        ("sets.equivalent(names, names)", MOST),
        ("lists.range(3)", 14),
    ],
)
def test_a_library_costs_what_it_costs_a_real_server(expression, cost):
    sizes = {("text",): 200}
    assert compile_expression(expression, VARIABLES, size_at=sizes.get).most_cost == cost


@pytest.mark.parametrize(
    "expression", ["names.distinct().size() > 0", "names.all(x, isURL(text))", "sets.contains(names, names)"]
)
def test_a_library_spends_from_the_budget(expression):
    with pytest.raises(BudgetExceeded):
        value(expression, names=[str(number) for number in range(1_100)], text="/" * 100_000)
