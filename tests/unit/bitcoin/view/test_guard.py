import pytest

from btcctl.bitcoin.view.serving.guard import HEADERS, TOKEN_HEADER, Guard, new_token
from btcctl.errors import ConfigError
from btcctl.secret import Secret

TOKEN = Secret("abcdefghijklmnopqrstuvwx")
POST = {"host": "127.0.0.1:80", "content-type": "application/json", TOKEN_HEADER: TOKEN}


def refused(method: str = "GET", **headers: str) -> int:
    found = Guard(TOKEN, ("view.example",)).refusal(method, {name.replace("_", "-"): v for name, v in headers.items()})
    return 0 if found is None else found.status


@pytest.mark.parametrize("host", ["127.0.0.1:1", "localhost", "LOCALHOST:99", "[::1]:80", "10.0.0.7", "view.example:8"])
def test_a_host_that_is_an_address_or_was_allowed_is_answered(host):
    assert refused(host=host) == 0


@pytest.mark.parametrize(
    "host", ["", "evil.example", "127.0.0.1.evil.example", "localhost.evil", "127.0.0.1:80@evil", "a b"]
)
def test_a_host_of_somebody_else_is_refused_so_that_dns_rebinding_leads_nowhere(host):
    assert refused(host=host) == 421


def test_a_request_of_another_sites_page_is_refused():
    assert refused(host="127.0.0.1:80", origin="https://evil.example") == 403
    assert refused(host="127.0.0.1:80", origin="http://127.0.0.1:81") == 403
    assert refused(host="127.0.0.1:80", origin="null") == 403
    assert refused(host="127.0.0.1:80", sec_fetch_site="cross-site", sec_fetch_mode="no-cors") == 403
    assert refused(host="127.0.0.1:80", origin="http://127.0.0.1:80") == 0


def test_a_link_to_the_page_may_be_followed():
    assert refused(host="127.0.0.1:80", sec_fetch_site="cross-site", sec_fetch_mode="navigate") == 0


@pytest.mark.parametrize(
    ("without", "status"), [("content-type", 415), (TOKEN_HEADER, 403)], ids=["not JSON", "without the token"]
)
def test_an_action_wants_json_and_the_token_again(without, status):
    guard = Guard(TOKEN)
    assert guard.refusal("POST", POST) is None
    found = guard.refusal("POST", {name: value for name, value in POST.items() if name != without})
    assert found is not None
    assert found.status == status


def test_only_what_stands_below_the_token_is_found():
    guard = Guard(TOKEN)
    assert guard.path(f"/{TOKEN}/") == ""
    assert guard.path(f"/{TOKEN}/state") == "state"
    assert guard.path(f"/{TOKEN}") is None
    assert guard.path("/state") is None
    assert guard.path(f"/{TOKEN}x/state") is None
    assert guard.path("/\u00e9/state") is None


@pytest.mark.parametrize("token", ["", "short", "a" * 129, "with/a/slash/in/it/too", "with a space in it"])
def test_a_token_that_has_no_place_in_an_address_is_refused_and_not_shown(token):
    with pytest.raises(ConfigError) as caught:
        Guard(Secret(token))
    assert token == "" or token not in str(caught.value)


def test_tokens_are_long_and_never_the_same():
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert all(Guard(each).path(f"/{each}/") == "" for each in tokens)


def test_nothing_is_allowed_inline_or_from_elsewhere():
    policy = HEADERS["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert "*" not in policy


@pytest.mark.parametrize("name", ["view.example:8443", "https://view.example", "*.example", "a b", "", "ü.example"])
def test_a_name_that_no_caller_can_have_is_refused_at_the_start(name):
    with pytest.raises(ConfigError, match="without scheme, port and blanks"):
        Guard(TOKEN, (name,))
