"""What is wrong with a workflow, found before it runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from debugger.errors import ExpressionError
from debugger.expressions import parse
from debugger.graph.graph import Graph
from debugger.graph.labels import shorten
from debugger.protocol.workflow import ConditionConfig, EdgeConfig, NodeConfig, Workflow

Level = Literal["error", "warning"]

LLM_FLAGS = {
    "say_llm": {"self_loop": True, "wait_for_user_message": True},
    "worker_llm": {"self_loop": False, "wait_for_user_message": True},
    "workflow_run_evaluator": {"self_loop": False, "wait_for_user_message": False},
}
"""The node types that call a model, with the defaults of two flags (``platform/engine.md`` 2.1, 2.10)."""

# A super node stands for nodes that may call a model.
_MAY_CALL_A_MODEL = {*LLM_FLAGS, "super_node"}


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong."""

    level: Level
    """An ``error`` keeps a run from starting or going on; a ``warning`` is hardly what the author meant."""
    code: str
    """The name of the rule."""
    message: str
    """What is wrong and where. Of an expression it has several lines: the last ones point at the fault."""
    node_logical_id: str | None = None
    edge_logical_id: str | None = None
    advice: str = ""
    """What to do about it."""


@dataclass(frozen=True)
class Subject:
    """What the rules look at."""

    graph: Graph
    known_node_types: frozenset[str] | None = None
    """The types that the engine runs; ``None`` when nobody can tell."""

    @property
    def nodes(self) -> list[NodeConfig]:
        """The enabled nodes. A disabled one is never run, so it may be as it likes."""
        return [node for node in self.graph.workflow.node_configs if not node.disabled]

    @property
    def edges(self) -> list[EdgeConfig]:
        """The enabled edges."""
        return [edge for edge in self.graph.workflow.edge_configs if not edge.disabled]


Check = Callable[[Subject], Iterable[Problem]]


def check(workflow: Workflow, known_node_types: frozenset[str] | None = None) -> list[Problem]:
    """Everything that is wrong with a workflow, errors first.

    Args:
        workflow: The document; it may be as broken as it likes.
        known_node_types: The node types that the engine runs; by default no type is objected to.
    """
    subject = Subject(Graph(workflow), known_node_types)
    problems = [problem for rule in CHECKS for problem in rule(subject)]
    return sorted(problems, key=lambda problem: problem.level != "error")


def no_nodes(subject: Subject) -> Iterator[Problem]:
    """A workflow without nodes can be stored but not run.

    Source: ``platform/engine.md`` 1.1.
    """
    if not subject.graph.nodes:
        yield Problem(
            "error", "no-nodes", "The workflow has no nodes, so no run can start.", advice="Add a start node."
        )


def no_start_node(subject: Subject) -> Iterator[Problem]:
    """A run needs a node to start at."""
    if not subject.graph.nodes or subject.graph.start_nodes:
        return
    flagged = [node for node in subject.graph.nodes.values() if node.is_start]
    why = (
        f"{_of_node(flagged[0])} is flagged as the start and disabled"
        if flagged
        else "no node has 'is_start'"
    )
    yield Problem(
        "error",
        "no-start-node",
        f"No run can start: {why}.",
        node_logical_id=flagged[0].logical_id if flagged else None,
        advice="Set 'is_start' on one enabled node.",
    )


def several_start_nodes(subject: Subject) -> Iterator[Problem]:
    """Of several start nodes only the first is ever started at."""
    first, *others = subject.graph.start_nodes or (None,)
    for node in others:
        if node is not None and first is not None:
            yield Problem(
                "warning",
                "several-start-nodes",
                f"{_of_node(node)} is flagged as the start, but runs start at {_of_node(first, 'node')}.",
                node_logical_id=node.logical_id,
                advice="Leave 'is_start' set on one node.",
            )


def duplicate_node_id(subject: Subject) -> Iterator[Problem]:
    """A logical id names one node of the workflow.

    Source: V21 in ``platform/engine.md`` 12.
    """
    for logical_id, nodes in _same_id(subject.graph.workflow.node_configs).items():
        yield Problem(
            "error",
            "duplicate-node-id",
            f"{len(nodes)} nodes have the id {_quoted(logical_id)}: {_listed(node.label for node in nodes)}.",
            node_logical_id=logical_id,
            advice="Give each node an id of its own and point the edges at the right one.",
        )


def duplicate_edge_id(subject: Subject) -> Iterator[Problem]:
    """A logical id names one edge of the workflow.

    Source: V21 in ``platform/engine.md`` 12.
    """
    for logical_id, edges in _same_id(subject.graph.workflow.edge_configs).items():
        ends = (f"{edge.source_node_logical_id} → {edge.destination_node_logical_id}" for edge in edges)
        yield Problem(
            "error",
            "duplicate-edge-id",
            f"{len(edges)} edges have the id {_quoted(logical_id)}: {_listed(ends)}.",
            edge_logical_id=logical_id,
            advice="Give each edge an id of its own.",
        )


def edge_without_end(subject: Subject) -> Iterator[Problem]:
    """An edge needs a source and a destination.

    Source: U-20 in ``platform/engine.md`` 15.
    """
    for edge in subject.edges:
        for end, node_id in _ends(edge):
            if node_id is None:
                yield Problem(
                    "error",
                    "edge-without-end",
                    f"{_of_edge(edge)} has no {end}.",
                    edge_logical_id=edge.logical_id,
                    advice=f"Set '{end}_node_logical_id', or disable the edge.",
                )


def edge_at_missing_node(subject: Subject) -> Iterator[Problem]:
    """Both ends of an edge are nodes of the workflow.

    Source: U-20 in ``platform/engine.md`` 15.
    """
    for edge in subject.edges:
        for end, node_id in _ends(edge):
            if node_id is not None and node_id not in subject.graph.nodes:
                yield Problem(
                    "error",
                    "edge-at-missing-node",
                    f"{_of_edge(edge)} has the {end} {_quoted(node_id)}, and no node has this id.",
                    edge_logical_id=edge.logical_id,
                    advice="Point the edge at a node that exists, or disable it.",
                )


def node_without_type(subject: Subject) -> Iterator[Problem]:
    """The type says what a node does."""
    for node in subject.nodes:
        if not node.type:
            yield Problem(
                "error",
                "node-without-type",
                f"{_of_node(node)} has no type, so there is nothing to run.",
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
                f"{_of_node(node)} has the type {_quoted(node.type)}, which this engine does not run.",
                node_logical_id=node.logical_id,
                advice=f"Disable the node, or use a type that is run: {', '.join(sorted(known))}.",
            )


def condition_syntax(subject: Subject) -> Iterator[Problem]:
    """Condition expressions parse. Saving does not check them, so a run would fail on one that does not.

    Source: ``platform/engine.md`` 4.1.
    """
    for place in _conditions(subject):
        expression = place.condition.condition_expression
        try:
            if expression:
                parse(expression)
        except ExpressionError as error:
            yield place.problem(
                "error",
                "condition-syntax",
                f"does not parse: {error}",
                "Correct the expression where the caret points.",
            )


def condition_missing(subject: Subject) -> Iterator[Problem]:
    """A conditional edge needs a condition; without one it is never taken.

    Source: ``platform/engine.md`` 3.1.
    """
    for place in _conditions(subject):
        if not place.condition.text and place.needed:
            yield place.problem(
                "warning",
                "condition-missing",
                "is missing, so it is never taken.",
                "Set 'condition_expression' or 'condition_freeform'.",
            )


def direct_beside_conditional(subject: Subject) -> Iterator[Problem]:
    """A direct edge wins over the conditional edges that leave the same node.

    Source: ``platform/engine.md`` 3.3.
    """
    for node in subject.nodes:
        direct = subject.graph.main_direct(node.logical_id)
        conditional = subject.graph.conditional(node.logical_id)
        if direct is not None and conditional:
            yield Problem(
                "warning",
                "direct-beside-conditional",
                f"{_of_node(node)} has a direct edge {_quoted(direct.logical_id)} that wins over its "
                f"conditional ones: {_listed(edge.logical_id for edge in conditional)}."
                f"{_unless_chosen(node, conditional)}",
                node_logical_id=node.logical_id,
                edge_logical_id=direct.logical_id,
                advice="Remove the direct edge, or make it the last conditional one.",
            )


def several_direct_edges(subject: Subject) -> Iterator[Problem]:
    """Of several direct edges exactly one is the thread's own; the others fork companion threads.

    Source: V1 in ``platform/engine.md`` 12.
    """
    for node in subject.nodes:
        direct = subject.graph.direct(node.logical_id)
        own = [edge for edge in direct if not edge.forks_companion]
        if len(direct) > 1 and len(own) != 1:
            which = f"{len(own)} of them are" if own else "none of them is"
            yield Problem(
                "error",
                "several-direct-edges",
                f"{_of_node(node)} has {len(direct)} direct edges and {which} without the companion flag: "
                f"{_listed(edge.logical_id for edge in own or direct)}. Exactly one may be.",
                node_logical_id=node.logical_id,
                advice="Flag all but one with 'companion_thread_config', or make them conditional.",
            )


def loop_without_wait(subject: Subject) -> Iterator[Problem]:
    """A node that calls a model runs itself again only after it waited for the user.

    Source: ``platform/engine.md`` 2.1.1.
    """
    for node in subject.nodes:
        if _flag(node, "self_loop") and not _flag(node, "wait_for_user_message"):
            by_default = (
                "" if "self_loop" in (node.model_extra or {}) else ", which is the default of its type,"
            )
            yield Problem(
                "error",
                "loop-without-wait",
                f"{_of_node(node)} has 'self_loop' on{by_default} and 'wait_for_user_message' off, "
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
                f"{_of_node(node)} has 'self_loop_config' enabled without a bound.",
                node_logical_id=node.logical_id,
                advice="Set 'max_retries' or 'expiry_time' in it.",
            )


def freeform_without_model(subject: Subject) -> Iterator[Problem]:
    """A freeform condition is judged by the model that its node calls; elsewhere it costs a call of its own.

    Source: U-33 in ``platform/engine.md`` 15.
    """
    for node in subject.nodes:
        if _calls_no_model(node, subject.known_node_types):
            for edge in filter(_is_freeform, subject.graph.conditional(node.logical_id)):
                yield Problem(
                    "warning",
                    "freeform-without-model",
                    f"{_of_edge(edge)} has a freeform condition, but {_of_node(node, 'node')} calls no model "
                    "that could judge it.",
                    node_logical_id=node.logical_id,
                    edge_logical_id=edge.logical_id,
                    advice="Set 'condition_expression' instead.",
                )


def unreachable_node(subject: Subject) -> Iterator[Problem]:
    """Every node can be arrived at from the start."""
    for node in subject.graph.unreachable if subject.graph.start_nodes else ():
        yield Problem(
            "warning",
            "unreachable-node",
            f"{_of_node(node)} cannot be arrived at from the start.",
            node_logical_id=node.logical_id,
            advice="Add an edge to it, or disable it.",
        )


CHECKS: tuple[Check, ...] = (
    no_nodes,
    no_start_node,
    several_start_nodes,
    duplicate_node_id,
    duplicate_edge_id,
    edge_without_end,
    edge_at_missing_node,
    node_without_type,
    unknown_node_type,
    condition_syntax,
    condition_missing,
    direct_beside_conditional,
    several_direct_edges,
    loop_without_wait,
    retry_without_bound,
    freeform_without_model,
    unreachable_node,
)
"""Every rule, in the order in which problems of one level are told."""


@dataclass(frozen=True)
class _Place:
    """A condition and where it stands."""

    owner: str
    name: str
    condition: ConditionConfig
    needed: bool = True
    node_logical_id: str | None = None
    edge_logical_id: str | None = None

    def problem(self, level: Level, code: str, what: str, advice: str) -> Problem:
        message = f"{self.owner}: the {self.name} {what}"
        return Problem(level, code, message, self.node_logical_id, self.edge_logical_id, advice)


def _conditions(subject: Subject) -> Iterator[_Place]:
    """The conditions of edges, and those under which global nodes are entered and left again."""
    for edge in subject.edges:
        if edge.type == "conditional":
            condition = edge.condition or ConditionConfig()
            yield _Place(_of_edge(edge), "condition", condition, edge_logical_id=edge.logical_id)
    for node in subject.nodes:
        config = node.global_node_config
        if config is not None and config.is_global:
            owner, node_id = _of_node(node), node.logical_id
            entry, back = config.condition or ConditionConfig(), config.reverse_conditional_edge
            yield _Place(owner, "entry condition", entry, node_logical_id=node_id)
            yield _Place(
                owner, "reverse condition", back or ConditionConfig(), False, node_logical_id=node_id
            )


def _ends(edge: EdgeConfig) -> Iterator[tuple[str, str | None]]:
    yield "source", edge.source_node_logical_id
    yield "destination", edge.destination_node_logical_id


def _same_id(configs: Iterable[Any]) -> dict[str, list[Any]]:
    """The ids that more than one has, each with all who have it."""
    groups: defaultdict[str, list[Any]] = defaultdict(list)
    for config in configs:
        groups[config.logical_id].append(config)
    return {logical_id: group for logical_id, group in groups.items() if len(group) > 1}


def _flag(node: NodeConfig, name: str) -> bool:
    """A flag of a node that calls a model, by default as its type has it; of other nodes it means nothing."""
    defaults = LLM_FLAGS.get(node.type or "")
    if defaults is None:
        return False
    value = (node.model_extra or {}).get(name)
    return value if isinstance(value, bool) else defaults[name]


def _calls_no_model(node: NodeConfig, known: frozenset[str] | None) -> bool:
    """Whether that is certain: nothing is known of a type that the engine does not run."""
    return (
        node.type is not None and node.type not in _MAY_CALL_A_MODEL and (known is None or node.type in known)
    )


def _is_freeform(edge: EdgeConfig) -> bool:
    condition = edge.condition
    return condition is not None and not condition.condition_expression and bool(condition.condition_freeform)


def _unless_chosen(node: NodeConfig, conditional: Iterable[EdgeConfig]) -> str:
    """What to add where the model of the node may choose an edge before the direct one counts (U-19)."""
    chosen_by_model = node.type in LLM_FLAGS and any(map(_is_freeform, conditional))
    return " Only a freeform one that the model chooses comes before it." if chosen_by_model else ""


def _of_node(node: NodeConfig, noun: str = "Node") -> str:
    return f"{noun} {_quoted(node.label)}" + (f" ({_cut(node.logical_id)})" if node.name else "")


def _of_edge(edge: EdgeConfig) -> str:
    return f"Edge {_quoted(edge.logical_id)}" + (f" ({_cut(edge.name)})" if edge.name else "")


def _listed(texts: Iterable[str]) -> str:
    return ", ".join(map(_quoted, texts))


def _quoted(text: str) -> str:
    return repr(_cut(text))


def _cut(text: str) -> str:
    return shorten(text, 60)
