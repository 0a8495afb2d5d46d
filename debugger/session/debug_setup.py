"""Breakpoints and mocks around a run: stored, checked, made from events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from debugger.analysis.event_fields import text, values_of
from debugger.engine.mocks import Fault, Pin, Target
from debugger.engine.tool_names import model_name
from debugger.errors import DebuggerError
from debugger.graph import Graph
from debugger.graph.node_types import MODEL_NODES
from debugger.protocol.base import JsonObject, PlainObject
from debugger.protocol.event_values import CalledTool, EventValues, MessageValues
from debugger.protocol.events import Event
from debugger.protocol.messages import TRANSITION_TOOL_PREFIX, message_text
from debugger.protocol.turn_logs import TurnLog
from debugger.protocol.value_view import ValueView
from debugger.session.session import DebugSession

_SHARED = frozenset({"events", "type", "node_logical_id", "node_run_id"})
"""The keys of ``run_output`` that every node has."""
_MODEL_EVENTS = frozenset({"say_llm", "worker_llm"})


def pin_of(log: TurnLog, position: int) -> Pin | None:
    """Return the pin that repeats an event's output; ``None`` for an event that has none to repeat.

    Args:
        log: The turn.
        position: The place of the event: the end of a node's run, a model's message or a tool's.
    """
    event = log.events[position]
    wire = event.to_wire()
    if event.type == "end_node_run":
        return _node_pin(log, position, wire)
    if event.type not in _MODEL_EVENTS:
        return None
    values = EventValues(wire)
    message, node_id = values.message, values.origin_node_logical_id
    if message.type == "tool":
        return _tool_pin(message, node_id)
    return Pin(Target("model", node_id), _model_output(log, position, message))


def _tool_pin(message: MessageValues, node_id: str) -> Pin:
    """Return the pin of a tool in a node, with success, result and error of the call."""
    succeeded = message.status != "error"
    output = {
        "success": succeeded,
        "result": message.response_metadata.tool_result,
        "error": None if succeeded else message_text(message.wire),
    }
    return Pin(Target("tool", message.name, node_id), output)


def _model_output(log: TurnLog, position: int, message: MessageValues) -> JsonObject:
    """Return the output of a model's message: text, transition, structured output and other calls."""
    transition = _transition_call(message)
    return {
        "text": message_text(message.wire),
        **_choice(log, position, transition),
        "fields": _fields(log, position),
        "calls": [
            {"name": call.name, "args": call.args}
            for call in _named_calls(message)
            if transition is None or call.wire is not transition.wire
        ],
    }


def _node_pin(log: TurnLog, position: int, wire: JsonObject) -> Pin:
    """Return the pin of a node's run: its messages, set variables, own output and chosen transition."""
    start = _start(log, position)
    values = EventValues(wire)
    own = {key: value for key, value in values.run_output.wire.items() if key not in _SHARED}
    between = log.events[start:position]
    messages = (values_of(event).message for event in between if event.type in _MODEL_EVENTS)
    chosen = next((call for call in map(_transition_call, messages) if call is not None), None)
    pinned: JsonObject = {
        "says": [message_text(event.to_wire()) for event in between if event.type == "assistant_response"],
        "variables": _written(log, start, position),
        "output": own,
        **_choice(log, position, chosen),
    }
    return Pin(Target("node", values.origin_node_logical_id), pinned)


def _transition_call(message: MessageValues) -> CalledTool | None:
    """Return the tool call by which a model chose a transition."""
    calls = _named_calls(message)
    return next((call for call in calls if call.name.startswith(TRANSITION_TOOL_PREFIX)), None)


def _named_calls(message: MessageValues) -> list[CalledTool]:
    """Return the calls that name a tool; an event of another backend may have others."""
    return [call for call in message.calls if call.name]


def _choice(log: TurnLog, position: int, transition: CalledTool | None) -> JsonObject:
    """Return what a mock needs to repeat a transition: the keys ``chosen``, ``reason`` and ``args``.

    ``chosen`` is the id of the edge taken after it, or of the destination. All three keys are there without
    a call too: ``None``, an empty text and an empty object.
    """
    args = dict(transition.args) if transition else {}
    return {
        "chosen": _taken(log, position) if transition else None,
        "reason": str(args.pop("justification", "")),
        "args": args,
    }


def _start(log: TurnLog, position: int) -> int:
    """Return the place in the log where an event's node run started; 0 where the log lacks the start."""
    end = log.events[position].to_wire()
    for place in range(position, -1, -1):
        event = log.events[place]
        wire = event.to_wire()
        same = all(
            wire.get(key) == end.get(key)
            for key in ("origin_node_logical_id", "origin_node_run_id", "origin_thread_id")
        )
        if event.type == "start_node_run" and same:
            return place
    return 0


def _taken(log: TurnLog, position: int) -> str | None:
    """Return the id of the edge taken after an event in its thread, or of the destination; else ``None``."""
    thread = log.events[position].origin_thread_id
    for event in log.events[position + 1 :]:
        if event.type.endswith("_edge") and event.origin_thread_id == thread:
            wire = event.to_wire()
            found = wire.get("edge_logical_id") or wire.get("destination_node_logical_id")
            return str(found) if found else None
    return None


def _fields(log: TurnLog, position: int) -> JsonObject:
    """Return the structured output of the node run that an event belongs to; empty without one."""
    thread = log.events[position].origin_thread_id
    for event in log.events[position + 1 :]:
        if event.type == "end_node_run" and event.origin_thread_id == thread:
            return dict(values_of(event).run_output.structured_output)
    return {}


def _written(log: TurnLog, start: int, end: int) -> JsonObject:
    """Return the variables that a node's run has set or changed, without those copied under its id."""
    thread = log.events[end].origin_thread_id
    before = _shown(log.events[:start], thread)
    after = _shown(log.events[: end + 2], thread)
    node_id = text(log.events[end], "origin_node_logical_id")
    return {
        name: value
        for name, value in after.items()
        if (name not in before or before[name] != value) and f"{node_id}.{name}" in after
    }


def _shown(events: Sequence[Event], thread: str | None) -> Mapping[str, Any]:
    for event in reversed(events):
        if event.type == "workflow_show_state" and text(event, "thread_id") == thread:
            return values_of(event).runtime_variables
    return {}


def mock_warning(one: Pin | Fault, graph: Graph) -> str | None:
    """Return why a pin or fault has no effect, as a sentence, or ``None``: an unknown or disabled target."""
    target = one.target
    node_id = target.node if target.kind == "tool" else target.name
    node = graph.nodes.get(node_id)
    if node_id and node is None:
        return f"This version of the workflow has no node {node_id!r}."
    if node is not None and node.disabled:
        return "The node is disabled, so it never runs."
    if target.kind == "model" and node is not None and node.type not in MODEL_NODES:
        return "The node asks no model."
    if target.kind == "tool" and target.name not in tool_names(graph):
        return f"This version of the workflow has no tool {target.name!r}."
    return None


def tool_names(graph: Graph) -> list[str]:
    """Return the tool names that models use; MCP tools are unknown."""
    return list(dict.fromkeys(model_name(str(tool.get("name") or "")) for tool in _tools(graph)))


def _tools(graph: Graph) -> Iterator[JsonObject]:
    for node in graph.nodes.values():
        config = _ToolFields(node.to_wire())
        yield from filter(None, (config.tool_config, *config.tools_config.tools))
    yield from _ToolFields(graph.workflow.config.to_wire()).tools_config.tools


class _ToolList(ValueView):
    tools: list[PlainObject]


class _ToolFields(ValueView):
    """The fields with tools of a node, or of the settings of a workflow."""

    tool_config: PlainObject
    tools_config: _ToolList


FORMAT = 1


def capture(session: DebugSession) -> JsonObject:
    """Return the breakpoints and mocks of a session, and for which models the user answers, as JSON."""
    human_input = session.human_input
    return {
        "format": FORMAT,
        "breakpoints": session.breakpoints.to_json(),
        "interventions": session.mocks.to_json(),
        "answered": {"all": human_input.asks_all, "nodes": sorted(human_input.nodes)},
    }


def restore(session: DebugSession, setup: JsonObject, *, is_own: bool) -> None:
    """Apply the breakpoints and mocks of another session.

    A setup of a newer version of this program is ignored: a run can be debugged without. So is a damaged one,
    from the part on that cannot be read.

    Args:
        session: The session.
        setup: What `capture` has returned.
        is_own: Whether it is of the same run: only then the user answers for the same models.
    """
    if setup.get("format") != FORMAT:
        return
    try:
        session.breakpoints.restore(setup["breakpoints"])
        session.mocks.take(setup["interventions"])
        if is_own:
            _restore_answered(session, setup.get("answered") or {})  # an older version stored none
    except (AttributeError, DebuggerError, KeyError, TypeError):
        return


def _restore_answered(session: DebugSession, answered: JsonObject) -> None:
    """Let the user answer for the models for which he answered before, by ``all`` and ``nodes``.

    Nothing changes where the session has any choice of its own already, or where its backend takes no answers
    of a user.
    """
    human_input = session.human_input
    is_chosen = human_input.asks_all or human_input.nodes
    if is_chosen or session.backend.capabilities.reason_against("manual_model") is not None:
        return
    human_input.asks_all = bool(answered.get("all"))
    human_input.nodes = frozenset(map(str, answered.get("nodes") or ()))
