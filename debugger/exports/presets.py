"""Presets of columns, by the purpose of the file."""

from __future__ import annotations

from debugger.exports.columns import COLUMNS
from debugger.exports.rows import Shape

_QA = """
schema_version run_id workflow_name version_number backend started_at final_status end_reason
turn sequence role text user_text agent_text node path edge_taken edge_condition edge_verdict path_after
status_at_turn waits_at changes error_message failure_kind error_node faulted mocked turn_ms run_ms
latency_ms tokens_in tokens_out masked
event_index event_type event_node summary
verdict reviewer comment verdict_at turn_verdict
run_verdict run_reviewer run_comment run_verdict_at rating tags star expected match
checks run_verdicts turn_verdicts run_remarks
"""
_EVENTS = """
schema_version run_id turn is_background event_index event_type event_node_id event_node event_thread at
event_at_ms event_duration_ms importance is_failure failure_kind error_node faulted mocked summary payload
run_ms end_reason masked
"""
_MINIMAL = "run_id turn sequence role text user_text agent_text event_index event_type summary"

LEX = "lex-test-set"
"""The preset of the test sets of Amazon Lex, whose columns are none of ours."""
PRESETS: dict[str, tuple[str, ...]] = {
    "qa-review": tuple(_QA.split()),
    LEX: (),
    "full-events": tuple(_EVENTS.split()),
    "minimal": tuple(_MINIMAL.split()),
}
"""Columns by preset; those that a shape does not have are left out."""

PRESET_LABELS = {
    "qa-review": "QA review",
    LEX: "Lex test set",
    "full-events": "Full events",
    "minimal": "Minimal",
}
PRESET_SHAPES: dict[str, Shape] = {
    "qa-review": "message",
    LEX: "message",
    "full-events": "event",
    "minimal": "message",
}
"""The shape that each preset is made for."""


def preset_columns(preset: str, shape: Shape) -> list[str]:
    """Return the columns of a preset that a shape has."""
    return [name for name in PRESETS[preset] if shape in COLUMNS[name].shapes]
