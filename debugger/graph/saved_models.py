"""Saved models that a workflow's own configurations are copies of."""

from __future__ import annotations

from collections.abc import Mapping

from debugger.graph.checks.context import CheckContext
from debugger.graph.checks.models import models_of
from debugger.graph.graph import Graph
from debugger.protocol.base import JsonObject
from debugger.protocol.workflow import Workflow

_SAVED = "attachable_llm_config_id"


def known_models(workflow: Workflow) -> dict[str, JsonObject]:
    """Return the configurations of saved models by id.

    Only the platform has the saved models, but a configuration may name the one that it is a copy of, as
    ``named_llm_config_id``. The first one counts.

    Source: ``platform.md#model-variants``.
    """
    known: dict[str, JsonObject] = {}
    for _, _, _, model in models_of(CheckContext(Graph(workflow))):
        saved_id = model.get("named_llm_config_id")
        if isinstance(saved_id, str) and saved_id:
            known.setdefault(saved_id, model)
    return known


def with_known_models(workflow: Workflow) -> Workflow:
    """Return a workflow with the known saved models in place of their ids.

    Ids that nothing in the workflow explains stay.
    """
    known = known_models(workflow)
    if not known:
        return workflow
    document = workflow.to_wire()
    config, nodes = document.get("workflow_config"), document.get("node_configs")
    return Workflow.from_wire(
        {
            **document,
            "workflow_config": config and _with_model(config, known),
            "node_configs": [_with_model(node, known) for node in nodes or ()],
        }
    )


def _with_model(holder: JsonObject, known: Mapping[str, JsonObject]) -> JsonObject:
    model = known.get(str(holder.get(_SAVED)))
    return holder if model is None else {**holder, _SAVED: None, "llms_config": model}
