"""Proposed scenarios: what a run said and did, as expectations to tick and loosen."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from debugger.analysis.caller_input import original_inputs
from debugger.analysis.differences import Difference
from debugger.analysis.event_fields import node_of, values_of
from debugger.analysis.timeline import pauses_of
from debugger.boundary import RULES, Boundary, Kind, MaskingOptions, own_names
from debugger.engine.mocks import Fault, Pin
from debugger.engine.models.yaml_lines import read_yaml
from debugger.engine.outbound.secrets import MARK
from debugger.errors import InputError
from debugger.exports.file_names import plain_name
from debugger.exports.records import ExportedRun
from debugger.exports.rows import ExportRow, export_rows
from debugger.exports.table import register_values
from debugger.expressions import placeholders
from debugger.graph.chance import draws_at_random
from debugger.graph.graph import Graph
from debugger.protocol.base import JsonObject
from debugger.protocol.events import ModelEvent
from debugger.protocol.json_codec import encode
from debugger.protocol.runs import MAIN_THREAD, TurnInput
from debugger.protocol.turn_logs import TurnLog
from debugger.protocol.workflow import SYSTEM_NAMES, Workflow
from debugger.scenarios.archives import write_archive
from debugger.scenarios.conversation import read_path, read_visit
from debugger.scenarios.editing import rewrite, write_yaml
from debugger.scenarios.expectation_rows import ANY, Match, Proposal, stable_parts, text_for
from debugger.scenarios.loading import SUFFIX, check_texts, escaped
from debugger.scenarios.model import VERSION, ExpectationKind

_OF_ENGINE = frozenset({"justification"})
"""Variables that the engine sets for itself."""
_SECRET_RULES = frozenset({"key"})
_SEED = 1
_MOCK_NAMES = frozenset({"node", "tool", "model_of", "called_by"})
"""Fields of a pin or a fault that name what it is of."""
_OF_STORED = frozenset({"workflow_version", "made_with_version"})
"""Keys of scenarios that only a stored workflow has values for."""
_MAX_STEPS = 100
"""Steps of background work in one turn."""


@dataclass
class ScenarioDraft:
    """A scenario before its expectations are chosen."""

    head: JsonObject
    """Its keys but ``turns`` and ``expect``."""
    turns: list[JsonObject]
    """What is said or sent, without expectations."""
    proposals: list[Proposal]
    masked: Counter[str] = field(default_factory=Counter)
    """How often each masking rule has masked something."""
    notes: list[str] = field(default_factory=list)
    """What of the run the scenario does not repeat, as sentences."""
    source: str | None = None
    """The text of the file that was opened; its comments, order and formatting are kept."""

    def to_json(self) -> JsonObject:
        """Return the scenario with what is ticked.

        Raises:
            InputError: An expectation cannot be used, or the scenario has no name.
        """
        if not str(self.head.get("name") or "").strip():
            raise InputError("The scenario has no name.", advice="Give it one: reports show it.")
        turns = [
            {**turn, **_expect(self.proposals, number)} for number, turn in enumerate(self.turns, start=1)
        ]
        return {"version": VERSION, **self.head, "turns": turns, **_expect(self.proposals, None)}

    def text(self) -> str:
        """Return the scenario as a file.

        Raises:
            InputError: See `to_json`; the opened file cannot be changed in place; or a text, as a message of
                the run, has a character that no scenario may have.
        """
        wanted = self.to_json()
        text = write_yaml(wanted) if self.source is None else rewrite(self.source, wanted)
        check_texts(read_yaml(text))
        return text


def _expect(proposals: Iterable[Proposal], turn: int | None) -> JsonObject:
    found = [one.to_json() for one in proposals if one.turn == turn and one.is_ticked]
    return {"expect": found} if found else {}


def propose(
    run: ExportedRun,
    workflow: Workflow,
    *,
    name: str,
    reference: str,
    mocks: Sequence[Pin | Fault] = (),
    masks_personal_data: bool = False,
    freezes_clock: bool = False,
    is_embedded: bool = True,
) -> ScenarioDraft:
    """Return a run as a scenario with proposed expectations.

    Status, path and the first message of each turn are ticked, unless that was drawn at random, was made up
    by the built-in rules, or has a placeholder that no variable has filled. Secrets are masked in any case.
    Where the workflow draws at random, a seed is proposed.

    Args:
        run: The run.
        workflow: The version that ran.
        name: The scenario's name.
        reference: The id by which the scenario names the workflow.
        mocks: The pins and faults that were in effect.
        masks_personal_data: Whether the rules of exports mask messages and values, too.
        freezes_clock: Whether the scenario's clock is frozen at the time at which the run started.
        is_embedded: Whether the scenario is for the embedded engine, which alone takes a seed.

    Raises:
        InputError: The run has no turn of a user.
    """
    rules = frozenset(RULES) if masks_personal_data else _SECRET_RULES
    boundary = Boundary(MaskingOptions(rules))
    boundary.begin_run(own_names(workflow))
    register_values(boundary, run)
    rows = list(export_rows(run, "turn"))
    inputs = original_inputs([row.log for row in rows], workflow)
    if not inputs:
        raise InputError("The run has no turn yet.", advice="Send a message first.")
    draft = ScenarioDraft({"name": _mask(boundary, name), "workflow": reference}, [], [])
    if run.run.version_number is not None:
        draft.head["made_with_version"] = run.run.version_number
    reader = _Reader(draft, boundary, Graph(workflow))
    remaining = iter(inputs)
    for row in rows:
        reader.add(row, None if row.log.is_background else next(remaining))
    if freezes_clock and run.created_at is not None:
        draft.head["clock"] = run.created_at.isoformat(timespec="seconds")
    if is_embedded and draws_at_random(workflow):
        draft.head["seed"] = _SEED
        draft.notes.append(
            "The workflow draws at random: by the seed each run of the scenario draws the same, which may be "
            "something else than this run has drawn. Texts that were drawn are not ticked."
        )
    if mocks:
        draft.head["mocks"] = [_mask_mock(boundary, mock_json(one)) for one in mocks if one.is_enabled]
    draft.masked = boundary.counts
    if run.parent_id:
        draft.notes.append("The run is a fork: changes that were made for it are not repeated.")
    pauses = (pause for row in rows for event in row.log.events for pause in pauses_of(event))
    if any(pause.kind == "manual_answer" for pause in pauses):
        draft.notes.append("A user answered for a model: the scenario asks the model again, unless mocked.")
    return draft


def mock_json(one: Pin | Fault) -> JsonObject:
    """Return a pin or a fault as a file has it.

    Empty fields of a pin's output and of a fault are left out.
    """
    target = one.target
    found: JsonObject = {{"node": "node", "tool": "tool", "model": "model_of"}[target.kind]: target.name}
    if target.node:
        found["called_by"] = target.node
    if isinstance(one, Pin):
        return {
            **found,
            "output": {key: value for key, value in one.output.items() if value not in (None, "", [], {})},
        }
    rest = {"error": one.error, "delay_seconds": one.delay, "attempts": one.attempts}
    return found | {key: value for key, value in rest.items() if value}


def _mask(boundary: Boundary, value: Any, name: str = "") -> Any:
    """Return a value without secrets and masked data; secrets are counted, too."""
    shown = boundary.release(Kind.VALUE, value, name)
    boundary.counts["secret"] += _count(shown) - _count(value)
    return shown


def _mask_mock(boundary: Boundary, mock: JsonObject) -> JsonObject:
    return {key: value if key in _MOCK_NAMES else _mask(boundary, value) for key, value in mock.items()}


def _count(value: Any) -> int:
    return encode(value).decode().count(MARK)


class _Reader:
    """Adds the turns of a run to a draft."""

    def __init__(self, draft: ScenarioDraft, boundary: Boundary, graph: Graph) -> None:
        """Work out the names of nodes that no other node shares, and the nodes whose texts are drawn."""
        self._draft = draft
        self._boundary = boundary
        self._graph = graph
        names = Counter(node.label for node in graph.nodes.values())
        self._names = {node.logical_id: node.label for node in graph.nodes.values() if names[node.label] == 1}
        self._drawn = {node.label for node in graph.nodes.values() if draws_at_random(node)}
        """Names of the nodes whose texts are drawn."""
        self._edges = {edge.logical_id: edge.name for edge in graph.workflow.edge_configs}

    def add(self, row: ExportRow, turn_input: TurnInput | None) -> None:
        """Add a turn to the draft, or with ``None`` a step of background work.

        A step after steps in which the run neither moved nor spoke is joined with them, and its proposals
        take the place of theirs.
        """
        turns = self._draft.turns
        steps = turns[-1].get("advance", 0) if turn_input is None and turns else 0
        if 0 < steps < _MAX_STEPS and not any(one.kind in ("path", "says") for one in self._of_last_turn()):
            for one in self._of_last_turn():
                self._draft.proposals.remove(one)
            turns.pop()
        else:
            steps = 0
        turns.append({"advance": steps + 1} if turn_input is None else self._sent(turn_input))
        self._draft.proposals += self._proposals(row)

    def _of_last_turn(self) -> list[Proposal]:
        return [one for one in self._draft.proposals if one.turn == len(self._draft.turns)]

    def _sent(self, turn_input: TurnInput) -> JsonObject:
        """Return a turn of the file, masked, without what the engine adds.

        Its message is in ``say``, the rest in ``send``. Inputs of threads that are more than one plain
        message of the main thread are whole in ``send``, and nothing is in ``say``. Of the first turn all
        else, a command that is neither start nor data too, becomes the ``input`` of the draft's head.
        Placeholders in values are escaped. Empty where the turn has neither. What is masked is counted.
        """
        wire = turn_input.to_wire()
        message = turn_input.message
        plain = TurnInput.with_message(message if turn_input.messages else None).to_wire()
        is_first = not self._draft.turns
        own = {
            key: value
            for key, value in wire.items()
            if value not in (None, "", {}, [])
            and key not in ("command", "workflow_id", "workflow_run_id", "run_by", "team_id")
            and not (key == "thread_to_node_inputs" and _is_same_message(value, plain[key]))
        }
        own = {key: escaped(_mask(self._boundary, value, key)) for key, value in own.items()}
        if turn_input.command not in ("start", "data"):
            own["command"] = turn_input.command
        has_threads = "thread_to_node_inputs" in own
        if is_first:
            shared = {key: value for key, value in own.items() if key != "thread_to_node_inputs"}
            if shared:
                self._draft.head["input"] = shared
            own = {"thread_to_node_inputs": own["thread_to_node_inputs"]} if has_threads else {}
        said = (
            {"say": escaped(_mask(self._boundary, message))}
            if turn_input.messages and not has_threads
            else {}
        )
        return {**said, **({"send": own} if own else {})}

    def _proposals(self, row: ExportRow) -> Iterator[Proposal]:
        """Yield the proposed expectations of a turn: status, path, messages, edges, variables, hint.

        Status and path are ticked, and the first message unless another run may say something else.
        """
        read, number = row.turn, len(self._draft.turns)
        assert read is not None
        volatile, of_rules = _volatile_values(row.log), _nodes_of_rules(row.log)

        def proposal(
            kind: ExpectationKind, subject: str, value: Any, match: Match, *, is_ticked: bool = False
        ) -> Proposal:
            """Return a proposal for this turn.

            It compares by a pattern where no stable part of the value can be contained.
            """
            value = escaped(value)
            text = text_for(kind, value, match, volatile)
            whole = value if isinstance(value, str) else encode(value).decode()
            is_volatile = kind in ("says", "variable") and len(stable_parts(whole, volatile)) > 1
            if match == "contains" and not text:
                match = "regex"
                text = text_for(kind, value, match, volatile)
            return Proposal(
                number, kind, subject, value, match, text, is_ticked, is_volatile, volatile=volatile
            )

        yield proposal("status", "", read.status, "exact", is_ticked=True)
        path = self._path(row.log)
        if path:
            yield proposal("path", "", path, "exact", is_ticked=True)
        spoken = [each for each in read.rows if each.role == "agent" and each.text.strip()]
        for place, each in enumerate(spoken):
            # A text of the built-in rules is another once a model or a script answers, and one with an open
            # placeholder once the variable has a value.
            is_lasting = each.node_logical_id not in of_rules and not placeholders(each.text)
            is_ticked = place == 0 and is_lasting and each.node_name not in self._drawn
            text = _mask(self._boundary, each.text)
            yield proposal("says", each.node_name, text, "contains", is_ticked=is_ticked)
        for edge in dict.fromkeys(step.edge_id for step in read.steps if step.thread == MAIN_THREAD):
            if self._edges.get(edge):
                yield proposal("edge_taken", "", self._edges[edge], "exact")
        for change in read.changes:
            if (found := self._variable(change)) is not None:
                is_volatile = len(stable_parts(encode(found[1]).decode(), volatile)) > 1
                yield proposal("variable", *found, "has a value" if is_volatile else "exact")
        waits = [event for event in row.log.events if event.type == "busy_wait_for_user_message"]
        if read.hint.kind == "message" and waits and (node := node_of(waits[-1])):
            yield proposal("hint", "", self._name(node), "exact")

    def _path(self, log: TurnLog) -> list[str]:
        visits = (read_visit(index, event) for index, event in enumerate(log.events))
        return [self._name(visit.node_id) for visit in read_path(filter(None, visits))]

    def _name(self, node_id: str) -> str:
        name = self._names.get(node_id, node_id)
        return node_id if ">" in name or name == ANY else name

    def _variable(self, change: Difference) -> tuple[str, Any] | None:
        """Return path and masked value of a changed variable that another run has, too.

        ``None`` for one that was removed or has no value, is set by the engine or system, or has a masked
        name.
        """
        scope, _, name = change.path.partition(".")
        own = name.rpartition(".")[2]
        if scope not in ("runtime", "dynamic", "workflow") or own in _OF_ENGINE | SYSTEM_NAMES:
            return None
        if self._boundary.release_path(name) != name:
            return None
        value = _mask(self._boundary, change.after, name)
        return None if change.op == "removed" or value is None else (change.path, value)


def _is_same_message(threads: Any, plain: Any) -> bool:
    """Return whether inputs hold one plain message of the main thread, or nothing."""

    def shape(value: Any) -> list[Any]:
        """Return thread, type and contents of each input that has messages."""
        return [
            [thread, each.get("type"), [message.get("content") for message in each.get("messages") or ()]]
            for thread, inputs in value.items()
            for each in inputs.get("node_run_inputs") or ()
            if each.get("messages")
        ]

    nodes = [each for inputs in threads.values() for each in inputs.get("node_run_inputs") or ()]
    has_variables = any(each.get("dynamic_variables") or each.get("runtime_variables") for each in nodes)
    return not has_variables and shape(threads) == shape(plain)


def _nodes_of_rules(log: TurnLog) -> set[str]:
    """Return the ids of the nodes for which the built-in rules answered in a turn; empty for none."""
    answered = (
        event
        for event in log.events
        if isinstance(event, ModelEvent) and values_of(event).llm_usage_info.is_of_built_in_rules
    )
    return {node for event in answered if (node := node_of(event))}


def _volatile_values(log: TurnLog) -> frozenset[str]:
    """Return the values of system variables in a turn that another run has not."""
    known = log.run_input.dynamic_variables
    found = (str(known[name]) for name in SYSTEM_NAMES if name in known and not isinstance(known[name], bool))
    return frozenset(each for each in found if len(each) >= 4)


def masked_words(masked: Counter[str]) -> str:
    """Return what was masked: ``secrets (2), phone numbers (1)``; empty for nothing."""
    labels = {**{rule: label.lower() for rule, label in RULES.items()}, "secret": "secrets"}
    return ", ".join(f"{labels.get(rule, rule)} ({count})" for rule, count in masked.items() if count > 0)


def write_bundle(draft: ScenarioDraft, name: str, workflow: JsonObject, script: str) -> bytes:
    """Return a ZIP archive of a scenario with its workflow's file, and its script if there is one.

    Args:
        draft: The scenario; its workflow is named by the file, whatever it names now. It is not changed.
        name: The workflow's name, after which its file is named.
        workflow: The version that ran, without secret variables.
        script: The text of the script that answered; empty without one.

    Raises:
        InputError: See `ScenarioDraft.text`.
    """
    lead = plain_name(name) or "workflow"
    files = {f"{lead}.json": json.dumps(workflow, ensure_ascii=False, indent=2)}
    named = {"workflow": f"{lead}.json"}
    if script:
        files[f"{lead}.script.yaml"] = script
        named["script"] = f"{lead}.script.yaml"
    rest = {key: value for key, value in draft.head.items() if key not in _OF_STORED}
    scenario = replace(draft, head={"name": rest.pop("name", ""), **rest, **named})
    files[f"{plain_name(str(draft.head['name'])) or 'scenario'}{SUFFIX}"] = scenario.text()
    return write_archive(files)
