"""The list: one line each, and the tests that are expected to catch it.

When code changes, its faults change with it: `tests/unit/test_mutations.py` fails as long as a line to
be replaced is not there exactly once.
"""

from __future__ import annotations

from tests.mutations.config_faults import CONFIG_FAULTS
from tests.mutations.fault import Fault
from tests.mutations.process_faults import PROCESS_FAULTS
from tests.mutations.runtime_faults import RUNTIME_FAULTS

_FIFO = ("informers/test_delta_fifo.py", "informers/test_delta_fifo_model.py")
_CHANGES = ("informers/test_changes.py",)
_INDEXER = ("informers/test_indexer.py",)
_PENDING = ("informers/test_pending.py",)
_LISTENER = ("informers/test_listener.py",)
_INFORMER = ("informers/test_shared_informer.py", "informers/test_informer_model.py")
_TRANSFORM = ("informers/test_transform.py",)
_REFLECTOR = ("informers/test_reflector.py", "informers/test_listing.py")
_QUEUE = ("workqueue",)

FAULTS = [
    Fault(
        "a change joins what came before a list",
        "informers/delta_fifo.py",
        "newest = self._entries[-1] if self._entries else None",
        "newest = self._entries[0] if self._entries else None",
        _FIFO,
    ),
    Fault(
        "a deletion takes the place of what came before it",
        "informers/delta_fifo.py",
        "elif event.type == DELETED == deltas[-1].type:",
        "elif event.type == DELETED:",
        _FIFO,
    ),
    Fault(
        "every list is taken for the first",
        "informers/delta_fifo.py",
        "            self._listed.add(scope)\n",
        "            self._listed.discard(scope)\n",
        _FIFO,
    ),
    Fault(
        "one namespace's list makes all of them synced",
        "informers/delta_fifo.py",
        "self._unprocessed -= {entry.scope}",
        "self._unprocessed = frozenset()",
        _FIFO,
    ),
    Fault(
        "a resync brings back what a queued change is about to replace",
        "informers/delta_fifo.py",
        "return Resync(frozenset(key for later in self._entries for key in _keys(later)))",
        "return Resync(frozenset())",
        _FIFO,
    ),
    Fault(
        "a deletion and a birth, summed up, are a change",
        "informers/delta_fifo.py",
        "return [gone] if last.type == DELETED else [gone, last]",
        "return [last]",
        _FIFO,
    ),
    Fault(
        "the last state of a deleted object is another object's",
        "informers/changes.py",
        "known = final.meta.uid == old.meta.uid and type(final) is not Unusable",
        "known = type(final) is not Unusable",
        _CHANGES,
    ),
    Fault(
        "a list tells of what it holds back as deleted",
        "informers/changes.py",
        "if key not in listed and key not in keep:",
        "if key not in listed:",
        _CHANGES,
    ),
    Fault(
        "deleted and made again is taken for a change",
        "informers/changes.py",
        "elif old.uid != new.uid:",
        "elif old.key != new.key:",
        _CHANGES,
    ),
    Fault(
        "an object's state is kept for its successor",
        "informers/changes.py",
        "return old is not None and old.meta.uid == unusable.meta.uid",
        "return old is not None",
        _CHANGES,
    ),
    Fault(
        "a value under which nothing is found any more stays",
        "informers/indexer.py",
        "            if not keys:\n                del self.keys[value]",
        "            if not self.keys:\n                del self.keys[value]",
        _INDEXER,
    ),
    Fault(
        "once quarantined, always quarantined",
        "informers/indexer.py",
        "            self.quarantined.discard(key)\n        old = self._values.get(key, ())",
        "            self.quarantined.add(key)\n        old = self._values.get(key, ())",
        _INDEXER,
    ),
    Fault(
        "an object that changed is found under what it was",
        "informers/indexer.py",
        "            self._remove(key, old)\n            self._insert(key, values)",
        "            self._insert(key, values)",
        _INDEXER,
    ),
    Fault(
        "the list of one namespace empties the others",
        "informers/indexer.py",
        "{key: obj for key, obj in before.items() if key.namespace != scope} | objects",
        "dict(objects)",
        _CHANGES,
    ),
    Fault(
        "a handler's `old` is not what it saw last",
        "informers/pending.py",
        "return Updated(pending.old, news.new)",
        "return Updated(news.old, news.new)",
        _PENDING,
    ),
    Fault(
        "what a handler never saw is told deleted",
        "informers/pending.py",
        "    if isinstance(pending, Added):\n        return None\n",
        "    if isinstance(pending, Added):\n        return news\n",
        _PENDING,
    ),
    Fault(
        "what happens while a predecessor is told deleted is lost",
        "informers/pending.py",
        "after = added if later is None else merge(added, later)",
        "after = added",
        _PENDING,
    ),
    Fault(
        "what cancelled out is owed for ever",
        "informers/pending.py",
        "self.initial_owed += is_initial(after) - is_initial(before)",
        "self.initial_owed += is_initial(after)",
        _PENDING,
    ),
    Fault(
        "a handler has synced before it was told",
        "informers/listener.py",
        "return self._initial_list_complete and self._initial_told >= self._pending.initial_owed",
        "return self._initial_list_complete",
        _LISTENER,
    ),
    Fault(
        "a handler that raised never syncs",
        "informers/listener.py",
        "if type(notification) is Added and notification.in_initial_list:",
        "if type(notification) is Added and notification.in_initial_list and not self._failures:",
        _LISTENER,
    ),
    Fault(
        "a handler that was removed is told the rest",
        "informers/listener.py",
        "            self._pending.clear()\n",
        "",
        _LISTENER,
    ),
    Fault(
        "a late handler is told nothing of what is there",
        "informers/audience.py",
        "            each.listener.add(replay(self._store))\n",
        "",
        _INFORMER,
    ),
    Fault(
        "unchanged objects of a relist are told to everybody",
        "informers/audience.py",
        "each.listener.add(batch if each.resync_seconds else changes)",
        "each.listener.add(batch)",
        _INFORMER,
    ),
    Fault(
        "a handler waits for ever for the end of the initial list",
        "informers/shared_informer.py",
        "        self._audience.complete_initial_list()\n",
        "",
        _INFORMER,
    ),
    Fault(
        "what was deleted stays in quarantine",
        "informers/transform.py",
        "        if event.type == DELETED:\n            self._quarantine.release",
        "        if event.type == BOOKMARK:\n            self._quarantine.release",
        _TRANSFORM,
    ),
    Fault(
        "what a list no longer shows stays in quarantine",
        "informers/feed.py",
        "        self.quarantine.keep_only(obj.key for obj in objects if type(obj) is Unusable)\n",
        "",
        _INFORMER,
    ),
    Fault(
        "what ends to pass a filter is not told deleted",
        "informers/filters.py",
        "        if not passes:\n            self._no_longer(old, passed)",
        "        if not passes:\n            self._no_longer(old, not passed)",
        ("informers/test_filters.py",),
    ),
    Fault(
        "every call makes an informer of its own",
        "informers/factory.py",
        "            if selection not in self._informers:\n",
        "            if selection:\n",
        ("informers/test_factory.py",),
    ),
    Fault(
        "a watch resumes before what it has seen",
        "informers/reflector.py",
        "                self._position.version = obj.resource_version\n",
        "                self._position.is_refused = False\n",
        _REFLECTOR,
    ),
    Fault(
        "an object that came unordered moves the version to resume from",
        "informers/reflector.py",
        "unordered = type_ == ADDED and not self._position.is_ordered",
        "unordered = False",
        _REFLECTOR,
    ),
    Fault(
        "the server is asked for the latest although it knows our version",
        "informers/listing.py",
        "return LATEST if self.is_refused else self.version",
        "return LATEST",
        _REFLECTOR,
    ),
    Fault(
        "a streamed list is complete at any bookmark",
        "informers/listing.py",
        "    if not event.ends_initial_events:\n",
        "    if not event.object:\n",
        _REFLECTOR,
    ),
    Fault(
        "of events that come together only the first moves the version",
        "informers/reflector.py",
        "for type_, obj in reversed(events):",
        "for type_, obj in events:",
        _REFLECTOR,
    ),
    Fault(
        "what comes together with the end of a streamed list is lost",
        "informers/listing.py",
        "objects, unreadable), events[end + 1 :]",
        "objects, unreadable), events[len(events) :]",
        _REFLECTOR,
    ),
    Fault(
        "changes overtake a list",
        "informers/delta_fifo.py",
        "self._at_once is None or len(self._entries) > 1 or",
        "self._at_once is None or",
        _FIFO,
    ),
    Fault(
        "changes that come while others are processed wake nobody",
        "informers/delta_fifo.py",
        "                self._changed.notify_all()\n                return\n            self._entries.clear()",
        "                return\n            self._entries.clear()",
        _FIFO,
    ),
    Fault(
        "what came before an event that cannot be decoded is lost",
        "rest/stream.py",
        "            if not events:\n                raise\n",
        "            raise\n",
        ("rest/test_stream.py",),
    ),
    Fault(
        "lines of a wrong size are taken for chunks",
        "rest/chunked.py",
        "if not fits or ends.count(_END) < len(ends):",
        "if ends.count(_END) < len(ends):",
        ("rest/test_chunked.py",),
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
        "            if self._ready_at.get(key) == ready_at:\n",
        "            if key in self._ready_at:\n",
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

FAULTS += [*RUNTIME_FAULTS, *PROCESS_FAULTS, *CONFIG_FAULTS]
