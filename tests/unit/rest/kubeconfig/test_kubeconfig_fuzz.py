"""Whatever stands in a kubeconfig: a configuration comes of it, or an error of ours."""

from __future__ import annotations

import contextlib

import yaml
from hypothesis import given
from hypothesis import strategies as st

from btcctl.errors import ConfigError
from btcctl.rest.kubeconfig import load
from tests.properties import effort
from tests.unit.rest.kubeconfig.test_kubeconfig import document

CONTEXT = "current-context: x\ncontexts: [{name: x, context: {cluster: c, user: u}}]\n"
PLACES = (
    "HERE",
    "users: HERE",
    f"{CONTEXT}clusters: [{{name: c, cluster: {{server: HERE}}}}]",
    f"{CONTEXT}clusters: [{{name: c, cluster: {{server: 'https://x'}}}}]\nusers: [{{name: u, user: {{token: HERE}}}}]",
    '{"current-context": HERE}',
)
FIELDS = [
    *("server", "tls-server-name", "insecure-skip-tls-verify", "certificate-authority", "certificate-authority-data"),
    *("proxy-url", "extensions", "client-certificate", "client-certificate-data", "client-key", "client-key-data"),
    *("token", "tokenFile", "as", "as-uid", "as-groups", "as-user-extra", "username", "password", "name", "extension"),
]
NAMES = st.sampled_from(FIELDS)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.dates(),
    st.binary(max_size=8),
    st.sampled_from(["http://x", "https://x:1", "QQ==", "socks5://p:1", "/dev/null", "", "https://[::1", "~"]),
)
VALUES = st.recursive(SCALARS, lambda parts: st.lists(parts, max_size=3) | st.dictionaries(NAMES, parts, max_size=4))
ENTRIES = st.dictionaries(NAMES, VALUES, max_size=6)


@effort(300)
@given(st.text(alphabet="ab:{}[]&*!<>-|'\"\\#%@`,?\n\t 01.~uUx"), st.sampled_from(PLACES))
def test_any_text_is_a_configuration_or_an_error_of_ours(tmp_path_factory, text: str, place: str):
    path = tmp_path_factory.getbasetemp() / "fuzzed"
    path.write_text(place.replace("HERE", text), encoding="utf-8")
    with contextlib.suppress(ConfigError):
        load([path])


@effort(100)
@given(st.binary())
def test_any_bytes_are_a_configuration_or_an_error_of_ours(tmp_path_factory, data: bytes):
    path = tmp_path_factory.getbasetemp() / "fuzzed"
    path.write_bytes(data)
    with contextlib.suppress(ConfigError):
        load([path])


@effort(300)
@given(ENTRIES, ENTRIES)
def test_any_values_are_a_configuration_or_an_error_of_ours(tmp_path_factory, user: object, cluster: object):
    path = tmp_path_factory.getbasetemp() / "fuzzed"
    path.write_text(yaml.safe_dump(document(user, cluster)), encoding="utf-8")
    with contextlib.suppress(ConfigError):
        load([path])
