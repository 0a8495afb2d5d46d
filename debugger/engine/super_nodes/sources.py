"""Workflows of super nodes: embedded in them, or stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from debugger.engine.super_nodes.parts import Part
from debugger.errors import InputError, NotFoundError, RunError, WorkflowError
from debugger.protocol.base import JsonObject
from debugger.protocol.workflow import Workflow

LoadWorkflow = Callable[[str, int | None], Workflow]
"""Gives a stored workflow by id and version; without a version, the active one."""


class Sources:
    """A finder of workflows that loads a stored one once.

    Args:
        load: Gives a stored workflow; raises `NotFoundError` where there is none.
    """

    def __init__(self, load: LoadWorkflow) -> None:
        self._load: Final = load
        self._stored: dict[tuple[str, int | None], Workflow] = {}

    @property
    def loaded(self) -> frozenset[tuple[str, int | None]]:
        """Return the loaded workflows, as (id, requested version)."""
        return frozenset(self._stored)

    def find(self, super_node: SuperNode) -> Workflow:
        """Return a super node's workflow; an embedded one wins, and a stored one is loaded once.

        Raises:
            RunError: None is named, it cannot be had, or it is no workflow.

        Source: ``platform.md#super-nodes``.
        """
        if super_node.embedded:
            return _read(super_node)
        workflow_id = super_node.wire.get("super_workflow_id")
        if not workflow_id:
            raise RunError(
                f"{super_node} names no workflow that it stands for.",
                advice="Set 'super_workflow_id', or embed 'encapsulated_workflow_config'.",
            )
        return self._stored_one(super_node, workflow_id, super_node.wire.get("super_workflow_version_number"))

    def _stored_one(self, super_node: SuperNode, workflow_id: object, version: object) -> Workflow:
        """Return a stored workflow by id and version, loaded once; without a version the active one.

        Raises:
            RunError: Id or version has another type, or the workflow cannot be loaded.
        """
        is_number = version is None or (isinstance(version, int) and not isinstance(version, bool))
        if not isinstance(workflow_id, str) or not is_number:
            raise RunError(
                f"{super_node} stands for the workflow {workflow_id!r} in version {version!r}.",
                advice="'super_workflow_id' is a text, 'super_workflow_version_number' a number or null.",
            )
        assert version is None or isinstance(version, int)
        found = self._stored.get((workflow_id, version))
        if found is None:
            try:
                found = self._load(workflow_id, version)
            except (NotFoundError, InputError, WorkflowError) as error:
                named = "its active version" if version is None else f"version {version}"
                raise RunError(
                    f"{super_node} stands for the workflow {workflow_id!r}, {named}, which cannot be read: "
                    f"{error.message}",
                    advice="Import that workflow, correct 'super_workflow_id' and its version number, or "
                    "embed the workflow as 'encapsulated_workflow_config'.",
                ) from error
            self._stored[workflow_id, version] = found
        return found


def refuse_recursion(workflow: Workflow, around: Sequence[tuple[str, JsonObject]]) -> None:
    """Reject a workflow that contains itself.

    A workflow without an end of super nodes must hold one document twice, whatever ids and versions name it.

    Args:
        workflow: The one that is about to take the place of a super node.
        around: Name and document of those around it, innermost first.

    Raises:
        RunError: It is one of those; the message names all of them, from the outermost.
    """
    document = workflow.to_wire()
    if any(_is_same(document, other) for _, other in around):
        names = [workflow.name, *(name for name, _ in around)]
        raise RunError(
            f"The super nodes lead back to where they came from: {' > '.join(reversed(names))}.",
            advice="Remove the super node that closes the ring, or give it another workflow.",
        )


def _is_same(one: JsonObject, other: JsonObject) -> bool:
    try:
        return one is other or one == other
    except RecursionError:  # nested too deep to compare; the bound on the depth is met before long
        return False


def _read(super_node: SuperNode) -> Workflow:
    """Return the workflow that is embedded in a super node.

    Raises:
        RunError: It cannot be read.
    """
    try:
        return Workflow.from_document(super_node.embedded)
    except (WorkflowError, InputError) as error:
        raise RunError(
            f"{super_node} has an 'encapsulated_workflow_config' that cannot be read: {error.message}",
            advice=error.advice or "Embed a workflow with its nodes and edges.",
        ) from error


@dataclass(frozen=True)
class InnerWorkflow:
    """The workflow in a super node's place, with ids of the expanded workflow."""

    label: str
    """The name of the super node, or its id."""
    around: tuple[str, ...]
    """The super nodes around that super node, outermost first."""
    nodes: list[JsonObject]
    """With its own super nodes; it is entered by the first."""
    edges: list[JsonObject]


@dataclass(frozen=True)
class Expansion:
    """A workflow with its enabled super nodes expanded."""

    workflow: Workflow
    """Without a super node to expand it is the original workflow."""
    origins: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By the id of each inner node the super nodes around it, outermost first."""
    inner: Mapping[str, InnerWorkflow] = field(default_factory=dict)
    """Content of each super node, by its id; an outer one comes before those inside it."""
    warnings: tuple[str, ...] = ()
    """What could not be taken over as the author may have meant it, in plain words."""
    loaded: frozenset[tuple[str, int | None]] = frozenset()
    """The stored workflows in it, as (id, requested version); ``None`` is the version that was active."""


SUPER_NODE = "super_node"
EMBEDDED = "encapsulated_workflow_config"


@dataclass(frozen=True)
class SuperNode:
    """A super node, and its place.

    Args:
        wire: The node's object, its id that of the expanded workflow.
    """

    wire: JsonObject

    @property
    def id(self) -> str:
        """Return its id in the expanded workflow, prefixed by outer super nodes."""
        return str(self.wire["logical_id"])

    @property
    def label(self) -> str:
        """Its name, or its id where it has none."""
        return str(self.wire.get("name") or self.id)

    @property
    def embedded(self) -> Any:
        """Return its embedded workflow, which wins over a stored one."""
        return self.wire.get(EMBEDDED)

    def __str__(self) -> str:
        return f"Super node {self.label!r} ({self.id})"


def is_expandable(node: JsonObject) -> bool:
    """Return whether a node is an enabled super node.

    A disabled one is passed like any disabled node.
    """
    return node.get("type") == SUPER_NODE and not Part(node).disabled
