"""Scripts of workflows: their problems, and the names that they may use."""

from __future__ import annotations

from collections.abc import Iterator

from debugger.engine.models import Script
from debugger.engine.models.script import Rule
from debugger.errors import InputError
from debugger.graph.graph import Graph
from debugger.protocol.workflow import Workflow
from debugger.scenarios.conversation import CheckedWorkflow
from debugger.session.debug_setup import tool_names

_TEMPLATE = """\
version: 1
workflow: {workflow}

anywhere: []

nodes:
  {node}:
    - when: hello
      say: Hello. How can I help you?
"""


def script_template(workflow: Workflow) -> str:
    """Return a script to begin with."""
    nodes = [node for node in workflow.node_configs if node.type == "say_llm"] or workflow.node_configs
    return _TEMPLATE.format(
        workflow=workflow.config.logical_id, node=nodes[0].logical_id if nodes else "node"
    )


def script_names(workflow: Workflow) -> list[tuple[str, str]]:
    """Return the names of nodes, edges and tools, each with its kind in words; nodes by id, then by label."""
    graph = Graph(workflow)
    found = [(node.logical_id, f"node {node.label}") for node in graph.nodes.values()]
    found += [(node.label, "node") for node in graph.nodes.values() if node.label != node.logical_id]
    found += [(edge.name, "edge") for edge in workflow.edge_configs if edge.name]
    found += [(name, "tool") for name in tool_names(graph)]
    return list(dict.fromkeys(found))


def script_problems(text: str, workflow: Workflow) -> list[str]:
    """Return the problems of a script, one sentence each; none for a script that can be used.

    Names are checked against the workflow; inner nodes of super nodes are not.
    """
    try:
        script = Script.load(text)
    except InputError as error:
        return [f"{error.message} {error.advice}".rstrip()]
    own = workflow.config.logical_id
    if script.workflow != own:
        return [f"The script is of the workflow {script.workflow!r}; this one is {own!r}."]
    return list(_unknown_names(script, CheckedWorkflow(workflow, workflow)))


def _unknown_names(script: Script, workflow: CheckedWorkflow) -> Iterator[str]:
    """Yield a sentence for each node and edge of a script that the workflow does not have."""
    for node, rules in script.nodes.items():
        if "/" not in node and not workflow.has_node(node):
            line = rules[0].label.rpartition(" (")[2].rstrip(")") if rules else "nodes"
            yield f"The workflow has no node {node!r} ({line})."
    own = (rule for node, rules in script.nodes.items() if "/" not in node for rule in rules)
    for rule in (*script.anywhere, *own):
        if rule.take is not None and not _can_take(workflow, rule):
            yield f"The workflow has no edge and no node {rule.take!r}: {rule.label}."


def _can_take(workflow: CheckedWorkflow, rule: Rule) -> bool:
    """Return whether a rule takes a known edge or node; one inside a super node is not checked."""
    take = rule.take or ""
    try:
        workflow.check_edge(take)
    except InputError:
        return "/" in take or workflow.has_node(take)
    return True
