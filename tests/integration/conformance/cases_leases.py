"""Leases, as leader election and kubectl use them."""

from __future__ import annotations

from tests.integration.conformance.harness import Body, Talk, case
from tests.integration.conformance.manifests import LEASES, lease, versioned

EARLY, LATE = "2020-01-02T03:04:05.000006Z", "2020-01-02T03:04:15.100000Z"
HELD: Body = {"acquireTime": EARLY, "renewTime": EARLY, "leaseTransitions": 0}


@case("leases")
def a_lease_is_taken_renewed_and_given_up(talk: Talk) -> None:
    talk.get(f"{LEASES}/a")
    held = talk.post(LEASES, lease(**HELD)).body
    renewed = talk.put(f"{LEASES}/a", {**held, "spec": {**held["spec"], "renewTime": LATE}}).body
    given_up = {**renewed["spec"], "holderIdentity": "", "leaseDurationSeconds": 1, "acquireTime": LATE}
    free = talk.put(f"{LEASES}/a", {**renewed, "spec": given_up}).body
    taken = {**free["spec"], "holderIdentity": "you", "leaseTransitions": 1}
    talk.put(f"{LEASES}/a", {**free, "spec": taken})
    talk.get(f"{LEASES}/a")
    talk.delete(f"{LEASES}/a")


@case("leases", error=True)
def only_who_saw_the_latest_may_renew(talk: Talk) -> None:
    created = talk.post(LEASES, lease(**HELD)).body
    talk.post(LEASES, lease())
    talk.put(f"{LEASES}/a", versioned(lease(renewTime=LATE), created))
    talk.put(f"{LEASES}/a", versioned(lease(renewTime=EARLY), created))
    talk.put(f"{LEASES}/a", lease())
    stale = created["metadata"]["resourceVersion"]
    talk.patch(f"{LEASES}/a", {"metadata": {"resourceVersion": stale}, "spec": {"holderIdentity": "you"}})
    talk.patch(f"{LEASES}/a", {"spec": {"holderIdentity": "you"}})


@case("leases")
def a_put_makes_a_lease_that_is_not_there(talk: Talk) -> None:
    talk.put(f"{LEASES}/a", lease())
    body = lease("b")
    talk.put(f"{LEASES}/b", {**body, "metadata": {**body["metadata"], "resourceVersion": "5"}})
    talk.put(f"{LEASES}/c", {"metadata": {"name": "c"}})
    talk.get(LEASES)


@case("leases", error=True)
def its_times_have_six_digits(talk: Talk) -> None:
    talk.post(LEASES, lease())
    for time in (
        "2020-01-02T03:04:05Z", "2020-01-02T03:04:05.123Z", "2020-01-02T03:04:05.123456789Z", "2020-01-02", "", "now",
        "2020-13-02T03:04:05.123456Z", "2020-02-30T03:04:05.123456Z", "2020-01-02T25:04:05.123456Z",
        "2020-01-02T03:04:05.123456", "2020-01-02 03:04:05.123456Z", "2020-01-02T03:04:05.123456Zx",
        "2020-01-02T03:04:05,123456Z", 5, True,
    ):  # fmt: skip
        talk.post(LEASES, lease("b", renewTime=time), query={"dryRun": "All"})
        talk.patch(f"{LEASES}/a", {"spec": {"acquireTime": time}}, query={"dryRun": "All"})


@case("leases")
def its_times_are_told_in_utc(talk: Talk) -> None:
    talk.post(
        LEASES, lease(renewTime="2020-01-02T03:04:05.123456+02:00", acquireTime="2020-01-01T00:00:00.000000-00:30")
    )
    talk.patch(f"{LEASES}/a", {"spec": {"renewTime": None}})
    talk.get(f"{LEASES}/a")


@case("leases", error=True)
def its_spec_is_checked(talk: Talk) -> None:
    for spec in (
        {"leaseDurationSeconds": 0}, {"leaseDurationSeconds": -1, "leaseTransitions": -1}, {"leaseTransitions": 2**31},
        {"leaseDurationSeconds": "x"}, {"leaseDurationSeconds": 1.5}, {"holderIdentity": 3}, {"preferredHolder": "you"},
        {"preferredHolder": "you", "strategy": "OldestEmulationVersion"}, {"strategy": "Youngest"},
        {"strategy": "a/b/c"}, {"holderIdentity": ""}, {"bogus": 1},
    ):  # fmt: skip
        talk.post(LEASES, lease(**spec), query={"dryRun": "All"})
    talk.post(LEASES, lease("Bad_Name"))
    talk.post(LEASES, lease(bogus=1), query={"fieldValidation": "Strict"})
    talk.post(LEASES, lease())
    talk.patch(f"{LEASES}/a", {"spec": {"leaseDurationSeconds": 0, "leaseTransitions": -2}})
    talk.patch(f"{LEASES}/a", {"spec": {"preferredHolder": "you", "strategy": "OldestEmulationVersion"}})


@case("leases")
def leases_are_listed_patched_and_watched(talk: Talk) -> None:
    talk.post(LEASES, lease(**HELD))
    first = talk.post(LEASES, lease("b"))
    talk.get(LEASES, query={"fieldSelector": "metadata.name=a"})
    talk.watch(
        LEASES,
        {"resourceVersion": first.version, "fieldSelector": "metadata.name=a"},
        until=1,
        during=lambda: talk.patch(f"{LEASES}/a", {"spec": {"renewTime": LATE}}),
    )
    talk.patch(f"{LEASES}/a", {"spec": {"holderIdentity": None}}, content_type="strategic")
    talk.get(LEASES, query={"fieldSelector": "spec.holderIdentity=me"})
