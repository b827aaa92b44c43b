"""dryRun=All: the answer of the real thing, and nothing done."""

from __future__ import annotations

from tests.integration.conformance.harness import Talk, case
from tests.integration.conformance.manifests import (
    CONFIG_MAPS,
    FINALIZER,
    PODS,
    SECRETS,
    STATEFUL_SETS,
    WIDGETS,
    config_map,
    define_widgets,
    pod,
    secret,
    stateful_set,
    versioned,
    widget,
)

_DRY = {"dryRun": "All"}


@case("dry run")
def a_post_stores_nothing(talk: Talk) -> None:
    define_widgets(talk)
    talk.service_account()
    for path, body in (
        (CONFIG_MAPS, config_map()),
        (WIDGETS, widget()),
        (STATEFUL_SETS, stateful_set()),
        (PODS, pod()),
    ):
        talk.post(path, body, query=_DRY)
        talk.get(f"{path}/a")
    talk.post("/api/v1/namespaces", {"metadata": {"name": "{ns}-dry"}}, query=_DRY)
    talk.get("/api/v1/namespaces/{ns}-dry")


@case("dry run")
def changes_are_shown_and_not_made(talk: Talk) -> None:
    define_widgets(talk)
    created = talk.post(WIDGETS, widget()).body
    talk.put(f"{WIDGETS}/a", versioned(widget(spec={"size": 2}), created), query=_DRY)
    talk.patch(f"{WIDGETS}/a", {"spec": {"size": 3}}, query=_DRY)
    talk.patch(f"{WIDGETS}/a/status", {"status": {"ready": 3}}, query=_DRY)
    after = talk.get(f"{WIDGETS}/a")
    talk.note("same version", after.version == created["metadata"]["resourceVersion"])


@case("dry run")
def a_delete_deletes_nothing(talk: Talk) -> None:
    define_widgets(talk)
    talk.service_account()
    kinds = ((CONFIG_MAPS, config_map()), (WIDGETS, widget(finalizers=[FINALIZER])), (PODS, pod()))
    for path, body in kinds:
        talk.post(path, body)
        talk.delete(f"{path}/a", query=_DRY)
        talk.get(f"{path}/a")
        talk.delete(f"{path}/a", {"dryRun": ["All"], "propagationPolicy": "Foreground"})
    talk.post(SECRETS, secret())
    talk.delete(SECRETS, query=_DRY)
    talk.get(SECRETS)


@case("dry run", error=True)
def errors_are_the_same(talk: Talk) -> None:
    define_widgets(talk)
    created = talk.post(WIDGETS, widget()).body
    talk.post(WIDGETS, widget(), query=_DRY)
    talk.post(WIDGETS, widget("b", spec={"size": 99}), query=_DRY)
    talk.patch(f"{WIDGETS}/a", {"spec": {"size": 2}})
    talk.put(f"{WIDGETS}/a", versioned(widget(), created), query=_DRY)
    talk.delete(f"{WIDGETS}/none", query=_DRY)
    talk.post("/api/v1/namespaces/{ns}-not/configmaps", config_map(), query=_DRY)


@case("dry run", error=True)
def other_values_are_refused(talk: Talk) -> None:
    talk.post(CONFIG_MAPS, config_map(), query={"dryRun": "Some"})
    talk.post(CONFIG_MAPS, config_map(), query={"dryRun": ["All", "Some"]})
    talk.post(CONFIG_MAPS, config_map(), query={"dryRun": ""})
    talk.put(f"{CONFIG_MAPS}/a", config_map(), query={"dryRun": "true"})
    talk.patch(f"{CONFIG_MAPS}/a", {}, query={"dryRun": "true"})
    talk.delete(f"{CONFIG_MAPS}/a", query={"dryRun": "true"})
