from __future__ import annotations

import dataclasses
import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest

from btcctl import Object, ObjectDecodeError, write_status
from btcctl.resources import PODS
from btcctl.testing import FakeClient
from btcctl.typed.values import body_of, decoded
from tests.unit.typed.databases import Database, DatabaseSpec, DatabaseStatus, Storage, database


def stored(**members: Any) -> Object:
    body = {"metadata": {"name": "a", "namespace": "default"}, "spec": {"engine": "mysql"}, **members}
    return Object.from_body(body)


def test_what_was_left_alone_is_not_said():
    assert body_of(database()) == {
        "metadata": {"name": "a", "namespace": "default"},
        "spec": {"engine": "postgres", "replicas": 1, "parameters": {}},
    }


def test_none_within_is_not_said_either_whatever_kind_of_class_it_is_in():
    db = database()
    db.spec.storage = Storage("1Gi")
    db.status = DatabaseStatus(ready=1)
    assert body_of(db)["spec"]["storage"] == {"size": "1Gi"}
    assert body_of(db)["status"] == {"ready": 1}


class Run(msgspec.Struct):
    started: datetime
    others: list[datetime] = []
    by_name: dict[str, datetime] = {}


NOON = datetime(2026, 1, 31, 12)  # noqa: DTZ001  that is what this is about


@pytest.mark.parametrize(
    ("run", "where"),
    [
        (Run(NOON), "started"),
        (Run(NOON.replace(tzinfo=UTC), [NOON]), "others[0]"),
        (Run(NOON.replace(tzinfo=UTC), by_name={"a": NOON}), "by_name.a"),
    ],
)
def test_a_time_without_a_zone_is_refused_before_the_server_does(run: Run, where: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"{where}: 2026-01-31 12:00:00 has no time zone")):
        body_of(run)
    with pytest.raises(ValueError, match="API servers ask for"):
        write_status(FakeClient().resource(PODS, "default"), stored(), run)


def test_a_time_with_a_zone_is_written_as_a_text() -> None:
    there = timezone(timedelta(hours=2))
    assert body_of(Run(NOON.replace(tzinfo=UTC), [NOON.replace(tzinfo=there)])) == {
        "started": "2026-01-31T12:00:00Z",
        "others": ["2026-01-31T12:00:00+02:00"],
        "by_name": {},
    }


def test_none_is_said_where_it_is_a_value():
    class Spec(msgspec.Struct):
        limit: int | None
        floor: int | msgspec.UnsetType | None = msgspec.UNSET
        labels: dict[str, int | None] = {}

    assert body_of(Spec(None, labels={"a": None})) == {"limit": None, "labels": {"a": None}}
    assert body_of(Spec(1, None)) == {"limit": 1, "floor": None, "labels": {}}


@pytest.mark.parametrize(
    ("spec", "complaint"),
    [
        (DatabaseSpec(engine="mysql", replicas="3"), "Database default/a: spec.replicas: Expected `int`, got `str`"),
        (DatabaseSpec(engine="mysql", replicas=10), "Database default/a: spec.replicas: Expected `int` <= 9"),
        (DatabaseSpec(engine="oracle"), "Database default/a: spec.engine: Invalid enum value 'oracle'"),
        (DatabaseSpec(engine="mysql", storage=Storage(None)), "Database default/a: spec.storage.size: "),
    ],
)
def test_what_does_not_fit_is_refused_by_its_path_before_it_is_sent(spec, complaint):
    with pytest.raises(TypeError) as raised:
        body_of(Database.named("a", spec, namespace="default"))
    assert str(raised.value).startswith(complaint)


def test_what_was_read_and_does_not_fit_is_refused_by_its_path():
    with pytest.raises(
        ObjectDecodeError, match=r"default/a cannot be decoded: Expected `int`, got `str` - at `\$.spec.r"
    ):
        decoded(stored(spec={"engine": "mysql", "replicas": "3"}), Database)


def test_null_in_metadata_is_read_as_if_it_were_missing():
    metadata = {"name": "a", "labels": {"x": None}, "annotations": None, "finalizers": None, "generation": None}
    db = decoded(stored(metadata=metadata), Database)
    assert db.metadata.labels == {"x": ""}
    assert db.metadata.annotations == {}
    assert db.generation == 0


def test_an_object_remembers_what_it_was_read_from_and_a_copy_does_not():
    obj = stored()
    db = decoded(obj, Database)
    assert db.as_read is obj
    assert msgspec.structs.replace(db).as_read is None
    assert database().as_read is None


def test_classes_of_other_libraries_are_values_too():
    @dataclasses.dataclass
    class Plain:
        metadata: dict[str, Any]
        spec: dict[str, Any]
        extra: str | None = None

    assert body_of(decoded(stored(), Plain)) == {
        "metadata": {"name": "a", "namespace": "default"},
        "spec": {"engine": "mysql"},
    }
