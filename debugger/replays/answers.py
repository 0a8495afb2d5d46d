"""The answers of models, tools and services that are in the events of a run.

No event has what was asked. A run that is played on its own version by the order of its answers gives that,
too: `CallRecorder.calls` then has both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from debugger.analysis.event_fields import text, values_of
from debugger.engine.mocks.recording import CallKind, CallRequest, RecordedCall, RecordedTurn
from debugger.engine.state import seed_of_segment
from debugger.engine.tool_names import model_name
from debugger.graph import Graph
from debugger.graph.node_types import MODEL_NODES
from debugger.protocol.base import JsonObject
from debugger.protocol.event_values import CalledTool, MessageValues
from debugger.protocol.events import AssistantResponseEvent, Event
from debugger.protocol.messages import TRANSITION_TOOL_PREFIX, message_text
from debugger.protocol.turn_logs import TurnLog
from debugger.protocol.value_view import ValueView

_PROMPTS = {"say_llm": "say", "worker_llm": "work"}
"""Kind of prompt by the type of the event that has its answer."""
_SHARED = frozenset({"events", "type", "node_logical_id", "node_run_id"})
"""The keys of ``run_output`` that every node has."""
_OF_RUNS = frozenset(
    {
        "logical_id",
        "timestamp",
        "origin_thread_id",
        "thread_reference_id",
        "comments",
        "interrupted",
        "origin_node_logical_id",
        "origin_node_name",
        "origin_node_run_id",
    }
)
"""The keys of events that the engine stamps."""
_NOT_PLAYED = frozenset({"workflow_show_state", "workflow_warning", "workflow_debug_log", "user_messages"})
"""Types of events between the start and the end of a node's run that are not its own."""
_COUNTED = (
    "response_model",
    "provider",
    "llm_response_id",
    "response_latency_milliseconds",
    "prompt_tokens",
    "completion_tokens",
    "total_tokens",
)
"""Fields of a usage."""
_UNANSWERED = "gave no answer"
"""Words of the warning about a model that failed."""
_UNSTRUCTURED = "has no structured output: "
"""Words of the warning about an answer that breaks its schema."""


def recorded_turns(logs: Sequence[TurnLog], seed: int | None = None) -> list[RecordedTurn]:
    """Return the turns of a run, and its steps of background work, as a recording has them.

    Args:
        logs: The run.
        seed: That of its random values; where it is not known, a text that is chosen by chance may be
            another one.
    """
    return [
        RecordedTurn(
            number,
            (log.events[0].timestamp or 0.0) if log.events else 0.0,
            log.run_input.to_wire(),
            seed_of_segment(seed or 0, number - 1),
        )
        for number, log in enumerate(logs, start=1)
    ]


def recorded_answers(logs: Sequence[TurnLog], graph: Graph) -> list[RecordedCall]:
    """Return the answers in the events of a run, in order, without what was asked.

    Turns are numbered as by `recorded_turns`.

    Args:
        logs: The run.
        graph: The version that ran, with its super nodes expanded.
    """
    return [call for number, log in enumerate(logs, start=1) for call in _Reader(number, log, graph).read()]


@dataclass
class _NodeRun:
    """A run of a node, from its start on."""

    node_id: str
    events: list[Event] = field(default_factory=list)
    discarded: list[JsonObject] = field(default_factory=list)
    """Answers of its model that were paid for and not used, before the next answer."""
    fillers: list[str] = field(default_factory=list)
    """Words said while the next answer of its model was late."""
    call: int | None = None
    """The place of the last answer of its model among the calls."""


class _ToolName(ValueView):
    name: str


class _ToolOf(ValueView):
    """The tool of a node that runs one."""

    tool_config: _ToolName


class _Reader:
    """Reads the answers of one turn.

    Args:
        number: The number of the turn or step, from 1.
        log: Its events.
        graph: The version that ran.
    """

    def __init__(self, number: int, log: TurnLog, graph: Graph) -> None:
        self._number = number
        self._events = log.events
        self._graph = graph
        self._began = (log.events[0].timestamp or 0.0) if log.events else 0.0
        self._runs: dict[tuple[str | None, str], _NodeRun] = {}
        self._calls: list[RecordedCall] = []

    def read(self) -> list[RecordedCall]:
        """Return the answers in order."""
        for place, event in enumerate(self._events):
            node_id = text(event, "origin_node_logical_id") or ""
            key = (event.origin_thread_id, node_id)
            if event.type == "start_node_run":
                self._runs[key] = _NodeRun(node_id)
            elif event.type == "workflow_warning":  # names no node: it is of the last one that runs
                self._take_warning(event, next(reversed(self._runs.values()), None))
            elif event.type == "condition_evaluator_llm":  # also after the end of the node's run
                self._add_verdict(event, self._runs.get(key) or _NodeRun(node_id))
            elif (run := self._runs.get(key)) is not None:
                self._take(place, event, run)
                if event.type == "end_node_run":
                    del self._runs[key]
        return self._calls

    def _take(self, place: int, event: Event, run: _NodeRun) -> None:
        """Read an event of a node's run."""
        if event.type in _PROMPTS:
            message = values_of(event).message
            if message.type == "tool":
                self._add(event, run, "tool", message.name, _tool_answer(message))
            else:
                self._add_reply(place, event, run, _PROMPTS[event.type])
        elif event.type == "discarded_main_llm":
            self._take_discarded(place, event, run)
        elif event.type == "end_node_run":
            self._end(place, event, run)
        elif _message_type(event) == "backchannel":
            run.fillers.append(message_text(event.to_wire()))
        elif event.type not in _NOT_PLAYED:
            run.events.append(event)
            self._take_line(event, run)

    def _add(self, event: Event, run: _NodeRun, kind: CallKind, name: str, answer: JsonObject) -> int:
        """Add a call that was answered at an event; return its place."""
        latency = values_of(event).llm_usage_info.response_latency_milliseconds or 0.0
        after = max(((event.timestamp or self._began) - self._began) * 1000 - latency, 0.0)
        request = CallRequest(kind, run.node_id, name, {})
        self._calls.append(RecordedCall(self._number, request, answer, latency, after))
        return len(self._calls) - 1

    def _change(self, run: _NodeRun, **answer: Any) -> None:
        """Add to the last answer of a node's model."""
        if run.call is not None:
            call = self._calls[run.call]
            self._calls[run.call] = replace(call, answer={**call.answer, **answer})

    def _add_reply(self, place: int, event: Event, run: _NodeRun, prompt: str) -> None:
        message = values_of(event).message
        transition = _transition_call(message)
        answer: JsonObject = {
            "text": message_text(message.wire),
            "calls": [
                {"name": call.name, "args": dict(call.args)}
                for call in message.calls
                if call.name and (transition is None or call.wire is not transition.wire)
            ],
            **self._usage(event, run),
        }
        if transition is not None:
            answer |= self._choice(place, event, transition)
        run.call = self._add(event, run, "model", prompt, answer)

    def _usage(self, event: Event, run: _NodeRun) -> JsonObject:
        usage = _usage_of(event)
        discarded, run.discarded = run.discarded, []
        fillers, run.fillers = run.fillers, []
        model = str(usage.get("response_model") or "")
        return {"usage": usage, "model": model, "discarded": discarded, "fillers": fillers}

    def _choice(self, place: int, event: Event, transition: CalledTool) -> JsonObject:
        """Return the transition that a model's message chose, as a recorded reply has it."""
        args = dict(transition.args)
        reason = str(args.pop("justification", "") or "")
        to = transition.name.removeprefix(TRANSITION_TOOL_PREFIX)
        key = self._key_of_choice(place, event, to)
        return {"chosen": {"edge": key, "to": to, "condition": ""}, "args": args, "reason": reason}

    def _key_of_choice(self, place: int, event: Event, to: str) -> str:
        """Return the key of a transition that a model chose, as `Transition.key` has it.

        It is that of the edge which the thread took next; where it was sent elsewhere, the author's edge.
        """
        edges = iter(self._events[place + 1 :])
        own = (each for each in edges if each.origin_thread_id == event.origin_thread_id)
        taken = next((each for each in own if each.type.endswith("_edge")), None)
        source = text(event, "origin_node_logical_id")
        if taken is not None and text(taken, "destination_node_logical_id") == to:
            kind = "reverse" if taken.type == "reverse_conditional_edge" else "global"
            return text(taken, "edge_logical_id") or f"{kind}:{to}"
        for edge in self._graph.edges.values():
            ends = (edge.source_node_logical_id, edge.destination_node_logical_id)
            if ends == (source, to) and edge.condition is not None and edge.condition.condition_freeform:
                return edge.logical_id
        return f"global:{to}"

    def _add_verdict(self, event: Event, run: _NodeRun) -> None:
        wire, message = event.to_wire(), values_of(event).message
        to = str(wire.get("destination_node_logical_id") or "")
        answer: JsonObject = {"text": message_text(message.wire), **self._usage(event, run)}
        transition = _transition_call(message)
        if wire.get("is_condition_met"):
            args = dict(transition.args) if transition is not None else {}
            reason = str(args.pop("justification", "") or "")
            answer |= {"chosen": {"edge": "", "to": to, "condition": ""}, "args": args, "reason": reason}
        run.call = self._add(event, run, "model", f"judge {to}", answer)

    def _take_discarded(self, place: int, event: Event, run: _NodeRun) -> None:
        """Read an answer that was not used: one of several attempts, or the whole where a condition held."""
        wire = event.to_wire()
        if "reason" in wire and wire["reason"] != "global_condition_matched":
            run.discarded.append({"reason": str(wire["reason"]), "usage": _usage_of(event)})
            return
        kept = run.call  # the verdict, to which a line belongs
        self._add_reply(place, event, run, self._prompt_of(run.node_id))
        run.call = kept

    def _prompt_of(self, node_id: str) -> str:
        node = self._graph.nodes.get(node_id)
        return _PROMPTS.get(str(node.type) if node is not None else "", "say")

    def _take_warning(self, event: Event, run: _NodeRun | None) -> None:
        """Read the warning about a model that gave no answer, or no structured output."""
        node = None if run is None else self._graph.nodes.get(run.node_id)
        if run is None or node is None or node.type not in MODEL_NODES:
            return
        warning = text(event, "warning_message") or ""
        if _UNANSWERED in warning:
            why = warning.partition(_UNANSWERED)[2].removeprefix(":").strip().rstrip(".")
            answer: JsonObject = {"error": why, "discarded": run.discarded, "fillers": run.fillers}
            run.discarded, run.fillers = [], []
            self._add(event, run, "model", self._prompt_of(run.node_id), answer)
        elif _UNSTRUCTURED in warning:
            self._change(run, fields_error=warning.partition(_UNSTRUCTURED)[2])

    def _take_line(self, event: Event, run: _NodeRun) -> None:
        """Read the line that a model wrote for the transition that it chose."""
        chosen = None if run.call is None else self._calls[run.call].answer.get("chosen")
        if event.type != "assistant_response" or chosen is None:
            return
        if _message_type(event) == "static" and self._has_written_line(run.node_id, chosen):
            self._change(run, message=message_text(event.to_wire()))

    def _has_written_line(self, node_id: str, chosen: Mapping[str, str]) -> bool:
        """Return whether the edge that was chosen has a line for a model to write."""
        return any(
            edge.condition is not None and edge.condition.dynamic_messages_config is not None
            for edge in self._graph.edges.values()
            if edge.logical_id == chosen["edge"]
            or (edge.source_node_logical_id, edge.destination_node_logical_id) == (node_id, chosen["to"])
        )

    def _end(self, place: int, event: Event, run: _NodeRun) -> None:
        """Read the end of a node's run: structured output, or the run of a node that calls a service."""
        output = {key: value for key, value in values_of(event).run_output.wire.items() if key not in _SHARED}
        node = self._graph.nodes.get(run.node_id)
        kind = "" if node is None else str(node.type)
        if kind in MODEL_NODES:
            fields = values_of(event).run_output.structured_output
            if fields:
                self._change(run, fields=dict(fields))
        elif kind == "tool_node" and node is not None:
            name = _ToolOf(node.to_wire()).tool_config.name
            self._add(event, run, "tool", model_name(name), _tool_node_answer(output))
        else:
            answer: JsonObject = {
                "events": [_plain(each) for each in run.events],
                "variables": self._written(place, event),
                "output": output,
            }
            self._add(event, run, "node", kind, answer)

    def _written(self, place: int, end: Event) -> JsonObject:
        """Return the variables that a node's run has written: those that are also there under its id."""
        node_id = text(end, "origin_node_logical_id")
        for event in self._events[place + 1 : place + 3]:
            if event.type == "workflow_show_state":
                shown = values_of(event).runtime_variables
                return {name: shown[name] for name in shown if f"{node_id}.{name}" in shown}
        return {}


def _usage_of(event: Event) -> JsonObject:
    """Return the usage of a model's answer, without what has no type that the engine counts with."""
    usage = values_of(event).llm_usage_info
    counted = {name: getattr(usage, name) for name in _COUNTED if usage.wire.get(name) is not None}
    others = {name: value for name, value in usage.wire.items() if isinstance(value, bool | dict)}
    return {**others, **counted}


def _message_type(event: Event) -> str | None:
    """Return the kind of a message to the user; ``None`` of other events, and where nobody tells it."""
    return event.response_metadata.get("message_type") if isinstance(event, AssistantResponseEvent) else None


def _plain(event: Event) -> JsonObject:
    """Return an event without what the engine stamps."""
    return {key: value for key, value in event.to_wire().items() if key not in _OF_RUNS}


def _transition_call(message: MessageValues) -> CalledTool | None:
    """Return the tool call by which a model chose a transition."""
    return next((call for call in message.calls if call.name.startswith(TRANSITION_TOOL_PREFIX)), None)


def _tool_answer(message: MessageValues) -> JsonObject:
    """Return the result of a tool from its message, as a recording has it."""
    succeeded = message.status != "error"
    return {
        "success": succeeded,
        "result": message.response_metadata.tool_result if succeeded else None,
        "error": None if succeeded else message_text(message.wire),
        "is_simulated": message.response_metadata.simulated,
        "warnings": [],
    }


def _tool_node_answer(output: JsonObject) -> JsonObject:
    """Return the result of a tool from the output of the node that ran it."""
    succeeded = output.get("success") is not False
    return {
        "success": succeeded,
        "result": output.get("tool_result"),
        "error": output.get("error_message") if not succeeded else None,
        "is_simulated": bool(output.get("simulated")),
        "warnings": [],
    }
