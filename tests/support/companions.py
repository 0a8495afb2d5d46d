"""Workflows with companion threads, for tests of whatever drives them."""

from __future__ import annotations

from typing import Any

from tests.support.factories import direct, document, node, say, static, tool, when

_COUNT = "def count(n):\n    return int(n) + 1 if str(n).isdigit() else 1\n"


def lab(*, pause: int = 2, checks: int = 3, **config: Any) -> dict[str, Any]:
    """Return a poller in the background and a chat.

    The chat is left once the poller has counted far enough.
    The graph of ``platform.md#event-order``.

    Args:
        pause: Seconds between two checks.
        checks: How many there are.
        config: What else the workflow is to have.
    """
    retry = {"enabled": True, "max_retries": 100, "time_between_retries": pause}
    poll = tool("poll", _COUNT, {"n": "[[attempts]]"}, result_runtime_variable_name="attempts")
    companion = {"is_companion_thread": True, "thread_id": "labpoll"}
    waking = {
        "enabled": True,
        "trigger_mode": "on_node_completion",
        "trigger_node_logical_ids": ["poll"],
    }
    return document(
        node("entry", "no_op"),
        say("chat"),
        {**poll, "self_loop_config": retry},
        node("landing", "no_op"),
        static("ready", "Your results are here after [[thread_labpoll.attempts]] checks."),
        direct("entry", "chat"),
        {**direct("entry", "poll"), "companion_thread_config": companion},
        when("poll", "landing", f"[[attempts]] >= {checks}"),
        when(
            "chat",
            "ready",
            f"[[thread_labpoll.attempts]] >= {checks}",
            evaluate_while_waiting_config=waking,
        ),
        **config,
    )


def watchful(expression: str = "[[done]] == true", **config: Any) -> dict[str, Any]:
    """Return a chat left once a condition holds.

    It is judged at every background step.
    """
    settings = {
        "enabled": True,
        "trigger_mode": "on_every_background_tick",
        "min_seconds_between_evaluations": 0.001,
    }
    return document(
        say("chat"),
        static("bye", "Goodbye"),
        when("chat", "bye", expression, evaluate_while_waiting_config=settings),
        **config,
    )


def left_alone(*, pause: int = 2, checks: int = 3, **config: Any) -> dict[str, Any]:
    """Return a poller that outlives the talking thread.

    Args:
        pause: Seconds between two checks.
        checks: How many there are.
        config: What else the workflow is to have.
    """
    graph = lab(pause=pause, checks=checks, **config)
    edges = [part for part in graph["edge_configs"] if "chat" not in part["logical_id"]]
    nodes = [part for part in graph["node_configs"] if part["logical_id"] != "chat"]
    return {**graph, "node_configs": nodes, "edge_configs": [*edges, direct("entry", "ready")]}
