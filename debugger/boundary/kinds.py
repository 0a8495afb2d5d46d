"""Kinds of values that leave the process, and the kind of each field of a record.

A field that no table names is free: its texts are masked, and its name may tell what it holds.
"""

from __future__ import annotations

from enum import Enum


class Kind(Enum):
    """Kind of a value, which tells what may be masked in it.

    Secrets are masked by their values in every kind.
    """

    ID = "id"
    """An id that a program has made."""
    TIME = "time"
    NUMBER = "number"
    FLAG = "flag"
    """A truth value, or one of certain words."""
    NAME = "name"
    """Names that the workflow's author gave: a node, an edge, a tool, a variable; or names in a row."""
    ADDRESS = "address"
    """A URL or a path of one."""
    TEXT = "text"
    """Words of people, models and the program; names of the workflow in it are kept."""
    VALUE = "value"
    """A JSON value whose name, if it has one, tells a secret or a rule."""
    CHANGES = "changes"
    """Changes of variables: objects with a path and the values before and after."""
    RECORD = "record"
    """An object of the wire, whose fields have the kinds of `FIELDS`."""
    REMARKS = "remarks"
    """Remarks of people on a run: of each the lead, the text and the tail, released as one text.

    Lead and tail are the program's, with the author's name, which stays."""
    DOCUMENT = "document"
    """A workflow: its schemas describe fields under the names that values have elsewhere."""


PLAIN = frozenset({Kind.ID, Kind.TIME, Kind.NUMBER, Kind.FLAG, Kind.NAME})
"""Kinds that no masking rule applies to."""

_FIELDS = {
    Kind.ID: """
        id logical_id run_id workflow_id workflow_run_id source_workflow_run_id evaluation_workflow_run_id
        voice_conversation_id team_id thread_id origin_thread_id thread_reference_id companion_thread_id
        active_companion_thread_ids active_thread_ids thread_id_to_global_node_previous_node
        node_logical_id origin_node_logical_id source_node_logical_id destination_node_logical_id
        last_node_logical_id parked_node_logical_id global_node_logical_id trigger_node_logical_id
        guardrail_redirected_from_logical_id start_node_logical_id super_node_exit_origin source_node_id
        destination_node_id edge_logical_id edge_run_id node_run_id origin_node_run_id tool_call_id
        llm_response_id conversation_id document_id client_turn_id super_node_origin node
    """,
    Kind.TIME: "timestamp created_at updated_at started_at finished_at deadline_epoch at",
    Kind.NUMBER: """
        iteration_number attempt_number attempts_completed edges_evaluated delay_seconds total_attempts
        trigger_node_completion_count transitions_this_wait num_guardrail_nodes_entered status_code
        duration_milliseconds e2e_latency_milliseconds nodes_executed_count llm_call_count tool_call_count
        average_latency_milliseconds average_milliseconds max_milliseconds median_milliseconds
        min_milliseconds total_latency_milliseconds response_latency_milliseconds call_count
        call_count_with_fallback_keys call_count_with_user_keys prompt_tokens completion_tokens
        total_tokens total_input_tokens total_output_tokens turn_count version_number
        checkpoint_source_turn_index
    """,
    Kind.FLAG: """
        type status command outcome trigger_mode message_type edge_type navigation_message interrupted
        is_condition_met still_active still_waiting transitioned is_evaluation_run used_user_api_key
        was_estimated success simulated how kind call_class conversation_status termination_source faulted
        answered_by intervened
    """,
    Kind.NAME: """
        edge_name origin_node_name source_node_name destination_node_name workflow_name version_name
        name provider response_model run_by
    """,
    Kind.TEXT: """
        reason condition_expression hydrated_condition_expression error error_message warning_message
        debug_message stack_trace
    """,
    Kind.RECORD: """
        run_input run_output run_input_output_pair input_output_pairs events thread_to_node_inputs
        thread_to_node_outputs node_run_inputs thread_id_to_nodes_history
        companion_thread_id_to_nodes_history iteration_end_state_miscellaneous iteration_metrics message
        messages tool_calls invalid_tool_calls response_metadata llm_usage_info llm_token_usage
        llm_latency_stats llm_call_latency_stats tool_call_latency_stats breakdown_by_models
        carried_over_llm_token_usage carried_over_llm_latency_stats evaluation_run_info usage_metadata trouble
    """,
}
FIELDS: dict[str, Kind] = {name: kind for kind, names in _FIELDS.items() for name in names.split()}
"""The kind of each known field of events and records; others are free."""
_FREE = """
    args_filled chat_history comments content curl_command destination_phone_number document_content
    document_title document_url processed_transcript response_body runtime_variables sent_message
    updated_content workflow_runtime_variables
"""
FREE_FIELDS = frozenset(_FREE.split())
"""Fields of events that hold texts and values of a conversation."""
GRAPH_FIELDS = {
    "type": Kind.FLAG,
    "trigger_mode": Kind.FLAG,
    "static_messages_selection_mode": Kind.FLAG,
    "global_condition_evaluation_method": Kind.FLAG,
    "global_condition_edge_evaluation_method": Kind.FLAG,
    **{name: kind for name, kind in FIELDS.items() if name.endswith("logical_id")},
}
"""The fields without which a workflow cannot be read; no value of a variable is looked for in them."""
