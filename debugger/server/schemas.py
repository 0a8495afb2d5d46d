"""The routes of JSON schemas (``platform/wire.md`` 4.1, 5.5)."""

from __future__ import annotations

from functools import cache

from fastapi import APIRouter
from pydantic import BaseModel

from debugger.protocol import urls
from debugger.protocol.base import JsonObject
from debugger.protocol.runs import Run, RunOutput, Turn, TurnInput
from debugger.protocol.workflow import GlobalNodeConfig, Workflow
from debugger.server.answers.runs import RunSchemas
from debugger.server.operations import described
from debugger.server.reply import JsonReply

router = APIRouter()


@router.get(urls.WORKFLOW_SCHEMA)
@described(JsonObject)
def workflow_schema() -> JsonReply:
    """What a workflow document looks like."""
    return JsonReply(_schema(Workflow))


@router.get(urls.GLOBAL_NODE_SCHEMA)
@described(JsonObject)
def global_node_schema() -> JsonReply:
    """What the settings of a global node look like."""
    return JsonReply(_schema(GlobalNodeConfig))


@router.get(urls.RUN_SCHEMA)
@described(RunSchemas)
def run_schema() -> JsonReply:
    """What a run, its input, its output and one pair of the two look like."""
    return JsonReply(
        {
            "run_schema": _schema(Run),
            "run_input_schema": _schema(TurnInput),
            "run_output_schema": _schema(RunOutput),
            "run_input_output_pair_schema": _schema(Turn),
        }
    )


@cache
def _schema(model: type[BaseModel]) -> JsonObject:
    return model.model_json_schema()
