"""Webhooks of a case: registered for its own namespace alone, and in force before the case goes on."""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Callable
from typing import Any

from tests.integration.conformance.harness import Body, Talk
from tests.integration.conformance.manifests import CONFIG_MAPS, config_map
from tests.integration.hook_server import Answer, Hook, hook_server

ADMISSION = "/apis/admissionregistration.k8s.io/v1"
ALLOWED: Answer = {"allowed": True}
CONFIG_MAP_RULE: Body = {
    "operations": ["CREATE", "UPDATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"],
}  # fmt: skip
_NUMBERS = itertools.count()


def allow(_: Body) -> Answer:
    return ALLOWED


def patching(*operations: Body) -> Callable[[Body], Answer]:
    """Answers with a JSON patch."""
    patch = base64.b64encode(json.dumps(operations).encode()).decode()
    return lambda _: {"allowed": True, "patchType": "JSONPatch", "patch": patch}


def labelled(name: str, value: str = "yes") -> Callable[[Body], Answer]:
    """Answers with a patch that sets a label, whether there are labels or not."""

    def answer(request: Body) -> Answer:
        there = "labels" in request["object"]["metadata"]
        path, new = (f"/metadata/labels/{name}", value) if there else ("/metadata/labels", {name: value})
        return patching({"op": "add", "path": path, "value": new})(request)

    return answer


def hook(
    talk: Talk, name: str, respond: Callable[[Body], Answer] = allow, *, rules: Any = None, **settings: Any
) -> tuple[Body, Hook]:
    """A webhook of a configuration, and what answers it.

    Args:
        settings: More of the webhook, or instead; None leaves a field out.
    """
    server, path = hook_server(), f"/{talk.group}/{name}"
    answering = server.hooks[path] = Hook(respond)
    body = {
        "name": f"{name}.example.org",
        "clientConfig": {"url": f"{server.url}{path}", "caBundle": server.bundle},
        "rules": [CONFIG_MAP_RULE] if rules is None else rules,
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "{ns}"}},
        "objectSelector": {"matchExpressions": [{"key": "canary", "operator": "DoesNotExist"}]},
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        **settings,
    }
    return {key: each for key, each in body.items() if each is not None}, answering


def configuration(kind: str, *hooks: Body, name: str = "{group}") -> Body:
    """
    Args:
        kind: Validating or Mutating.
    """
    head = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": f"{kind}WebhookConfiguration"}
    return {**head, "metadata": {"name": name}, "webhooks": list(hooks)}


def register(talk: Talk, kind: str, *hooks: Body, name: str = "{group}") -> None:
    """Have them called from now on; nothing of it is written down."""
    number = next(_NUMBERS)
    canary, bird = hook(talk, f"canary-{number}", objectSelector={"matchLabels": {"canary": "yes"}})
    canary["name"] = "canary.example.org"
    path = f"{ADMISSION}/{kind.lower()}webhookconfigurations"
    if talk.server.name == "real":  # whose controller puts a ConfigMap into every namespace
        talk.eventually(lambda: talk.get(f"{CONFIG_MAPS}/kube-root-ca.crt").status == 200)
    with talk.hush():
        answer = talk.post(path, configuration(kind, canary, *hooks, name=name))
        assert answer.status == 201, answer.body
        talk.delete_later(f"{path}/{name}")

        def is_in_force() -> bool:
            probe = config_map("canary", labels={"canary": "yes"})
            talk.post(CONFIG_MAPS, probe, query={"dryRun": "All"})
            return bool(bird.asked)

        talk.eventually(is_in_force)


def questions(hooked: Hook) -> list[Body]:
    """What a hook was asked, without what differs from server to server: how one is known."""
    found = []
    for review in _of_what_was_current(hooked.asked):
        request = {name: each for name, each in review["request"].items() if name != "uid"}
        who = {name: each for name, each in request["userInfo"].items() if name not in {"extra", "uid"}}
        found.append({**review, "request": {**request, "userInfo": who}})
    return found


def _of_what_was_current(reviews: list[Body]) -> list[Body]:
    """Without the first tries of updates that a real server makes of its cache, and again once it sees that it is old:
    their old object is one that an earlier update has replaced."""
    replaced: set[str] = set()
    found = []
    for review in reviews:
        request = review["request"]
        old = (request.get("oldObject") or {}).get("metadata", {}).get("resourceVersion", "")
        if request["operation"] == "UPDATE" and old in replaced:
            continue
        found.append(review)
        if request["operation"] == "UPDATE" and not request.get("dryRun"):
            replaced.add(old)
    return found
