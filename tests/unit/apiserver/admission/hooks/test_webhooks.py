"""Webhooks that answer in this process: when they are asked, and what becomes of several answers."""

from __future__ import annotations

import json
import threading

import pytest

from tests.unit.apiserver.calls import CONFIG_MAPS, Server

HOOKS = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
RULE = {"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"]}
BODY = {"metadata": {"name": "a"}}
_SECONDS = 10.0  # more than anything here takes


@pytest.fixture
def server():
    return Server()


def register(server, **answers):
    """Validating webhooks, each by a function that answers with the response of a review."""

    def answering(answer):
        def respond(_path, body, _seconds):
            uid = json.loads(body)["request"]["uid"]
            review = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"}
            return 200, "application/json", json.dumps({**review, "response": {"uid": uid, **answer()}}).encode()

        return respond

    hooks = []
    for name, answer in answers.items():
        server.api.admission.local_hooks[f"https://{name}.test"] = answering(answer)
        hooks.append({
            "name": f"{name}.example.org", "clientConfig": {"url": f"https://{name}.test/"}, "rules": [RULE],
            "sideEffects": "None", "admissionReviewVersions": ["v1"],
        })  # fmt: skip
    server.created(HOOKS, {"metadata": {"name": "hooks"}, "webhooks": hooks})


def refusing(why, *, after=None, then=None):
    """Refuses; waits before for one event, and sets another afterwards."""

    def answer():
        assert after is None or after.wait(_SECONDS)
        if then is not None:
            then.set()
        return {"allowed": False, "status": {"message": why}}

    return answer


def test_validating_webhooks_are_asked_all_at_once(server):
    everybody = threading.Barrier(3, timeout=_SECONDS)

    def answer():
        everybody.wait()
        return {"allowed": True}

    register(server, a=answer, b=answer, c=answer)
    assert server.post(CONFIG_MAPS, BODY).status == 201


def test_the_refusal_that_comes_first_is_the_answer(server):
    came = threading.Event()
    register(server, slow=refusing("slow", after=came), quick=refusing("quick", then=came))
    answer = server.post(CONFIG_MAPS, BODY)
    assert answer.message in {
        f'admission webhook "{name}.example.org" denied the request: {name}' for name in ("quick", "slow")
    }
    assert not server.exists(f"{CONFIG_MAPS}/a")


def test_warnings_come_in_the_order_of_the_webhooks(server):
    came = threading.Event()

    def late():
        assert came.wait(_SECONDS)
        return {"allowed": True, "warnings": ["late"]}

    def early():
        came.set()
        return {"allowed": True, "warnings": ["early"]}

    register(server, late=late, early=early)
    assert server.post(CONFIG_MAPS, BODY).headers["Warning"] == '299 - "late", 299 - "early"'


def test_what_one_refuses_is_refused_whatever_others_say(server):
    register(server, a=lambda: {"allowed": True}, b=refusing("no"), c=lambda: {"allowed": True})
    assert server.post(CONFIG_MAPS, BODY).message == 'admission webhook "b.example.org" denied the request: no'
