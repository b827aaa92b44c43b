"""A definition that is taken is a kind that can be listed and found a moment later."""

from __future__ import annotations

import pytest

from btcctl.errors import DeadlineExceeded, Forbidden
from btcctl.resources import ResourceType
from btcctl.rest.client import ApiClient
from btcctl.rest.served import wait_until_served
from btcctl.rest.transport.breaker import Breaker
from btcctl.rest.transport.transport import Request, Response
from btcctl.testing import FakeClient, InstantClock
from btcctl.testing.definitions import definitions_for

NETS = ResourceType("example.org", "v1", "nets", "Net")
SPEC = definitions_for([NETS])[0]["spec"]


class Late:
    """A server that knows the kind; of some paths it has not heard yet for the first so many requests."""

    def __init__(self, **late: int) -> None:
        self._fake = FakeClient(types=[NETS]).transport
        self._late = {NETS.path(): late.get("lists", 0), "/apis/example.org/v1": late.get("discovery", 0)}
        self.stream, self.close = self._fake.stream, self._fake.close

    def request(self, request: Request, *, timeout: float, breaker: Breaker | None = None) -> Response:
        if self._late.get(request.path, 0) > 0:
            self._late[request.path] -= 1
            return Response(404, {}, b"404 page not found\n")
        return self._fake.request(request, timeout=timeout, breaker=breaker)


@pytest.mark.parametrize("late", ["lists", "discovery"])
def test_both_are_waited_for_whichever_comes_last(late: str) -> None:
    clock = InstantClock()
    client = ApiClient(Late(**{late: 3}), clock=clock)
    wait_until_served(client, SPEC, clock=clock)
    assert client.type_of("example.org/v1", "Net") == NETS
    assert client.resource(NETS).list()[0] == []
    assert clock.waits != []


def test_what_is_served_costs_no_time() -> None:
    clock = InstantClock()
    wait_until_served(ApiClient(Late(), clock=clock), SPEC, clock=clock)
    assert clock.waits == []


def test_what_is_never_served_is_said_with_what_the_server_says() -> None:
    clock = InstantClock()
    with pytest.raises(DeadlineExceeded, match=r"nets\.example\.org is defined, but not served after 7 s: .*404"):
        wait_until_served(ApiClient(Late(lists=10**6), clock=clock), SPEC, seconds=7.0, clock=clock)


def test_a_right_that_is_missing_is_not_waited_for() -> None:
    client = FakeClient(types=[NETS], authorizer=lambda asked: "no" if asked.user == "alice" else None)
    with pytest.raises(Forbidden):
        wait_until_served(client.acting_as("alice"), SPEC, clock=InstantClock())
