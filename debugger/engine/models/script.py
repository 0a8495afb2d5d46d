r"""A script: what stands in for the models of one workflow says and does, written by hand.

It is a YAML file beside the workflow. Rules are tried from top to bottom, the first that fits answers. ::

    version: 1
    workflow: workflow_tea           # the workflow's logical_id
    demo:                            # messages that show the workflow at its best
      - Two cups of Assam, please.
    alternatives:                    # more conversations, by name
      just a question:
        - Do you have cake?
    anywhere:                        # tried first at every node, where the hop is offered
      - when: human|person
        take: node_handover
    nodes:
      node_order:                    # a node by logical_id or by name
        - when: (?P<cups>\d+) cups of (?P<tea>\w+)
          fill: {tea: "${tea}", cups: $1}
          take: order complete       # an edge by name, id or condition, or a node by name or id
        - if: isAbsent([[tea]])      # a condition on runtime variables
          visit: 2                   # the node's second run in this run
          say: Which tea would you like?
      node_stock:
        - when: do you have (\w+)
          call: {tea_stock: {tea: $1}}   # tools of the node or of the workflow, with their arguments
        - after: tea_stock           # when the tool has answered
          say: "In stock: [[tea_stock_result]]."
    answers:                         # to calls that leave the workflow, where they are simulated
      - to: POST https://api\.example/orders
        body: {number: 7}
    tools:                           # of inline Python, where it is refused, by the tool's name
      tea_stock:
        - with: {tea: assam}         # a regular expression for an argument, or a value that is equal
          result: [4, 11]
        - result: []

``when`` is a regular expression that is searched for in the user's message, upper and lower case alike.
``fill`` gives the fields of the structured output, ``args`` the arguments of the hop; ``$1`` and ``${name}``
in them, and in the arguments of ``call``, are the groups of ``when``, ``$$`` is a dollar sign. A group that
is the whole value becomes a number or an ISO date where the schema wants one. ``say`` may hold ``[[name]]``,
also of what the rule fills. Where a rule has both ``take`` and ``say`` the hop is taken, and the text said
only when no hop is offered.

``call`` is a tool's name, a mapping of names to arguments, or a list of such. The calls are made, then the
rules are tried again in the same run of the node. A rule whose calls were made does not fit a second time,
so that the rules below it answer; one with ``after`` fits only just after a result of that tool. What a rule
with ``call`` says comes along with the calls. It does not fit where no tool is offered.

The format of ``answers`` and ``tools`` is in `debugger.engine.models.answers`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Self

from debugger.engine.models.answers import read_answers, read_tool_answers
from debugger.engine.models.lined_yaml import Lined, read_yaml
from debugger.engine.models.script_rule import GROUP, Rule, read_rules
from debugger.engine.outbound.gateway import RecordedAnswer
from debugger.engine.tools.simulation import ToolAnswer

__all__ = ["GROUP", "VERSION", "Rule", "Script"]

VERSION = 1

_SCRIPT_KEYS = ("version", "workflow", "demo", "alternatives", "anywhere", "nodes", "answers", "tools")


@dataclass(frozen=True)
class Script:
    """What a script file says."""

    workflow: str
    """The ``logical_id`` of the workflow that it belongs to."""
    demo: tuple[str, ...] = ()
    """User messages that show the workflow, in order."""
    alternatives: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """More such conversations, by name."""
    anywhere: tuple[Rule, ...] = ()
    nodes: Mapping[str, tuple[Rule, ...]] = field(default_factory=dict)
    """Rules by the node's logical id or name."""
    answers: tuple[RecordedAnswer, ...] = ()
    """What simulated calls to the outside are answered."""
    tool_answers: tuple[ToolAnswer, ...] = ()
    """What tools in inline Python answer where it is refused."""

    @classmethod
    def load(cls, text: str) -> Self:
        """Read a script file.

        Raises:
            InputError: It is not YAML or not a script; the message has the line.
        """
        root = read_yaml(text)
        keys = root.mapping("a script", _SCRIPT_KEYS)
        _check_version(root, keys)
        if "workflow" not in keys:
            raise root.error(
                "a script must say its workflow", "Add 'workflow:' and the workflow's logical_id."
            )
        return cls(
            workflow=keys["workflow"].text("workflow"),
            demo=_messages(keys, "demo"),
            alternatives={name: _messages(listed, name) for name, listed in _named(keys, "alternatives")},
            anywhere=read_rules(keys["anywhere"], "anywhere") if "anywhere" in keys else (),
            nodes={name: read_rules(listed[name], repr(name)) for name, listed in _named(keys, "nodes")},
            answers=read_answers(keys["answers"]) if "answers" in keys else (),
            tool_answers=read_tool_answers(keys["tools"]) if "tools" in keys else (),
        )

    def rules_of(self, logical_id: str, name: str) -> tuple[Rule, ...]:
        """A node's own rules: those under its logical id, else those under its name."""
        return self.nodes.get(logical_id) or self.nodes.get(name) or ()


def _check_version(root: Lined, keys: Mapping[str, Lined]) -> None:
    if "version" not in keys:
        raise root.error("a script must say its version", f"Add 'version: {VERSION}'.")
    found = keys["version"]
    if found.value != VERSION or isinstance(found.value, bool):
        raise found.error(
            f"this is version {found.value!r} of the script format", f"Version {VERSION} is read."
        )


def _named(keys: Mapping[str, Lined], key: str) -> Iterator[tuple[str, Mapping[str, Lined]]]:
    """The names in a mapping, each with the mapping that holds it."""
    listed = keys[key].mapping(key) if key in keys else {}
    return ((name, listed) for name in listed)


def _messages(keys: Mapping[str, Lined], key: str) -> tuple[str, ...]:
    return tuple(one.text(f"a message of {key}") for one in keys[key].items(key)) if key in keys else ()
