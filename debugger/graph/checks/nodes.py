"""Rules about single nodes."""

from __future__ import annotations

from collections.abc import Iterator

from debugger.graph.checks.naming import of_node, quoted
from debugger.graph.checks.problem import Problem
from debugger.graph.checks.subject import Subject, flag


def node_without_type(subject: Subject) -> Iterator[Problem]:
    """The type says what a node does."""
    for node in subject.nodes:
        if not node.type:
            yield Problem(
                "error",
                "node-without-type",
                f"{of_node(node)} has no type, so there is nothing to run.",
                node_logical_id=node.logical_id,
                advice="Set 'type', or disable the node.",
            )


def unknown_node_type(subject: Subject) -> Iterator[Problem]:
    """The engine has code for each node's type."""
    known = subject.known_node_types
    for node in subject.nodes:
        if known is not None and node.type and node.type not in known:
            yield Problem(
                "error",
                "unknown-node-type",
                f"{of_node(node)} has the type {quoted(node.type)}, which this engine does not run.",
                node_logical_id=node.logical_id,
                advice=f"Disable the node, or use a type that is run: {', '.join(sorted(known))}.",
            )


def loop_without_wait(subject: Subject) -> Iterator[Problem]:
    """A node that calls a model runs itself again only after it waited for the user.

    Source: ``platform/engine.md`` 2.1.1.
    """
    for node in subject.nodes:
        if flag(node, "self_loop") and not flag(node, "wait_for_user_message"):
            by_default = (
                "" if "self_loop" in (node.model_extra or {}) else ", which is the default of its type,"
            )
            yield Problem(
                "error",
                "loop-without-wait",
                f"{of_node(node)} has 'self_loop' on{by_default} and 'wait_for_user_message' off, "
                "so it would run again and again.",
                node_logical_id=node.logical_id,
                advice="Set 'self_loop' to false, or 'wait_for_user_message' to true.",
            )


def retry_without_bound(subject: Subject) -> Iterator[Problem]:
    """A retry loop needs at least one of its two bounds.

    Source: V15 in ``platform/engine.md`` 12.
    """
    for node in subject.nodes:
        loop = node.self_loop_config
        if loop and loop.enabled and loop.max_retries is None and loop.expiry_time is None:
            yield Problem(
                "error",
                "retry-without-bound",
                f"{of_node(node)} has 'self_loop_config' enabled without a bound.",
                node_logical_id=node.logical_id,
                advice="Set 'max_retries' or 'expiry_time' in it.",
            )


def unreachable_node(subject: Subject) -> Iterator[Problem]:
    """Every node can be arrived at from the start."""
    for node in subject.graph.unreachable if subject.graph.start_nodes else ():
        yield Problem(
            "warning",
            "unreachable-node",
            f"{of_node(node)} cannot be arrived at from the start.",
            node_logical_id=node.logical_id,
            advice="Add an edge to it, or disable it.",
        )
