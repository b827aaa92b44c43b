from __future__ import annotations

from btcctl.testing.control_plane.commands import last_of_each


def test_a_flag_that_is_given_replaces_ours_whatever_its_values() -> None:
    given = ["--authorization-mode=RBAC", "--v=1", "--authorization-mode=Node,RBAC"]
    assert last_of_each(given) == ["--v=1", "--authorization-mode=Node,RBAC"]


def test_a_switch_replaces_its_value_and_the_other_way_round() -> None:
    assert last_of_each(["--profiling", "--profiling=false"]) == ["--profiling=false"]


def test_what_is_meant_to_be_given_several_times_stays() -> None:
    given = ["--service-account-key-file=a", "--service-account-key-file=b"]
    assert last_of_each(given) == given
