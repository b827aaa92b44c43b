"""Faults of what every process of ours stands on: clocks, threads, what it says of itself, and how it ends."""

from __future__ import annotations

from tests.mutations.fault import faults_in

_DURATIONS = ("test_durations.py", "test_clock.py")

_REQUESTS = ("controller/serving/test_http_request.py",)
_SERVER = ("../integration/controller/test_hostile_clients.py", "../integration/controller/test_serving.py")

PROCESS_FAULTS = [
    *faults_in(
        "clock.py",
        _DURATIONS,
        (
            "a wait may be longer than the platform takes",
            "condition.wait(bounded(timeout)) or",
            "condition.wait(timeout) or",
        ),
        (
            "a wait that was cut short is over",
            "return condition.wait(bounded(timeout)) or timeout > MAX_WAIT_SECONDS",
            "return condition.wait(bounded(timeout))",
        ),
        ("somebody waits for NaN seconds", "if math.isnan(given):", "if False:"),
        ("an option may be NaN", "if not 0 <= seconds <= most:", "if seconds < 0 or seconds > most:"),
        (
            "a pause ends when something wakes it",
            "while (left := until - clock.now()) > 0:",
            "if left := until - clock.now():",
        ),
    ),
    *faults_in(
        "threads.py",
        _DURATIONS,
        ("a thread is not waited for if that may take long", "        timeout = bounded(timeout)\n", ""),
    ),
    *faults_in(
        "backoff.py",
        _DURATIONS,
        ("a back-off may grow without end", "self.cap < math.inf and", "self.cap and"),
        ("an infinite period has no number", "seconds if math.isinf(seconds) else uniform(", "uniform("),
    ),
    *faults_in(
        "workqueue/queue.py",
        ("workqueue/test_queue.py",),
        ("a key waits for ever", "if not (seconds := seconds_of(seconds)) <= _MOST_SECONDS:", "if False:"),
    ),
    *faults_in(
        "workqueue/rate_limited.py",
        ("workqueue/test_rate_limiters.py",),
        ("a limiter's NaN is no wait", "return seconds if seconds < math.inf else CAP_SECONDS", "return seconds"),
    ),
    *faults_in(
        "controller/serving/http_request.py",
        _REQUESTS,
        ("a request may be of any size", "end.start()) > MAX_HEAD_BYTES:", "end.start()) < 0:"),
        (
            "what follows a body is taken for a request",
            'if b"transfer-encoding" in headers or headers.get(b"content-length", b"0") != b"0":',
            "if False:",
        ),
        (
            "any line is a header",
            '            raise BadRequest(HTTPStatus.BAD_REQUEST, "a header line',
            '            continue; raise BadRequest(HTTPStatus.BAD_REQUEST, "a header line',
        ),
        ("an address that is none ends the thread", "        except ValueError:\n", "        except KeyError:\n"),
    ),
    *faults_in(
        "controller/serving/http_server.py",
        _SERVER,
        (
            "who drips has all the time in the world",
            "return max(0.0, min(instants) - self._clock.now()) if instants else None",
            "return None",
        ),
        (
            "those who are late stay",
            "for connection in [each for each in self._connections if now >= each.deadline]:",
            "for connection in ():",
        ),
        (
            "one hanging check is the end of all answers",
            "while len(self._threads) < min(self._computing, MAX_AT_ONCE + self._hanging.total()):",
            "while not self._threads:",
        ),
        (
            "the silent keep the others out",
            "        first = min(silent, key=lambda each: each.since, default=None)\n",
            "        first = None\n",
        ),
        (
            "without descriptors it spins",
            "        self._selector.unregister(self._listener)\n        self._accepts_again_at",
            "        self._accepts_again_at",
        ),
        ("without descriptors nobody is answered", "        self._keep_reserve()  # now", "        # now"),
        ("a stop waits for checks that hang", "thread.stop(max(0.0, deadline - self._clock.now()))", "thread.stop()"),
        (
            "a client that breaks off ends it",
            "        except OSError:\n            self._drop(connection)",
            "        except KeyError:\n            self._drop(connection)",
        ),
        ("a machine without IPv6 is not served", "if host or error.errno not in _NO_IPV6:", "if error:"),
    ),
    *faults_in(
        "controller/serving/status_server.py",
        _SERVER,
        (
            "a check that raises takes its page with it",
            "        return _text(check())\n    except BaseException",
            "        return _text(check())\n    except Exception",
        ),
    ),
    *faults_in(
        "controller/manager.py",
        ("controller/test_manager.py",),
        (
            "an API server that is silent makes the stop fail",
            '        except TimeoutError:\n            logger.warning("the API',
            '        except KeyError:\n            logger.warning("the API',
        ),
        (
            "work has all of the time",
            "return max(_MIN_STOP_SECONDS, left - kept)",
            "return max(_MIN_STOP_SECONDS, left)",
        ),
        ("events have all of the time", "self._lease_seconds()), _EVENT_SECONDS)", "self._lease_seconds()), left)"),
        (
            "the lease has all of the time",
            "max(_LEASE_SECONDS, min(left, seconds))",
            "left",
        ),
        (
            "a slow server costs the lease's return",
            "max(_LEASE_SECONDS, _LEASE_CALLS * answer_seconds)",
            "_LEASE_SECONDS",
        ),
        ("controllers stop one after another", "if isinstance(part, Controller):", "if False:"),
    ),
    *faults_in(
        "controller/leading.py",
        ("controller/test_manager.py",),
        ("controllers that wait for the lead stop one after another", "if isinstance(part, Stoppable):", "if False:"),
    ),
    *faults_in(
        "controller/reconciling/draining.py",
        ("controller/test_controller.py",),
        ("a silent server is waited for", "calls.break_off(clock.now() - patience)", "pass"),
        ("what hangs when the time is over is a failure", "        calls.break_off(clock.now())\n", "        pass\n"),
    ),
    *faults_in(
        "deadline.py",
        ("test_deadline.py",),
        ("what is broken off calls on", "if limit.calls is not None and limit.calls.are_broken_off:", "if False:"),
        (
            "a limit further in hides the calls",
            "        calls = pending_calls()\n    if",
            "        calls = None\n    if",
        ),
        ("what begins too late is not ended", "        if is_over:\n            end()\n", ""),
    ),
    *faults_in(
        "events/broadcaster.py",
        ("events",),
        ("who is finishing does not look whether it gets on", "while 0 < left < before and", "while 0 < left and"),
        ("finishing is over at the first pause", "while 0 < left < before and", "while False and"),
        (
            "an event in hand is counted twice",
            "return self._owed(published)",
            "return self._owed(published) + self._incoming.flush(0.0)",
        ),
    ),
    *faults_in(
        "workqueue/queue.py",
        ("workqueue",),
        (
            "a key that has become due is nowhere for a moment",
            "                add(key)\n                self._delayed.remove(key)",
            "                self._delayed.remove(key)\n                add(key)",
        ),
        (
            "a poll that is due goes to the front",
            "self.add_background if self._delayed.is_for_background(key) else self.add",
            "self.add",
        ),
        (
            "a key that goes from hand to hand is overlooked",
            " and self._last_mark_taken is last_mark_taken",
            "",
        ),
        (
            "observers are flushed for each key",
            "if self._next_number() % _UNFLUSHED == 0:",
            "if self._next_number() >= 0:",
        ),
    ),
    *faults_in(
        "events/limits.py",
        ("events/test_limits.py",),
        ("characters are counted, not bytes", "    if len(encoded) <= most:", "    if len(text) <= most:"),
        ("a text is cut within a character", 'decode(errors="ignore")', 'decode(errors="replace")'),
        ("a lone surrogate ends the reconcile", 'text.encode(errors="replace")', "text.encode()"),
    ),
    *faults_in(
        "names.py",
        ("test_names.py", "test_mistakes.py"),
        ("any name is qualified", "return match is not None and len", "return match is None or len"),
        ("a domain has any length", ' and len(match["prefix"] or "") <= _SUBDOMAIN_BYTES', ""),
        ("two dots stand in a domain", '_LABEL = r"[a-z0-9]([-a-z0-9]*', '_LABEL = r"[a-z0-9]([-a-z0-9.]*'),
        ("an object is called by two dots", r'(\.{_LABEL})*"), 253', r'(\.+{_LABEL})*"), 253'),
    ),
    *faults_in(
        "controller/controller.py",
        ("test_mistakes.py",),
        ("a controller is called anything", '        check_name(name, "a controller")\n', ""),
    ),
    *faults_in(
        "controller/writing/finalizers.py",
        ("test_mistakes.py",),
        ("a finalizer has no domain", ' or "/" not in name or', " or"),
    ),
    *faults_in(
        "events/recorder.py",
        ("events/test_limits.py",),
        ("what was cut is not counted", "                self._shortened += 1", "                self._shortened += 0"),
    ),
    *faults_in(
        "events/sinks/correlator.py",
        ("events/test_limits.py",),
        (
            "events that are told together do not fit",
            "shortened(_AGGREGATE_PREFIX + event.message, MESSAGE_BYTES)",
            "_AGGREGATE_PREFIX + event.message",
        ),
    ),
]
