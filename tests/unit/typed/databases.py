"""A kind that an author might have declared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from btcctl import AGE, CustomResource, Rule, Scale


class Storage(msgspec.Struct):
    """Where a database keeps what it is told."""

    size: str
    storage_class: str | None = None


class DatabaseSpec(msgspec.Struct, rename="camel"):
    """What a database should be."""

    engine: Literal["postgres", "mysql"]
    replicas: Annotated[int, Meta(ge=0, le=9, description="Copies.")] = 1
    parameters: dict[str, str] = {}
    storage: Storage | None = None


@dataclass
class DatabaseStatus:
    phase: str | None = None
    ready: int = 0


class Database(
    CustomResource[DatabaseSpec, DatabaseStatus],
    group="pgdb.example.org",
    version="v1",
    plural="databases",
    short_names=("db",),
    columns={"Phase": ".status.phase", "Age": AGE},
    scale=Scale(".spec.replicas", ".status.ready"),
    rules=(Rule("self.spec.engine == oldSelf.spec.engine", "the engine cannot be changed"),),
):
    """A database that somebody wants."""


def database(name: str = "a", replicas: int = 1, engine: Literal["postgres", "mysql"] = "postgres") -> Database:
    return Database.named(name, DatabaseSpec(engine=engine, replicas=replicas), namespace="default")
