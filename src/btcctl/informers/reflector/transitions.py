"""What a reflector does next, whatever the server says. Pure: no I/O, no clock, no randomness.

* The version to resume from moves past what has been stored, never further; only a list takes it back.
* A watch that ended, however it did, is resumed from there. A list follows only if the server does not know the
  version any more, if something could not be read twice, if there is no version, or if the answer makes no sense.
* After each failure there is a wait. A version that is refused is no failure of the server's: the list that it makes
  necessary begins at once, but for a little that differs from informer to informer.
* A list that has cost the server something is not begun again within `list_interval_seconds`, whatever happens.
* A server that answers, and time and again gives no watch, is polled by lists; now and then a watch is tried. If it
  was the credential that was refused (401), the first list that is answered is followed by a watch at once.
"""

from __future__ import annotations

from typing import NamedTuple

from msgspec.structs import replace

from btcctl.errors import BtcctlError, ConnectionSilent, ObjectDecodeError, WatchDecodeError
from btcctl.informers.options import ReflectorOptions
from btcctl.informers.reflector.phases import (
    BackOff,
    Checked,
    Checking,
    CountRelist,
    Effect,
    Ended,
    Event,
    Failed,
    Listed,
    Listing,
    Memory,
    NotBefore,
    Pause,
    Phase,
    Polling,
    Position,
    Received,
    Refusals,
    Replace,
    ResetBackoff,
    Say,
    StreamingList,
    StreamingPolicy,
    Unreadable,
    Watching,
)
from btcctl.informers.reflector.recovery import (
    EndedAtOnce,
    has_cost_the_server,
    is_refused_version,
    is_unreachable,
    leaves_version_valid,
    relist_reason,
)

# So many streams in a row may end at once although something came: then that is a failure, too.
MAX_SHORT_WATCHES = 3
MORE_PATIENCE = 4  # where lists are refused as watches are, the fault is not the watch


class Step(NamedTuple):
    """What comes of an event: the effects in their order, then the next request."""

    phase: Phase
    effects: tuple[Effect, ...] = ()


def first_phase(now: float, *, streaming: bool) -> Phase:
    """Where a reflector begins; `streaming` if its source can stream lists."""
    return _list(Memory(streaming=StreamingPolicy(streaming)), now)


def step(phase: Phase, event: Event, options: ReflectorOptions) -> Step:
    """The next phase, and what to do before its request.

    Raises:
        ValueError: That cannot happen in this phase.
    """
    match phase, event:
        case Watching(), Received() | Unreadable() | Ended():
            return _while_watching(phase, event, options)
        case Listing() | StreamingList() | Polling(), Listed():
            return _after_list(phase, event, options)
        case Checking(), Checked():
            return Step(Watching(phase.memory), (ResetBackoff(),))
        case Listing() | StreamingList() | Polling() | Checking(), Failed():
            return _after_failure(phase, event, options)
    raise ValueError(f"{event} cannot happen while {phase}")


def _while_watching(phase: Watching, event: Received | Unreadable | Ended, options: ReflectorOptions) -> Step:
    match event:
        case Received():
            return Step(replace(phase, memory=_with_a_watch(phase.memory), silent=None))
        case Unreadable():
            return Step(replace(phase, relist="skipped"))
        case Ended():
            return _after_watch(phase, event, options)


def _after_failure(
    phase: Listing | StreamingList | Polling | Checking, event: Failed, options: ReflectorOptions
) -> Step:
    match phase:
        case Listing():
            return _after_failed_list(phase, event, options)
        case StreamingList():
            return _after_failed_stream(phase, event, options)
        case Polling():
            return _after_failed_poll(phase, event, options)
        case Checking():
            return _after_failed_check(phase, event, options)


def _list(memory: Memory, now: float) -> Listing | StreamingList:
    return StreamingList(memory) if memory.streaming.allows(now) else Listing(memory)


def _with_a_watch(memory: Memory) -> Memory:
    return replace(memory, refusals=Refusals()) if memory.refusals.count else memory


def _next_list_at(memory: Memory, options: ReflectorOptions) -> NotBefore:
    return NotBefore(memory.listed_at + options.list_interval_seconds)


# --- lists


def _after_list(phase: Listing | StreamingList | Polling, event: Listed, options: ReflectorOptions) -> Step:
    position = Position(event.snapshot.version)
    memory = replace(
        phase.memory,
        position=position,
        listed_at=event.began_at,
        streaming=replace(phase.memory.streaming, failures=0),
    )
    # As long as there is no watch, it is the watches that are to be asked for less and less often.
    done: tuple[Effect, ...] = (Replace(event.snapshot),)
    if not memory.refusals.count:
        done = (*done, ResetBackoff())
    if isinstance(phase, Polling):
        done = (*done, CountRelist("polled"))
        if memory.refusals.may_be_over:
            memory = replace(memory, refusals=replace(memory.refusals, are_of_watches=True))
        elif event.at < phase.watch_at:
            return Step(Polling(memory, phase.watch_at, has_listed=True), (*done, _poll_pause(options)))
    relist = "skipped" if event.snapshot.unreadable else "" if position.is_ordered else "unordered"
    return Step(Watching(memory, relist), done)


def _after_failed_list(phase: Listing, event: Failed, options: ReflectorOptions) -> Step:
    memory = phase.memory
    if is_refused_version(event.error) and not memory.position.is_refused:
        return _list_the_latest(memory, event)
    return _list_again(memory, event, options)


def _after_failed_stream(phase: StreamingList, event: Failed, options: ReflectorOptions) -> Step:
    memory, error = phase.memory, event.error
    if is_refused_version(error) and not memory.position.is_refused:
        return _list_the_latest(memory, event)
    policy = memory.streaming.after_failure(error, event.at, options.paged_seconds)
    memory = replace(memory, streaming=policy)
    if policy.allows(event.at):
        return _list_again(memory, event, options)
    memory = _charged(memory, event)
    said = Say("reading lists in pages instead of streaming them", error)
    return Step(Listing(memory), (said, _next_list_at(memory, options)))


def _after_failed_poll(phase: Polling, event: Failed, options: ReflectorOptions) -> Step:
    memory = phase.memory
    if is_refused_version(event.error) and not memory.position.is_refused:
        return Step(replace(phase, memory=_at_the_latest(memory)))
    if not phase.has_listed and not is_unreachable(event.error):
        refusals = replace(memory.refusals, patience=memory.refusals.patience * MORE_PATIENCE)
        return Step(Watching(replace(memory, refusals=refusals)), (BackOff(event.error),))
    memory = _charged(memory, event)
    return Step(replace(phase, memory=memory), (BackOff(event.error), _next_list_at(memory, options)))


def _list_the_latest(memory: Memory, event: Failed) -> Step:
    """The same list once more: the one that was refused has cost nothing."""
    return Step(_list(_at_the_latest(memory), event.at), (Say("version refused, listing the latest", event.error),))


def _at_the_latest(memory: Memory) -> Memory:
    return replace(memory, position=replace(memory.position, is_refused=True))


def _list_again(memory: Memory, event: Failed, options: ReflectorOptions) -> Step:
    memory = _charged(memory, event)
    return Step(_list(memory, event.at), (BackOff(event.error), _next_list_at(memory, options)))


def _charged(memory: Memory, event: Failed) -> Memory:
    return replace(memory, listed_at=event.began_at) if has_cost_the_server(event.error) else memory


# --- the check of a version


def _after_failed_check(phase: Checking, event: Failed, options: ReflectorOptions) -> Step:
    memory = phase.memory
    if is_refused_version(event.error):
        return _relist(_at_the_latest(memory), event.at, "silent", options)
    if leaves_version_valid(event.error):
        return Step(phase, (BackOff(event.error),))
    return _relist(memory, event.at, "silent", options, after=event.error)


# --- watches


def _after_watch(phase: Watching, event: Ended, options: ReflectorOptions) -> Step:
    was_of_use = event.lasted is not None and event.lasted >= options.short_watch_seconds
    memory = replace(phase.memory, position=replace(phase.memory.position, version=event.version))
    error = event.error
    is_short = error is None and not was_of_use
    phase = replace(phase, memory=memory, short=phase.short + is_short)
    if is_short and (not event.received or phase.short > MAX_SHORT_WATCHES):
        error = EndedAtOnce(
            f"the watch ended after {event.lasted:.3f} s" + (" without an event" * (not event.received))
        )
    if was_of_use:
        phase = replace(phase, memory=_with_a_watch(memory), short=0)
    following = _resumed(phase, event, options) if error is None else _after_failed_watch(phase, event, error, options)
    return Step(following.phase, (ResetBackoff(), *following.effects)) if was_of_use else following


def _resumed(phase: Watching, event: Ended, options: ReflectorOptions) -> Step:
    if phase.relist:
        return _relist(phase.memory, event.at, phase.relist, options)
    return _after_silence(phase) if _was_silent(event, options) else Step(phase)


def _after_failed_watch(phase: Watching, event: Ended, error: BtcctlError, options: ReflectorOptions) -> Step:
    memory = phase.memory
    if _is_refusal(event, error, options):
        memory = replace(memory, refusals=memory.refusals.and_one_more(error, event.at))
        phase = replace(phase, memory=memory)
        if memory.refusals.are_for_good(event.at, options.fallback_seconds):
            return _poll(memory, event.at, error, options)
    if is_refused_version(error):
        return _relist(memory, event.at, phase.relist or relist_reason(error), options)
    if phase.relist:
        return _relist(memory, event.at, phase.relist, options, after=error)
    if isinstance(error, (WatchDecodeError, ObjectDecodeError)):
        return _after_unreadable(phase, event, error, options)
    if _was_silent(event, options) and is_unreachable(error):
        return _after_silence(phase, BackOff(error))
    if reason := relist_reason(error):
        return _relist(memory, event.at, reason, options, after=error)
    return Step(phase, (BackOff(error),))


def _is_refusal(event: Ended, error: BtcctlError, options: ReflectorOptions) -> bool:
    """The server has answered, and it was no watch."""
    lasted = event.lasted or 0.0
    return not event.received and lasted < options.short_watch_seconds and not is_unreachable(error)


def _after_unreadable(phase: Watching, event: Ended, error: BtcctlError, options: ReflectorOptions) -> Step:
    """The first time, read it again in a new stream."""
    if isinstance(error, WatchDecodeError) and phase.is_suspect:
        return _relist(phase.memory, event.at, "undecodable", options, after=error)
    return Step(replace(phase, suspect=phase.memory.position.version), (BackOff(error),))


def _was_silent(event: Ended, options: ReflectorOptions) -> bool:
    """Whether nothing came, though it was open for long: something on the way may end streams before we do."""
    if event.lasted is None or event.received:
        return False
    return isinstance(event.error, ConnectionSilent) or event.lasted >= options.fallback_seconds


def _after_silence(phase: Watching, *effects: Effect) -> Step:
    """Twice nothing, not even a bookmark: a server that is behind our version says nothing, either."""
    version = phase.memory.position.version
    following = Checking(phase.memory) if phase.silent == version else replace(phase, silent=version)
    return Step(following, effects)


def _relist(
    memory: Memory, now: float, reason: str, options: ReflectorOptions, *, after: BtcctlError | None = None
) -> Step:
    """List before the next watch: soon, or after the wait that `after` makes necessary."""
    wait = Pause(0.0, options.spread_seconds) if after is None else BackOff(after)
    return Step(_list(memory, now), (CountRelist(reason), wait, _next_list_at(memory, options)))


def _poll(memory: Memory, now: float, error: BtcctlError, options: ReflectorOptions) -> Step:
    said = Say("no watch is to be had: lists are polled instead", error)
    return Step(Polling(memory, now + options.rewatch_seconds), (said, _next_list_at(memory, options)))


def _poll_pause(options: ReflectorOptions) -> Pause:
    return Pause(0.9 * options.poll_seconds, 1.1 * options.poll_seconds)
