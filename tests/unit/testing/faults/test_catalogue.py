"""The table of faults, in the code and in docs/faults.md."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from btcctl.testing.faults.catalogue import FAULTS, Fault
from btcctl.testing.faults.connection import Target
from btcctl.testing.faults.pace import Pace
from btcctl.testing.faults.proxy import FaultProxy

TABLE = re.compile(r"^\| `([a-z0-9-]+)` \| ([^|(]+)", re.MULTILINE)
DOCUMENTED = {name: about.strip() for name, about in TABLE.findall(Path("docs/faults.md").read_text())}


def test_the_page_and_the_catalogue_name_the_same_faults_in_the_same_order_and_words():
    assert list(DOCUMENTED.items()) == [(fault.name, fault.about) for fault in FAULTS.values()]


@pytest.mark.parametrize("fault", FAULTS.values(), ids=list(FAULTS))
def test_a_fault_can_be_brought_about_in_one_way(fault: Fault):
    assert (fault.in_proxy is None) != (fault.in_server is None)


def test_what_needs_a_server_is_refused_by_a_mere_proxy():
    proxy = FaultProxy(Target("127.0.0.1", 1))
    try:
        with pytest.raises(ValueError, match="FaultServer"):
            FAULTS["restart"].inject(proxy, Pace())
    finally:
        proxy.stop()
