"""The list: one line each, and the tests that are expected to catch it.

When code changes, its faults change with it: `tests/unit/test_mutations.py` fails as long as a line to
be replaced is not there exactly once.
"""

from __future__ import annotations

from tests.mutations.author_faults import AUTHOR
from tests.mutations.bitcoin_faults import BITCOIN_FAULTS
from tests.mutations.config_faults import CONFIG_FAULTS
from tests.mutations.deployment_faults import DEPLOYMENT_FAULTS
from tests.mutations.exchange_faults import EXCHANGE_FAULTS
from tests.mutations.fault import Fault
from tests.mutations.object_faults import OBJECT_FAULTS
from tests.mutations.operator_faults import OPERATOR_FAULTS
from tests.mutations.people_faults import PEOPLE_FAULTS
from tests.mutations.process_faults import PROCESS_FAULTS
from tests.mutations.runtime_faults import RUNTIME_FAULTS
from tests.mutations.sandbox_faults import SANDBOX_FAULTS
from tests.mutations.server_faults import SERVER_FAULTS
from tests.mutations.spec_faults import SPEC_FAULTS
from tests.mutations.view_faults import VIEW_FAULTS
from tests.mutations.volume_faults import VOLUME_FAULTS
from tests.mutations.workload_faults import WORKLOAD_FAULTS

_FIFO = ("informers/cache/test_delta_fifo.py", "informers/cache/test_delta_fifo_model.py")
_CHANGES = ("informers/sharing/test_changes.py",)
_INDEXER = ("informers/cache/test_indexer.py",)
_PENDING = ("informers/sharing/test_pending.py",)
_LISTENER = ("informers/sharing/test_listener.py",)
_INFORMER = ("informers/test_shared_informer.py", "informers/test_informer_model.py")
_TRANSFORM = ("informers/reflector/test_transform.py",)
_REFLECTOR = ("informers/reflector/test_reflector.py", "informers/reflector/test_listing.py")
_PHASES = (
    "informers/reflector/test_transitions.py",
    "informers/reflector/test_polling.py",
    "informers/reflector/test_reflector.py",
)
_HOSTILE = ("rest/test_hostile_answers.py",)
_QUEUE = ("workqueue",)

FAULTS = [
    Fault(
        "a change joins what came before a list",
        "informers/cache/delta_fifo.py",
        "newest = self._entries[-1] if self._entries else None",
        "newest = self._entries[0] if self._entries else None",
        _FIFO,
    ),
    Fault(
        "a deletion takes the place of what came before it",
        "informers/cache/delta_fifo.py",
        "elif event.type == DELETED == deltas[-1].type:",
        "elif event.type == DELETED:",
        _FIFO,
    ),
    Fault(
        "every list is taken for the first",
        "informers/cache/delta_fifo.py",
        "            self._listed.add(scope)\n",
        "            self._listed.discard(scope)\n",
        _FIFO,
    ),
    Fault(
        "one namespace's list makes all of them synced",
        "informers/cache/delta_fifo.py",
        "self._unprocessed -= {entry.scope}",
        "self._unprocessed = frozenset()",
        _FIFO,
    ),
    Fault(
        "a resync brings back what a queued change is about to replace",
        "informers/cache/delta_fifo.py",
        "return Resync(frozenset(key for later in self._entries for key in _keys(later)))",
        "return Resync(frozenset())",
        _FIFO,
    ),
    Fault(
        "a deletion and a birth, summed up, are a change",
        "informers/cache/delta_fifo.py",
        "return [gone] if last.type == DELETED else [gone, last]",
        "return [last]",
        _FIFO,
    ),
    Fault(
        "the last state of a deleted object is another object's",
        "informers/sharing/changes.py",
        "known = final.meta.uid == old.meta.uid and type(final) is not QuarantinedObject",
        "known = type(final) is not QuarantinedObject",
        _CHANGES,
    ),
    Fault(
        "a list tells of what it holds back as deleted",
        "informers/sharing/changes.py",
        "if key not in listed and key not in keep:",
        "if key not in listed:",
        _CHANGES,
    ),
    Fault(
        "deleted and made again is taken for a change",
        "informers/sharing/changes.py",
        "elif old.uid != new.uid:",
        "elif old.key != new.key:",
        _CHANGES,
    ),
    Fault(
        "an object's state is kept for its successor",
        "informers/sharing/changes.py",
        "return old is not None and old.meta.uid == quarantined.meta.uid",
        "return old is not None",
        _CHANGES,
    ),
    Fault(
        "a value under which nothing is found any more stays",
        "informers/cache/indexer.py",
        "            if not keys:\n                del self.keys[value]",
        "            if not self.keys:\n                del self.keys[value]",
        _INDEXER,
    ),
    Fault(
        "once quarantined, always quarantined",
        "informers/cache/indexer.py",
        "            self.quarantined.discard(key)\n        old = self._values.get(key, ())",
        "            self.quarantined.add(key)\n        old = self._values.get(key, ())",
        _INDEXER,
    ),
    Fault(
        "an object that changed is found under what it was",
        "informers/cache/indexer.py",
        "            self._remove(key, old)\n            self._insert(key, values)",
        "            self._insert(key, values)",
        _INDEXER,
    ),
    Fault(
        "the list of one namespace empties the others",
        "informers/cache/indexer.py",
        "{key: obj for key, obj in before.items() if key.namespace != scope} | objects",
        "dict(objects)",
        _CHANGES,
    ),
    Fault(
        "a handler's `old` is not what it saw last",
        "informers/sharing/pending.py",
        "return Updated(pending.old, later.new)",
        "return Updated(later.old, later.new)",
        _PENDING,
    ),
    Fault(
        "what a handler never saw is told deleted",
        "informers/sharing/pending.py",
        "    if isinstance(pending, Added):\n        return None\n",
        "    if isinstance(pending, Added):\n        return later\n",
        _PENDING,
    ),
    Fault(
        "what happens while a predecessor is told deleted is lost",
        "informers/sharing/pending.py",
        "after = added if later is None else merge(added, later)",
        "after = added",
        _PENDING,
    ),
    Fault(
        "what cancelled out is owed for ever",
        "informers/sharing/pending.py",
        "self.initial_owed += is_initial(after) - is_initial(before)",
        "self.initial_owed += is_initial(after)",
        _PENDING,
    ),
    Fault(
        "a handler has synced before it was told",
        "informers/sharing/listener.py",
        "return self._initial_list_complete and self._initial_notified >= self._pending.initial_owed",
        "return self._initial_list_complete",
        _LISTENER,
    ),
    Fault(
        "a handler that raised never syncs",
        "informers/sharing/listener.py",
        "if type(notification) is Added and notification.in_initial_list:",
        "if type(notification) is Added and notification.in_initial_list and not self._failures:",
        _LISTENER,
    ),
    Fault(
        "a handler that was removed is told the rest",
        "informers/sharing/listener.py",
        "            self._pending.clear()\n",
        "",
        _LISTENER,
    ),
    Fault(
        "a late handler is told nothing of what is there",
        "informers/sharing/processor.py",
        "        newcomer.listener.add(present)\n",
        "",
        _INFORMER,
    ),
    Fault(
        "unchanged objects of a relist are told to everybody",
        "informers/sharing/processor.py",
        "each.listener.add(batch if each.resync_seconds else changes)",
        "each.listener.add(batch)",
        _INFORMER,
    ),
    Fault(
        "a handler waits for ever for the end of the initial list",
        "informers/shared_informer.py",
        "        self._processor.complete_initial_list()\n",
        "",
        _INFORMER,
    ),
    Fault(
        "what was deleted stays in quarantine",
        "informers/reflector/transform.py",
        "        if event.type == DELETED:\n            self._quarantine.release",
        "        if event.type == BOOKMARK:\n            self._quarantine.release",
        _TRANSFORM,
    ),
    Fault(
        "what a list no longer shows stays in quarantine",
        "informers/scoped_reflector.py",
        "        self.quarantine.keep_only(obj.key for obj in objects if type(obj) is QuarantinedObject)\n",
        "",
        _INFORMER,
    ),
    Fault(
        "what ends to pass a filter is not told deleted",
        "informers/sharing/filters.py",
        "        if not passes:\n            self._no_longer(old, passed)",
        "        if not passes:\n            self._no_longer(old, not passed)",
        ("informers/sharing/test_filters.py",),
    ),
    Fault(
        "every call makes an informer of its own",
        "informers/factory.py",
        "            if cache is None:\n                transform = transform",
        "            if True:\n                transform = transform",
        ("informers/test_factory.py",),
    ),
    Fault(
        "a watch resumes before what it has seen",
        "informers/reflector/reflector.py",
        "                self.version = obj.resource_version\n",
        "                self.received = True\n",
        _REFLECTOR,
    ),
    Fault(
        "an object that came unordered moves the version to resume from",
        "informers/reflector/reflector.py",
        "if obj.resource_version and (self.is_ordered or type_ != ADDED):",
        "if obj.resource_version:",
        _REFLECTOR,
    ),
    Fault(
        "the server is asked for the latest although it knows our version",
        "informers/reflector/phases.py",
        "return LATEST if self.is_refused else self.version",
        "return LATEST",
        _REFLECTOR,
    ),
    Fault(
        "a streamed list is complete at any bookmark",
        "informers/reflector/listing.py",
        "    if not event.ends_initial_events:\n",
        "    if not event.object:\n",
        _REFLECTOR,
    ),
    Fault(
        "of events that come together only the first moves the version",
        "informers/reflector/reflector.py",
        "for type_, obj in reversed(events):",
        "for type_, obj in events:",
        _REFLECTOR,
    ),
    Fault(
        "what comes together with the end of a streamed list is lost",
        "informers/reflector/listing.py",
        "objects, unreadable), events[end + 1 :]",
        "objects, unreadable), events[len(events) :]",
        _REFLECTOR,
    ),
    Fault(
        "a version that expired is waited for as if the server had failed",
        "informers/reflector/transitions.py",
        "return _relist(memory, event.at, phase.relist or relist_reason(error), options)",
        "return _relist(memory, event.at, phase.relist or relist_reason(error), options, after=error)",
        _PHASES,
    ),
    Fault(
        "lists that cost something follow each other without a pause",
        "informers/reflector/transitions.py",
        "return NotBefore(memory.listed_at + options.list_interval_seconds)",
        "return NotBefore(memory.listed_at)",
        _PHASES,
    ),
    Fault(
        "a list that broke off has cost nothing",
        "informers/reflector/recovery.py",
        "return not isinstance(error, (ApiError, ConnectionRefused))",
        "return False",
        _PHASES,
    ),
    Fault(
        "a server that was away is waited for, once it is back, as if it still were",
        "informers/reflector/recovery.py",
        "        self._refused = self._away = 0\n\n",
        "        self._refused = 0\n\n",
        (*_PHASES, "informers/reflector/test_recovery.py"),
    ),
    Fault(
        "a server that is away is asked as seldom as one that refuses",
        "informers/reflector/recovery.py",
        "        if is_unreachable(error):\n            self._away",
        "        if error is None:\n            self._away",
        (*_PHASES, "informers/reflector/test_recovery.py"),
    ),
    Fault(
        "whatever a proxy says silences an informer",
        "informers/reflector/recovery.py",
        "if not isinstance(error, ApiError) or error.code not in _MAY_ASK_TO_WAIT:",
        "if not isinstance(error, ApiError):",
        ("informers/reflector/test_recovery.py",),
    ),
    Fault(
        "a watch that is refused for good is asked for and asked for",
        "informers/reflector/transitions.py",
        "        if memory.refusals.are_for_good(event.at, options.fallback_seconds):\n",
        "        if memory.refusals.count > 1000:\n",
        _PHASES,
    ),
    Fault(
        "a credential that was refused for a moment costs five minutes of polling",
        "informers/reflector/transitions.py",
        "        if memory.refusals.may_be_over:\n",
        "        if False:\n",
        _PHASES,
    ),
    Fault(
        "a watch that is refused with a good credential is asked for at each poll",
        "informers/reflector/transitions.py",
        "            memory = replace(memory, refusals=replace(memory.refusals, are_of_watches=True))\n",
        "            pass\n",
        _PHASES,
    ),
    Fault(
        "polled lists follow each other without a pause",
        "informers/reflector/transitions.py",
        "(*done, _poll_pause(options))",
        "done",
        _PHASES,
    ),
    Fault(
        "once polled, never watched again",
        "informers/reflector/transitions.py",
        "if event.at < phase.watch_at:",
        "if event.at > 0.0:",
        _PHASES,
    ),
    Fault(
        "that there is no watch is said to nobody",
        "informers/scoped_reflector.py",
        "why = self.reflector.why_unwatched()",
        'why = ""',
        _PHASES,
    ),
    Fault(
        "silence alone makes a list necessary",
        "informers/reflector/transitions.py",
        "following = Checking(phase.memory) if",
        "following = Listing(phase.memory) if",
        _PHASES,
    ),
    Fault(
        "a list without a version is taken for one with",
        "informers/reflector/transitions.py",
        'else "" if position.is_ordered else "unordered"',
        'else ""',
        _PHASES,
    ),
    Fault(
        "a page that leads to itself is read for ever",
        "informers/reflector/listing.py",
        "if page.continue_token in seen:",
        "if page.continue_token in seen and not page.items:",
        _REFLECTOR,
    ),
    Fault(
        "a Status with details of another type ends whoever reads it",
        "errors.py",
        "details = details if isinstance(details, Mapping) else {}",
        "details = details or {}",
        _HOSTILE,
    ),
    Fault(
        "a Status with a reason of another type ends whoever reads it",
        "errors.py",
        'return value if isinstance(value, str) else ""',
        'return value or ""',
        _HOSTILE,
    ),
    Fault(
        "a bookmark that cannot be read takes other events with it",
        "objects.py",
        "        except ObjectDecodeError:  # whatever it is, it does not say so",
        "        except KeyError:  # whatever it is, it does not say so",
        _HOSTILE,
    ),
    Fault(
        "a list whose metadata is null cannot be read",
        "rest/watching/pages.py",
        "    metadata: _ListMeta | None  # null",
        "    metadata: _ListMeta  # null",
        _HOSTILE,
    ),
    Fault(
        "a list that may not be streamed is never read in pages",
        "informers/reflector/phases.py",
        "        if failures < _most_failures(error):\n",
        "        if failures < _most_failures(error) or leaves_version_valid(error):\n",
        _REFLECTOR,
    ),
    Fault(
        "changes overtake a list",
        "informers/cache/delta_fifo.py",
        "self._at_once is None or len(self._entries) > 1 or",
        "self._at_once is None or",
        _FIFO,
    ),
    Fault(
        "changes that come while others are processed wake nobody",
        "informers/cache/delta_fifo.py",
        "                self._changed.notify_all()\n                return\n            self._entries.clear()",
        "                return\n            self._entries.clear()",
        _FIFO,
    ),
    Fault(
        "what came before an event that cannot be decoded is lost",
        "rest/watching/stream.py",
        "            if not events:\n                raise\n",
        "            raise\n",
        ("rest/watching/test_stream.py",),
    ),
    Fault(
        "lines of a wrong size are taken for chunks",
        "rest/exchange/chunked.py",
        'if not lines or sizes != [b"%x\\r\\n" % len(line) for line in lines] or ends.count(_END) < len(ends):',
        "if not lines or ends.count(_END) < len(ends):",
        ("rest/exchange/test_chunked.py",),
    ),
    Fault(
        "a key that is added while it is processed is forgotten",
        "workqueue/queue.py",
        "        del self._claims[key]\n        if self._again:\n",
        "        del self._claims[key]\n        if not self._again:\n",
        _QUEUE,
    ),
    Fault(
        "two workers get the same key",
        "workqueue/queue.py",
        "        if self._claims.setdefault(key, claim) is claim:",
        "        if self._claims.setdefault(key, claim) is not None:",
        _QUEUE,
    ),
    Fault(
        "a key that is given up stays claimed",
        "workqueue/queue.py",
        "        del self._claims[key]\n        if self._again:\n",
        "        if self._again:\n",
        _QUEUE,
    ),
    Fault(
        "a worker sleeps past an earlier key",
        "workqueue/queue.py",
        "is_earlier = next_at is not None and next_at < self._due_at",
        "is_earlier = False",
        _QUEUE,
    ),
    Fault(
        "delayed keys outlive the queue",
        "workqueue/queue.py",
        "            self._delayed.clear()\n            self._look_at_delayed()",
        "            self._look_at_delayed()",
        _QUEUE,
    ),
    Fault(
        "who is done with what it does not have is not noticed",
        "workqueue/queue.py",
        "                self._unknown_done += 1\n",
        "                self._unknown_done += 0\n",
        _QUEUE,
    ),
    Fault(
        "of two times the later wins",
        "workqueue/delayed.py",
        "if ready_at >= self._ready_at.get(key, _NEVER):",
        "if key in self._ready_at and ready_at <= self._ready_at[key]:",
        _QUEUE,
    ),
    Fault(
        "a key is due at a time that was taken back",
        "workqueue/delayed.py",
        "while self._heap and self._ready_at.get(self._heap[0][2]) != self._heap[0][0]:",
        "while self._heap and self._heap[0][2] not in self._ready_at:",
        _QUEUE,
    ),
    Fault(
        "a key never gets over its failures",
        "workqueue/rate_limiters.py",
        "        self._failures.pop(key, None)  # every success",
        "        self._failures.get(key, None)  # every success",
        _QUEUE,
    ),
    Fault(
        "a key in the background is called away by nobody",
        "workqueue/background.py",
        "return self.waiting.pop(key, None) is not None",
        "return self.waiting.get(key, None) is None",
        _QUEUE,
    ),
    Fault(
        "a server's Retry-After is no minimum",
        "workqueue/rate_limited.py",
        "delay = max(_finite(minimum), _finite(self._limiter.delay(key)))",
        "delay = min(_finite(minimum), _finite(self._limiter.delay(key)))",
        ("workqueue", "controller"),
    ),
]

FAULTS += [
    *EXCHANGE_FAULTS,
    *RUNTIME_FAULTS,
    *PROCESS_FAULTS,
    *CONFIG_FAULTS,
    *OBJECT_FAULTS,
    *SPEC_FAULTS,
    *VIEW_FAULTS,
    *VOLUME_FAULTS,
    *WORKLOAD_FAULTS,
]
FAULTS += [*SERVER_FAULTS, *SANDBOX_FAULTS]
FAULTS += [*AUTHOR, *BITCOIN_FAULTS, *PEOPLE_FAULTS, *OPERATOR_FAULTS, *DEPLOYMENT_FAULTS]
