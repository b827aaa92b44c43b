import pytest

from btcctl.bitcoin.topology import groups_of
from btcctl.bitcoin.view.looking.summaries import about_of, happened, instant_of, is_about, summary_of
from btcctl.objects import Object
from tests.unit.bitcoin.view.objects import condition, network_object

READY = condition("Ready", "True", "Connected")
UNREADY = condition("Ready", "False", "NodesNotReady", "1 of 3 nodes are ready")


def health(*conditions: dict, **spec) -> str:
    return summary_of(network_object(status={"conditions": list(conditions)}, **spec)).health


def test_a_network_is_a_line_with_what_its_status_says():
    status = {"readyNodes": 2, "syncedNodes": 1, "height": 7, "tips": 2, "deepestFork": 3, "version": "/S:29/"}
    summary = summary_of(network_object(status={**status, "conditions": [UNREADY]}, partition=[[0]]))
    assert (summary.namespace, summary.name, summary.uid) == ("default", "net", "net-uid")
    assert (summary.nodes_wanted, summary.nodes_ready, summary.nodes_synced) == (3, 2, 1)
    assert (summary.height, summary.tips, summary.deepest_fork) == (7, 2, 3)
    assert (summary.reason, summary.message) == ("NodesNotReady", "1 of 3 nodes are ready")
    assert summary.is_partitioned
    assert summary.created_at == instant_of("2026-11-23T15:27:18Z") > 0


def test_health_is_in_one_word():
    moving, stalled = condition("Progressing", "True"), condition("Progressing", "False", "Stalled")
    assert health(READY, condition("Progressing", "False", "Settled")) == "ready"
    assert health(UNREADY, moving) == "progressing"
    assert health() == "progressing"
    assert health(condition("Ready", "Unknown", "Pending")) == "progressing"  # as the definition has it from the start
    assert health(UNREADY, stalled) == "trouble"
    assert health(condition("Ready", "False", "Suspended"), stalled, suspend=True) == "resting"


def test_a_network_on_its_way_out_says_so():
    body = network_object(status={"conditions": [READY]}).body()
    body["metadata"]["deletionTimestamp"] = "2026-11-23T15:27:18Z"
    assert summary_of(Object.from_body(body)).health == "deleting"


def test_a_spec_that_does_not_fit_is_a_line_all_the_same():
    summary = summary_of(network_object(nodes="many", status={"conditions": [UNREADY]}))
    assert (summary.nodes_wanted, summary.reason) == (0, "NodesNotReady")
    assert about_of(network_object(nodes="many"), summary).groups == []


@pytest.mark.parametrize(
    ("type_", "status", "reason", "is_good"),
    [
        ("Ready", "True", "Connected", True),
        ("Ready", "False", "NodesNotReady", False),
        ("Conflict", "False", "None", True),
        ("Conflict", "True", "ForeignService", False),
        ("Forbidden", "True", "PodsForbidden", False),
        ("Progressing", "True", "Starting", True),
        ("Progressing", "False", "Settled", True),
        ("Progressing", "False", "Stalled", False),
    ],
)
def test_each_condition_says_whether_it_is_good_news(type_, status, reason, is_good):
    obj = network_object(status={"conditions": [condition(type_, status, reason)]})
    (found,) = about_of(obj, summary_of(obj)).conditions
    assert found.is_good is is_good


@pytest.mark.parametrize(
    ("partition", "nodes", "groups"),
    [
        ([], 3, []),
        ([[0]], 3, [[0], [1, 2]]),
        ([[2, 0], [1]], 3, [[0, 2], [1]]),
        ([[0], [7]], 2, [[0], [1]]),
    ],
)
def test_every_node_is_in_one_group_of_a_partition(partition, nodes, groups):
    assert groups_of(partition, nodes) == groups


def event(kind: str, name: str, **more) -> Object:
    about = {"kind": kind, "name": name, "namespace": "default"}
    body = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "e", "namespace": "default", "uid": "e-uid"},
        "involvedObject": about,
        "type": "Warning",
        "reason": "Odd",
        "message": "something",
        **more,
    }
    return Object.from_body(body)


def test_an_event_tells_its_time_however_it_was_recorded():
    old = happened(event("Pod", "net-sts-1", lastTimestamp="2026-11-23T15:00:00Z", count=4))
    new = happened(event("Pod", "net-sts-1", series={"count": 9, "lastObservedTime": "2026-11-23T15:00:00.500000Z"}))
    assert (old.count, new.count) == (4, 9)
    assert new.at - old.at == pytest.approx(0.5)
    assert happened(event("Pod", "x")).at == 0.0


def test_events_are_those_of_the_network_and_of_what_it_consists_of():
    mine = [("BitcoinNetwork", "net"), ("StatefulSet", "net-sts"), ("Pod", "net-sts-12")]
    others = [("BitcoinNetwork", "net2"), ("Pod", "net-sts-x"), ("Pod", "net2-sts-1"), ("Pod", "other")]
    assert all(is_about(happened(event(*each)), "net") for each in mine)
    assert not any(is_about(happened(event(*each)), "net") for each in others)


def test_of_a_text_that_never_ends_a_page_is_told_the_beginning():
    endless = "x" * 100_000
    network = network_object(status={"conditions": [condition("Ready", "False", "Bad", endless)]})
    event = Object.from_body({"metadata": {"name": "e", "uid": "e"}, "reason": endless, "message": endless})
    about = about_of(network, summary_of(network))
    told = [about.summary.message, about.conditions[0].message, happened(event).reason, happened(event).message]
    assert [len(each) for each in told] == [1000] * 4


def test_an_event_without_a_time_of_its_own_happened_when_it_was_written():
    metadata = {"name": "e", "uid": "e", "creationTimestamp": "2026-11-23T15:27:18Z"}
    assert happened(Object.from_body({"metadata": metadata})).at == instant_of("2026-11-23T15:27:18Z")
