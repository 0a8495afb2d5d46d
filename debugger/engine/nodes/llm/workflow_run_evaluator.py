"""The node that has a model judge a stored run (``platform.md#evaluation-nodes``)."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import NAMESPACE_OID, uuid5

from debugger.engine.models.base import Reply
from debugger.engine.nodes.base import NodeContext, NodeResult, NodeRun
from debugger.engine.nodes.llm.config import LLMConfig
from debugger.engine.nodes.llm.node import ModelTurn, WorkerLLMNode
from debugger.expressions import ABSENT, lookup
from debugger.protocol.base import JsonObject
from debugger.protocol.json_codec import encode
from debugger.protocol.workflow import NodeConfig


class WorkflowRunEvaluatorConfig(LLMConfig):
    """The run to evaluate, and the variable of the verdict."""

    wait_for_user_message: bool = False
    default_error_message: str | None = None
    input_runtime_variable_name: str = "workflow_run_object"
    output_runtime_variable_name: str | None = None
    is_turn_by_turn_evaluator: bool = False
    """Whether the platform has each turn judged by itself; it does not say what comes of the verdicts."""

    @property
    def output_name(self) -> str:
        """Return the variable that takes the verdict.

        The platform makes up a name when the author gives none, and keeps it with the node. Here it follows
        from the node's id, so that it is the same whenever the workflow is opened.
        """
        made_up = uuid5(NAMESPACE_OID, self.logical_id).hex
        return self.output_runtime_variable_name or f"evaluator_output_{made_up}"


class WorkflowRunEvaluatorNode(WorkerLLMNode):
    """A node whose model evaluates a stored run by schema or text.

    It never waits and never loops. Without a run, or without an answer, the verdict is the default error
    message, which is nothing unless the author wrote one.
    """

    Config: ClassVar[type[NodeConfig]] = WorkflowRunEvaluatorConfig
    config: WorkflowRunEvaluatorConfig

    def __init__(self, config: NodeConfig) -> None:
        super().__init__(config)
        self.waits_for_user = self.loops_to_itself = False  # whatever the document has

    def run_input(self, context: NodeContext) -> JsonObject | None:
        """Return the input of a run as `LLMNode.run_input` does, with the type of this node."""
        return {**(super().run_input(context) or {}), "type": "workflow_run_evaluator"}

    def run(self, context: NodeContext) -> NodeRun:
        """Ask for the verdict, if there is a run.

        Else a warning says so, and the verdict is the default error message.
        """
        if self._message(context):
            return (yield from super().run(context))
        name = self.config.input_runtime_variable_name
        context.warnings.append(f"Node {self.config.label!r} has no run to judge: [[{name}]] has no value.")
        return self._verdict(self.error_message(context), {}, context)

    def _message(self, context: NodeContext) -> str:
        """Return the run in the input variable as a text; empty where there is none."""
        found = lookup(context.scope, "runtime", self.config.input_runtime_variable_name)
        if found is ABSENT or found is None:
            return ""
        return found if isinstance(found, str) else encode(found).decode()

    def _finish(self, reply: Reply, turn: ModelTurn, context: NodeContext) -> NodeRun:
        """Write the verdict and return the result: the fields where a schema was given, else the text.

        Output that does not fit the schema is reported as `LLMNode._finish` does.
        """
        if reply.fields_error is not None:
            return (yield from super()._finish(reply, turn, context))
        if turn.prompt.schema is None:
            return self._verdict(reply.text, {}, context)
        fields = self._known_fields(reply.fields, turn)
        return self._verdict(fields, fields, context)

    def _apologise(self, turn: ModelTurn, context: NodeContext) -> NodeRun:
        yield from ()
        return self._verdict(self.error_message(context), {}, context)

    def _verdict(self, verdict: Any, fields: JsonObject, context: NodeContext) -> NodeResult:
        """Write the verdict and return it: a text as ``free_form_output``, which is else ``None``.

        The fields are the ``structured_output``, empty where there are none.
        """
        self.write(context, {self.config.output_name: verdict})
        words = verdict if isinstance(verdict, str) else None
        return NodeResult({"structured_output": fields, "free_form_output": words})
