"""Problems and the workflow in which the checks look for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from typing import Any, Literal, NamedTuple

from debugger.graph.graph import Graph
from debugger.graph.labels import shorten
from debugger.graph.node_types import CONVERSATION_NODES, NODE_FACTS
from debugger.protocol.workflow import EdgeConfig, NodeConfig, WorkflowConfig, as_bool

Level = Literal["error", "warning"]


class Refusal(StrEnum):
    """The headings under which a save is refused.

    A rule that has one is a rule of saving: the platform stores no workflow that breaks it. Of its own texts
    the second alone is known (U-60).

    Source: ``platform.md#errors``.
    """

    COMPANION = "Invalid companion configuration"
    WAITING = "Invalid 'evaluate while waiting for user input' edge configuration"
    NODE = "Invalid node configuration"
    EDGE = "Invalid edge configuration"
    TOOL = "Invalid tool configuration"
    MODEL = "Invalid language model configuration"
    SUPER_NODE = "Invalid super node configuration"
    WORKFLOW = "Invalid workflow configuration"


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a workflow."""

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
    category: str = ""
    """The heading under which a save is refused; empty where such a workflow is saved."""


@dataclass(frozen=True)
class CheckContext:
    """The workflow that is checked."""

    graph: Graph
    known_node_types: frozenset[str] | None = None
    """The types that the engine runs; ``None`` if unknown."""
    readers: Mapping[str, Callable[[NodeConfig], object]] = field(default_factory=dict)
    """Readers of a node's own fields by its type; they raise an `InputError`."""

    @property
    def nodes(self) -> list[NodeConfig]:
        """Return the enabled nodes; disabled ones are never run."""
        return [node for node in self.graph.workflow.node_configs if not node.disabled]

    @property
    def edges(self) -> list[EdgeConfig]:
        """Return the enabled edges."""
        return [edge for edge in self.graph.workflow.edge_configs if not edge.disabled]

    def parts(self) -> Iterator[Part]:
        """Yield the settings, the enabled nodes and the enabled edges with their descriptions.

        Nodes and edges come in the document's order, also those whose id another one has.
        """
        yield Part("'workflow_config'", None, None, self.graph.workflow.config)
        for node in self.nodes:
            yield Part(describe_node(node), node.logical_id, None, node)
        for edge in self.edges:
            yield Part(describe_edge(edge), None, edge.logical_id, edge)


class Part(NamedTuple):
    """A part of a workflow that has texts."""

    owner: str
    """Its description, the begin of a message."""
    node_logical_id: str | None
    edge_logical_id: str | None
    config: NodeConfig | EdgeConfig | WorkflowConfig


class Finding(NamedTuple):
    """A problem without its rule's level, code and category."""

    subject: NodeConfig | EdgeConfig | str
    """The begin of the message; a node or an edge is described by its name and id, and is the place."""
    what: str
    """The rest of the message, a space after the subject."""
    advice: str
    node_logical_id: str | None = None
    """The place where the subject is none, or one more."""
    edge_logical_id: str | None = None


Find = Callable[[CheckContext], Iterator[Finding]]


@dataclass(frozen=True)
class Check:
    """A rule: its facts, and what finds the places that break it."""

    code: str
    """Its name."""
    level: Level
    category: Refusal | None
    """The heading under which a save is refused; ``None`` of a rule that a stored workflow may break."""
    find: Find
    is_of_whole: bool = False
    """Is true of a rule that skips workflows inside super nodes, whose variables may come from outside."""

    @property
    def refuses_save(self) -> bool:
        """Return whether the platform stores no workflow that breaks it."""
        return self.category is not None

    def __call__(self, context: CheckContext) -> Iterator[Problem]:
        """Yield the problems in a workflow, with this rule's level, code and category.

        A node or an edge that a finding has as its subject is described, and its id is the place.
        """
        for subject, what, advice, node_id, edge_id in self.find(context):
            described = subject
            if isinstance(subject, NodeConfig):
                described, node_id = describe_node(subject), subject.logical_id
            elif isinstance(subject, EdgeConfig):
                described, edge_id = describe_edge(subject), subject.logical_id
            message = f"{described} {what}"
            yield Problem(self.level, self.code, message, node_id, edge_id, advice, self.category or "")


def rule(
    level: Level, category: Refusal | None = None, *, is_of_whole: bool = False
) -> Callable[[Find], Check]:
    """Return the decorator of a rule; its code is the function's name."""
    return lambda find: Check(find.__name__.replace("_", "-"), level, category, find, is_of_whole)


def own_field(node: NodeConfig, name: str) -> Any:
    """Return a field of the node's own type, or ``None``."""
    return (node.model_extra or {}).get(name)


def flag(node: NodeConfig, name: str) -> bool:
    """Return the flag of a node of conversation, or its type's default.

    Other nodes have no flags; an evaluator never waits nor loops, whatever it has.
    """
    if node.type not in CONVERSATION_NODES:
        return False
    return as_bool(own_field(node, name), NODE_FACTS[node.type].flag_defaults[name])


_MOST_LISTED = 12


def describe_node(node: NodeConfig, noun: str = "Node") -> str:
    """Describe a node by its name and id."""
    return f"{noun} {quote(node.label)}" + (f" ({truncate(node.logical_id)})" if node.name else "")


def describe_edge(edge: EdgeConfig, noun: str = "Edge") -> str:
    """Describe an edge by its id and name."""
    return f"{noun} {quote(edge.logical_id)}" + (f" ({truncate(edge.name)})" if edge.name else "")


def join(texts: Iterable[str]) -> str:
    """Join quoted values; only the first twelve of many, with the number of the others.

    No values give an empty text.
    """
    rest = iter(texts)
    shown = ", ".join(map(quote, islice(rest, _MOST_LISTED)))
    left = sum(1 for _ in rest)
    return f"{shown} and {left} more" if left else shown


def quote(text: str) -> str:
    """Quote a value, cut where it is long."""
    return repr(truncate(text))


def truncate(text: str) -> str:
    """Return the beginning of a long text."""
    return shorten(text, 60)


def format_problem(problem: Problem, graph: Graph) -> str:
    """Format a problem on one line: level, place, message, advice.

    The excerpt under the message of an expression that does not parse is left out.
    """
    message, _, _ = problem.message.partition("\n")
    edge = graph.edges.get(problem.edge_logical_id or "")
    node = graph.nodes.get(problem.node_logical_id or "")
    places = [describe_edge(edge, "edge")] if edge is not None else []
    places += [describe_node(node, "node")] if node is not None else []
    place = next((each for each in places if message[:1].lower() + message[1 : len(each)] == each), None)
    if place is not None:
        message = message[len(place) :].lstrip(": ")
    # A line break in a name would make two lines of it.
    text = " ".join(f"{place or next(iter(places), 'workflow')}: {message} {problem.advice}".split())
    return f"{problem.level}  {text}"
