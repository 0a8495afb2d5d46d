"""Re-runs as answers show them (``platform/wire.md`` section 7)."""

from __future__ import annotations

from dataclasses import asdict

from debugger.backends.forks import Line, RerunEdits, RerunPlan
from debugger.backends.forks.transcript import edited_lines
from debugger.protocol.base import JsonObject
from debugger.protocol.runs import MAIN_THREAD


def preflight_shape(plan: RerunPlan) -> JsonObject:
    """What would come of a re-run."""
    return {
        "rerunnable": plan.reason is None,
        "reason": plan.reason,
        "resolved_mode": plan.mode,
        "is_resumable": plan.not_resumable_reason is None,
        "not_resumable_reason": plan.not_resumable_reason,
        "entry_node_logical_id": plan.entry_node_logical_id,
        "suggested_entry_nodes": plan.suggested_entry_nodes,
        "node_matches": [asdict(match) for match in plan.matches],
        "unmapped_node_ids": plan.unmapped_nodes,
        "unmapped_variable_keys": plan.dropped_variables,
        "carries_over": {"message_count": len(plan.lines), "variable_count": plan.variable_count},
        "dropped": {
            "node_ids": plan.unmapped_nodes,
            "variable_keys": plan.dropped_variables,
            "state_keys": plan.dropped_parts,
        },
        "warnings": plan.warnings,
    }


def refused_preflight(reason: str) -> JsonObject:
    """The same where nothing can come of it."""
    return {
        "rerunnable": False,
        "reason": reason,
        "resolved_mode": None,
        "is_resumable": False,
        "not_resumable_reason": reason,
        "entry_node_logical_id": None,
        "suggested_entry_nodes": [],
        "node_matches": [],
        "unmapped_node_ids": [],
        "unmapped_variable_keys": [],
        "carries_over": {"message_count": 0, "variable_count": 0},
        "dropped": {"node_ids": [], "variable_keys": [], "state_keys": []},
        "warnings": [],
    }


def token_shape(token: str, plan: RerunPlan, expires_in: int) -> JsonObject:
    """A token and what it stands for."""
    return {
        "rerun_token": token,
        "expires_in_seconds": expires_in,
        **_about(plan),
        "restored_message_count": len(plan.lines),
    }


def preview_shape(plan: RerunPlan, edits: RerunEdits, expires_in: int) -> JsonObject:
    """What a token stands for, without the token; the edits are in it.

    A line keeps the index that it had before any edit, since edits go by that one.

    Args:
        plan: With the variables edited.
        edits: All that is edited.
        expires_in: Seconds.
    """
    lines = edited_lines(plan.lines, edits)
    is_edited = not edits.is_empty
    return {
        **_about(plan),
        "effective_mode": "EDITED" if is_edited else plan.mode,
        "edited": is_edited,
        "removed_message_count": len(edits.message_deletes),
        "resume_thread_id": MAIN_THREAD,
        "threads": [
            {
                "thread_id": thread.thread_id,
                "messages": [_line(line) for line in lines if line.thread_id == thread.thread_id],
                "runtime_variables": thread.runtime_variables,
            }
            for thread in plan.state.threads.values()
        ],
        "dynamic_variables": plan.state.dynamic_variables,
        "expires_in_seconds": expires_in,
    }


def started_shape(run_id: str, plan: RerunPlan, status: str) -> JsonObject:
    """A re-run that has begun."""
    return {
        "workflow_run_id": run_id,
        "status": status,
        "resolved_mode": plan.mode,
        "entry_node_logical_id": plan.entry_node_logical_id,
        "warnings": plan.warnings,
    }


def _about(plan: RerunPlan) -> JsonObject:
    return {
        "source_workflow_run_id": plan.run_id,
        "turn_index": plan.turn_index,
        "target_workflow_id": plan.workflow_id,
        "target_version_number": plan.version_number,
        "resolved_mode": plan.mode,
        "entry_node_logical_id": plan.entry_node_logical_id,
        "warnings": plan.warnings,
    }


def _line(line: Line) -> JsonObject:
    return {
        "index": line.index,
        "sender": line.sender,
        "text": line.text,
        "editable": line.reason is None,
        "not_editable_reason": line.reason,
    }
