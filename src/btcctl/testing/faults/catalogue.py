"""Every fault by its name: what it is, and how it is brought about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from btcctl.testing.faults import breaking, refusing, serving, spoiling
from btcctl.testing.faults.answers import (
    TOO_LARGE,
    Answer,
    as_answer,
    error_event,
    events,
    refusal,
    status,
    text,
    too_large,
)
from btcctl.testing.faults.breaking import InProxy
from btcctl.testing.faults.pace import Pace
from btcctl.testing.faults.proxy import FaultProxy
from btcctl.testing.faults.refusing import (
    EXPIRED,
    NO_STREAMS,
    is_list,
    is_read,
    is_streamed,
    is_watch,
    refuse,
    refuse_list,
)
from btcctl.testing.faults.server import FaultServer
from btcctl.testing.faults.serving import InServer
from btcctl.testing.faults.streams import End


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that can go wrong.

    Attributes:
        name: Lower case, with dashes.
        about: What a client sees.
        in_proxy: Brings it about; returns when it is over, or will be over by itself.
        in_server: The same, for what only a server can do.
        needs_list: A client can only go on with a list.
        is_silent: A client hears nothing, so only a deadline of its own helps.
    """

    name: str
    about: str
    in_proxy: InProxy | None = None
    in_server: InServer | None = None
    needs_list: bool = False
    is_silent: bool = False

    def inject(self, where: FaultProxy | FaultServer, pace: Pace) -> None:
        """Bring it about, and wait until it is over.

        Raises:
            ValueError: It needs a FaultServer.
        """
        if self.in_proxy is not None:
            self.in_proxy(where.proxy if isinstance(where, FaultServer) else where, pace)
        elif self.in_server is not None and isinstance(where, FaultServer):
            self.in_server(where, pace)
        else:
            raise ValueError(f"{self.name} needs a FaultServer")


def _silent(name: str, about: str, in_proxy: InProxy) -> Fault:
    return Fault(name, about, in_proxy, is_silent=True)


def _listed(name: str, about: str, in_proxy: InProxy) -> Fault:
    return Fault(name, about, in_proxy, needs_list=True)


def _served(name: str, about: str, in_server: InServer, *, needs_list: bool = False, is_silent: bool = False) -> Fault:
    return Fault(name, about, in_server=in_server, needs_list=needs_list, is_silent=is_silent)


_CUT_LIST = Answer(200, b'{"kind":"List","items":[' + b"{" * 1000, is_cut=True)
_OLD_TOO_LARGE = status(504, "Timeout", f"Timeout: {TOO_LARGE}: 9, current: 1")
_CAUSE_TOO_LARGE = status(500, "", "what is this", causes=[{"message": TOO_LARGE}])
_INITIALIZING = refusal(429, "TooManyRequests", "storage is (re)initializing", retry_after=1)
_BUSY = text(429, "Too many requests, please try again later.\n", retry_after=1)
_BAD_GATEWAY = Answer(502, b"<html><h1>Bad Gateway</h1>", "text/html")

_CONNECTIONS = (
    _silent("silence", "a watch stays open, and nothing comes any more", breaking.silence),
    _silent("black-hole", "connections are taken, and nothing is answered", breaking.black_hole),
    _silent("trickle", "bytes come, and no line is ever complete", breaking.trickle),
    _silent("sigterm", "nothing listens, watches are silent for a minute, then end", breaking.terminate),
    Fault("outage", "nothing listens for twenty seconds", breaking.outage),
    Fault("reset", "every connection is reset", breaking.reset),
    Fault("closed", "a watch's connection is closed without its body's end", breaking.end(End.CLOSED)),
    Fault("half-line", "a watch breaks off within a line", breaking.end(End.HALF_LINE)),
    Fault("truncated-chunk", "a watch breaks off within a chunk", breaking.end(End.TRUNCATED_CHUNK)),
    Fault("clean-end", "a watch ends in good order", breaking.end(End.CLEAN)),
    Fault("ends-at-once", "every watch ends as soon as it has begun", breaking.end_at_once),
    Fault("endless", "no watch ends when it should", breaking.never_end),
    _listed("cut-list", "a list breaks off within its body", refusing.answer_lists(_CUT_LIST, is_list, times=1)),
)

_VERSIONS = (
    _listed("410-event", "a watch begins with ERROR 410 Expired", refuse(error_event(EXPIRED), is_watch)),
    _listed("410-gone-event", "a watch begins with ERROR 410 Gone", refuse(error_event(status(410, "Gone")), is_watch)),
    _listed(
        "410-no-code",
        "a watch begins with ERROR Expired without a code",
        refuse(error_event({"kind": "Status", "reason": "Expired"}), is_watch),
    ),
    _listed("410-mid-stream", "a watch that runs ends with ERROR 410", refusing.expire_in_mid_stream),
    _listed("410-status", "a watch is refused with status 410", refuse(as_answer(EXPIRED), is_watch)),
    _listed("410-text", "a watch is refused with status 410 and text", refuse(text(410, "Gone"), is_watch)),
    _listed("410-list", "a list is refused with status 410", refuse_list(as_answer(EXPIRED), error_event(EXPIRED))),
    _listed("410-continue", "a continue token expires between two pages", refusing.when_listing(refusing.expire_token)),
    _listed("too-large", "a list is refused: 504 with the cause's reason", refuse_list(as_answer(too_large()))),
    _listed(
        "too-large-message",
        "a list is refused: 504 with the text only, as before 1.17",
        refuse_list(as_answer(_OLD_TOO_LARGE)),
    ),
    _listed(
        "too-large-cause", "a list is refused: 500 with the cause's text", refuse_list(as_answer(_CAUSE_TOO_LARGE))
    ),
    _listed("too-large-event", "a watch begins with ERROR 504, too large", refuse(error_event(too_large()), is_watch)),
)

_SERVERS = (
    _served("restart", "the server restarts and knows no older version", serving.restart, needs_list=True),
    _served(
        "restart-older-data",
        "the server restarts from a backup: versions go back",
        serving.restart_from_backup,
        needs_list=True,
        is_silent=True,
    ),
    _served(
        "crd-changed",
        "the definition changes: watches end, and none from before it is taken",
        serving.change_definition,
        needs_list=True,
    ),
    _served(
        "crd-deleted",
        "the definition is deleted and made again: 404 as text between",
        serving.delete_definition,
        needs_list=True,
    ),
    Fault("forbidden", "a permission is revoked and granted again", refusing.forbid),
    _listed("watch-forbidden", "watches are refused with 403, and lists are not", refusing.forbid_watches),
    _served("no-bookmarks", "nothing changes, and no bookmarks come", serving.stay_quiet, is_silent=True),
    _served("token-expired", "401 until there is another token", serving.expire_credentials),
)

_OBJECTS = (
    Fault("deep-object", "an event's object is nested thousands deep", spoiling.spoil_line(spoiling.nest)),
    _listed("deep-item", "an object of a list is nested thousands deep", spoiling.spoil_item(spoiling.nest)),
    Fault("bad-text", "an event's object is no UTF-8", spoiling.spoil_line(spoiling.break_text)),
    _listed("no-version", "a list has no resourceVersion", refusing.when_listing(spoiling.take_versions)),
    _listed("bad-item", "an object of a list has no readable metadata", spoiling.spoil_item(spoiling.break_metadata)),
    Fault("bad-line", "a line of a watch is no JSON, once", spoiling.spoil_line(spoiling.break_line)),
    _listed(
        "bad-line-twice",
        "the same line is no JSON again and again",
        spoiling.spoil_line(spoiling.break_line, again=True),
    ),
    _listed(
        "bad-metadata",
        "an event's metadata cannot be read, again and again",
        spoiling.spoil_line(spoiling.break_metadata, again=True),
    ),
    Fault("unknown-event", "an event of a type that does not exist", spoiling.tell_surprise),
)

_LOAD = (
    Fault("429-status", "429 as a Status, Retry-After 1", refuse(_INITIALIZING, is_read, times=2)),
    Fault("429-text", "429 as text, Retry-After 1", refuse(_BUSY, is_read, times=2)),
    Fault("429-event", "a watch begins with ERROR 429", refuse(error_event(status(429, "TooManyRequests")), is_watch)),
    _listed("500", "500", refuse(refusal(500, "InternalError", "boom"), is_read)),
    Fault("502-html", "502 of a proxy on the way", refuse(_BAD_GATEWAY, is_read, times=3)),
    Fault(
        "503", "503, Retry-After 1", refuse(text(503, "apiserver is shutting down", retry_after=1), is_read, times=2)
    ),
    Fault("504", "504", refuse(refusal(504, "Timeout", "etcd is slow"), is_read, times=3)),
)

_STREAMED_LISTS = (
    _listed(
        "stream-cut", "a streamed list ends too early, again and again", refusing.answer_lists(events(), is_streamed)
    ),
    _listed("stream-refused", "streamed lists are refused", refusing.answer_lists(NO_STREAMS, is_streamed)),
    _listed("stream-without-end", "a streamed list never says that it is complete", spoiling.never_complete),
)

_ALL = (*_CONNECTIONS, *_VERSIONS, *_SERVERS, *_OBJECTS, *_LOAD, *_STREAMED_LISTS)

#: By name, in the order of the table in docs/faults.md.
FAULTS: Mapping[str, Fault] = {each.name: each for each in _ALL}
