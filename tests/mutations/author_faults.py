"""Faults in what a program's author meets: logging, the client's verbs, the fake client."""

from __future__ import annotations

from tests.mutations.fault import Fault

LOGGING = (
    Fault(
        "a line shows what is in a mapping",
        "logging.py",
        "    if kind.__str__ is object.__str__ or issubclass(kind, (bytes, bytearray)):",
        "    if False:",
        ("test_logging.py",),
    ),
    Fault(
        "what a reconcile has bound is on no line",
        "logging.py",
        "{**bound_fields(), **fields}",
        "fields",
        ("test_logging.py",),
    ),
    Fault(
        "a record names the logger's own frames",
        "logging.py",
        "_FRAMES = 3",
        "_FRAMES = 1",
        ("test_logging.py",),
    ),
)

VERBS = (
    Fault(
        "True is 1 in a difference",
        "rest/collection/differences.py",
        "elif not is_same_json(value, before):",
        "elif value != before:",
        ("rest/collection/test_verbs.py",),
    ),
    Fault(
        "a missing kind is a missing object",
        "rest/collection/addressing.py",
        '    if error.details.get("name"):',
        "    if True:",
        ("rest/collection/test_verbs.py",),
    ),
    Fault(
        "a missing object is a missing kind",
        "rest/collection/addressing.py",
        '    if error.details.get("name"):',
        "    if False:",
        ("rest/collection/test_verbs.py",),
    ),
    Fault(
        "a line of a log may fill the memory",
        "rest/collection/logs.py",
        "        if size > MAX_LINE_BYTES:",
        "        if False:",
        ("rest/collection/test_verbs.py",),
    ),
    Fault(
        "an apply takes any name",
        "rest/collection/resource.py",
        "if not field_manager and not self._client.has_chosen_field_manager:",
        "if False:",
        ("rest/collection/test_field_manager.py",),
    ),
    Fault(
        "a wait takes a bookmark for the object",
        "rest/collection/waiting.py",
        "None if event.type == DELETED else event.object",
        "event.object",
        ("rest/collection/test_verbs.py",),
    ),
)

FAKES = (
    Fault(
        "a seeded uid is lost",
        "testing/seeds.py",
        "        self._given = uid\n",
        '        self._given = ""\n',
        ("testing/test_seeds.py",),
    ),
    Fault(
        "a child goes before its owner comes",
        "testing/fake_client.py",
        "            self._put(seed)\n",
        "            self._put(seed)\n            self._fake.collect()\n",
        ("testing/test_seeds.py",),
    ),
    Fault(
        "a reactor changes what was recorded",
        "testing/fake_client.py",
        "body=copy.deepcopy(action.body)",
        "body=action.body",
        ("testing/test_seeds.py",),
    ),
    Fault(
        "what a reactor raises ends the thread that made the call",
        "testing/fake_client.py",
        "    except BaseException as error:\n        raise TransportError",
        "    except ValueError as error:\n        raise TransportError",
        ("testing/test_seeds.py",),
    ),
)

RIGHTS = (
    Fault(
        "what is used where no test looks loses its rights when they are written",
        "rbac/rights.py",
        "(each.right for each in uses), *elsewhere]",
        "(each.right for each in uses)]",
        ("rbac/test_rights.py",),
    ),
    Fault(
        "a typed view indexes what does not fit its type",
        "informers/typed.py",
        "lambda obj: index(decoded(obj, self._type))",
        "lambda obj: index(obj)",
        ("informers/test_typed.py",),
    ),
)

AUTHOR = (*LOGGING, *VERBS, *FAKES, *RIGHTS)
