"""A workflow made ready to run: its graph, its nodes, and all else that is fixed about its runs."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any, Self

from debugger.engine.environment import Environment
from debugger.engine.mocks.recorded import NOTHING_RECORDED, RecordedAnswers
from debugger.engine.models.base import Model
from debugger.engine.nodes import NODE_TYPES
from debugger.engine.nodes.base import Node, UnsupportedNode, no_run_store
from debugger.engine.options import EngineOptions
from debugger.engine.outbound import Gateway
from debugger.engine.outbound.gateway import BlockedGateway
from debugger.engine.routing import EdgeSelector
from debugger.engine.run_notes import RunNote
from debugger.engine.variables import authored_scope
from debugger.errors import InputError, RunError
from debugger.graph import Graph
from debugger.graph.checks import companions
from debugger.graph.checks.context import CheckContext
from debugger.protocol.base import JsonObject
from debugger.protocol.workflow import NodeConfig, Workflow


class RunnableWorkflow:
    """One version of a workflow with all that is fixed about running it.

    Args:
        workflow: What the author wrote.
        model: The model that answers prompts.
        options: Choices where the platform leaves a question open.
        environment: Clock and random values.
        load_run: Gives the record of another run by its id.
        open_gateway: Makes the gateway of one execution; by default every call is blocked.
        recorded: What answers calls that are not made.
        notes: What is odd about the workflow as a whole; each run is warned of it in its first turn, unless
            it has what the note says stands in for it.
    """

    def __init__(
        self,
        workflow: Workflow,
        model: Model,
        options: EngineOptions | None = None,
        environment: Environment | None = None,
        load_run: Callable[[str], JsonObject] = no_run_store,
        open_gateway: Callable[[], Gateway] = BlockedGateway,
        recorded: RecordedAnswers = NOTHING_RECORDED,
        notes: Sequence[RunNote] = (),
    ) -> None:
        """Index the workflow's graph and edges; nodes are made when they are first needed."""
        self.notes = tuple(notes)
        self.load_run = load_run
        self.open_gateway = open_gateway
        self.recorded = recorded
        self.workflow = workflow
        self.graph = Graph(workflow)
        self.routes = EdgeSelector(self.graph)
        self.model = model
        self.options = options or EngineOptions()
        self.environment = environment or Environment()
        self.authored = authored_scope(workflow, self.options)
        """The variables with the workflow's own defaults alone."""
        self._nodes: dict[str, Node[Any]] = {}

    def with_options(self, options: EngineOptions) -> Self:
        """Return the same workflow with other options."""
        other = copy.copy(self)
        other.options = options
        return other

    def node(self, config: NodeConfig) -> Node[Any]:
        """Return the code of a node; made once, then kept.

        One of an unknown type, or with a value of its own that its type does not allow, is an
        `UnsupportedNode`.

        Raises:
            RunError: The node loops without a wait; an edge that leaves it leads to no node, or starts an
                invalid companion thread.

        Source: ``platform.md#workflow-document``.
        """
        node = self._nodes.get(config.logical_id)
        if node is None:
            reject_unsupported(config, self.graph)
            node = self._make(config)
            if node.loops_to_itself and not node.waits_for_user:
                raise RunError(
                    f"Node {config.label!r} ({config.logical_id}) has self_loop, "
                    "but does not wait for the user.",
                    advice="Set wait_for_user_message, or switch self_loop off.",
                )
            self._nodes[config.logical_id] = node
        return node

    def _make(self, config: NodeConfig) -> Node[Any]:
        """Return a new node of the class of its type, or an `UnsupportedNode` with the reason."""
        node_type = NODE_TYPES.get(str(config.type))
        if node_type is None:
            return UnsupportedNode(config, f"its type {config.type!r} is not known here.")
        try:
            return node_type(config)
        except (InputError, RunError) as error:  # a value that cannot be read, or a rule of its tool
            return UnsupportedNode(config, f"as a {config.type} it cannot be read. {error}")


_RULES = (
    companions.several_direct_edges,
    companions.companion_waits,
    companions.companion_forks,
    companions.companion_shares_nodes,
    companions.companion_thread_id,
    companions.duplicate_thread_id,
)


def reject_unsupported(node: NodeConfig, graph: Graph) -> None:
    """Refuse a node with an edge to nowhere or an invalid companion thread; do nothing for any other.

    Raises:
        RunError: An edge leads to a node that is not there (U-20); or a companion thread that the node starts
            breaks one of the rules by which the platform refuses to save a workflow (V1 to V5).
    """
    for edge in graph.find_dangling_edges(node.logical_id):
        raise RunError(
            f"Node {node.label!r} has the edge {edge.logical_id!r}, which leads to "
            f"{edge.destination_node_logical_id!r}: there is no such node.",
            advice="Correct the edge's destination, or disable the edge.",
        )
    direct = {edge.logical_id for edge in graph.direct(node.logical_id)}
    for rule in _RULES if len(direct) > 1 else ():
        for problem in rule(CheckContext(graph)):
            if problem.node_logical_id == node.logical_id or problem.edge_logical_id in direct:
                raise RunError(problem.message, advice=problem.advice)
