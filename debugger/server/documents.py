"""The workflow document in a body: found in its wrappings, and refused where the platform refuses it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from debugger.errors import WorkflowError
from debugger.graph import Graph
from debugger.graph.checks import CheckContext, Problem, save_errors
from debugger.graph.checks.context import own_field
from debugger.graph.checks.nodes import loop_without_wait
from debugger.protocol.base import JsonObject, WireModel
from debugger.protocol.workflow import Workflow, unwrap_document
from debugger.server.body import unusable
from debugger.server.secret_variables import without_secrets


class NamedWorkflow(WireModel):
    """A workflow that is no hydrated document: one under ``config``, or no more than a name."""

    name: str
    description: str | None = None
    config: JsonObject | None = None


class NewConfig(WireModel):
    """The graph that a version is to have, under one of two keys."""

    config: Workflow | None = None
    workflow_config: Workflow | None = None


def new_document(body: JsonObject) -> JsonObject:
    """The document that a workflow is to be made of: hydrated, under ``config``, or no more than a name.

    Raises:
        RequestValidationError: There is neither a graph nor a name.
        WorkflowError: The platform would not save it (``platform/wire.md`` 4.8).
        InputError: A node or an edge in it lacks what every one of them needs.

    Source: ``platform/wire.md`` 4.4.
    """
    document = without_secrets(_document_in(body))
    refuse_faulty(document)
    return document


def version_document(body: JsonObject) -> JsonObject:
    """The document under ``config`` that a version is to have from now on.

    Raises:
        RequestValidationError: There is none.
        WorkflowError: There is no graph in it, or the platform would not save it.
        InputError: A node or an edge in it lacks what every one of them needs.
    """
    config = body.get("config", body.get("workflow_config"))
    if not isinstance(config, dict):
        raise unusable("missing" if config is None else "dict_type", "It must be a graph", "config")
    document = dict(unwrap_document(without_secrets(config)))
    refuse_faulty(document)
    return document


def name_in(body: JsonObject, key: str = "name") -> str | None:
    """A name, if there is one.

    Raises:
        RequestValidationError: It is no text.
    """
    name = body.get(key)
    if name is not None and not isinstance(name, str):
        raise unusable("string_type", "Input should be a valid string", key)
    return name


def refuse_faulty(document: JsonObject) -> None:
    """Refuse what the platform refuses to save (``platform/wire.md`` 4.8).

    Raises:
        WorkflowError: It breaks a rule, or is no workflow.
        InputError: A node or an edge in it lacks what every one of them needs.
    """
    workflow = Workflow.from_document(document)
    problem = next(chain(save_errors(workflow), _endless(workflow)), None)
    if problem is not None:
        raise WorkflowError(problem.message, category=problem.category or "Invalid node configuration")


def _endless(workflow: Workflow) -> Iterator[Problem]:
    """Nodes that are told to loop and not to wait; where that is only a default, nobody asked for it."""
    written = {node.logical_id for node in workflow.node_configs if own_field(node, "self_loop") is True}
    found = loop_without_wait(CheckContext(Graph(workflow)))
    return (problem for problem in found if problem.node_logical_id in written)


def _document_in(body: JsonObject) -> JsonObject:
    if _holds_graph(body):
        return body
    config = body.get("config")
    if config is None:
        config = {}
    if not isinstance(config, dict):
        raise unusable("dict_type", "Input should be a valid dictionary", "config")
    named = {key: body[key] for key in ("name", "description") if key in body}
    if _holds_graph(config):
        return {**config, **named}
    if not body.get("name"):
        raise unusable("missing", "Field required", "name")
    return {"workflow_config": {**config, **named}, "node_configs": [], "edge_configs": []}


def _holds_graph(data: JsonObject) -> bool:
    try:
        unwrap_document(data)
    except WorkflowError:
        return False
    return True
