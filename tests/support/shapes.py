"""Eight workflows that a user without a model walks edge by edge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.support.factories import (
    Json,
    direct,
    document,
    everywhere,
    node,
    say,
    static,
    when,
    worker,
)
from tests.support.super_nodes import super_node


@dataclass(frozen=True)
class Way:
    """A way along one edge: what the user chooses in the graph and types into forms."""

    name: str
    asked: str
    """The node for whose model the user answers."""
    ends_at: str
    """The node that is reached."""
    edge: str = ""
    """The edge to choose."""
    node: str = ""
    """The node to choose, where the document has no edge."""
    fields: Json | None = None
    """The structured output to type."""
    is_pinned: bool = False
    """Whether the same answer is to be given from then on."""
    is_default: bool = False
    """Whether a run takes it without any answer."""


@dataclass(frozen=True)
class Shape:
    """A workflow, and the ways along its edges."""

    make: Callable[[], Json]
    ways: tuple[Way, ...]
    start: Json = field(default_factory=dict)
    """The rest of the run input."""


_CHOICE = {"args_schema": {"type": "object", "properties": {"topic": {"enum": ["cost", "time"]}}}}


def _globals() -> Json:
    judged = "independent_llm_evaluations"
    return document(
        say("chat"),
        static("bye", "Bye"),
        static("help", "Help", global_node_config=everywhere("The user needs help")),
        static("human", "A person", global_node_config=everywhere("The user is angry", judged=judged)),
        static("legal", "Law", global_node_config=everywhere("The user threatens", judged=judged)),
        when("chat", "bye", freeform="The user leaves", condition=_CHOICE),
        name="Several global nodes",
    )


def _worker() -> Json:
    return document(
        worker("facts", {"kind": {"enum": ["new", "old"]}}, wait_for_user_message=False),
        static("fresh", "New"),
        static("known", "Old"),
        static("unclear", "Unclear"),
        when("facts", "fresh", "[[kind]] == 'new'"),
        when("facts", "known", "[[kind]] == 'old'"),
        when("facts", "unclear", freeform="Nothing can be read"),
        name="Worker with schema",
    )


def _tool() -> Json:
    return document(
        node("stock", "tool_node"),
        static("some", "In stock"),
        static("broken", "Broken"),
        static("later", "Later"),
        when("stock", "broken", "[[tool_result_success]] == false"),
        when("stock", "some", "[[tool_result]] == 'full'"),
        when("stock", "later", freeform="It comes later"),
        name="Tool node without tool",
    )


def _companion() -> Json:
    flag = {"is_companion_thread": True, "thread_id": "watch"}
    return document(
        node("entry", "no_op"),
        say("chat"),
        static("bye", "Bye"),
        worker("watch", {"n": {"type": "integer"}}, wait_for_user_message=False),
        node("calm", "no_op"),
        node("alarm", "no_op"),
        direct("entry", "chat"),
        {**direct("entry", "watch"), "companion_thread_config": flag},
        when("chat", "bye", freeform="The user leaves"),
        when("watch", "calm", freeform="All is well"),
        when("watch", "alarm", freeform="Something is wrong"),
        name="Companion thread",
    )


def _super_node() -> Json:
    inside = document(
        say("ask"),
        static("noted", "Noted"),
        when("ask", "noted", freeform="The user gives a name"),
        logical_id="workflow_inside",
    )
    return document(
        super_node("booking", inside),
        static("done", "Done"),
        static("stopped", "Stopped"),
        when("booking", "done", freeform="The booking is complete"),
        when("booking", "stopped", freeform="The user gives up"),
        name="Super node",
    )


def _waiting() -> Json:
    waking = {"enabled": True, "trigger_mode": "on_node_completion", "trigger_node_logical_ids": ["poll"]}
    flag = {"is_companion_thread": True, "thread_id": "labpoll"}
    return document(
        node("entry", "no_op"),
        say("chat"),
        worker("poll", {"done": {"type": "boolean"}}, wait_for_user_message=False),
        static("ready", "Ready"),
        static("bye", "Bye"),
        direct("entry", "chat"),
        {**direct("entry", "poll"), "companion_thread_config": flag},
        when("chat", "ready", "[[thread_labpoll.done]] == true", evaluate_while_waiting_config=waking),
        when("chat", "bye", freeform="The user leaves"),
        name="Waiting edge",
    )


def _loop() -> Json:
    retry = {"enabled": True, "max_retries": 3, "time_between_retries": 0}
    return document(
        worker("poll", {"n": {"type": "integer"}}, wait_for_user_message=False, self_loop_config=retry),
        static("landed", "Landed"),
        static("lost", "Lost"),
        when("poll", "landed", "[[n]] >= 3"),
        when("poll", "lost", "[[self_loop_outcome]] == 'max_retries'"),
        name="Bounded loop",
    )


def _evaluator() -> Json:
    schema = {
        "name": "Verdict",
        "input_schema": {"type": "object", "properties": {"ok": {"type": "boolean"}}},
    }
    return document(
        node(
            "judge",
            "workflow_run_evaluator",
            structured_output_schema=schema,
            output_runtime_variable_name="verdict",
        ),
        static("passed", "Passed"),
        static("failed", "Failed"),
        when("judge", "passed", "[[verdict.ok]] == true"),
        when("judge", "failed", "[[verdict.ok]] == false"),
        name="Evaluator",
    )


SHAPES = {
    "several global nodes": Shape(
        _globals,
        (
            Way("own edge", "chat", "bye", edge="edge_chat_bye"),
            Way("offered global node", "chat", "help", node="help"),
            Way("first judged global node", "chat", "human", node="human"),
            Way("last judged global node", "chat", "legal", node="legal"),
        ),
    ),
    "worker with schema": Shape(
        _worker,
        (
            Way("first value", "facts", "fresh"),
            Way("other value", "facts", "known", fields={"kind": "old"}),
            Way("freeform", "facts", "unclear", edge="edge_facts_unclear"),
        ),
    ),
    "tool node without tool": Shape(
        _tool,
        (
            Way("result", "stock", "some", fields={"success": True, "result": "full"}),
            Way(
                "failure",
                "stock",
                "broken",
                fields={"success": False, "result": "timeout"},
                is_default=True,
            ),
            Way("freeform", "stock", "later", edge="edge_stock_later"),
        ),
    ),
    "companion thread": Shape(
        _companion,
        (
            Way("main thread", "chat", "bye", edge="edge_chat_bye"),
            Way("companion calm", "watch", "calm", edge="edge_watch_calm"),
            Way("companion alarm", "watch", "alarm", edge="edge_watch_alarm"),
        ),
    ),
    "super node": Shape(
        _super_node,
        (
            Way("inner edge", "booking/ask", "booking/noted", node="booking/noted"),
            Way("first way out", "booking/ask", "done", edge="edge_booking_done"),
            Way("other way out", "booking/ask", "stopped", edge="edge_booking_stopped"),
        ),
    ),
    "waiting edge": Shape(
        _waiting,
        (
            Way("while it waits", "poll", "ready", fields={"done": True}),
            Way("freeform", "chat", "bye", edge="edge_chat_bye"),
        ),
    ),
    "bounded loop": Shape(
        _loop,
        (
            Way("condition", "poll", "landed", fields={"n": 3}),
            Way("gave up", "poll", "lost", is_pinned=True, is_default=True),
        ),
    ),
    "evaluator": Shape(
        _evaluator,
        (
            Way("passed", "judge", "passed", fields={"ok": True}),
            Way("failed", "judge", "failed"),
        ),
        start={"runtime_variables": {"workflow_run_object": {"input_output_pairs": []}}},
    ),
}
