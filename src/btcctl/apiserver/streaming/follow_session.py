"""`kubectl logs -f`: a growing log as the chunks of an HTTP body."""

from __future__ import annotations

from email.utils import format_datetime

from btcctl.apiserver.streaming.chunks import LAST_CHUNK, frame
from btcctl.apiserver.streaming.ends import End, wait_for
from btcctl.apiserver.streaming.hooks import LogFollower
from btcctl.clock import SYSTEM_CLOCK, Clock

_POLL_SECONDS = 0.1
_SEND_SECONDS = 5.0


class FollowSession:
    """Sends what comes until nothing more comes or the client leaves."""

    def __init__(self, client: End, follower: LogFollower, clock: Clock = SYSTEM_CLOCK) -> None:
        self._client = client
        self._follower = follower
        self._clock = clock

    def run(self) -> None:
        """Blocks until it is over."""
        self._client.write(self._head())
        while not self._client.ended and not self._client.broken:
            data = b"" if self._client.crowded else self._follower.read()
            if data is None:
                self._client.write(LAST_CHUNK)
                break
            if data:
                self._client.write(frame(data))
            elif self._client in wait_for((self._client,), (self._client,), _POLL_SECONDS):
                self._client.read()  # a client has nothing more to say: only that it leaves
        self._client.drain(_SEND_SECONDS, self._clock)

    def _head(self) -> bytes:
        date = format_datetime(self._clock.wall_time(), usegmt=True)
        lines = ("HTTP/1.1 200 OK", "Cache-Control: no-cache, private", "Content-Type: text/plain")
        more = (f"Date: {date}", "Transfer-Encoding: chunked", "Connection: close", "", "")
        return "\r\n".join(lines + more).encode()
