"""Who keeps a server's certificates. That of files is tried beside the server of webhooks."""

from __future__ import annotations

import errno
import os
from datetime import timedelta

from btcctl.certificates.identity import Identity
from btcctl.certificates.issuing import LEAF_LIFE
from btcctl.certificates.keepers import MemoryKeeper
from btcctl.testing.clock import FakeClock


def test_a_certificate_made_for_this_process_is_made_anew_in_time() -> None:
    clock = FakeClock()
    identity = Identity("metrics", clock)
    keeper = MemoryKeeper(["localhost"], identity, clock)
    keeper.start()
    first = identity.expiry
    assert first is not None
    clock.wait_until_blocked()
    clock.advance((LEAF_LIFE * 2 / 3).total_seconds())
    clock.wait_until_blocked()
    keeper.stop()
    assert identity.expiry > first + timedelta(days=50)


def test_nothing_is_made_anew_before_it_is_due() -> None:
    clock = FakeClock()
    identity = Identity("metrics", clock)
    keeper = MemoryKeeper(["localhost", "127.0.0.1"], identity, clock)
    seconds = keeper.renew()
    context = identity.context
    clock.advance(seconds / 2)
    assert keeper.renew() < seconds
    assert identity.context is context


def test_a_renewal_that_fails_is_tried_again_and_the_old_certificate_serves_meanwhile(monkeypatch) -> None:
    def refuse(*_: object) -> int:
        raise OSError(errno.EMFILE, "Too many open files")

    clock = FakeClock()
    identity = Identity("metrics", clock)
    keeper = MemoryKeeper(["localhost"], identity, clock)
    keeper.start()
    first = identity.expiry
    clock.wait_until_blocked()
    with monkeypatch.context() as patched:
        patched.setattr(os, "memfd_create", refuse)
        clock.advance((LEAF_LIFE * 2 / 3).total_seconds())
        clock.wait_until_blocked()
        assert identity.expiry == first
    clock.advance(5.0)
    clock.wait_until_blocked()
    keeper.stop()
    assert identity.expiry > first
