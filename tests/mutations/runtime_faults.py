"""Faults of what runs on the queue: controller, manager, leader election, events, metrics."""

from __future__ import annotations

from tests.mutations.fault import faults_in

_PROCESSING = (
    "controller/test_controller.py",
    "controller/test_foreign_code.py",
    "controller/reconciling/test_passing.py",
)
_FOREIGN = ("controller/test_foreign_code.py",)
_SOURCES = ("controller/keys/test_sources.py", "controller/test_builder.py", "controller/test_controller.py")
_OWN_WRITES = ("controller/reconciling/test_own_writes.py", "controller/test_controller.py")
_WRITES = ("controller/writing/test_writes.py", "controller/writing/test_contention.py", "test_mistakes.py")
_MANAGER = ("controller/test_manager.py", "controller/test_leading.py", "controller/test_manager_shutdown.py")
_HEALTH = ("controller/test_health.py",)
_ELECTION = ("leaderelection/test_election.py", "leaderelection/test_elector.py", "leaderelection/test_lease_lock.py")
_LEADING = (*_ELECTION, "leaderelection/test_shutdown.py")
_EVENTS = ("events",)


RUNTIME_FAULTS = [
    *faults_in(
        "controller/reconciling/coroutines.py",
        ("controller/reconciling/test_coroutines.py",),
        ("a coroutine has no deadline", "asyncio.timeout(self._timeout)", "asyncio.timeout(None)"),
        (
            "a coroutine that a stop cancels has failed",
            "CancelledError) and self.is_ending",
            "CancelledError) and False",
        ),
    ),
    *faults_in(
        "controller/reconciling/working.py",
        ("controller/reconciling/test_coroutines.py",),
        ("a coroutine function is called like others", "if not _is_async(reconcile):", "if True:"),
    ),
    *faults_in(
        "controller/reconciling/looping.py",
        ("controller/reconciling/test_coroutines.py",),
        ("all coroutines begin at once", "                self._slots.acquire()\n", ""),
    ),
    *faults_in(
        "controller/lives/timers.py",
        ("controller/test_lives.py",),
        ("a namesake goes on with the timer of the one before", "if uid != obj.uid:", "if not uid:"),
        ("a call that fails waits for the next one", "self._due[key] = (self._due[key][0], self._clock.now())", "pass"),
    ),
    *faults_in(
        "controller/lives/daemons.py",
        ("controller/test_lives.py",),
        (
            "a daemon goes on without its object",
            "            life.runner.request_stop()\n            life.calls",
            "            life.calls",
        ),
        ("a daemon that has done its work begins again", "(life.has_ended and life.uid != uid)", "life.has_ended"),
    ),
    *faults_in(
        "webhooks/answers/admitting.py",
        ("webhooks/test_hooks.py",),
        ("nobody is refused", '"allowed": not refusals}', '"allowed": True}'),
        (
            "what mends an object is refused",
            "        old = None  # and what mends it must not be refused",
            "        raise",
        ),
    ),
    *faults_in(
        "certificates/issuing.py",
        ("certificates/test_issuing.py",),
        ("an authority signs before anybody knows it", "    if is_spread and (now >=", "    if (now >="),
        ("a copy takes the names of another away", "[*names, *(each for each in hosts if each not in names)]", "hosts"),
    ),
    *faults_in(
        "webhooks/registration.py",
        ("webhooks/test_on_the_bench.py",),
        ("what is registered is registered again", "is_applied(body, there.body(), manager)", "False"),
    ),
    *faults_in(
        "typed/differences.py",
        ("typed/test_differences.py",),
        (
            "an item of a list is known by its value alone",
            "for is_it in (is_same_json, _has_same_name):",
            "for is_it in (is_same_json,):",
        ),
    ),
    *faults_in(
        "controller/reconciling/processing.py",
        ("controller/reconciling/test_passing.py",),
        (
            "an outage of the server counts against every key that failed meanwhile",
            "        if not is_passing(error):\n",
            "        if not is_passing(KeyError()):\n",
        ),
    ),
    *faults_in(
        "errors.py",
        ("test_errors.py",),
        (
            "an author's subclass takes the place of ours for every answer",
            "        if cls.__module__ == __name__ and cls.status_code is not None:",
            "        if cls.status_code is not None:",
        ),
        ("a metaclass answers for the name of an exception", "_NAME_OF_CLASS(type(value))", "type(value).__name__"),
    ),
    *faults_in(
        "logging.py",
        ("test_logging.py",),
        (
            "what a log handler raises ends no thread, Ctrl-C included",
            "            if is_of_program(error):\n",
            "            if False:\n",
        ),
    ),
    *faults_in(
        "controller/reconciling/failures.py",
        ("controller/test_foreign_code.py",),
        ("a class without a hash ends the worker", "hash((id(type(error)),", "hash((type(error),"),
    ),
    *faults_in(
        "controller/reconciling/looping.py",
        ("controller/reconciling/test_coroutines.py",),
        (
            "a coroutine that stops its loop ends all",
            "    while not task.done():\n        try:",
            "    if not task.done():\n        try:",
        ),
    ),
    *faults_in(
        "metrics.py",
        ("test_metrics.py",),
        (
            "a collector that raises hides all others",
            "                raise\n            failures =",
            "                pass\n            raise error\n            failures =",
        ),
    ),
    *faults_in(
        "informers/cache/indexer.py",
        ("informers/cache/test_indexer.py",),
        (
            "values of an index are compared by foreign code",
            "tuple(dict.fromkeys(map(_plain, values)))",
            "tuple(dict.fromkeys(values))",
        ),
    ),
    *faults_in(
        "informers/factory.py",
        ("informers/test_factory.py",),
        ("what nobody has started has synced", "if each not in informers and not each.is_stopped", "if False"),
    ),
    *faults_in(
        "mistakes.py",
        ("test_mistakes.py",),
        ("a function of other arguments is taken", "        signature.bind(*arguments)\n", "        signature\n"),
    ),
    *faults_in(
        "rest/answers.py",
        ("rest/test_answers.py",),
        (
            "an answer that may be a Secret is shown",
            "if response.body.lstrip().startswith(",
            "if response.body.startswith(b'?') and response.body.startswith(",
        ),
    ),
    *faults_in(
        "threads.py",
        ("test_no_thread.py", "test_threads.py"),
        (
            "a thread that cannot be had is no error of the system",
            "            if self._thread.ident is not None:\n                raise\n",
            "            raise\n",
        ),
        (
            "a callback that raises keeps others from being called",
            "        except BaseException as error:  # a daemon's or a service's own",
            "        except KeyError as error:  # a daemon's or a service's own",
        ),
    ),
    *faults_in(
        "rest/exchange/reaching/names.py",
        ("test_no_thread.py",),
        (
            "a name is never asked for again that no thread could be had for",
            "            lookup.fail(error)  # for others",
            "            raise error from None  # for others",
        ),
    ),
    *faults_in(
        "controller/lives/daemons.py",
        ("test_no_thread.py",),
        (
            "a daemon for which there is no thread counts as running",
            "        life.runner.start()  # if no",
            "        self._lives[key] = life\n        life.runner.start()  # if no",
        ),
    ),
    *faults_in(
        "events/watcher_queue.py",
        ("events/test_recorder.py",),
        (
            "a watcher that always has something to do spins",
            "max(_MIN_PAUSE_SECONDS, check_seconds(",
            "max(0.0, check_seconds(",
        ),
    ),
    *faults_in(
        "controller/reconciling/looping.py",
        ("controller/reconciling/test_coroutines.py",),
        (
            "a task of a reconcile's own ends the event loop",
            "            if task.done():\n                raise\n",
            "            raise\n",
        ),
    ),
    *faults_in(
        "controller/reconciling/failures.py",
        ("controller/reconciling/test_passing.py",),
        ("one failure for good ends all", "        return 2\n", "        return -1\n"),
        (
            "a bug beside a lost race is none",
            "    if not all(issubclass(type(each), BtcctlError) for each in leaves):\n",
            "    if not any(issubclass(type(each), BtcctlError) for each in leaves):\n",
        ),
    ),
    *faults_in(
        "processes/pickling.py",
        ("processes/test_compute.py",),
        (
            "what cannot be sent is computed on the bench",
            "unpickled(pickled(function, args, kwargs))",
            "function, args, kwargs",
        ),
        ("what cannot be brought back is none of the bench", "            _check_returns(error)\n", ""),
    ),
    *faults_in(
        "controller/reconciling/passing.py",
        ("controller/reconciling/test_passing.py", "controller/test_metrics.py"),
        (
            "ten thousand keys storm a server that is away",
            "max(MAX_WAIT_SECONDS, len(self._failures) / KEYS_PER_SECOND)",
            "MAX_WAIT_SECONDS",
        ),
        ("a race that is lost for ever is no failure", "return lost <= MOST_RACES", "return True"),
        (
            "a name that is taken is waited for as if it were to pass",
            "        case AlreadyExists():\n            return False\n",
            "",
        ),
    ),
    *faults_in(
        "controller/reconciling/processing.py",
        _PROCESSING,
        (
            "a success is not forgotten",
            "        self._forget(key)\n        if seconds is None",
            "        if seconds is None",
        ),
        (
            "a terminal error is tried again",
            '            return "terminal_error", error',
            '            self._retry(key, error); return "terminal_error", error',
        ),
        (
            "a terminal error keeps its failures",
            "            self._forget(key)\n            logger.error",
            "            logger.error",
        ),
        (
            "a server's Retry-After is not kept to",
            "asked = retry_after_of(error)",
            "asked = 0.0",
        ),
        ("a reconcile has no deadline", "limited_to(self._timeout, ", "limited_to(None, "),
        ("what is no Result passes", "if not isinstance(result, Result):", "if False:"),
        (
            "what is broken off counts as a failure",
            "if issubclass(kind, Interrupted) and self.calls.are_broken_off:\n",
            "if False:\n",
        ),
        ("reconciles cannot be broken off", "self._clock, self.calls)", "self._clock)"),
        ("a draining queue waits for caches", "not self._queue.is_shut_down and ", ""),
        ("a look that nobody needs is a reconcile", "            self._queue.cancel_delay(key)", "            pass"),
        (
            "an exception ends the worker",
            "result = self._call(key)\n        except BaseException",
            "result = self._call(key)\n        except DeadlineExceeded",
        ),
        (
            "what is no Exception ends the worker",
            "result = self._call(key)\n        except BaseException",
            "result = self._call(key)\n        except Exception",
        ),
        ("0 seconds are a loop", "        if seconds == 0:", "        if False:"),
        ("a nanosecond is a loop", "max(seconds, MIN_REQUEUE_SECONDS), background", "seconds, background"),
        ("a poll goes before changes", "in_background = result.background and", "in_background = False and"),
        (
            "a controller without a background has one",
            "result.background and self._uses_background",
            "result.background",
        ),
        (
            "a rate limiter that raises ends the worker",
            "            return self._queue.add_rate_limited(key, minimum)\n        except BaseException",
            "            return self._queue.add_rate_limited(key, minimum)\n        except ValueError",
        ),
        (
            "an exception without a text ends the worker",
            "error=describe_error(error),\n            failures",
            'error=f"{error}",\n            failures',
        ),
    ),
    *faults_in(
        "controller/reconciling/failures.py",
        _PROCESSING,
        ("a failure holds a key back for a day", "min(seconds, MAX_RETRY_AFTER_SECONDS) if", "seconds if"),
        ("NaN holds a key back", " if seconds > 0 else 0.0", " if not seconds <= 0 else 0.0"),
        (
            "a retry_after that raises ends the worker",
            "    except BaseException:\n        return 0.0",
            "    except TypeError:\n        return 0.0",
        ),
        ("every failure is a traceback", "if error in shown or len(shown)", "if len(shown)"),
        (
            "a text that always differs is a traceback each",
            "if error in shown or len(shown) >= _ERRORS_PER_KEY:",
            "if error in shown:",
        ),
        ("errors of ours are tracebacks", "if issubclass(type(error), BtcctlError):", "if False:"),
        ("too many keys are tracebacks for ever", "return not (is_full and is_known)", "return True"),
        ("credentials are shown", "str(scrub(text))", "text"),
    ),
    *faults_in(
        "controller/reconciling/result.py",
        _FOREIGN,
        ("infinity is a delay", "if not 0 <= number < math.inf:", "if not 0 <= number:"),
        ("text is a delay", "if type(seconds) is bool or not isinstance(seconds, Real):", "if False:"),
    ),
    *faults_in(
        "informers/sharing/filters.py",
        ("informers/sharing/test_filters.py",),
        (
            "a PredicateHandler whose predicate raises drops the change",
            "            notify()\n            raise",
            "            raise",
        ),
    ),
    *faults_in(
        "informers/sharing/listener.py",
        ("informers/sharing/test_listener.py",),
        (
            "asyncio's CancelledError ends a listener",
            "except BaseException as error:  # asyncio",
            "except (Exception, SystemExit) as error:  # asyncio",
        ),
    ),
    *faults_in(
        "controller/controller.py",
        (*_PROCESSING, "controller/test_shutdown.py"),
        (
            "a key that was worked on stays taken",
            "        finally:\n            self.queue.done(key)",
            "        finally:\n            pass",
        ),
        (
            "workers do not wait for the caches",
            "if wait_for_sources(self.name, self._gates.of_home(), stop, timeout=timeout, clock=self._clock):",
            "if True:",
        ),
        ("a controller that died is healthy", "        self.died.set()", "        pass"),
        (
            "it is not said which thread has died",
            'f"thread {worker} ended by {describe_error(error)}"',
            "describe_error(error)",
        ),
        ("a stop in a reconcile waits for itself", '        self.refuse_in_reconcile("stop")', "        pass"),
        ("a controller is started again", "            if self._is_stopped:", "            if False:"),
        ("a watch may come too late", "            if self._has_begun:", "            if False:"),
        (
            "informers keep a handler of a controller that has ended",
            "        self._gates.close(_JOIN_SECONDS)",
            "        pass",
        ),
        (
            "an initial list goes before changes",
            "self.queue.add_background if self._options.background else self.queue.add",
            "self.queue.add",
        ),
        ("what is queued is dropped at the stop", "self._drain_seconds if stop.is_set() else 0.0", "0.0"),
    ),
    *faults_in(
        "controller/keys/sources.py",
        _SOURCES,
        ("only the new owner is looked at", "dict.fromkeys([*before, *after])", "after"),
        (
            "a mapping that raises for the old state loses the new one",
            "        before = self._keys_before(old)\n",
            "        before = [*self._keys_of(old)]\n",
        ),
        ("a malformed object has no owner", "            self._last_good[new.key] = before", "            pass"),
        (
            "a predicate that raises drops the change",
            "            return True, error",
            "            return False, error",
        ),
        (
            "what a mapping raises is not reported",
            "        if failure is not None:\n            raise failure",
            "        if False:\n            raise failure",
        ),
        ("a resync goes before changes", "self._add if has_changed else self._add_background", "self._add"),
        (
            "waiting for a cache has no end",
            "        if left <= 0:\n            reasons",
            "        if left <= -1e9:\n            reasons",
        ),
        ("the cause is not named", 'f"{name}: {cause}{_advice(cause)}" for name', 'f"{name}" for name'),
    ),
    *faults_in(
        "controller/keys/handlers.py",
        _SOURCES,
        (
            "an owner of another group is the owner",
            "(owner.group, owner.kind) != (owner_type.group, owner_type.kind)",
            "owner.kind != owner_type.kind",
        ),
        (
            "an owner of another kind is the owner",
            "(owner.group, owner.kind) != (owner_type.group, owner_type.kind)",
            "owner.group != owner_type.group",
        ),
        ("a namesake of the owner is the owner", "living is None or living == owner.uid", "True"),
        ("a text is a list of keys", "    if isinstance(named, str | bytes | ObjectKey) or", "    if"),
        ("anything is a key", "    if not isinstance(key, ObjectKey):", "    if False:"),
        ("what was named before it raised is lost", "        return keys, error", "        return [], error"),
    ),
    *faults_in(
        "controller/reconciling/own_writes.py",
        _OWN_WRITES,
        ("a key waits for its own writes for ever", "if unseen and left > 0:", "if unseen:"),
        ("a key does not wait for its own writes", "if latest and self._seconds > 0:", "if False:"),
        ("waits are not counted", "self.waits += pending.looks == 1", "pass"),
        ("waits in vain are not counted", "            self.timeouts += bool(unseen)", "            pass"),
        (
            "what was created and changed is there",
            "latest[target] = each.after(latest.get(target))",
            "latest[target] = each",
        ),
        (
            "who is held sleeps although his write is there",
            "held += [each for each in waiters if each in self._held]",
            "pass",
        ),
        (
            "a deletion by another is not seen",
            "                    self._note_change(each, (type_, key), change)",
            "                    pass",
        ),
        (
            "a former object's end is that of a later one",
            "return change.last is not None and write.is_seen_in(change.last)",
            "return True",
        ),
        ("one cache of two may be behind", "        if all(seen):", "        if any(seen):"),
        (
            "what a selector leaves out is waited for",
            "or cache.has_read(write.resource_version, namespace)",
            "or False",
        ),
    ),
    *faults_in(
        "rest/collection/written.py",
        _OWN_WRITES,
        (
            "an object that loses its last finalizer is still there",
            "is not None and not _is_held(obj)",
            "is not None and False",
        ),
        (
            "a dying object is a gone one",
            'return self.uid not in {"", cached.uid}',
            "return cached.deletion_timestamp is not None",
        ),
        (
            "a pod that was evicted is waited for until another one comes",
            "if self.is_asked_to_go and cached.deletion_timestamp is not None:",
            "if False:",
        ),
        ("an object with a grace period is gone", " or held.metadata.deletion_grace_period_seconds)", ")"),
        ("a namespace is gone at once", "held.metadata.finalizers or in_spec or", "held.metadata.finalizers or"),
        (
            "of many that were deleted nothing is waited for",
            "        log.append(RecordedWrite(type_, key, uid=meta.uid, is_asked_to_go=True))\n\n\ndef record_eviction",
            "        pass\n\n\ndef record_eviction",
        ),
        (
            "an object that stays is gone",
            "obj.deletion_timestamp is not None and _is_held(obj)\n    log",
            "False\n    log",
        ),
    ),
    *faults_in(
        "informers/cache/delta_fifo.py",
        ("informers/cache/test_delta_fifo.py",),
        ("what is being processed has been", "(self._entries or self.turn.locked())", "self._entries"),
    ),
    *faults_in(
        "controller/writing/contention.py",
        ("controller/writing/test_contention.py",),
        ("a value that is new is taken for the old", "if field is None or field.value != value:", "if field is None:"),
        (
            "what is not disputed waits with what is",
            "            has_truce = bool(counting) and all(",
            "            has_truce = bool(counting) and any(",
        ),
        (
            "a status is another with each time in it",
            'if name != "lastTransitionTime"}',
            "if name}",
        ),
        (
            "what a definition drops of a status counts",
            "field.writes += path not in but",
            "field.writes += 1",
        ),
        (
            "a truce is for ever",
            "self.is_disputed and now < self.written_at + TRUCE_SECONDS",
            "self.is_disputed",
        ),
        (
            "writes that are far apart add up",
            "        return now >= self.written_at + truce + SAME_DISPUTE_SECONDS",
            "        return False",
        ),
        (
            "a dispute is over with its truce",
            "        truce = TRUCE_SECONDS if self.is_disputed else 0.0",
            "        truce = 0.0",
        ),
        ("we are blamed for what we wrote ourselves", "but=self._field_manager)", 'but="")'),
    ),
    *faults_in(
        "controller/writing/fields.py",
        ("controller/writing/test_fields.py",),
        ("a selector is merged", "        if field != WHOLE and isinstance(value", "        if isinstance(value"),
        ("a selector with more in it passes", "    if field == WHOLE:", "    if False:"),
        ("lists of different lengths pass", "            and len(desired) == len(body)\n", ""),
        ("a status' manager is blamed", ' if (each.get("subresource") == "status") == is_status]', "]"),
        (
            "who scales is not blamed",
            'if (each.get("subresource") == "status") == is_status',
            'if bool(each.get("subresource")) == is_status',
        ),
        (
            "the first manager is blamed",
            'latest = max(owners, key=lambda each: str(each.get("time") or ""), default=None)',
            "latest = next(iter(owners), None)",
        ),
    ),
    *faults_in(
        "controller/writing/writes.py",
        _WRITES,
        (
            "an update is written without a difference",
            "    if not is_changed(body, found.whole(), found.body):",
            "    if False:",
        ),
        (
            "a status is written without a difference",
            "    if _has_status(obj, status):",
            "    if False:",
        ),
        (
            "a typed status that is there already is written",
            "            return bool(obj.decode(_with_status(type(status))).status == status)",
            "            return to_builtins(status) == obj.body().get('status')",
        ),
        (
            "a write that is undone is not counted",
            "        contention.note_updated(resource.type, key, changes, found, updated)",
            "        pass",
        ),
        (
            "a creation that is undone is not counted",
            "        contention.note_created(resource.type, key)",
            "        pass",
        ),
        (
            "a dispute never ends",
            "            contention.note_kept(resource.type, key)",
            "            pass",
        ),
        (
            "what the lister has not is read first",
            "_find(resource, key) if cached is NOT_GIVEN else None",
            "_find(resource, key)",
        ),
        (
            "what exists unseen is an error",
            "found = None if cached is NOT_GIVEN else _find(resource, key)",
            "found = None",
        ),
        ("what a mutate returns is ignored", "    if returned is not None:", "    if False:"),
        ("a mutate makes another object of it", "    if name != key.name or (", "    if False and ("),
        ("an update that made no version is one", "if is_new else Outcome.UNCHANGED", "if True else Outcome.UNCHANGED"),
        ("an owner has no uid", "    if not owner.uid:", "    if False:"),
        ("a namespaced owner owns what is cluster-scoped", 'if namespace == "" or (body', "if (body"),
        (
            "a conflict is not tried again",
            "        except Conflict:\n            sleep",
            "        except AlreadyExists:\n            sleep",
        ),
        (
            "another's object is adopted",
            'if uid != owner.uid and (controller or ("uid" in metadata and not adopt)):',
            "if False:",
        ),
        (
            "a namesake controls",
            "obj.controller is not None and obj.controller.uid == owner.uid",
            "obj.controller is not None",
        ),
    ),
    *faults_in(
        "json_values.py",
        ("test_json_values.py",),
        (
            "truth is a number",
            "return isinstance(one, bool) == isinstance(other, bool)\n\n\ndef _is_written_alike",
            "return True\n\n\ndef _is_written_alike",
        ),
        ("truth is a number inside of others", "or _has_same_bools(one, other)", "or one == other"),
        ("NaN is null", " and math.isfinite(each)", ""),
        ("a tuple is a list", "elif kind is list:", "elif kind is list or kind is tuple:"),
        (
            "a key is any value",
            "not _TEXT.issuperset(map(type, each))",
            "False",
        ),
    ),
    *faults_in(
        "rest/collection/addressing.py",
        ("test_mistakes.py",),
        ("a key of another namespace is one of ours", "if namespace and key.namespace != namespace:", "if False:"),
        (
            "a path that is not served is an object that is not there",
            '    if error.details.get("name"):',
            "    if True:",
        ),
    ),
    *faults_in(
        "controller/writing/finalizers.py",
        _WRITES,
        ("finalizers of others get lost", "[*obj.finalizers, name]", "[name]"),
        ("a finalizer is written over whatever came meanwhile", '"resourceVersion": obj.resource_version, ', ""),
    ),
    *faults_in(
        "controller/writing/conditions.py",
        ("controller/writing/test_conditions.py",),
        ("a condition's time changes with its reason", "before.status == condition.status", "before == condition"),
    ),
    *faults_in(
        "controller/manager.py",
        _MANAGER,
        (
            "the lease is given back before the work ends",
            "[factory, *self._last, *services, *work]",
            "[factory, *_present(recorder), *services, *work, *_present(elector)]",
        ),
        ("parts stop in the order in which they start", "part = self._running.pop()", "part = self._running.pop(0)"),
        ("the lease is given back although work goes on", "if self.elector is not None and not ended:", "if False:"),
        ("who loses the lease takes its time", "if self.elector is None or not self.elector.problem() else 0.0", ""),
        (
            "a lost lease is noticed at the next look",
            "latches if elector is None else (*latches, elector.lost)",
            "latches",
        ),
        ("metrics and health start last", "self._parts.insert(0, server)", "self._parts.append(server)"),
        ("the death of an informer is not noticed", "latches = [factory.died, *", "latches = [*"),
        ("two controllers have one name", "if names.count(name) > 1:", "if False:"),
        ("a manager is started again", "        if self._is_stopped:", "        if False:"),
        (
            "a part that died is no failure",
            "        if not stop.is_set():\n            raise",
            "        if False:\n            raise",
        ),
    ),
    *faults_in(
        "controller/leading.py",
        _MANAGER,
        (
            "a standby works when it is stopped",
            "            if not stop.is_set():  # a process that is stopping begins nothing\n",
            "            if True:\n",
        ),
    ),
    *faults_in(
        "controller/health.py",
        _HEALTH,
        ("a stuck worker is healthy", "if each > seconds]", "if each > 9 * seconds]"),
        ("an unfilled cache is ready", '"; ".join(manager.unsynced())', '""'),
        ("a silent watch is ready", '"; ".join(manager.silent())', '""'),
        ("a dead thread is alive", '"; ".join(manager.dead())', '""'),
    ),
    *faults_in(
        "leaderelection/election.py",
        _ELECTION,
        ("our duration counts, not the holder's", "now + record.duration_seconds", "now + self._timing.lease_seconds"),
        ("a lease that does not change never runs out", "elif record != self.record:", "else:"),
        (
            "we lead from the answer on, not from the request",
            "sent_at + self._timing.renew_deadline_seconds",
            "sent_at + self._timing.lease_seconds",
        ),
        ("taking over acts at once", "max(sent_at, self._rivals_until)", "sent_at"),
        ("every renewal is a transition", "old.transitions + (self.record is not None)", "old.transitions + 1"),
        (
            "a renewal says that it has just been acquired",
            "old.acquire_time if is_time(old.acquire_time) else now",
            "now",
        ),
        (
            "a lease that is given back has to be waited for",
            "self._rivals_until = _NEVER  # it was given back",
            "pass  # it was given back",
        ),
        ("any deadline is accepted", "if not lease > deadline > JITTER * retry > 0:", "if False:"),
    ),
    *faults_in(
        "leaderelection/elector.py",
        _LEADING,
        (
            "a call may outlast the deadline",
            "return min(self._timing.call_seconds, left) if left > 0 else self._timing.call_seconds",
            "return self._timing.call_seconds",
        ),
        (
            "a call may take all of the deadline",
            "return min(self._timing.call_seconds, left) if left > 0 else self._timing.call_seconds",
            "return left if left > 0 else self._timing.call_seconds",
        ),
        (
            "effects may begin while the lease is given back",
            "        self._fence.close()\n        self._ending.given_back = True",
            "        self._ending.given_back = True",
        ),
        (
            "an abandoned lease is given back",
            "if self._ending.abandoned or not self._has_written:",
            "if not self._has_written:",
        ),
        (
            "a renewal that came too late counts",
            "(now >= deadline or not self._election.holds(now))",
            "not self._election.holds(now)",
        ),
        (
            "a failure that is none of ours ends the loop",
            "            except Exception as error:\n                self._failures.note(error)\n        now",
            "            except LeaseLost as error:\n                self._failures.note(error)\n        now",
        ),
    ),
    *faults_in(
        "leaderelection/elector.py",
        _ELECTION,
        ("all candidates ask at the same moments", "self._uniform(retry / JITTER, retry)", "retry"),
        ("a lease that runs out during a stop is a failure", "None if self._ending.resigned else error", "error"),
    ),
    *faults_in(
        "leaderelection/lease_lock.py",
        _ELECTION,
        (
            "a read of the lease may take any time",
            'self._client.call(Request("GET", self._path), timeout=timeout)',
            'self._client.call(Request("GET", self._path))',
        ),
        (
            "a write of the lease may take any time",
            "self._client.call(request, timeout=timeout)",
            "self._client.call(request)",
        ),
    ),
    *faults_in(
        "leaderelection/release.py",
        _LEADING,
        ("another's lease is given back", "record.holder != election.identity", "record.holder == ''"),
        (
            "a conflict ends the release",
            "    except Conflict:\n        return False",
            "    except Conflict:\n        return True",
        ),
    ),
    *faults_in(
        "leaderelection/fence.py",
        _LEADING,
        (
            "the fence needs somebody to shut it",
            "if self._closed or self._clock.now() >= self._until:",
            "if self._closed:",
        ),
        ("what was overtaken is not counted", "            self.overtaken += 1", "            pass"),
    ),
    *faults_in(
        "leaderelection/lease_lock.py",
        _ELECTION,
        (
            "a lease is written over whatever came meanwhile",
            '{**self._seen, "spec": spec}',
            '{"metadata": {"name": self.key.name, "namespace": self.key.namespace}, "spec": spec}',
        ),
    ),
    *faults_in(
        "events/watcher_queue.py",
        _EVENTS,
        ("a full queue holds its sender up", "len(self._queue) < self._length", "True"),
        ("what is lost is not counted", "            self.dropped += 1", "            pass"),
        ("every lost event is a line", "is_first = self.dropped == 1", "is_first = True"),
        (
            "a stop loses what is queued",
            "            self.flush(timeout)\n        with self._changed:\n            lost",
            "            pass\n        with self._changed:\n            lost",
        ),
        ("an event leads back to no reconcile", "        bind(**event.log_context)\n", ""),
    ),
    *faults_in(
        "events/sinks/correlator.py",
        _EVENTS,
        ("nine messages are as good as ten", "AGGREGATE_MESSAGES = 10", "AGGREGATE_MESSAGES = 9"),
        ("what was silenced does not count", "occurrence if self._take_token(event, now) else None", "occurrence"),
        (
            "all events of an object are silenced together",
            "(event.component, event.reference, event.type)\n        bucket",
            "(event.component, event.reference)\n        bucket",
        ),
    ),
    *faults_in(
        "events/sinks/writer.py",
        _EVENTS,
        (
            "an event that is gone is not made again",
            "        except NotFound:\n            return False",
            "        except NotFound:\n            return True",
        ),
        ("an unreachable server is tried once", "if stop.is_set() or attempt == TRIES - 1:", "if True:"),
        ("a stopping process tries on", "if stop.is_set() or attempt == TRIES - 1:", "if attempt == TRIES - 1:"),
        (
            "a rejected event is tried again",
            "                _report(write.event, error)\n                return",
            "                _report(write.event, error)",
        ),
    ),
    *faults_in(
        "controller/metrics.py",
        ("controller/test_metrics.py",),
        (
            "a terminal error is no error",
            'each.results[cluster, "error"] + each.results[cluster, "timeout"] + given_up',
            'each.results[cluster, "error"] + each.results[cluster, "timeout"]',
        ),
    ),
    *faults_in(
        "workqueue/metrics.py",
        ("workqueue/test_metrics.py",),
        ("adds shrink", "max(self._adds, waiting[0][-1][1] + state.depth)", "waiting[0][-1][1]"),
    ),
    *faults_in(
        "rest/metrics.py",
        ("rest/test_metrics.py",),
        (
            "retries are not told apart",
            "self._retries[str(code), method, host] += 1",
            'self._retries["", method, host] += 1',
        ),
    ),
    *faults_in(
        "metrics.py",
        ("test_metrics.py",),
        ("each caller has a part of its own", "self._parts[kind] = found", "pass"),
    ),
]
