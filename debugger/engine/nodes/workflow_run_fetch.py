"""The node that loads a stored run (``platform.md#evaluation-nodes``)."""

from __future__ import annotations

from typing import ClassVar

from debugger.engine.nodes.base import Node, NodeContext, NodeResult, NodeRun, result_variables
from debugger.errors import DebuggerError, RunError
from debugger.protocol.json_codec import encode
from debugger.protocol.workflow import NodeConfig


class WorkflowRunFetchConfig(NodeConfig):
    """The run and the result variable."""

    workflow_run_id: str = "{{workflow_run_id}}"
    result_runtime_variable_name: str = "workflow_run_object"


class WorkflowRunFetchNode(Node[WorkflowRunFetchConfig]):
    """A node that loads a run as JSON, or writes an error."""

    Config: ClassVar[type[NodeConfig]] = WorkflowRunFetchConfig

    def run(self, context: NodeContext) -> NodeRun:
        """Load the run of an id with placeholders, and write its record as JSON text or the error.

        A failure is reported as a warning and ends no run.
        """
        yield from ()
        name = self.config.result_runtime_variable_name
        text, error = None, None
        try:
            record = context.load_run(context.fill(self.config.workflow_run_id))
            text = encode(record).decode()
        except RunError:
            raise  # a recording without its answer ends the run
        except DebuggerError as failure:
            error = str(failure)
            context.report_failure("node", f"Node {self.config.label!r} failed: {error}")
        self.write(context, result_variables(name, text, error))
        return NodeResult({"fetched_workflow_run": text})
