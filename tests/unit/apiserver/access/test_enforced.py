"""RBAC in force: roles that gather others, tokens that end, clients that are not the admin."""

from __future__ import annotations

from datetime import timedelta

import pytest

from btcctl.apiserver.access.tokens import Bound, Tokens
from btcctl.errors import Forbidden
from btcctl.objects import ObjectKey
from btcctl.resources import (
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    CONFIG_MAPS,
    ROLE_BINDINGS,
    ROLES,
    SECRETS,
    SERVICE_ACCOUNTS,
)
from btcctl.testing import FakeClient

ROBOT = "system:serviceaccount:default:robot"
KEY = ObjectKey("default", "a")


@pytest.fixture
def fake():
    client = FakeClient(authorizer="rbac")
    client.resource(CONFIG_MAPS).create({"metadata": {"name": "a", "namespace": "default"}})
    return client


def bind(fake, kind, name, user="alice", subject="User"):
    metadata = {"name": name, "namespace": "default"}
    reference = {"apiGroup": ROLES.group, "kind": kind, "name": name}
    subjects = [{"kind": subject, "name": user}]
    fake.resource(ROLE_BINDINGS).create({"metadata": metadata, "roleRef": reference, "subjects": subjects})


def test_without_a_role_everything_is_forbidden(fake):
    with pytest.raises(Forbidden, match='User "alice" cannot get resource "configmaps"'):
        fake.acting_as("alice").resource(CONFIG_MAPS).get(KEY)


def test_a_role_lets_a_service_account_do_what_it_says_and_no_more(fake):
    rules = [{"verbs": ["get"], "apiGroups": [""], "resources": ["configmaps"]}]
    fake.resource(ROLES).create({"metadata": {"name": "r", "namespace": "default"}, "rules": rules})
    bind(fake, "Role", "r", ROBOT)
    robot = fake.acting_as(ROBOT)
    assert robot.resource(CONFIG_MAPS).get(KEY).key == KEY
    with pytest.raises(Forbidden):
        robot.resource(CONFIG_MAPS).delete(KEY)


def test_the_roles_of_every_cluster_gather_theirs(fake):
    bind(fake, "ClusterRole", "view")
    alice = fake.acting_as("alice")
    assert alice.resource(CONFIG_MAPS).get(KEY).key == KEY
    with pytest.raises(Forbidden):
        alice.resource(SECRETS).get(KEY)
    with pytest.raises(Forbidden):
        alice.resource(CONFIG_MAPS).get(ObjectKey("kube-system", "a"))


def test_what_is_bound_to_a_group_is_for_its_members(fake):
    bind(fake, "ClusterRole", "view", "readers", "Group")
    assert fake.acting_as("alice", "readers").resource(CONFIG_MAPS).get(KEY).key == KEY
    with pytest.raises(Forbidden):
        fake.acting_as("readers").resource(CONFIG_MAPS).get(KEY)


def test_the_masters_need_no_role(fake):
    root = fake.acting_as("root", "system:masters")
    for each in root.resource(CLUSTER_ROLE_BINDINGS).list()[0]:
        root.resource(CLUSTER_ROLE_BINDINGS).delete(each.key)
    assert root.resource(CONFIG_MAPS).get(KEY).key == KEY


def test_nobody_binds_to_a_role_that_has_more_than_he_has(fake):
    rules = [{"verbs": ["create"], "apiGroups": [ROLES.group], "resources": ["rolebindings"]}]
    fake.resource(ROLES).create({"metadata": {"name": "r", "namespace": "default"}, "rules": rules})
    bind(fake, "Role", "r")
    with pytest.raises(Forbidden, match="attempting to grant RBAC permissions not currently held"):
        bind(fake.acting_as("alice"), "ClusterRole", "view")


def test_nobody_gives_away_what_he_has_not(fake):
    rules = [{"verbs": ["create"], "apiGroups": [ROLES.group], "resources": ["roles"]}]
    fake.resource(ROLES).create({"metadata": {"name": "r", "namespace": "default"}, "rules": rules})
    bind(fake, "Role", "r")
    alice = fake.acting_as("alice").resource(ROLES)
    alice.create({"metadata": {"name": "same", "namespace": "default"}, "rules": rules})
    more = [{"verbs": ["get"], "apiGroups": [""], "resources": ["secrets"]}]
    with pytest.raises(Forbidden, match="attempting to grant RBAC permissions not currently held"):
        alice.create({"metadata": {"name": "more", "namespace": "default"}, "rules": more})


def test_a_role_that_is_added_to_a_gathering_one_counts_at_once(fake):
    bind(fake, "ClusterRole", "view")
    labels = {"rbac.authorization.k8s.io/aggregate-to-view": "true"}
    rules = [{"verbs": ["list"], "apiGroups": [""], "resources": ["secrets"]}]
    fake.resource(CLUSTER_ROLES).create({"metadata": {"name": "more", "labels": labels}, "rules": rules})
    assert fake.acting_as("alice").resource(SECRETS, "default").list()[0] == []


def test_a_role_that_gathers_itself_has_what_the_others_have(fake):
    labels = {"gathered": "true"}
    gathering = {"clusterRoleSelectors": [{"matchLabels": labels}]}
    rules = [{"verbs": ["get"], "apiGroups": [""], "resources": ["configmaps"]}]
    for name in ("one", "two"):
        body = {"metadata": {"name": name, "labels": labels}, "aggregationRule": gathering}
        fake.resource(CLUSTER_ROLES).create(body)
    fake.resource(CLUSTER_ROLES).create({"metadata": {"name": "plain", "labels": labels}, "rules": rules})
    bind(fake, "ClusterRole", "one")
    assert fake.acting_as("alice").resource(CONFIG_MAPS).get(KEY).key == KEY


class TestTokens:
    @pytest.fixture
    def account(self, fake):
        return fake.resource(SERVICE_ACCOUNTS).create({"metadata": {"name": "robot", "namespace": "default"}})

    @pytest.fixture
    def tokens(self, fake):
        return Tokens(fake.store)

    def issue(self, tokens, account, bound=None):
        return tokens.issue(account.key, account.uid, ["https://kubernetes.default.svc"], 600, bound)[0]

    def test_one_says_whose_it_is(self, tokens, account):
        user = tokens.user_of(self.issue(tokens, account))
        assert (user.name, user.groups[:2]) == (ROBOT, ("system:serviceaccounts", "system:serviceaccounts:default"))

    def test_one_ends_with_its_time(self, fake, tokens, account):
        token = self.issue(tokens, account)
        fake.api.clock.advance(timedelta(seconds=601).total_seconds())
        assert tokens.user_of(token) is None

    def test_one_ends_with_its_account(self, fake, tokens, account):
        token = self.issue(tokens, account)
        fake.resource(SERVICE_ACCOUNTS).delete(account.key)
        fake.resource(SERVICE_ACCOUNTS).create({"metadata": {"name": "robot", "namespace": "default"}})
        assert tokens.user_of(token) is None

    def test_one_ends_with_what_it_is_bound_to(self, fake, tokens, account):
        secret = fake.resource(SECRETS).create({"metadata": {"name": "s", "namespace": "default"}})
        token = self.issue(tokens, account, Bound("secret", "s", secret.uid))
        assert tokens.user_of(token) is not None
        fake.resource(SECRETS).delete(secret.key)
        assert tokens.user_of(token) is None

    def test_nobody_else_signs_one(self, fake, tokens, account):
        assert Tokens(fake.store).user_of(self.issue(tokens, account)) is None
        assert tokens.user_of("a.b.c") is None

    def test_one_of_an_earlier_server_holds_with_its_key(self, fake, tokens, account):
        later = Tokens(fake.store)
        later.key = tokens.key
        assert later.user_of(self.issue(tokens, account)).name == ROBOT

    def test_one_for_others_is_not_for_this_server(self, tokens, account):
        assert tokens.user_of(tokens.issue(account.key, account.uid, ["vault"], 600)[0]) is None
