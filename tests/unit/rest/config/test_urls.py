"""What is silently made a URL of by Python, and refused by Go."""

from __future__ import annotations

from pathlib import Path

import pytest

from btcctl.errors import ConfigError
from btcctl.rest.config.client_config import ClientConfig
from btcctl.rest.config.urls import split_url
from btcctl.rest.exchange.reaching.proxies import parse_proxy
from btcctl.rest.kubeconfig import load

WRONG = [
    " http://a:1",
    "\thttp://a:1",
    "http://a:1\n",
    "http://a\t:1",
    "http://a b:1",
    "http://a:1/\x01",
    "http://a:1/%zz",
]


@pytest.mark.parametrize("url", WRONG)
def test_blanks_and_control_characters_are_refused_and_not_dropped(url: str) -> None:
    with pytest.raises(ValueError, match=r"blanks|control|hexadecimal"):
        split_url(url)
    with pytest.raises(ConfigError, match="is not a URL like"):
        ClientConfig(url)
    with pytest.raises(ConfigError, match="HTTPS_PROXY is not the URL of a proxy"):
        parse_proxy(url, "HTTPS_PROXY")


@pytest.mark.parametrize(
    "url", ["http://a:1/ ", "http://a:1/b c", "https://[fe80::1%25eth0]:6443", "http://a/%20?b=%z"]
)
def test_what_go_takes_is_taken(url: str) -> None:
    assert split_url(url).scheme in url


def test_a_server_with_a_blank_before_it_is_named_by_file_and_field(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(
        "current-context: x\ncontexts: [{name: x, context: {cluster: c}}]\n"
        'clusters: [{name: c, cluster: {server: " https://a:6443"}}]\n'
    )
    with pytest.raises(ConfigError, match=r"config: clusters\[0\]\.cluster\.server .*: there are blanks before it"):
        load([path])
