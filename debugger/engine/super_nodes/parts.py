"""The flags of nodes and edges of inner workflows, which are JSON objects until the whole is expanded."""

from __future__ import annotations

from debugger.protocol.value_view import ValueView


class _GlobalNode(ValueView):
    is_global: bool


class _Enabled(ValueView):
    enabled: bool


class _CompanionThread(ValueView):
    is_companion_thread: bool


class _Condition(ValueView):
    condition_freeform: str


class Part(ValueView):
    """A node or an edge; a flag is read as in any document (``platform.md#workflow-flags``)."""

    type: str
    disabled: bool
    is_start: bool
    is_guardrail_node: bool
    override_llm_config: bool
    override_only_workflow_default_nodes: bool
    use_mcp_tools: bool
    ignore_default_prompt_prefix: bool
    ignore_default_prompt_suffix: bool
    global_node_config: _GlobalNode
    self_loop_config: _Enabled
    evaluate_while_waiting_config: _Enabled
    companion_thread_config: _CompanionThread
    condition: _Condition
