"""What docs/network.md promises, in its own words, and the tests that fail if it is not so."""

from __future__ import annotations

from typing import Final

_RECONCILE = "test_reconcile.py::test_"
_CHILDREN = "test_children.py::test_"
_MESH = "test_mesh.py::test_"
_TOPOLOGY = "test_topology.py::test_"
_SIGHTS = "test_sights.py::test_"
_STATUS = "test_status.py::test_"
_CLAIMS = "test_claims.py::test_"
_START = "test_start_bitcoind.py::test_"
_ROLLOUTS = "test_rollouts.py::test_"
_SPECS = "test_specs.py::test_"
_LOST = "test_chain_without_volumes.py::test_"
_STORED = "test_chain.py::test_"
_KEPT = "test_definition.py::test_every_field_alone_and_the_combinations_are_taken_and_kept_whole"
_FORBIDDEN = "test_forbidden.py::test_"

#: A row of a table by the beginning of its line, all else by words that stand in it.
PROMISES: Final[dict[str, tuple[str, ...]]] = {
    "`btcctl crd` prints the definition": ("test_commands.py::test_crd_prints_what_the_cluster_needs",),
    "| `spec.nodes` |": (
        "test_definition.py::test_what_is_wrong_is_refused_with_words_that_say_what_is_right",
        _SPECS + "a_network_without_nodes_says_so",
    ),
    "| `spec.secret` |": (
        _RECONCILE + "default_credentials_are_said_in_the_status",
        _RECONCILE + "a_secret_that_is_not_there_is_waited_for_and_nothing_else_is_tried",
    ),
    "| `spec.storage` |": ("test_definition.py::test_what_cannot_change_is_refused_with_words_that_say_what_to_do",),
    "| and more |": (_KEPT,),
    "| `status.nodes[]` |": (
        _SIGHTS + "each_node_says_its_height_block_links_and_version",
        _SIGHTS + "a_node_that_does_not_answer_says_nothing_of_its_chain",
        _RECONCILE + "a_node_that_does_not_answer_its_probe_is_said_with_the_probes_words",
    ),
    "| `status.tips`, `status.deepestFork` |": (
        _SIGHTS + "a_fork_is_counted_and_measured_and_does_not_make_the_network_unready",
        _SIGHTS + "a_block_that_travels_on_the_shorter_branch_makes_no_third_tip",
    ),
    "| `status.syncedNodes` |": (_SIGHTS + "one_chain_is_synced_and_a_block_on_its_way_changes_nothing",),
    "| `status.version`, `status.image` |": (_SIGHTS + "versions_that_differ_are_all_named",),
    "| `status.height` |": (_SIGHTS + "heights_are_written_every_ten_seconds_at_most",),
    "| `status.lostHeight` |": (_RECONCILE + "a_chain_that_has_grown_beyond_what_was_lost_is_whole_again",),
    "| `status.controller` |": (_CLAIMS + "whose_a_network_is_stands_in_its_status",),
    "| `status.readyNodes` |": (_STATUS + "the_status_counts_ready_nodes_and_names_a_selector",),
    "| `status.observedGeneration` |": (_STATUS + "the_status_counts_ready_nodes_and_names_a_selector",),
    "| `status.conditions[]` |": (_STATUS + "a_condition_that_still_holds_keeps_its_transition_time",),
    # What becomes of it
    "| Service, headless |": (
        _CHILDREN + "the_service_is_headless_and_publishes_nodes_that_are_not_ready",
        _SPECS + "ports_of_ones_own_reach_the_service_the_pods_and_the_node",
    ),
    "| StatefulSet |": (
        _CHILDREN + "readiness_is_asked_without_credentials",
        _RECONCILE + "a_new_network_gets_its_service_and_its_stateful_set_and_says_so",
    ),
    "| PodDisruptionBudget |": (
        "test_drain.py::test_the_next_pod_is_evicted_when_the_one_before_is_ready_again",
        "test_killed.py::test_whatever_step_of_a_creation_is_the_last_or_goes_unanswered_there_is_one_whole_network",
    ),
    "| Service | `<name>-rpc` |": (_SPECS + "an_exposed_network_has_one_more_service_and_only_as_long",),
    "is never touched; the condition `Conflict` says so": (
        _RECONCILE + "a_child_of_somebody_else_is_never_touched",
        "test_operator.py::test_a_foreign_stateful_set_is_never_touched_and_the_network_is_built_once_it_is_gone",
    ),
    "What the operator set and somebody changed is set back": (
        _CHILDREN + "drift_is_set_back_and_what_else_stands_there_is_kept",
        _ROLLOUTS + "what_keeps_pods_from_being_replaced_one_after_the_other_is_set_back",
        _ROLLOUTS + "pods_are_numbered_as_nodes_are",
        _SPECS + "what_is_asked_for_no_longer_leaves_nothing_behind",
        _RECONCILE + "a_repair_that_is_undone_time_and_again_is_not_repeated_and_names_who_and_what",
        _RECONCILE + "a_contested_child_is_set_back_once_more_after_five_minutes",
        "test_images.py::test_an_image_that_is_changed_back_as_it_is_written_is_written_three_times_and_that_is_said",
        "test_ensure.py::test_a_budget_of_the_other_kind_is_set_back_whole",
        _SPECS + "an_annotation_of_the_service_that_is_asked_for_no_longer_goes_and_those_of_others_stay",
    ),
    # Two installations
    "the one that came last works": (
        _CLAIMS + "a_second_installation_takes_over_and_the_first_leaves_it_the_network_and_says_so",
        _CLAIMS + "the_first_comes_back_once_the_second_does_not_do_its_work",
        _CLAIMS + "a_controller_without_a_lease_heeds_nobody_and_keeps_the_name",
        "test_leading.py::test_beside_a_cluster_somebody_at_work_is_named_and_not_disturbed",
    ),
    # The chain
    "counts as ready only once its node has had the network's highest block": (
        _RECONCILE + "a_node_is_let_in_once_it_has_the_networks_chain_and_the_status_says_how_far_it_is",
        _RECONCILE + "a_node_is_not_let_in_as_long_as_one_that_may_have_more_does_not_answer",
        _RECONCILE + "an_old_pod_that_is_silent_for_long_does_not_keep_new_ones_out_for_ever",
        "test_operator.py::test_the_seeds_files_apply_unchanged_and_do_what_they_say",
    ),
    "| `rollout restart`": (
        _LOST + "whatever_kubernetes_does_in_good_order_the_chain_is_kept",
        _RECONCILE + "the_chain_of_an_only_node_is_lost_with_its_pod_and_that_is_said",
    ),
    "| other credentials": (_LOST + "whatever_kubernetes_does_in_good_order_the_chain_is_kept",),
    "| a container ends": (_LOST + "containers_that_end_at_once_find_their_chain_again",),
    "| `kubectl delete pod` of some": (_LOST + "whatever_kubernetes_does_in_good_order_the_chain_is_kept",),
    "| `kubectl delete pod` of all": (
        _LOST + "if_all_pods_are_deleted_at_once_the_chain_is_lost_and_that_is_said",
        _STORED + "with_storage_a_chain_outlives_all_pods_at_once",
    ),
    "| scaling down": (
        _LOST + "scaling_down_and_up_again_keeps_the_chain_with_those_that_stay",
        "test_scaling.py::test_a_network_is_made_smaller_once_the_chain_is_where_it_stays",
        "test_scaling.py::test_who_is_kept_is_not_kept_for_ever",
        "test_volumes.py::test_scaling_down_and_up_again_finds_the_data",
        "test_volumes.py::test_with_delete_the_data_of_the_scaled_away_goes",
    ),
    "| deleting the network |": (
        _LOST + "a_network_that_is_deleted_and_made_again_begins_anew",
        _STORED + "with_storage_a_network_of_the_same_name_finds_the_chain_again",
        _STORED + "with_delete_the_volumes_go_with_the_network",
    ),
    "| deleting the namespace |": (
        "test_operator.py::test_a_namespace_that_is_deleted_with_its_networks_is_one_line",
        _RECONCILE + "the_last_network_of_a_namespace_is_missed_in_one_line",
    ),
    "| deleting the CustomResourceDefinition |": (
        "test_operator.py::test_a_definition_that_is_deleted_is_one_warning_and_once_it_is_back_all_goes_on",
    ),
    # Credentials
    "Nothing from which a password could be guessed is stored": (
        _RECONCILE + "nothing_of_the_password_is_stored_in_the_children",
        _RECONCILE + "credentials_that_nodes_refuse_replace_the_pods_once",
        _RECONCILE + "credentials_that_changed_while_no_controller_ran_replace_the_pods_too",
        _RECONCILE + "a_secret_whose_metadata_alone_changes_replaces_nothing",
        "test_odd_days.py::test_a_secret_that_is_deleted_and_made_anew_replaces_pods_only_if_it_says_something_else",
        _RECONCILE + "pods_that_were_replaced_and_refuse_us_still_are_not_replaced_for_ever",
        "test_odd_days.py::test_another_secret_replaces_the_pods_once_and_says_so",
        "test_odd_days.py::test_a_secret_that_is_not_there_yet_takes_no_node_from_a_network_that_runs",
    ),
    "have one rule for the two values": (
        "test_credentials_everywhere.py::test_credentials_are_judged_alike_by_operator_image_and_sandbox",
    ),
    # The mesh
    "Every reconcile, not only those after a change": (
        _RECONCILE + "a_settled_network_costs_no_write_and_no_call_but_is_read_every_time",
    ),
    "- missing:": (_MESH + "a_missing_entry_is_added_first_and_dialled_then",),
    "- listed but not connected": (_TOPOLOGY + "an_entry_that_is_not_connected_is_dialled_but_not_added_again",),
    "- gone:": (_MESH + "a_gone_node_is_removed_first_and_disconnected_then",),
    "Up to nine nodes everybody is everybody's peer": (
        _TOPOLOGY + "up_to_nine_nodes_everybody_is_everybodys_peer",
        _TOPOLOGY + "the_graph_is_connected_symmetric_without_loops_and_of_degree_eight_at_most",
        _MESH + "hand_made_entries_survive",
        "test_ipv6.py::test_the_whole_story_comes_true_in_a_cluster_that_has_ipv6_alone",
        _TOPOLOGY + "who_is_kept_apart_is_so_by_addresses_of_both_families_too",
    ),
    "so they are asked again after 2 s": (
        _RECONCILE + "a_settled_network_is_looked_at_less_and_less_often",
        "test_passes.py::test_a_pass_that_hangs_keeps_no_other_network_waiting",
        "test_silences.py::test_a_node_that_did_not_answer_is_left_alone_for_longer_each_time_and_never_for_long",
        _MESH + "a_node_on_another_chain_has_failed_and_its_height_counts_for_nothing",
    ),
    # Conditions
    "| `Ready` |": (
        _STATUS + "a_network_is_ready_when_all_nodes_are_and_nothing_else_is_wrong",
        _STATUS + "a_network_that_lost_blocks_is_as_ready_as_it_ever_was",
        _ROLLOUTS + "a_change_that_no_pod_has_yet_is_not_taken_for_done",
        _ROLLOUTS + "nodes_that_are_still_to_be_replaced_are_named_until_none_is",
        "test_pod_problems.py::test_why_a_pod_is_not_ready_is_said_in_a_word_and_a_sentence",
    ),
    "| `Conflict` |": (_RECONCILE + "what_cannot_be_changed_is_a_conflict_and_is_told",),
    "| `CredentialsReady` |": ("test_credentials.py::test_what_is_wrong_with_a_secret_has_an_error_of_its_own",),
    "| `MeshReady` |": (
        _RECONCILE + "a_silent_node_is_a_failure_the_second_time",
        "test_findings.py::test_nodes_that_are_about_to_be_replaced_may_refuse_us",
        _RECONCILE + "a_node_whose_image_knows_no_other_chain_than_regtest_is_told_in_the_status",
    ),
    "| `ChainIntact` |": (_RECONCILE + "a_chain_that_shrank_is_said_and_counted_once_and_keeps_nobody_out",),
    "A chain may never have again what it had": (
        _RECONCILE + "a_loss_that_somebody_accepts_is_one_no_longer_so_a_height_that_was_a_lie_is_no_trouble_for_ever",
        _RECONCILE + "a_loss_after_the_one_that_was_accepted_is_said_again",
        _RECONCILE + "what_names_another_loss_or_none_accepts_nothing",
    ),
    "| `Forbidden` |": (
        _FORBIDDEN + "a_child_that_may_not_be_made_is_said_in_the_status",
        _FORBIDDEN + "a_quota_is_said_in_the_words_of_the_server",
        _FORBIDDEN + "a_child_that_the_server_takes_for_invalid_is_said_in_its_words_and_holds_up_no_other",
        _FORBIDDEN + "a_service_for_which_there_is_no_quota_keeps_no_node_from_its_peers",
        _FORBIDDEN + "what_goes_by_itself_is_not_said_and_what_needs_somebody_is",
    ),
    "| `Synced` |": (_SIGHTS + "a_node_that_is_behind_is_told_apart_from_a_fork",),
    "| `Progressing` |": (_SIGHTS + "a_network_is_progressing_until_it_is_ready_and_stalled_if_something_fails",),
    "| `SnapshotLoaded` |": (
        "test_utxo.py::test_a_network_is_ready_when_all_nodes_have_their_snapshot",
        "test_utxo.py::test_a_snapshot_that_a_node_does_not_take_is_said_in_its_words_and_not_tried_all_the_time",
        "test_utxo_snapshot.py::test_nodes_load_a_snapshot_once_somebody_tells_them_the_headers",
    ),
    "| `Mining` |": (
        "test_mining_told.py::test_a_network_that_mines_says_so_and_one_that_does_not_says_nothing",
        "test_mining_told.py::test_a_node_that_refuses_to_mine_is_told_in_its_words_and_the_network_is_as_ready_as_it_was",
        "test_mining_told.py::test_a_node_that_is_to_mine_and_is_not_ready_is_named",
    ),
    "| `Contested` |": (_RECONCILE + "what_a_user_changes_often_is_no_dispute",),
    "`lastTransitionTime` moves only when": (
        _STATUS + "a_condition_that_still_holds_keeps_its_transition_time",
        "test_operator.py::test_a_settled_network_costs_no_write_and_no_call_per_reconcile_and_per_resync",
        "test_reporting.py::test_a_definition_that_drops_what_is_said_causes_no_writes_once_a_network_is_settled",
        "test_quotes.py::test_a_node_that_fails_in_other_words_each_time_costs_no_write_and_no_event",
    ),
    # Events
    "a Warning with the condition's reason for each failure that is new": (
        _STATUS + "a_failure_is_told_once_and_again_when_it_says_something_new",
        _STATUS + "a_node_that_came_back_at_a_new_address_left_and_joined",
    ),
    # The node image
    "`--node-image` names the one to use": (_KEPT,),
    "| `BC_RPC_USER`, `BC_RPC_PASSWORD` |": (
        _START + "without_credentials_the_well_known_ones_are_used_and_that_is_said_loudly",
        _START + "what_cannot_work_is_refused_with_a_reason",
    ),
    "| `BC_NETWORK` |": (_START + "mainnet_and_the_public_signet_are_refused",),
    "| `BC_SIGNET_CHALLENGE` |": (_START + "mainnet_and_the_public_signet_are_refused",),
    "| `BC_RPC_PORT`, `BC_P2P_PORT` |": (_START + "each_chain_has_its_section_and_its_ports",),
    "| `BC_CONFIG` |": (_START + "ports_and_lines_of_ones_own_stand_in_the_section_and_the_nodes_own_lines_first",),
    "| `BC_CONFIG_<ordinal>` |": (_START + "a_host_without_an_ordinal_has_no_lines_of_its_own",),
    "| `BC_SNAPSHOT` |": (
        _START + "a_node_without_a_chain_begins_with_the_snapshot_and_one_that_has_a_chain_keeps_it",
        _START + "a_snapshot_that_is_none_is_refused_and_leaves_no_chain",
    ),
    "| `BC_UTXO_SNAPSHOT` |": (
        _START + "a_utxo_snapshot_is_found_below_the_chain_s_directory_wherever_it_is_and_only_as_long",
        _START + "a_utxo_snapshot_that_is_no_file_is_refused",
    ),
    "| `BC_RPC_BIND`, `BC_DATA_DIR` |": (_START + "rpc_listens_where_it_is_told_to",),
}
