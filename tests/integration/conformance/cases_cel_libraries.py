"""Kubernetes' own functions in CEL: quantities, addresses, networks, URLs, formats and versions."""

from __future__ import annotations

from collections.abc import Sequence

from tests.integration.conformance.cases_cel import refused, whole
from tests.integration.conformance.cases_cel_costs import define as try_gauges
from tests.integration.conformance.cases_cel_costs import items, ruled, text
from tests.integration.conformance.cases_schema_errors import INTEGER, define, thing
from tests.integration.conformance.harness import Body, Talk, case

_TEXT: Body = {"type": "string", "maxLength": 90}
_FIELDS: Body = {
    "text": _TEXT,
    "other": _TEXT,
    "size": INTEGER,
    "names": {"type": "array", "maxItems": 9, "items": _TEXT},
    "sizes": {"type": "array", "maxItems": 9, "items": INTEGER},
    "port": {"x-kubernetes-int-or-string": True, "maxLength": 90},
}


def try_texts(talk: Talk, rules: list[str], *texts: str, other: str = "1") -> None:
    """Post a thing with each text under all of the rules: those that are false, or errors, are told."""
    path = define(talk, whole(*rules, fields=_FIELDS))
    for each in texts:
        talk.post(path, thing({"text": each, "other": other}), query={"dryRun": "All"})


def shown(value: str) -> Body:
    """A rule that is never kept, and tells what an expression comes to."""
    return {"rule": "self.text == '\\n'", "messageExpression": f"string({value})"}


def try_values(talk: Talk, values: list[str], *texts: str, rules: Sequence[str] = (), other: str = "1") -> None:
    """Post a thing with each text: what each expression comes to is told."""
    told = [*({"rule": each} for each in rules), *(shown(each) for each in values)]
    path = define(talk, whole(*told, fields=_FIELDS))
    for each in texts:
        talk.post(path, thing({"text": each, "other": other}), query={"dryRun": "All"})


def refuse_each(talk: Talk, *rules: str) -> None:
    for each in rules:
        refused(talk, whole(each, fields=_FIELDS))


_QUANTITIES = (
    "1", "0", "-1", "+5", "1.5", "1.0", "100m", "1k", "1K", "1Ki", "1Mi", "1.5Gi", "1e3", "1E3", "1.5e2", "0.1", ".5",
    "1.",
    "5e-3", "1n", "0.1n", "", "Three", "Mi", "1,3G", "1 G", "10000000000000000000", "9999999999999999999999999999999G",
    "9223372036854775807", "8Ei", "1000Ei", "50000000G", "007", "-0.5Ki", "1e", "1i", "100Ti", "1234567890123456789012",
)  # fmt: skip


@case("cel libraries", error=True)
def quantities_are_read_and_told(talk: Talk) -> None:
    rules = [
        "isQuantity(self.text)", "quantity(self.text).isInteger()", "quantity(self.text).asInteger() > 2",
        "quantity(self.text).asApproximateFloat() > 2.5", "sign(quantity(self.text)) > 0",
    ]  # fmt: skip
    values = ["quantity(self.text).asApproximateFloat()", "quantity(self.text).asInteger()"]
    try_values(talk, values, *_QUANTITIES, rules=rules)


@case("cel libraries", error=True)
def quantities_are_compared_and_added(talk: Talk) -> None:
    rules = [
        "quantity(self.text) == quantity(self.other)", "quantity(self.text).isLessThan(quantity(self.other))",
        "quantity(self.text).isGreaterThan(quantity(self.other))",
        "quantity(self.text).compareTo(quantity(self.other)) == 0", "quantity(self.text) in [quantity(self.other)]",
        "quantity(self.text).add(quantity(self.other)).isInteger()", "quantity(self.text).sub(1).asInteger() == 1",
        "quantity(self.text).sub(quantity(self.other)).add(5).asInteger() == 5",
        "quantity(self.text).add(1) == quantity('2')", "quantity('2') == quantity(self.text).add(1)",
        "quantity(self.text).add(quantity(self.other)).compareTo(quantity('2')) == 0",
        "quantity(self.text).add(9223372036854775807).isInteger()",
    ]  # fmt: skip
    try_texts(talk, rules, "1", "1000m", "2", "0", "1Ki", "0.5", "-1", "1e3", "9223372036854775807", "x", "1E", "100Ei")


@case("cel libraries", error=True)
def a_quantity_is_no_number(talk: Talk) -> None:
    refuse_each(
        talk, "quantity(self.size).isInteger()", "quantity(self.text) < quantity('1')", "quantity(self.text) == '1'",
        "quantity(self.text).sign() == 1", "quantity(self.text).add('1').isInteger()", "quantity(self.text).nothing()",
        "isQuantity(1)", "isQuantity(self.text) == 1", "quantity(self.text)", "quantity(self.text).amount == 1",
        "quantity(self.text) == null", "quantity(self.text) + quantity('1') == quantity('2')", "quantity() == 1",
        "quantity(self.text).isLessThan(1)", "quantity(self.text).asInteger() == '1'", "'1'.isInteger()",
        "string(quantity(self.text)) == '1'", "[quantity('1')].sum() == quantity('1')", "quantity(self.names)",
        "self.names.all(n, quantity(n))", "quantity('1') == semver('1.0.0')", "has(quantity(self.text).x)",
    )  # fmt: skip


@case("cel libraries", error=True)
def a_number_or_a_text_may_be_a_quantity(talk: Talk) -> None:
    rules = ["isQuantity(self.port)", "quantity(self.port).isInteger()", "quantity(string(self.port)).asInteger() > 1"]
    path = define(talk, whole(*rules, fields=_FIELDS))
    for port in (1, "1", "x"):
        talk.post(path, thing({"port": port}), query={"dryRun": "All"})


_ANY = "0.0.0.0"  # noqa: S104 - nothing listens there
_ADDRESSES = (
    "10.0.0.1", "127.0.0.1", _ANY, "255.255.255.255", "169.254.169.254", "224.0.0.1", "224.0.1.1", "239.0.0.1",
    "::", "::1",
    "2001:db8::abcd", "2001:DB8::ABCD", "2001:db8:0:0:0:0:0:1", "fe80::1", "fd00::1", "ff02::1", "ff05::1", "ff01::1",
    "FF12::1",
    "1:2:3:4:5:6:7:8", "1:0:0:2:0:0:0:3", "1::2:3:4:5:6:7", "1:2:3:4:5:6:1.2.3.4", "::1.2.3.4", "::ffff:1.2.3.4",
)  # fmt: skip
_NO_ADDRESSES = (
    "", "a", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1..2.3", ".1.2.3", "1.2.3.", "1.2.3.a", "1.2.3.4/8", "10",
    "fe80::1%eth0", "fe80::1%", "%", "1:2", "1:2:3:4:5:6:7:8:9", "::1::2", "12345::", "g::", ":1", "1:",
    "1:2:3:4:5:6:7::8",
    "1:2:3:4:5:6:7:1.2.3.4", "::1.2.3", "1.2.3.4:5", "1:2.3.4.5", "ü::1", "1:2:3:4:5:6:7:8:", "::ffff:1.2.3.400",
    " 1.2.3.4",
)  # fmt: skip


@case("cel libraries", error=True)
def addresses_are_read_and_told(talk: Talk) -> None:
    rules = [
        "isIP(self.text)", "ip(self.text).family() == 4", "ip(self.text).isLoopback()", "ip(self.text).isUnspecified()",
        "ip(self.text).isLinkLocalMulticast()", "ip(self.text).isLinkLocalUnicast()", "ip.isCanonical(self.text)",
        "ip(self.text).isGlobalUnicast()", "ip(self.text) == ip('::1')", "ip(self.text) in [ip('10.0.0.1')]",
    ]  # fmt: skip
    try_values(talk, ["ip(self.text)"], *_ADDRESSES, *_NO_ADDRESSES, rules=rules)


@case("cel libraries", error=True)
def networks_are_read_and_told(talk: Talk) -> None:
    rules = [
        "isCIDR(self.text)", "cidr(self.text).prefixLength() == 8", "cidr(self.text).containsIP(self.other)",
        "cidr(self.text).containsIP(ip('2001:db8::1'))", "cidr(self.text).containsCIDR('10.1.0.0/16')",
        "cidr(self.text).containsCIDR(cidr('2001:db8::/48'))", "cidr(self.text) == cidr(self.text).masked()",
        "cidr(self.text).ip().family() == 6", "cidr(self.text).masked().ip() == cidr(self.text).ip()",
    ]  # fmt: skip
    texts = (
        "10.0.0.0/8", "10.1.2.3/8", "0.0.0.0/0", "10.1.1.1/32", "10.1.0.0/16", "10.1.0.0/17", "2001:db8::/32",
        "2001:db8::1/64", "::/0",
        "10.0.0.0", "10.0.0.0/33", "::/129", "10.0.0.0/08", "10.0.0.0/-1", "10.0.0.0/", "/8", "10.0.0/8", "a/b/c",
        "fe80::1%e/64",
        "::ffff:1.2.3.4/96", "10.0.0.0/99999999999999999999", "10.0.0.0/+8", "10.0.0.0/0x8", "",
    )  # fmt: skip
    rules.append("cidr(self.text).containsIP('nonsense') || cidr(self.text).containsCIDR('nonsense')")
    values = ["cidr(self.text)", "cidr(self.text).masked()", "cidr(self.text).ip()"]
    try_values(talk, values, *texts, rules=rules, other="10.1.1.1")


@case("cel libraries", error=True)
def an_address_is_no_text(talk: Talk) -> None:
    refuse_each(
        talk, "ip(self.text) == '1'", "ip(self.size).isLoopback()", "ip(self.text).isLoopback(1)",
        "cidr(self.text) == ip(self.text)",
        "cidr(self.text).containsIP(1)", "cidr(self.text).containsCIDR(ip('::1'))", "ip(self.text).prefixLength() == 1",
        "isIP(self.text).isLoopback()", "ip(self.text) == null", "ip(self.text)", "ip(cidr('10.0.0.0/8')) == ip('::1')",
        "self.text.isLoopback()", "ip(self.text) < ip('::1')", "ip(self.text).family == 4", "ip.isCanonical(1)",
        "self.text.ip() == ip('::1')", "cidr(self.text).family() == 4", "ip.nothing(self.text)", "has(ip(self.text).x)",
        "string(ip(self.text)) == 1", "ip == 1", "{ip('::1'): 1}.size() == 1",
    )  # fmt: skip


_URLS = (
    "https://user:pw@example.com:80/path/to?query=val&a=1&a=2&b#frag", "http://[::1]:443/", "http://[::1%25eth0]/a",
    "/a/b%20c?d=e%20f+g",
    "//host/path", "https:/a", "HTTPS://Example.COM/A", "mailto:a@b.c", "file:///etc/passwd", "http://a/b?",
    "http://a/b?c?d", "*",
    "http://a/%2F%41/ü?x=%C3%BC", "http://a/b?x;y=1&z=2&%zz=1", "http://a:/b", "http://a/b c", "http://a/b'(c)*",
    "urn:a:b?c",
    "http://a:1,b:2/", "x://a:1,b:2/", "http://a/#%41ü", "http://ü.example/", "http://%C3%BC/", "http://", "a1+-.:b",
)  # fmt: skip
_NO_URLS = (
    "", "a", "a/b", "#a", "?a", ":a", "1http://a", "http://a:b/", "http://a:1b", "http://a b/", "http://%41/",
    "http://a/%zz", "http://a/%4",
    "http://[::1", "http://a[::1]", "http://[1.2.3.4]/", "http://[x]/", "http://[::1]a", "http://a b@c/",
    "http://%zz@c/", "ht tp://a",
    "http://a<b>\"/", "http://a\\b/", "http://a:1:2/", "http://[::1%25%41]/", "http://[::1%25%00]/", "../a", "https//a",
)  # fmt: skip


@case("cel libraries", error=True)
def urls_are_read_and_told(talk: Talk) -> None:
    rules = [
        "isURL(self.text)", "url(self.text).getScheme() == 'https'", "url(self.text) == url(self.text)",
        "url(self.text) == url('http://a/b')", "'a' in url(self.text).getQuery()",
    ]  # fmt: skip
    values = [
        "url(self.text).getScheme()", "url(self.text).getHost()", "url(self.text).getHostname()",
        "url(self.text).getPort()",
        "url(self.text).getEscapedPath()", "url(self.text).getQuery().size()",
        "'a' in url(self.text).getQuery() ? url(self.text).getQuery()['a'][0] : 'no a'",
    ]  # fmt: skip
    try_values(talk, values, *_URLS, *_NO_URLS, "http://a/\tb", "http://a/\x7f", rules=rules)


@case("cel libraries", error=True)
def a_url_is_no_text(talk: Talk) -> None:
    refuse_each(
        talk, "url(self.text) == 'a'", "url(self.size).getHost() == 'a'", "url(self.text).getHost(1) == 'a'",
        "self.text.getHost() == 'a'",
        "url(self.text).getQuery()['a'] == 'b'", "url(self.text).getPort() == 80", "url(self.text).getPath() == '/'",
        "url(self.text)", "isURL(1)", "string(url(self.text)) == 'a'", "url(self.text) == null",
        "url(self.text).host == 'a'",
    )  # fmt: skip


_FORMATS = (
    "dns1123Label", "dns1123Subdomain", "dns1035Label", "qualifiedName", "dns1123LabelPrefix", "dns1123SubdomainPrefix",
    "dns1035LabelPrefix", "labelValue", "uri", "uuid", "byte", "date", "datetime",
)  # fmt: skip


@case("cel libraries", error=True)
def texts_are_checked_for_formats(talk: Talk) -> None:
    told = [
        {
            "rule": f"!format.{name}().validate(self.text).hasValue()",
            "messageExpression": f"format.{name}().validate(self.text).value()[{index}]",
        }
        for name in _FORMATS
        for index in (0, 1)
    ]
    path = define(talk, whole(*told, fields=_FIELDS))
    texts = (
        "abc", "a-", "-", "a--", "1a", "a.b", "A.B", "a_b", "a/b", "a/b/c", "/b", "a/", "", "a" * 64, "https://a/b",
        "YWJj", "YWI=", "YQ",
        "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "6ba7b8109dad11d180b400c04fd430c8", "2024-02-29", "2023-02-29",
        "2024-01-01T00:00:00Z",
        "2024-01-01T00:00:00.5+01:00", "2024-01-01 00:00:00Z", "ü", "a\n",
    )  # fmt: skip
    for each in texts:
        talk.post(path, thing({"text": each}), query={"dryRun": "All"})


@case("cel libraries", error=True)
def a_format_has_a_name(talk: Talk) -> None:
    rules = [
        "format.named(self.text).hasValue()", "!format.named(self.text).value().validate(self.other).hasValue()",
        "format.named(self.text).value() == format.dns1123Label()", "format.dns1123Label() == format.dns1123Label()",
        "format.uuid().validate(self.text).orValue([]).size() == 0",
    ]  # fmt: skip
    try_texts(talk, rules, "dns1123Label", "DNS1123Label", "uri", "nope", "", other="a_b")


@case("cel libraries", error=True)
def a_format_is_called(talk: Talk) -> None:
    refuse_each(
        talk, "format.nope().validate(self.text).hasValue()", "format.dns1123Label.validate(self.text).hasValue()",
        "format.dns1123Label().validate(self.size).hasValue()", "format.dns1123Label(1).validate(self.text).hasValue()",
        "format.dns1123Label().validate(self.text)", "format.dns1123Label().validate(self.text) == []", "format == 1",
        "format.named(1).hasValue()", "self.text.validate('a').hasValue()",
        "format.named('a').validate(self.text).hasValue()",
        "format.dns1123Label().validate(self.text).orValue('a') == []", "format.dns1123Label() == format.dns1123Label",
    )  # fmt: skip


_VERSIONS = (
    "1.2.3", "0.0.1", "1.2.4", "1.2.3-alpha", "1.2.3-alpha.1", "1.2.3-1", "1.2.3-beta+build.1", "1.2.3+build",
    "v1.2.3", "1.2", "1",
    "01.2.3", "1.02.3", "1.2.03", "1.2.3-01", "1.2.3-", "1.2.3+", "1.2.3-a..b", "1.2.3-ü", "1.2.3+ü", "1.2.x", "a.b.c",
    "", "1.2.3.4",
    "18446744073709551615.0.0", "18446744073709551616.0.0", "v1", "1-a", "v01.002.3-a", "1..3", "..", "0.0.0",
)  # fmt: skip


@case("cel libraries", error=True)
def versions_are_read_and_compared(talk: Talk) -> None:
    rules = [
        "isSemver(self.text)", "isSemver(self.text, true)",
        "semver(self.text).major() == 1 && semver(self.text).minor() == 2",
        "semver(self.text).patch() > 3", "semver(self.text).isLessThan(semver('1.2.3'))",
        "semver(self.text, true).major() == 1",
        "semver(self.text).isGreaterThan(semver('1.2.3-alpha'))", "semver(self.text).compareTo(semver('1.2.3')) == 0",
        "semver(self.text) == semver('1.2.3')", "semver(self.text, false) in [semver('1.2.3')]",
    ]  # fmt: skip
    try_texts(talk, rules, *_VERSIONS)


@case("cel libraries", error=True)
def a_version_is_no_text(talk: Talk) -> None:
    refuse_each(
        talk, "semver(self.text) == '1.2.3'", "semver(self.text) < semver('1.2.3')", "semver(self.size).major() == 1",
        "semver(self.text, 1).major() == 1", "semver(self.text).major() == '1'", "isSemver(1)",
        "semver(self.text).isLessThan('1')",
        "semver(self.text).compareTo(quantity('1')) == 0", "semver(self.text).major == 1", "self.text.major() == 1",
    )  # fmt: skip


@case("cel libraries", error=True)
def sets_and_lists(talk: Talk) -> None:
    rules = [
        "sets.contains(self.names, ['a', 'b'])", "sets.intersects(self.names, ['b', 'z'])",
        "sets.equivalent(self.sizes, [1, 2, 3])",
        "self.names.slice(0, 2) == ['a', 'b']", "[self.names, ['z']].flatten().size() == 4",
        "self.sizes.sort() == [1, 2, 3]",
        "self.sizes.reverse() == [3, 2, 1]", "self.sizes.distinct().size() == self.sizes.size()",
        "lists.range(3) == [0, 1, 2]",
        "self.names.first().value() == 'a'", "self.names.last().orValue('x') == 'c'",
        "[[self.sizes], [[9]]].flatten(2).size() == 4",
        "self.names.distinct().sort().reverse() == ['c', 'b', 'a']", "sets.contains([[1], [2]], [[2]])",
        "self.names.slice(-1, 2) == []", "self.names.slice(self.sizes.size(), 1) == []", "[[1]].flatten(-1) == []",
        "lists.range(-1) == []",
        "sets.contains([1.0, 2.0], [1.0])", "sets.equivalent(self.names, self.names.reverse())",
    ]  # fmt: skip
    path = define(talk, whole(*rules, fields=_FIELDS))
    for names, sizes in ((["a", "b", "c"], [1, 2, 3]), (["c", "a", "a"], [3, 3, 1]), ([], []), (["b"], [2])):
        talk.post(path, thing({"names": names, "sizes": sizes}), query={"dryRun": "All"})


@case("cel libraries", error=True)
def lists_of_the_wrong_types(talk: Talk) -> None:
    refuse_each(
        talk, "sets.contains(self.names, [1])", "sets.contains(self.names)", "self.names.slice('a', 1) == []",
        "self.names.flatten() == []",
        "self.text.reverse() == 'a'", "lists.range('a') == []", "self.names.first() == 'a'", "self.text.sort() == 'a'",
        "sets.nothing([])",
        "self.names.sort() == [1]", "[self.names].sort() == []", "math.greatest(1, 2) == 2", "lists.nothing(1) == 1",
        "self.names.distinct(1) == []", "self.text.replaceAll('a', 'b') == 'c'", "sets == 1",
        "math.abs(self.size) == 1",
    )  # fmt: skip


@case("cel libraries", error=True)
def libraries_cost_by_the_length_of_texts(talk: Talk) -> None:
    for rule in (
        "isQuantity(self.a)", "quantity(self.a).isInteger()", "quantity(self.a) == quantity(self.b)", "isIP(self.a)",
        "ip(self.a).isLoopback()",
        "ip(self.a) == ip(self.b)", "ip.isCanonical(self.a)", "cidr(self.a).containsIP(self.b)",
        "cidr(self.a).containsCIDR(self.b)",
        "cidr(self.a).containsIP(ip(self.b))", "cidr(self.a).containsCIDR(cidr(self.b))",
        "cidr(self.a).masked().prefixLength() == 1",
        "isURL(self.a)", "url(self.a).getHost() == self.b", "url(self.a) == url(self.b)",
        "semver(self.a) == semver(self.b)",
        "format.dns1123Label().validate(self.a).hasValue()", "format.named(self.a) == format.named(self.b)",
        "format.uri() == format.named(self.b).value()", "string(ip(self.a)) == self.b", "cidr(self.a) == cidr(self.b)",
        "url(self.a).getQuery().all(k, k == self.b)", "format.uri().validate(self.a).orValue([]).all(x, x == self.b)",
    ):  # fmt: skip
        pair: Body = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}}
        try_gauges(talk, a=ruled(pair, rule))
        try_gauges(talk, a=items(ruled(pair, rule), 7))
        try_gauges(talk, a=items(ruled({**pair, "properties": {"a": text(1000), "b": text(400)}}, rule)))


@case("cel libraries", error=True)
def libraries_of_lists_cost_by_their_length(talk: Talk) -> None:
    for rule in (
        "sets.contains(self, ['a'])", "sets.contains(self, self)", "sets.equivalent(self, self)",
        "self.slice(0, 3).all(x, x == 'a')",
        "self.slice(3, 0).all(x, x == 'a')", "self.reverse().all(x, x == 'a')", "self.distinct().all(x, x == 'a')",
        "self.sort().size() > 1",
        "self.sort().all(x, x == 'a')", "[self].flatten().all(x, x == 'a')",
        "lists.range(100).all(x, self.all(y, y == 'a'))",
        "lists.range(self.size()).all(x, x == 1)", "self.first().value() == 'a'",
        "self.all(x, self.last().orValue('a') == x)",
    ):  # fmt: skip
        try_gauges(talk, a=ruled(items({"type": "string"}), rule))
        try_gauges(talk, a=ruled(items(text(20), 900), rule))
        try_gauges(talk, a=items(ruled(items(text(20), 30), rule)))


@case("cel libraries", error=True)
def functions_of_values_of_other_types(talk: Talk) -> None:
    rules = [
        "isIP(self.port)", "cidr(self.port).prefixLength() == 1", "isURL(self.port)", "url(self.port).getHost() == ''",
        "isSemver(self.port)", "semver(self.port, true).major() == 1", "format.uri().validate(self.port).hasValue()",
        "format.named(self.port).hasValue()", "cidr('10.0.0.0/8').containsIP(self.port)", "ip.isCanonical(self.port)",
        "quantity('1').add(self.port).isInteger()", "self.port.startsWith('a')", "self.port.size() > 1",
        "size(self.port) > 1",
        "self.port.matches('a')", "self.port + 1 == 2", "self.port.contains('a')", "self.port.lowerAscii() == 'a'",
        "self.port < 'a'",
        "self.port.split('a') == []", "self.port.join() == ''", "self.port.all(x, x > 1)", "self.port ? true : false",
        "!self.port",
        "-self.port == 1", "self.port in [1]", "1 in self.port", "self.port[0] == 1", "self.port.getHours() == 1",
        "self.port && true",
        "timestamp(self.port) == timestamp('2020-01-01T00:00:00Z')", "duration(self.port) == duration('1s')",
        "self.port.find('a') == ''",
        "sets.contains([1], self.port)", "self.port.sort() == []", "self.port.reverse() == []",
        "self.port.slice(0, 1) == []",
        "self.port.sum() == 1", "self.port.isSorted()", "self.port.indexOf('a') == 1",
        "self.port.replace('a', 'b') == 'c'",
        "self.port.flatten() == []", "self.port.first().hasValue()",
        "self.port.x == 1", "has(self.port.x)", "self.port * 2 == 2", "self.port % 2 == 1", "int(self.port) == 1",
        "double(self.port) == 1.0",
    ]  # fmt: skip
    path = define(talk, whole(*rules, fields=_FIELDS))
    for port in (1, "1", "a"):
        talk.post(path, thing({"port": port}), query={"dryRun": "All"})
