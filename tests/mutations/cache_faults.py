"""Faults of who shares a cache, and of what a typed view says of it."""

from __future__ import annotations

from tests.mutations.fault import faults_in

_FACTORY = ("informers/test_factory.py", "controller/test_builder.py")
_FOREIGN = ("informers/test_foreign_exceptions.py",)
_TYPED = ("informers/test_typed.py",)

CACHE_FAULTS = [
    *faults_in(
        "informers/cache/indexer.py",
        _FOREIGN,
        (
            "asyncio's CancelledError of an index function ends the informer",
            "except BaseException as error:  # asyncio's",
            "except Exception as error:  # asyncio's",
        ),
    ),
    *faults_in(
        "informers/cache/indexer.py",
        ("informers/cache/test_indexer.py",),
        ("a text is an index's values, letter by letter", "isinstance(values, (str, bytes)) or ", ""),
        ("an index that lacks objects is read", "        if index.mistake is not None:", "        if False:"),
        (
            "an index is added whose function is wrong",
            "                    raise values.error",
            "                    pass",
        ),
    ),
    *faults_in(
        "informers/reflector/transform.py",
        _FOREIGN,
        (
            "asyncio's CancelledError of a transform ends the reflector",
            "except BaseException as error:  # asyncio's",
            "except Exception as error:  # asyncio's",
        ),
    ),
    *faults_in(
        "informers/factory.py",
        _FACTORY,
        (
            "another transform is another cache, and nobody knows",
            "if wanted is not None and wanted != self.transform:",
            "if False:",
        ),
        (
            "a stopped informer is handed out again",
            "if cache is not None and cache.informer.is_stopped:",
            "if cache is not None and not cache.informer:",
        ),
        ("what is forgotten runs on", "        gone.stop(timeout)\n", ""),
        ("what is forgotten is kept", "            self._caches = caches\n", ""),
        (
            "what is forgotten is kept among what was started",
            "            self._started = [each for each in self._started if each is not gone]\n",
            "",
        ),
        ("two informers have one name", "            if name in taken:\n", "            if not taken:\n"),
        (
            "a type that nobody can decode has an informer",
            "        codecs.decoder_of(struct)\n",
            "",
        ),
    ),
    *faults_in(
        "controller/builder.py",
        _FACTORY,
        (
            "an informer that is given is not used",
            "    if given is None:\n        return [(each",
            "    if True:\n        return [(each",
        ),
    ),
    *faults_in(
        "controller/keys/gates.py",
        ("app/test_clusters.py",),
        (
            "keys come before their cluster's caches are filled",
            "if gate is not None and not gate.is_open:",
            "if False:",
        ),
    ),
    *faults_in(
        "workqueue/turns.py",
        ("controller/test_clusters.py",),
        ("one cluster may have all workers", "if count >= self._most and not self._are_over:", "if False:"),
        (
            "keys that wait for their turn are lost at a stop",
            "        for key in waiting:\n",
            "        for key in ():\n",
        ),
    ),
    *faults_in(
        "informers/cache/lister.py",
        ("controller/test_clusters.py",),
        (
            "a key of another cluster is called gone",
            "key if key.cluster == self._cluster else key.within(self._cluster)",
            "key",
        ),
    ),
    *faults_in(
        "informers/typed.py",
        _TYPED,
        (
            "one that does not fit hides all others",
            "            except ObjectDecodeError as error:\n                self._note_misfit",
            "            except ZeroDivisionError as error:\n                self._note_misfit",
        ),
        ("a misfit is one for ever", "self._misfits.pop(obj.key, None)", "self._misfits.get(obj.key)"),
        (
            "what is gone does not fit",
            "if self._lister.get(key) is not None]",
            "if key]",
        ),
        ("what was mended was added", "self._last_fit.setdefault(new.key, old)", "pass"),
        (
            "the last misfit is what the handler knows",
            "self._last_fit.setdefault(new.key, old)",
            "self._last_fit[new.key] = new",
        ),
        ("what was mended is old for ever", "        self._last_fit.pop(new.key, None)\n", ""),
        ("what is deleted is remembered", "        self._last_fit.pop(deleted.key, None)\n", ""),
    ),
]
