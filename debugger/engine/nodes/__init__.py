"""The node types that the engine runs."""

from __future__ import annotations

from typing import Any

from debugger.engine.nodes.base import Node
from debugger.engine.nodes.connectors.athena import (
    AthenaAppointmentsCreateNode,
    AthenaPatientsCreateNode,
    AthenaPatientsSearchNode,
    AthenaPatientsUpdateNode,
)
from debugger.engine.nodes.connectors.end_conversation import EndConversationNode
from debugger.engine.nodes.connectors.google_docs import GoogleDocsNode
from debugger.engine.nodes.connectors.send_sms import SendSmsNode
from debugger.engine.nodes.connectors.start_conversation import StartConversationNode
from debugger.engine.nodes.deduplicate import DeduplicateNode
from debugger.engine.nodes.field_extractor import FieldExtractorNode
from debugger.engine.nodes.http_request import HttpRequestNode
from debugger.engine.nodes.llm.node import SayLLMNode, WorkerLLMNode
from debugger.engine.nodes.llm.workflow_run_evaluator import WorkflowRunEvaluatorNode
from debugger.engine.nodes.no_op import NoOpNode
from debugger.engine.nodes.say_static import SayStaticNode
from debugger.engine.nodes.tool_node import ToolNode
from debugger.engine.nodes.workflow_run_fetch import WorkflowRunFetchNode

NODE_TYPES: dict[str, type[Node[Any]]] = {
    "athena_appointments_create": AthenaAppointmentsCreateNode,
    "athena_patients_create": AthenaPatientsCreateNode,
    "athena_patients_search": AthenaPatientsSearchNode,
    "athena_patients_update": AthenaPatientsUpdateNode,
    "deduplicate": DeduplicateNode,
    "end_conversation": EndConversationNode,
    "field_extractor": FieldExtractorNode,
    "google_docs": GoogleDocsNode,
    "http_request": HttpRequestNode,
    "no_op": NoOpNode,
    "say_llm": SayLLMNode,
    "say_static": SayStaticNode,
    "send_sms": SendSmsNode,
    "start_conversation": StartConversationNode,
    "tool_node": ToolNode,
    "worker_llm": WorkerLLMNode,
    "workflow_run_evaluator": WorkflowRunEvaluatorNode,
    "workflow_run_fetch": WorkflowRunFetchNode,
}
