"""Which proxy, and whether one at all."""

from __future__ import annotations

import importlib.util
from urllib.parse import urlsplit

import pytest

from btcctl.errors import ConfigError
from btcctl.rest.config.client_config import ClientConfig
from btcctl.rest.exchange.reaching import proxies
from btcctl.rest.exchange.reaching.proxies import is_exempt, parse_proxy, proxy_for
from btcctl.rest.http import HttpTransport

API = urlsplit("https://api.example.org:6443")


def chosen(environ: dict[str, str], url: str = "https://api.example.org:6443", configured: str = "") -> str:
    return str(proxy_for(urlsplit(url), configured, environ))


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
def test_the_environment_names_a_proxy_in_capitals_or_not(name: str):
    assert chosen({name: "http://p:1"}) == "http://p:1"


def test_the_one_for_the_scheme_comes_first_and_the_other_schemes_is_none():
    environ = {"HTTPS_PROXY": "http://s:1", "HTTP_PROXY": "http://h:2", "ALL_PROXY": "http://a:3"}
    assert chosen(environ) == "http://s:1"
    assert chosen(environ, "http://api.example.org") == "http://h:2"
    assert chosen({"HTTP_PROXY": "http://h:2"}) == "None"
    assert chosen({"HTTPS_PROXY": ""}) == "None"


def test_in_a_cgi_program_http_proxy_is_a_header_of_somebody_elses():
    assert chosen({"HTTP_PROXY": "http://h:2", "REQUEST_METHOD": "GET"}, "http://api.example.org") == "None"


def test_a_kubeconfigs_proxy_is_used_whatever_the_environment_says():
    environ = {"HTTPS_PROXY": "http://s:1", "NO_PROXY": "*"}
    assert chosen(environ, "https://127.0.0.1:6443", "socks5://k:9") == "socks5://k:9"


@pytest.mark.parametrize(
    ("text", "proxy"),
    [
        ("p", "http://p:80"),
        ("p:3128", "http://p:3128"),
        ("HTTP://P:3128/", "http://p:3128"),
        ("https://p", "https://p:443"),
        ("socks5://p", "socks5://p:1080"),
        ("socks5h://p:9", "socks5h://p:9"),
        ("http://[fd00::1]:8", "http://[fd00::1]:8"),
    ],
)
def test_a_proxys_url_may_leave_out_scheme_and_port(text: str, proxy: str):
    assert str(parse_proxy(text, "x")) == proxy


@pytest.mark.parametrize(
    "text", ["ftp://p", "http://", "http://p:x", "http://p:0", "http://p:99999", "http://a b", "://"]
)
def test_what_is_no_proxys_url_is_refused_by_the_name_of_its_variable_without_being_shown(text: str):
    with pytest.raises(ConfigError, match="HTTPS_PROXY is not the URL of a proxy") as caught:
        chosen({"HTTPS_PROXY": text.replace("//", "//user:s3cret@")})
    assert "s3cret" not in str(caught.value)


def test_user_and_password_are_unquoted_and_not_shown():
    proxy = parse_proxy("http://u%40x:s3%3Acret@p:1", "x")
    assert (str(proxy.user), str(proxy.password)) == ("u@x", "s3:cret")
    assert "s3:cret" not in f"{proxy} {proxy!r}"
    assert "u@x" not in f"{proxy} {proxy!r}"


def test_socks_without_its_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(proxies, "find_spec", lambda name: importlib.util.find_spec(f"no_{name}"))
    with pytest.raises(ConfigError, match=r"pip install 'btcctl\[socks\]'"):
        HttpTransport(ClientConfig("https://h:1", proxy_url="socks5://p:1"))


@pytest.mark.parametrize(
    ("no_proxy", "exempt", "not_exempt"),
    [
        ("*", ["a.example", "10.0.0.1"], []),
        ("", ["localhost", "LOCALHOST", "127.0.0.1", "127.9.9.9", "::1"], ["10.0.0.1", "a.example", "localhost.x"]),
        ("example.org", ["example.org", "api.example.org", "API.Example.ORG"], ["notexample.org", "example.org.x"]),
        (".example.org", ["api.example.org"], ["example.org"]),
        ("*.example.org", ["api.example.org"], ["example.org"]),
        ("example.org:6443", ["example.org", "api.example.org"], []),
        ("example.org:443", [], ["example.org"]),
        ("10.0.0.1", ["10.0.0.1"], ["10.0.0.2", "10.0.0.10"]),
        ("10.0.0.1:6443", ["10.0.0.1"], []),
        ("10.0.0.1:1", [], ["10.0.0.1"]),
        ("10.0.0.0/8", ["10.9.9.9"], ["11.0.0.1", "a.example"]),
        ("10.1.2.3/8", ["10.9.9.9"], ["11.0.0.1"]),
        ("fd00::/8", ["fd00::1"], ["fe80::1", "10.0.0.1"]),
        ("fd00::1", ["fd00::1", "fd00:0::1"], ["fd00::2"]),
        ("[fd00::1]:6443", ["fd00::1"], ["fd00::2"]),
        ("a.example, ,b.example ,10.0.0.0/8", ["b.example", "10.1.1.1"], ["c.example"]),
        ("10.0.0.0/99,:6443,/,*x", [], ["10.0.0.1", "a.example"]),
    ],
)
def test_no_proxy_is_read_as_go_reads_it(no_proxy: str, exempt: list[str], not_exempt: list[str]):
    assert [host for host in [*exempt, *not_exempt] if is_exempt(host, 6443, no_proxy)] == exempt
