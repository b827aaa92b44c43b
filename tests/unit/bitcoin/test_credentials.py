from __future__ import annotations

from collections.abc import Callable

import pytest

from btcctl.bitcoin.credentials import (
    GetSecret,
    SecretForbidden,
    SecretInvalid,
    SecretKeyMissing,
    SecretNotFound,
    read_credentials,
)
from btcctl.bitcoin.rpc import Credentials
from btcctl.errors import Forbidden, InternalError, NotFound
from btcctl.objects import Object, ObjectKey
from tests.unit.bitcoin.builders import network, secret_body

NETWORK = network(secret="mine")


def holding(**data: str) -> GetSecret:
    secret = secret_body("mine", **data)
    secret["metadata"]["resourceVersion"] = "7"
    return lambda key: Object.from_body(secret)


def raising(error: Exception) -> Callable[[ObjectKey], Object]:
    def get(key: ObjectKey) -> Object:
        raise error

    return get


def test_the_secret_of_that_name_in_the_networks_namespace_is_read() -> None:
    asked = []

    def get(key: ObjectKey) -> Object:
        asked.append(key)
        return holding(BC_RPC_USER="u", BC_RPC_PASSWORD="p")(key)

    known = read_credentials(NETWORK, get)
    assert asked == [ObjectKey("default", "mine")]
    assert (known.credentials, known.version, known.secret) == (Credentials("u", "p"), "7", "mine")


def test_without_a_secret_the_default_credentials_hold_and_nothing_is_asked() -> None:
    known = read_credentials(network(), raising(AssertionError("asked")))
    assert known.credentials == Credentials("user", "password")
    assert known.secret is None


@pytest.mark.parametrize(
    ("get", "problem"),
    [
        (raising(NotFound(404)), SecretNotFound),
        (raising(Forbidden(403)), SecretForbidden),
        (holding(BC_RPC_USER="u"), SecretKeyMissing),
        (holding(BC_RPC_USER="", BC_RPC_PASSWORD="p"), SecretKeyMissing),
        (holding(BC_RPC_USER="  ", BC_RPC_PASSWORD="p"), SecretInvalid),
        (holding(BC_RPC_USER="a:b", BC_RPC_PASSWORD="p"), SecretInvalid),
        (holding(BC_RPC_USER="u", BC_RPC_PASSWORD="p#q"), SecretInvalid),
        (holding(BC_RPC_USER="u", BC_RPC_PASSWORD="p\nrpcallowip=0.0.0.0/0"), SecretInvalid),
    ],
)
def test_what_is_wrong_with_a_secret_has_an_error_of_its_own(get: GetSecret, problem: type[Exception]) -> None:
    with pytest.raises(problem, match='"mine"'):
        read_credentials(NETWORK, get)


def test_an_api_server_that_fails_is_no_problem_of_the_secret() -> None:
    with pytest.raises(InternalError):
        read_credentials(NETWORK, raising(InternalError(500)))


@pytest.mark.parametrize("data", [{"BC_RPC_USER": "!!", "BC_RPC_PASSWORD": "!!"}, {"BC_RPC_USER": "/w=="}])
def test_values_that_are_no_text_are_refused(data: dict[str, str]) -> None:
    secret = secret_body("mine")
    secret["data"] = {"BC_RPC_PASSWORD": "cA==", **data}
    with pytest.raises(SecretInvalid):
        read_credentials(NETWORK, lambda key: Object.from_body(secret))


def test_the_newline_that_echo_leaves_does_not_count() -> None:
    known = read_credentials(NETWORK, holding(BC_RPC_USER="u\n", BC_RPC_PASSWORD=" p w\n"))
    assert known.credentials == Credentials("u", "p w")


def test_errors_and_reprs_show_no_values() -> None:
    with pytest.raises(SecretInvalid) as caught:
        read_credentials(NETWORK, holding(BC_RPC_USER="someuser", BC_RPC_PASSWORD="geheim#1"))
    assert "geheim" not in str(caught.value)
    known = read_credentials(NETWORK, holding(BC_RPC_USER="someuser", BC_RPC_PASSWORD="geheim"))
    assert "geheim" not in repr(known)
    assert "someuser" not in repr(known)
