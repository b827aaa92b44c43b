"""What a client needs of HTTP, and what can be put around it: a breaker, a count, a dry run."""

from btcctl.rest.transport.breaker import Breaker
from btcctl.rest.transport.transport import Request, Response, StreamResponse, Transport

__all__ = ["Breaker", "Request", "Response", "StreamResponse", "Transport"]
