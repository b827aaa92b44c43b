"""Several versions of one kind, without conversion."""

from __future__ import annotations

from typing import Any

from tests.integration.conformance.harness import Body, Talk, case

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
#: Who set what is listed by the second it was set in: a case that compares that order waits for the next.
SECOND = 1.1
NAMES: Body = {"plural": "things", "singular": "thing", "kind": "Thing", "listKind": "ThingList"}


def version(name: str, *, served: bool = True, storage: bool = False, fields: str = "a", **more: Any) -> Body:
    properties = {each: {"type": "string"} for each in fields}
    schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": properties}}}
    return {"name": name, "served": served, "storage": storage, "schema": {"openAPIV3Schema": schema}, **more}


def spec(*versions: Body) -> Body:
    return {"group": "{group}", "scope": "Namespaced", "names": NAMES, "versions": list(versions)}


def define(talk: Talk, *versions: Body) -> str:
    """Define things; their path, without the version."""
    talk.define(talk.fill(spec(*versions)))
    return "/apis/{group}/%s/namespaces/{ns}/things"


def try_to_define(talk: Talk, **more: Any) -> None:
    body: Body = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition"}
    body |= {"metadata": {"name": "things.{group}"}, "spec": {**spec(version("v1", storage=True)), **more}}
    talk.post(DEFINITIONS, body, query={"dryRun": "All"})


def thing(number: str, name: str = "a", **fields: str) -> Body:
    return {"apiVersion": f"{{group}}/{number}", "kind": "Thing", "metadata": {"name": name}, "spec": fields}


@case("versions")
def an_object_is_read_in_any_version_that_is_served(talk: Talk) -> None:
    path = define(
        talk, version("v1", storage=True, fields="ab"), version("v2", fields="bc"), version("v3", served=False)
    )
    talk.post(path % "v1", thing("v1", a="1", b="2"))
    talk.post(path % "v2", thing("v2", "b", b="2", c="3"))
    for number in ("v1", "v2"):
        talk.get(f"{path % number}/a")
        talk.get(path % number)
    talk.patch(f"{path % 'v2'}/a", {"spec": {"c": "4"}})
    talk.get(f"{path % 'v1'}/a")
    talk.delete(f"{path % 'v2'}/b")


@case("versions")
def the_newest_stable_version_is_preferred(talk: Talk) -> None:
    numbers = ["v1alpha1", "v1beta1", "v2", "v10", "v1", "v2beta1", "xyz"]
    define(talk, *(version(each, storage=each == "v1", deprecated=False) for each in numbers))
    talk.eventually(lambda: len(talk.get("/apis/{group}").body["versions"]) == len(numbers))
    talk.get("/apis/{group}")


@case("versions")
def a_watch_speaks_the_version_it_was_asked_in(talk: Talk) -> None:
    path = define(talk, version("v1", storage=True, fields="ab"), version("v2", fields="ab"))

    def write() -> None:
        talk.post(path % "v1", thing("v1", a="1", b="2"))
        talk.delete(f"{path % 'v1'}/a")

    with talk.hush():
        start = talk.get(path % "v2").version
    talk.watch(path % "v2", {"resourceVersion": start}, until=2, during=write)


@case("versions", error=True)
def a_version_of_another_path_is_refused(talk: Talk) -> None:
    path = define(talk, version("v1", storage=True), version("v2"))
    talk.post(path % "v1", thing("v2", a="1"))
    talk.post(path % "v9", thing("v9", a="1"))
    talk.get(path % "v9")


@case("versions", error=True)
def one_version_is_stored_and_each_has_a_name(talk: Talk) -> None:
    try_to_define(talk, versions=[])
    try_to_define(talk, versions=[version("v1")])
    try_to_define(talk, versions=[version("v1", storage=True), version("v2", storage=True)])
    try_to_define(talk, versions=[version("v1", storage=True), version("v1")])
    try_to_define(talk, versions=[version("V1", storage=True)])
    try_to_define(talk, versions=[version("v1", storage=True, deprecationWarning="old")])
    try_to_define(talk, versions=[version("v1", storage=True, deprecated=True, deprecationWarning="")])


@case("versions")
def a_version_that_is_deprecated_warns(talk: Talk) -> None:
    path = define(
        talk,
        version("v1", storage=True, deprecated=True),
        version("v2", deprecated=True, deprecationWarning="take v3"),
    )
    for number in ("v1", "v2"):
        talk.get(path % number)
        talk.post(path % number, thing(number, number))
        talk.get(f"{path % number}/{number}")
        talk.delete(f"{path % number}/{number}")


@case("versions", error=True)
def a_storage_version_is_remembered_and_must_stay(talk: Talk) -> None:
    one, two = version("v1"), version("v2")
    define(talk, {**one, "storage": True})
    place = f"{DEFINITIONS}/things.{{group}}"
    talk.pause(SECOND)
    talk.patch(place, {"spec": {"versions": [one, {**two, "storage": True}]}})
    talk.note("stored", talk.get(place).body["status"]["storedVersions"])
    talk.patch(place, {"spec": {"versions": [{**two, "storage": True}]}})
    talk.pause(SECOND)
    talk.patch(f"{place}/status", {"status": {"storedVersions": ["v2"]}})
    talk.pause(SECOND)
    talk.patch(place, {"spec": {"versions": [{**two, "storage": True}]}})


@case("versions", error=True)
def a_warning_of_deprecation_is_printable(talk: Talk) -> None:
    for warning in ("a\tb", "x\n" + "y" * 300, "\u00e9", "\u00e9\n"):
        try_to_define(talk, versions=[version("v1", storage=True, deprecated=True, deprecationWarning=warning)])
