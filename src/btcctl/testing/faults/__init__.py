"""Everything that can go wrong between a client and an API server, on demand.

`FaultProxy` stands before any API server, `FaultServer` is one. `FAULTS` names what they can do.
"""

from btcctl.testing.faults.answers import Answer, Answering
from btcctl.testing.faults.catalogue import FAULTS, Fault
from btcctl.testing.faults.connection import Target
from btcctl.testing.faults.pace import Pace
from btcctl.testing.faults.proxy import FaultProxy
from btcctl.testing.faults.server import FaultServer
from btcctl.testing.faults.streams import End

__all__ = ["FAULTS", "Answer", "Answering", "End", "Fault", "FaultProxy", "FaultServer", "Pace", "Target"]
