from btcctl.bitcoin.view.looking.rounds import MOST_A_SECOND, SILENT_SECONDS, Rounds


def rounds(*keys: str) -> Rounds[str]:
    found: Rounds[str] = Rounds(1.0)
    found.keep(keys, 0.0)
    return found


def test_new_nodes_are_asked_at_once_and_again_after_the_interval():
    some = rounds("a", "b")
    assert some.take(0.0, 9) == ["a", "b"]
    some.done("a", 0.5, failed=False)
    assert some.next_at() == 1.5
    assert some.take(1.4, 9) == []
    assert some.take(1.5, 9) == ["a"]


def test_a_node_is_asked_by_one_at_a_time():
    some = rounds("a")
    some.take(0.0, 9)
    some.soon("a", 0.1)
    assert some.take(5.0, 9) == []
    some.done("a", 5.0, failed=False)
    assert some.take(5.0, 9) == ["a"]


def test_what_happened_to_a_node_makes_it_the_next():
    some = rounds("a")
    some.take(0.0, 9)
    some.done("a", 0.0, failed=False)
    some.soon("a", 0.2)
    assert some.take(0.2, 9) == ["a"]


def test_a_node_that_is_silent_is_asked_less_often_but_not_forgotten():
    some, now = rounds("a"), 0.0
    for _ in range(20):
        assert some.take(now, 9) == ["a"]
        some.done("a", now, failed=True)
        now = some.next_at() or 0.0
    some.take(now, 9)
    some.done("a", now, failed=True)
    assert some.next_at() == now + SILENT_SECONDS


def test_many_nodes_are_asked_so_often_that_it_can_be_paid():
    many = rounds(*map(str, range(1000)))
    assert many.interval == 1000 / MOST_A_SECOND
    assert len(many.take(0.0, 16)) == 16


def test_a_node_that_is_gone_is_not_asked_any_more():
    some = rounds("a", "b")
    some.keep(["b"], 0.0)
    assert some.take(0.0, 9) == ["b"]
    some.done("a", 0.0, failed=False)
    some.keep([], 1.0)
    assert some.next_at() is None
    assert len(some) == 0
