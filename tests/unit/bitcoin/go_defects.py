"""What is wrong with the Go program that this operator descends from (bitcoin-controller, at 79dc49e).

Each defect has tests, or the reason why there can be none.
"""

from __future__ import annotations

from typing import NamedTuple


class Defect(NamedTuple):
    """One of the original's, numbered in the order in which they were found.

    Attributes:
        what: What goes wrong there.
        tests: Each "file::function", wherever in tests/ the file stands: what fails here if it came back.
        untestable: Why there is no such test.
    """

    number: int
    what: str
    tests: tuple[str, ...] = ()
    untestable: str = ""


_RECONCILE = "test_reconcile.py::test_"
_CONTROLLER = "test_controller.py::test_"
_CHILDREN = "test_children.py::test_"
_ENSURE = "test_ensure.py::test_"
_MESH = "test_mesh.py::test_"
_RPC = "test_rpc.py::test_"
_SOCKETS = "test_rpc_sockets.py::test_"
_STATUS = "test_status.py::test_"
_OPERATED = "test_operator.py::test_"
_MANIFESTS = "test_manifests.py::test_"

DEFECTS = [
    # Queue and workers
    Defect(
        1,
        "a key whose reconcile fails is never done, so its network is not looked at again",
        (
            _CONTROLLER + "a_failure_is_tried_again_with_growing_delays",
            "test_queue_stress.py::test_no_key_is_in_two_workers_and_none_is_lost",
        ),
    ),
    Defect(
        2,
        "a panic between get and done loses the key, or ends the process",
        (_CONTROLLER + "no_exception_kills_a_worker",),
    ),
    Defect(
        3,
        "the queue has no rate limiter: nothing is tried again",
        ("test_rate_limiters.py::test_a_failed_key_comes_back_after_its_delay",),
    ),
    Defect(
        4,
        "a refusal of the API server counts as success",
        (
            _RECONCILE + "a_child_that_cannot_be_created_is_told_and_tried_again",
            _ENSURE + "a_refusal_is_told_and_raised",
        ),
    ),
    Defect(
        5,
        "the queue is never shut down, and nobody waits for the workers",
        (
            _CONTROLLER + "stopping_finishes_what_is_queued_and_running",
            "test_signals.py::test_the_first_signal_lets_a_running_reconcile_finish",
        ),
    ),
    Defect(
        6,
        "a queue counts as processed while keys are in work",
        ("test_queue.py::test_a_queue_is_not_idle_while_a_key_is_queued_processed_or_due",),
    ),
    Defect(
        7,
        "keys are texts that are taken apart again later",
        ("test_operator.py::test_a_child_concerns_the_network_that_its_label_names",),
    ),
    # Reconcile logic
    Defect(
        8,
        "peers are set only when the list of nodes changes: a failed call, or a restarted node, is never made good",
        (
            _RECONCILE + "a_node_that_forgot_its_peers_is_given_them_again_though_kubernetes_saw_nothing",
            "test_crashes.py::test_an_operator_that_is_killed_at_any_step_is_followed_by_one_that_ends_where_it_would_have",
        ),
    ),
    Defect(
        9,
        "the status is written in every pass, from an old copy, and a conflict is not noticed",
        (
            _RECONCILE + "a_settled_network_costs_no_write_and_no_call_but_is_read_every_time",
            _RECONCILE + "a_reconcile_that_lost_a_race_comes_again_without_a_word",
        ),
    ),
    Defect(
        10,
        "after the Service could not be made it goes on as if it had been",
        (_RECONCILE + "a_child_that_cannot_be_created_is_told_and_tried_again",),
    ),
    Defect(
        11,
        "a StatefulSet of somebody else that has the name is taken over and scaled",
        (
            _RECONCILE + "a_child_of_somebody_else_is_never_touched",
            _OPERATED + "a_foreign_stateful_set_is_never_touched_and_the_network_is_built_once_it_is_gone",
        ),
    ),
    Defect(
        12,
        "of the children nothing but the number of replicas is kept as it should be",
        (
            _CHILDREN + "drift_is_set_back_and_what_else_stands_there_is_kept",
            _RECONCILE + "a_service_that_was_changed_is_set_back",
        ),
    ),
    Defect(
        13,
        "an update from an old copy fails, and nobody hears of it",
        (_ENSURE + "a_refusal_is_told_and_raised", _ENSURE + "a_lost_race_is_no_news"),
    ),
    Defect(
        14,
        "a StatefulSet without replicas ends the process",
        (_CHILDREN + "a_child_without_replicas_or_labels_is_repaired_too",),
    ),
    Defect(
        15,
        "the child shares a field with the cached network, so that changing the one changes the other",
        ("test_objects.py::test_every_reader_gets_a_body_of_its_own",),
    ),
    Defect(
        16,
        "whatever goes wrong in reading the cache counts as a deletion",
        (
            _RECONCILE + "a_network_that_is_gone_is_not_looked_at_again",
            _RECONCILE + "a_number_of_nodes_that_an_old_definition_let_through_is_refused",
        ),
    ),
    Defect(
        17,
        "pods count by their name alone, and those beyond spec.nodes are not shown",
        (
            "test_pods.py::test_a_pod_of_another_stateful_set_of_that_name_is_not_ours",
            "test_pods.py::test_the_status_lists_missing_nodes_and_those_that_are_still_there_beyond",
        ),
    ),
    Defect(
        18,
        "the status has no conditions, no count, no generation; nodes that are missing are left out",
        (
            _STATUS + "the_status_counts_ready_nodes_and_names_a_selector",
            _STATUS + "missing_nodes_are_counted",
            _STATUS + "an_empty_status_differs_from_one_with_nodes",
        ),
    ),
    Defect(
        19,
        "a node's DNS name resolves in its own namespace only",
        ("test_pods.py::test_the_dns_name_resolves_in_every_namespace",),
    ),
    Defect(
        20,
        "that it was scaled is told before it is done, and whether or not it is",
        (
            _ENSURE + "a_repair_that_the_api_server_does_not_take_is_tried_three_times_and_not_told_as_done",
            _ENSURE + "a_refusal_is_told_and_raised",
        ),
    ),
    Defect(
        21,
        "names that are too long for the children's, or no DNS labels, are tried all the same",
        (
            _RECONCILE + "a_name_that_children_cannot_bear_is_refused_until_it_changes",
            _CHILDREN + "the_longest_name_fits_into_every_label_value",
        ),
    ),
    Defect(
        22,
        "pods are selected by app: <name>, which other programs' pods may have, too",
        (_CHILDREN + "service_and_stateful_set_select_by_the_domain_label_which_the_pods_carry",),
    ),
    # Watching
    Defect(
        23,
        "deletions of children, and pods, are not watched",
        (
            "test_sources.py::test_adding_changing_and_deleting_an_object_all_name_its_key",
            "test_operator.py::test_a_pod_concerns_the_network_at_the_end_of_its_owners",
            "test_killed.py::test_whatever_step_of_a_creation_is_the_last_or_goes_unanswered_there_is_one_whole_network",
        ),
    ),
    Defect(
        24,
        "a deletion that was missed comes without its object, and ends the process",
        (
            "test_sources.py::test_a_deletion_without_a_last_state_still_names_the_objects_own_key",
            "test_sources.py::test_a_deletion_without_a_last_state_cannot_be_mapped_to_an_owner",
        ),
    ),
    Defect(
        25,
        "an owner counts by its kind, whatever its group and UID",
        (
            "test_operator.py::test_a_pod_with_a_gap_in_that_chain_concerns_nobody",
            "test_sources.py::test_owners_of_another_group_or_kind_or_that_do_not_control_are_ignored",
            "test_sources.py::test_an_owner_made_anew_under_the_same_name_is_not_the_owner",
        ),
    ),
    Defect(
        26,
        "each resync of a child has its owner reconciled, though nothing has changed",
        (
            "test_shared_informer.py::test_objects_a_relist_finds_unchanged_are_told_only_to_who_resyncs",
            _CONTROLLER + "an_initial_list_and_a_resync_wait_behind_changes",
        ),
    ),
    Defect(
        27,
        "all pods, Services and StatefulSets of the cluster are held in memory",
        ("test_operator.py::test_the_operator_holds_networks_and_of_built_in_kinds_only_what_carries_its_label",),
    ),
    Defect(
        28,
        "what only the nodes know is looked at when a resync happens to come",
        (
            _RECONCILE + "a_settled_network_is_looked_at_less_and_less_often",
            _RECONCILE + "whatever_moves_makes_it_look_again_soon",
        ),
    ),
    # RPC
    Defect(
        29,
        "calls to nodes have no time limit: five nodes that hang stop the whole controller",
        (
            _SOCKETS + "a_node_that_never_answers_is_given_up_on_in_time",
            "test_passes.py::test_a_pass_that_hangs_keeps_no_other_network_waiting",
        ),
    ),
    Defect(
        30,
        "answers are not closed, and their HTTP status is not looked at",
        (
            _SOCKETS + "a_connection_is_kept_for_the_next_call",
            _SOCKETS + "401_with_an_empty_body_is_about_credentials",
            _RPC + "an_answer_that_makes_no_sense_is_no_answer",
        ),
    ),
    Defect(
        31,
        "an IPv6 address makes no URL; port and chain cannot be chosen",
        (_RPC + "an_ipv6_address_is_put_in_brackets",),
    ),
    Defect(
        32,
        "its JSON-RPC is none: the version is a number, parameters may be null, the answer's id is not looked at",
        (
            _RPC + "a_call_is_json_rpc_2_with_a_version_in_words_and_a_list_of_parameters",
            _RPC + "a_batch_with_answers_missing_is_no_answer",
        ),
    ),
    Defect(
        33,
        "a node that still starts, and one that refuses the credentials, are errors like all others",
        (
            _RPC + "errors_are_told_apart_by_code_whatever_the_status",
            "test_findings.py::test_a_node_that_warms_up_for_long_is_no_failure",
            "test_findings.py::test_wrong_credentials_are_a_failure_at_once",
        ),
    ),
    Defect(
        34,
        "errors of nodes are logged, and neither the status nor an Event says anything",
        (
            _RECONCILE + "a_node_that_stays_unreachable_is_told_once",
            _RECONCILE + "nodes_that_refuse_the_credentials_are_named_and_told_once",
        ),
    ),
    Defect(
        35,
        "peers that people have added by hand are removed, and those of a node whose probe fails once",
        (
            _MESH + "hand_made_entries_survive",
            "test_topology.py::test_the_entry_of_a_pod_that_is_not_ready_is_kept_and_not_dialled",
        ),
    ),
    Defect(
        36,
        "every node gets all others, of which Bitcoin Core dials no more than eight",
        (
            _MESH + "beyond_nine_nodes_nobody_lists_more_than_eight_and_all_are_reachable",
            "test_topology.py::test_the_graph_is_connected_symmetric_without_loops_and_of_degree_eight_at_most",
        ),
    ),
    Defect(
        37,
        "nodes are asked one after the other, in any order, without a limit for all of them",
        (
            "test_passes.py::test_tasks_run_at_once_and_all_have_run_in_the_end",
            _MESH + "nodes_for_which_no_time_is_left_wait_for_the_next_pass",
        ),
    ),
    Defect(
        38,
        "old addresses stay on the lists of nodes that did not answer just then",
        (
            _MESH + "a_gone_address_is_forgotten_once_a_whole_pass_found_no_trace_of_it",
            _RECONCILE + "links_of_a_node_that_left_while_no_controller_ran_are_cut_too",
        ),
    ),
    # Credentials
    Defect(
        39,
        "where the Secret cannot be read built-in credentials are tried, without a word",
        (
            _RECONCILE + "a_secret_that_is_not_there_is_waited_for_and_nothing_else_is_tried",
            _RECONCILE + "a_secret_we_may_not_read_does_not_keep_the_pods_from_starting",
        ),
    ),
    Defect(
        40,
        "pods start without their Secret, and keep what they have when it changes",
        (
            _CHILDREN + "credentials_come_from_the_secret_and_nothing_is_optional",
            _RECONCILE + "credentials_that_nodes_refuse_replace_the_pods_once",
            _RECONCILE + "credentials_that_changed_while_no_controller_ran_replace_the_pods_too",
        ),
    ),
    Defect(
        41,
        "the role names one Secret: with another one the defaults are used",
        (_OPERATED + "a_secret_that_the_role_does_not_name_is_said_and_nothing_else_is_tried",),
    ),
    Defect(
        42,
        "the password was once printed for debugging",
        (
            _RPC + "no_error_and_no_repr_shows_the_credentials",
            "test_credentials.py::test_errors_and_reprs_show_no_values",
            "test_logging.py::test_values_of_secret_keys_are_blanked",
        ),
    ),
    # Events
    Defect(
        43,
        "the role may not patch Events, so that repeated ones are lost",
        (
            "test_sinks.py::test_without_patch_the_event_is_read_and_updated_and_patch_is_not_tried_again",
            _OPERATED + "the_whole_story_works_with_the_seeds_role_and_each_missing_verb_is_named_once",
        ),
    ),
    Defect(
        44,
        "every Event has the reason Info, and a failure is told anew with each resync",
        (
            _RECONCILE + "a_new_network_gets_its_service_and_its_stateful_set_and_says_so",
            _STATUS + "a_failure_is_told_once_and_again_when_it_says_something_new",
        ),
    ),
    Defect(
        45,
        "at the end Events that are not written yet are lost",
        ("test_recorder.py::test_stopping_writes_what_is_left",),
    ),
    # Process
    Defect(
        46,
        "if the caches never fill the process hangs, and looks healthy",
        (
            _CONTROLLER + "a_controller_whose_cache_never_fills_fails_and_says_why",
            "test_health.py::test_a_cache_that_is_not_filled_yet",
        ),
    ),
    Defect(
        47,
        "a second signal does nothing, and the end has no deadline",
        (
            "test_signals.py::test_a_second_signal_exits_at_once_whatever_is_still_running",
            "test_manager.py::test_parts_share_the_time_there_is_for_stopping",
        ),
    ),
    Defect(
        48,
        "two copies work against each other; it is a bare pod without probes and limits",
        (
            "test_duel.py::test_whatever_happens_to_a_leader_it_never_writes_after_the_next_one_has_the_lease",
            _MANIFESTS + "of_several_controllers_one_works",
            _MANIFESTS + "the_controller_is_not_root_and_writes_nowhere",
        ),
    ),
    Defect(
        49,
        "there are no metrics, and nothing that says whether it is healthy",
        ("test_commands.py::test_the_operator_shows_its_metrics_and_its_health",),
    ),
    Defect(
        50,
        "workers, ports and image cannot be chosen; what is missing is looked for after its use",
        (
            "test_commands.py::test_flags_that_make_no_sense_are_usage_errors",
            "test_operator.py::test_poll_times_that_make_no_sense_are_refused",
        ),
    ),
    Defect(
        51,
        "two logging libraries side by side",
        ("test_house.py::test_modules_log_over_the_standard_library_whoever_has_configured_structlog",),
    ),
    # API and manifests
    Defect(
        52,
        "the definition is of an API version that is gone, without a schema, columns, and the scale subresource",
        (
            "test_crd.py::test_the_first_controllers_own_example_fits_the_schema",
            "test_crd.py::test_every_field_that_users_meet_is_described",
            "test_command.py::test_the_story_can_be_told_with_kubectl_alone",
        ),
    ),
    Defect(
        53,
        "the role may delete every StatefulSet and Event of the cluster, and lacks what owner references may need",
        (
            _MANIFESTS + "the_controller_may_delete_services_and_nothing_else",
            _OPERATED + "the_whole_story_needs_no_more_than_our_role",
        ),
    ),
    Defect(
        54,
        "the kind StatefulSet is misspelt",
        (_RECONCILE + "a_new_network_gets_its_service_and_its_stateful_set_and_says_so",),
    ),
    Defect(
        55,
        "pods lose their data, start one by one, are probed by a program, and may all be evicted at once",
        (
            _CHILDREN + "readiness_is_asked_without_credentials",
            _CHILDREN + "the_service_is_headless_and_publishes_nodes_that_are_not_ready",
            "test_drain.py::test_the_next_pod_is_evicted_when_the_one_before_is_ready_again",
            "test_chain.py::test_with_storage_a_chain_outlives_all_pods_at_once",
        ),
    ),
    Defect(
        56,
        "the node's image is one of a private account",
        (_MANIFESTS + "the_controller_uses_the_image_of_the_nodes_that_the_code_expects",),
    ),
    # Tests
    Defect(
        57,
        "tests put the address of a loop's variable into the cache",
        untestable="Python has no such addresses; that a cache hands out nothing shared is defect 15's test",
    ),
    Defect(
        58,
        "tests fill the caches by hand, and none has a failure, a conflict, a missed deletion or an end",
        (
            "test_end_to_end.py::test_what_exists_and_what_is_made_and_deleted_later_is_reconciled_and_told",
            "test_shared_informer.py::test_a_missed_deletion_is_found_by_the_next_list",
            "test_writes.py::test_a_stale_object_is_a_conflict_and_a_retry_that_reads_again_gets_through",
            _RECONCILE + "a_secret_that_is_not_there_is_waited_for_and_nothing_else_is_tried",
        ),
    ),
    Defect(
        59,
        "the tests' API server knows no versions, so that an old copy is always good enough",
        (
            "test_fake_client.py::test_errors_are_those_of_a_real_server",
            _RECONCILE + "a_reconcile_that_lost_a_race_comes_again_without_a_word",
        ),
    ),
]
