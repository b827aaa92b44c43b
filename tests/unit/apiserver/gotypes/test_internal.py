"""How a server's own structs differ; the conformance cases compare the words with a real server's."""

from __future__ import annotations

from typing import Any

from btcctl.apiserver.gotypes.internal import difference


def changed(struct: str, old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    return [line for line in difference(struct, old, new).splitlines() if line[:1] in "+-"]


def test_a_field_is_shown_with_its_neighbours():
    shown = difference("LocalObjectReference", {"name": "a"}, {"name": "b"})
    assert shown == '@@ -1,3 +1,3 @@\n {\n- "Name": "a"\n+ "Name": "b"\n }\n'


def test_what_nobody_set_is_shown_too():
    assert changed("Toleration", {}, {"tolerationSeconds": 3, "key": "<k>"}) == [
        '- "Key": "",',
        '+ "Key": "\\u003ck\\u003e",',
        '- "TolerationSeconds": null',
        '+ "TolerationSeconds": 3',
    ]


def test_what_a_pod_has_of_its_host_is_in_its_security_context():
    assert changed("PodSpec", {}, {"hostNetwork": True}) == ['-  "HostNetwork": false,', '+  "HostNetwork": true,']


def test_a_selector_is_as_in_the_api():
    selector = {"matchLabels": {"b": "1", "a": "2"}}
    lines = changed("PodAffinityTerm", {}, {"labelSelector": selector})
    assert [line.strip('+ ,"') for line in lines[2:4]] == ['matchLabels": {', 'a": "2']


def test_names_that_are_others_than_in_the_api_are_known():
    assert changed("AzureDiskVolumeSource", {"diskURI": "a"}, {"diskURI": "b"}) == [
        '- "DataDiskURI": "a",',
        '+ "DataDiskURI": "b",',
    ]


def test_what_is_too_long_to_compare_is_not_shown():
    variables = [{"name": f"x{number}", "value": str(number)} for number in range(1000)]
    assert difference("Container", {}, {"env": variables}) == ""
