"""What hooks say, as an author tests it: no sockets, no certificates."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from btcctl import (
    CONFIG_MAPS,
    Admission,
    App,
    HookOptions,
    Object,
    Refused,
    Requester,
    TypedKind,
    converts,
    mutates,
    validates,
)
from btcctl.testing import capture_logs
from btcctl.testing.clock import FakeClock
from btcctl.webhooks.answers.reviews import Reviews, path_of
from btcctl.webhooks.hooks import check_distinct
from tests.unit.typed.databases import Database
from tests.unit.webhooks.volumes import (
    HOOKS,
    OldVolume,
    OldVolumeSpec,
    Volume,
    VolumeSpec,
    build,
    build_versions,
    protected_stays,
    size_only_grows,
    to_v1,
    volume,
    with_class,
)

BODY = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "default"}, "data": {"x": "1"}}


def answer(hook: Any, obj: Any, old: Any = None, operation: str = "CREATE") -> Any:
    request = {"uid": "1", "operation": operation, "object": obj, "oldObject": old}
    review = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}
    return Reviews([hook], FakeClock()).handle(path_of(hook), json.dumps(review).encode(), 10.0)


def response(hook: Any, obj: Any, old: Any = None, operation: str = "CREATE") -> Any:
    return json.loads(answer(hook, obj, old, operation).body)["response"]


def test_a_hook_can_be_called_as_it_was_written():
    asked = Admission(volume(size="1Mi"))
    assert [each.field for each in size_only_grows(asked)] == ["spec.size"]
    request = Admission(volume())
    with_class(request)
    assert request.object.spec.storage_class == "fast"
    assert to_v1(OldVolume.named("a", OldVolumeSpec(3))).spec == VolumeSpec("3Gi")


def test_an_object_is_refused_with_the_field_that_is_to_blame(operator_env):
    env = operator_env(build, types=[Volume])
    said = env.admit(volume(size="1Gi"), old=volume(size="2Gi"))
    assert (said.allowed, said.message, said.fields) == (False, "spec.size: cannot become smaller", ["spec.size"])
    assert env.admit(volume(size="2Gi"), old=volume(size="1Gi")).allowed


def test_mutators_are_asked_first_and_warnings_are_shown(operator_env):
    env = operator_env(build, types=[Volume])
    assert env.admit(volume()).object.spec.storage_class == "fast"
    slow = env.admit(volume(storage_class="slow"))
    assert (slow.object.spec.storage_class, slow.warnings) == ("slow", ["slow disks are slow"])
    assert [each.split(".")[0] for each in slow.asked] == ["with-class", "size-only-grows"]


def test_an_object_whose_name_the_server_will_make_is_asked_about_like_others(operator_env):
    env = operator_env(build_versions, types=[Volume])
    unnamed = volume(name="")
    unnamed.metadata.generate_name = "a-"
    assert env.admit(unnamed).object.spec.storage_class == "fast"
    unnamed.metadata.labels = {"x": "y"}
    assert env.convert(unnamed, OldVolume).metadata.labels == {"x": "y"}


def test_a_deletion_is_asked_about_with_what_is_to_go(operator_env):
    env = operator_env(build, types=[Volume])
    protected = volume(labels={"protected": "true"})
    assert env.admit(protected, operation="DELETE").message == "is protected"
    assert env.admit(protected, operation="DELETE", user="root").allowed


def test_an_operator_without_hooks_is_no_place_to_ask(operator_env):
    env = operator_env(lambda app: app.controller(Volume).reconciles(lambda _: None), types=[Volume])
    with pytest.raises(AssertionError, match="no hooks"):
        env.admit(volume())


def test_versions_are_converted_both_ways_and_metadata_stays(operator_env):
    env = operator_env(build_versions, types=[Volume])
    old = env.convert(volume(size="4Gi", labels={"x": "y"}), OldVolume)
    assert (old.spec, old.metadata.labels) == (OldVolumeSpec(4), {"x": "y"})
    assert env.convert(old, Volume).spec == VolumeSpec("4Gi")
    assert env.convert(old, OldVolume) == old


def test_a_hook_is_told_who_asks_for_what():
    seen: list[Admission[Object]] = []

    @validates(CONFIG_MAPS, on=("UPDATE",))
    def note(request: Admission[Object]) -> None:
        seen.append(request)

    request = {
        "uid": "u1",
        "operation": "UPDATE",
        "userInfo": {"username": "ada", "groups": ["dev"], "uid": "7", "extra": {"k": ["v"]}},
        "object": BODY,
        "oldObject": BODY,
        "dryRun": True,
        "subResource": "status",
    }
    review = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}
    Reviews([note], FakeClock()).handle(path_of(note), json.dumps(review).encode(), 10.0)
    (told,) = seen
    assert told.user == Requester("ada", "7", ("dev",), {"k": ["v"]})
    assert (told.operation, told.dry_run, told.subresource, told.uid) == ("UPDATE", True, "status", "u1")
    assert (str(told.key), told.old.body()) == ("default/a", BODY)


@pytest.mark.parametrize("verdict", [Refused("no"), "no", ["no"], [Refused("no")], iter(["no"])])
def test_a_refusal_may_be_returned_in_many_ways(verdict):
    hook = validates(CONFIG_MAPS, name="x")(lambda _: verdict)
    said = response(hook, BODY)
    assert (said["allowed"], said["status"]["message"], said["status"]["code"]) == (False, "no", 422)


@pytest.mark.parametrize("verdict", [True, {"a": 1}, [1]])
def test_what_is_no_verdict_is_a_failure_of_the_hook(verdict):
    assert answer(validates(CONFIG_MAPS, name="x")(lambda _: verdict), BODY).status == 500


def test_what_a_hook_raises_is_logged_and_not_answered():
    @validates(CONFIG_MAPS)
    def broken(_request: Admission[Object]) -> None:
        raise ValueError("between us")

    with capture_logs() as lines:
        reply = answer(broken, BODY)
    assert (reply.status, b"between us" in reply.body) == (500, False)
    assert any("between us" in str(each) for each in lines)


def test_a_mutator_of_objects_returns_a_body():
    hook = mutates(CONFIG_MAPS, name="x")(lambda request: {**request.object.body(), "data": {"x": "2"}})
    assert "patch" in response(hook, BODY)
    assert "patch" not in response(mutates(CONFIG_MAPS, name="x")(lambda _: None), BODY)
    assert answer(mutates(CONFIG_MAPS, name="x")(lambda _: 1), BODY).status == 500


def test_a_mutator_may_refuse_and_keeps_what_its_class_does_not_name(operator_env):
    @mutates(Volume)
    def rename(request: Admission[Volume]) -> Volume:
        if request.object.spec.size == "0Gi":
            raise Refused("too small")
        request.object.metadata.labels["seen"] = "true"
        return request.object

    env = operator_env(lambda app: app.webhooks(rename), types=[Volume])
    body = {"apiVersion": "hooks.example.org/v1", "kind": "Volume", "metadata": {"name": "a"}}
    made = env.admit({**body, "spec": {"size": "1Gi", "future": [1]}}).object
    assert (made["spec"], made["metadata"]["labels"]) == ({"size": "1Gi", "future": [1]}, {"seen": "true"})
    assert not env.admit({**body, "spec": {"size": "0Gi"}}).allowed


def test_what_does_not_fit_its_class_is_refused_but_may_be_mended_and_may_go():
    good = {"apiVersion": "hooks.example.org/v1", "kind": "Volume", "metadata": {"name": "a"}, "spec": {"size": "1Gi"}}
    bad = {**good, "spec": {"size": 1}}
    assert "spec.size" in response(size_only_grows, bad)["status"]["message"]
    assert response(size_only_grows, good, bad, "UPDATE")["allowed"]
    assert response(protected_stays, None, bad, "DELETE")["allowed"]


@pytest.mark.parametrize(
    "body", [b"", b"{}", b'{"apiVersion": "admission.k8s.io/v1beta1", "request": {}}', b"[" * 9999]
)
def test_what_is_no_review_is_said_to_be_none(body):
    reviews = Reviews(HOOKS, FakeClock())
    assert reviews.handle(path_of(with_class), body, 10.0).status == 400
    assert reviews.handle("/elsewhere", body, 10.0).status == 404


def test_what_a_converter_refuses_is_told_to_who_asked_and_is_no_failure():
    @converts(OldVolume, Volume)
    def up(old: OldVolume) -> Volume:
        raise Refused("must end with Gi", field="spec.size")

    reviews = Reviews([up, converts(Volume, OldVolume)(lambda new: OldVolume(spec=OldVolumeSpec(1)))], FakeClock())
    obj = {"apiVersion": "hooks.example.org/v1beta1", "kind": "Volume", "metadata": {}, "spec": {"gigabytes": 1}}
    request = {"uid": "1", "desiredAPIVersion": "hooks.example.org/v1", "objects": [obj]}
    review = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "ConversionReview", "request": request}
    with capture_logs() as logs:
        reply = reviews.handle("/convert", json.dumps(review).encode(), 10.0)
    said = {"status": "Failure", "message": "spec.size: must end with Gi"}
    assert json.loads(reply.body)["response"]["result"] == said
    assert [each["log_level"] for each in logs] == ["info"]


def test_a_conversion_that_fails_says_so_in_its_result():
    @converts(OldVolume, Volume)
    def up(old: OldVolume) -> Volume:
        raise ValueError("between us")

    @converts(Volume, OldVolume)
    def down(new: Volume) -> Any:
        return new

    reviews = Reviews([up, down], FakeClock())

    def result(version: str, wanted: str, spec: Any) -> Any:
        obj = {"apiVersion": f"hooks.example.org/{version}", "kind": "Volume", "metadata": {}, "spec": spec}
        request = {"uid": "1", "desiredAPIVersion": f"hooks.example.org/{wanted}", "objects": [obj]}
        review = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "ConversionReview", "request": request}
        return json.loads(reviews.handle("/convert", json.dumps(review).encode(), 10.0).body)["response"]["result"]

    assert result("v1beta1", "v1", {"gigabytes": 1}) == {
        "status": "Failure",
        "message": "the hook failed; the log of the operator says why",
    }
    assert "spec.gigabytes" in result("v1beta1", "v1", {"gigabytes": "x"})["message"]
    assert "no converter" in result("v7", "v1", {})["message"]
    assert result("v1", "v1beta1", {"size": "1Gi"})["status"] == "Failure"


def test_versions_are_reached_over_others():
    class Newest(OldVolume, group="hooks.example.org", version="v2", plural="volumes", kind="Volume"):
        pass

    @converts(Volume, Newest)
    def newer(new: Volume) -> Newest:
        return Newest(spec=OldVolumeSpec(9))

    @converts(Newest, Volume)
    def older(new: Newest) -> Volume:
        return volume()

    reviews = Reviews(
        [to_v1, newer, older, converts(Volume, OldVolume)(lambda new: OldVolume(spec=OldVolumeSpec(1)))], FakeClock()
    )
    raw = json.dumps(
        {
            "apiVersion": "hooks.example.org/v1beta1",
            "kind": "Volume",
            "metadata": {"uid": "7"},
            "spec": {"gigabytes": 1},
        }
    )
    made = reviews.conversions.convert(raw.encode(), "hooks.example.org/v2")
    assert made["spec"] == {"gigabytes": 9}
    assert made["metadata"] == {"uid": "7"}


def test_mistakes_are_said_when_a_hook_is_declared():
    async def later(_request: Any) -> None: ...

    with pytest.raises(TypeError, match="plain function"):
        validates(Volume)(later)
    with pytest.raises(TypeError, match="must be a function"):
        mutates(Volume)(3)
    with pytest.raises(ValueError, match="nothing to change"):
        mutates(Volume, on=("DELETE",))
    with pytest.raises(ValueError, match="both of version v1"):
        converts(Volume, Volume)
    with pytest.raises(ValueError, match="no versions of one kind"):
        converts(Volume, Database)
    with pytest.raises(ValueError, match="two hooks are called"):
        check_distinct([with_class, with_class])
    with pytest.raises(ValueError, match="no function makes"):
        Reviews([to_v1], FakeClock())
    for options in ({"on": "CREATE"}, {"on": ()}, {"failure_policy": "No"}, {"timeout_seconds": 31}, {"name": "A"}):
        with pytest.raises(ValueError, match="must be"):
            HookOptions(**options)


def test_a_hook_of_a_class_that_knows_nothing_of_its_kind():
    class Settings(msgspec.Struct):
        data: dict[str, str] = {}

    @validates(TypedKind(CONFIG_MAPS, Settings))
    def named(request: Admission[Settings]) -> str | None:
        return None if request.object.data else "must say something"

    assert response(named, BODY)["allowed"]
    assert not response(named, {**BODY, "data": {}})["allowed"]


def test_hooks_are_added_while_an_app_is_built(operator_env):
    seen: list[App] = []
    operator_env(lambda app: (seen.append(app), build(app)), types=[Volume])
    with pytest.raises(RuntimeError, match="after its manager was made"):
        seen[0].webhooks(with_class)
