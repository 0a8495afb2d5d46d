"""Workflow documents in bodies: unwrapped, and rejected where the platform rejects them."""

from __future__ import annotations

from debugger.errors import WorkflowError
from debugger.graph.checks import reject_faulty
from debugger.protocol.base import JsonObject, WireModel, without_secret_variables
from debugger.protocol.workflow import Workflow, unwrap_document
from debugger.server.body import body_error


class NamedWorkflow(WireModel):
    """A workflow as a document under ``config``, or as a name only."""

    name: str
    description: str | None = None
    config: JsonObject | None = None


class NewConfig(WireModel):
    """The new graph of a version, under one of two keys."""

    config: Workflow | None = None
    workflow_config: Workflow | None = None


def new_document(body: JsonObject) -> JsonObject:
    """Return the document of a new workflow, without secret variables.

    It is hydrated, under ``config``, or made of a name only.

    Raises:
        RequestValidationError: There is neither a graph nor a name, or ``config`` is no object.

    Source: ``platform.md#create-workflow``.
    """
    return without_secret_variables(_unwrap(body))


def version_document(body: JsonObject) -> JsonObject:
    """Return the new document of a version, from under ``config`` or else ``workflow_config``.

    Secret variables are removed.

    Raises:
        RequestValidationError: There is none, or it is no object.
        WorkflowError: There is no graph in it, or it breaks a rule of saving.
        InputError: A node or an edge in it lacks a required field.
    """
    config = body.get("config", body.get("workflow_config"))
    if not isinstance(config, dict):
        raise body_error("missing" if config is None else "dict_type", "It must be a graph", "config")
    document = dict(unwrap_document(without_secret_variables(config)))
    reject_faulty(Workflow.from_document(document))
    return document


def name_in(body: JsonObject) -> str | None:
    """Return the ``name`` of a body; ``None`` without one.

    Raises:
        RequestValidationError: It is no text.
    """
    name = body.get("name")
    if name is not None and not isinstance(name, str):
        raise body_error("string_type", "Input should be a valid string", "name")
    return name


def _unwrap(body: JsonObject) -> JsonObject:
    """Return the document in a body: itself, that under ``config``, or one without nodes and edges.

    Name and description of the body are added to the last two. Raises RequestValidationError when ``config``
    is no object, or when there is neither a graph nor a name.
    """
    if _has_graph(body):
        return body
    config = body.get("config")
    if config is None:
        config = {}
    if not isinstance(config, dict):
        raise body_error("dict_type", "Input should be a valid dictionary", "config")
    named = {key: body[key] for key in ("name", "description") if key in body}
    if _has_graph(config):
        return {**config, **named}
    if not body.get("name"):
        raise body_error("missing", "Field required", "name")
    return {"workflow_config": {**config, **named}, "node_configs": [], "edge_configs": []}


def _has_graph(data: JsonObject) -> bool:
    """Return whether an object has a list of nodes or of edges, itself or in its wrappings."""
    try:
        unwrap_document(data)
    except WorkflowError:
        return False
    return True
