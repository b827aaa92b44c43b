from __future__ import annotations

from btcctl.bitcoin.crd import load_crd
from btcctl.bitcoin.view.looking.focus import Focus
from btcctl.bitcoin.view.looking.followed import Followed
from btcctl.informers.factory import SharedInformerFactory
from btcctl.informers.sharing.notifications import HandlerFuncs
from btcctl.objects import ObjectKey
from btcctl.testing import FakeClient

KEY = ObjectKey("default", "net")


def test_the_end_of_one_look_at_a_network_ends_nothing_of_the_next() -> None:
    factory = SharedInformerFactory(FakeClient(load_crd()))
    looks = [Followed(Focus(KEY, lambda *_, **__: None), f"{KEY} #{number}") for number in (1, 2)]
    for look in looks:
        look.watch(factory, HandlerFuncs(), HandlerFuncs())
    for informer in looks[0].informers:
        factory.forget(informer)
    assert not any(informer.is_stopped for informer in looks[1].informers)
    factory.stop()
