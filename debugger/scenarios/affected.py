"""Scenarios and stored runs that the changes between two versions of a workflow affect."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from types import TracebackType
from typing import Self

from debugger.analysis.affected import ChangeEffect, Passage, change_effects, passage_of
from debugger.analysis.coverage import Coverage
from debugger.backends.base import Backend
from debugger.boundary import release_line
from debugger.engine.super_nodes import expand
from debugger.engine.super_nodes.sources import EMBEDDED as INNER
from debugger.engine.super_nodes.sources import is_expandable
from debugger.errors import DebuggerError, InputError, NotFoundError, RunEndedError
from debugger.exports.records import ExportedRun
from debugger.exports.sources import RunReader
from debugger.protocol.base import JsonObject
from debugger.protocol.json_codec import encode
from debugger.protocol.turn_logs import turn_logs
from debugger.protocol.workflow import Workflow
from debugger.scenarios.connections import Connections
from debugger.scenarios.conversation import CheckedWorkflow
from debugger.scenarios.coverage import open_coverage
from debugger.scenarios.preparation import (
    EMBEDDED,
    find_workflow,
    live_classes,
    logical_id_of,
    without_live_calls,
)
from debugger.scenarios.runner import ScenarioRunner
from debugger.scenarios.suite import Case

_FILE = "old.json"
"""The name under which scenarios are played on the old version."""


@dataclass(frozen=True)
class NamedVersion:
    """A version of a workflow, of a file or of a connection."""

    workflow: Workflow
    """As its author wrote it."""
    workflow_id: str = ""
    """Empty of a file."""
    number: int | None = None
    """``None`` of a file."""
    file: str = ""
    """The path as it was named; empty of a stored one."""

    @property
    def words(self) -> str:
        """Return ``Tea shop (version 2)``, or of a file ``Tea shop (tea.json)``."""
        place = self.file if self.number is None else f"version {self.number}"
        return f"{self.workflow.name} ({place})" if place else self.workflow.name


@dataclass(frozen=True)
class Finding:
    """A scenario or a run, with the changes that affect it."""

    id: str
    effects: Sequence[ChangeEffect] = ()
    """The changes that affect it; where its passage is not known, those that affect every run."""
    reason: str = ""
    """The reason why it is not known what it passes, by which it counts as affected."""
    version: int | None = None
    """The version that a run ran."""

    @property
    def is_affected(self) -> bool:
        """Return whether it is affected, or may be."""
        return bool(self.effects or self.reason)


@dataclass(frozen=True)
class Findings:
    """The scenarios, or the stored runs, of a workflow."""

    affected: Sequence[Finding]
    total: int
    """Those of the workflow."""
    left_out: int = 0
    """Scenarios of other workflows, or runs that ran the new version already."""


@dataclass(frozen=True)
class AffectedReport:
    """Differences between two versions, and what they affect."""

    old: NamedVersion
    new: NamedVersion
    effects: Sequence[ChangeEffect]
    """Every change, in the order of the document; empty for none."""
    runs: Findings
    scenarios: Findings | None = None
    """``None`` where no scenarios were named."""


def version_effects(old: Workflow, new: Workflow, load: Callable[..., Workflow]) -> list[ChangeEffect]:
    """Return the changes from one version to another, with the runs that each affects; empty for none.

    Args:
        old: The version that has run.
        new: The other one.
        load: Returns a stored workflow by id and version, for super nodes.
    """
    return change_effects(old, new, lambda each: CheckedWorkflow.expanded(each, load).running)


def find_runs(
    backend: Backend, run_ids: Iterable[str], effects: Sequence[ChangeEffect], new: Workflow
) -> Findings:
    """Return the affected ones of some runs, in their order; runs are read one by one.

    A run whose version cannot be read counts as affected; one that was deleted meanwhile is passed over.

    Args:
        backend: Has the runs.
        run_ids: The runs.
        effects: The changes.
        new: The new version; its own runs are left out.
    """
    reader = RunReader(backend, None)
    coverages: dict[tuple[str, int], Coverage] = {}
    affected: list[Finding] = []
    total = left_out = 0
    document = new.to_wire()
    for run_id in run_ids:
        try:
            run = reader.run(run_id)
        except NotFoundError:
            continue
        if run.workflow is not None and run.workflow.to_wire() == document:
            left_out += 1
            continue
        total += 1
        found = _finding_of(run, effects, coverages, backend.workflow)
        if found.is_affected:
            affected.append(found)
    return Findings(affected, total, left_out)


def _finding_of(
    run: ExportedRun,
    effects: Sequence[ChangeEffect],
    coverages: dict[tuple[str, int], Coverage],
    load: Callable[..., Workflow],
) -> Finding:
    """Return a run with the changes that affect it; the coverage of its version is kept."""
    run_id, number = run.run.workflow_run_id, run.run.version_number
    if run.workflow is None:
        return Finding(run_id, _of_every_run(effects), f"version {number} cannot be read", number)
    key = run.run.workflow_id, number
    if key not in coverages:
        coverages[key] = open_coverage(run.workflow, load)
    passage = passage_of(coverages[key], (log for _, log in run.turns()))
    return Finding(run_id, [each for each in effects if each.affects(passage)], version=number)


def find_scenarios(cases: Iterable[Case], judge: AffectedScenarios) -> Findings:
    """Return the affected ones of some scenarios, in their order."""
    found = [judge.finding(case) for case in cases]
    own = [each for each in found if each is not None]
    return Findings([each for each in own if each.is_affected], len(own), len(found) - len(own))


def affected_first(cases: Sequence[Case], findings: Findings) -> list[Case]:
    """Return the affected cases and then the others, each part in its order."""
    affected = {each.id for each in findings.affected}
    return sorted(cases, key=lambda case: case.id not in affected)


class AffectedScenarios:
    """Decides which scenarios are affected, by playing them on the old version.

    They are played in memory, without a call to a model or a service, and nothing is checked.

    Args:
        connections: Has the workflows that scenarios name.
        old: The old version.
        effects: The changes; without them the workflow that each scenario names is the new version.
    """

    def __init__(
        self, connections: Connections, old: NamedVersion, effects: Sequence[ChangeEffect] | None = None
    ) -> None:
        """Hold the old version and the changes; nothing is played yet."""
        self._embedded = connections.embedded
        self._settings = connections.settings
        self._runner = ScenarioRunner(connections.backend, without_live_calls(connections.settings))
        self._old = old
        self._given = effects
        self._effects: dict[bytes, list[ChangeEffect]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._runner.close()

    def finding(self, case: Case) -> Finding | None:
        """Return a scenario with the changes that affect it; ``None`` for one of another workflow.

        Where its workflow or its passage cannot be known, it counts as affected.
        """
        if case.mistakes:
            return Finding(case.id, reason=_line(f"it cannot be run: {case.mistakes}"))
        effects: list[ChangeEffect] = []
        try:
            if not self._is_of_workflow(case):
                return None
            effects = [each for each in self._effects_of(case) if each.scope != "none"]
            passage = self._passage(case) if effects else Passage(frozenset(), frozenset())
        except DebuggerError as error:
            return Finding(case.id, _of_every_run(effects), _line(str(error)))
        return Finding(case.id, [each for each in effects if each.affects(passage)])

    def _is_of_workflow(self, case: Case) -> bool:
        """Return whether a scenario is of the workflow; it may be where a file has no logical id.

        Raises:
            DebuggerError: The workflow that it names cannot be found.
        """
        old, logical_id, own = self._old, self._old.workflow.config.logical_id, case.loaded.document
        if own is not None:
            return own.config.logical_id == logical_id or not (logical_id and own.config.logical_id)
        name = case.scenario.workflow
        if name in (logical_id, old.workflow.name, old.workflow_id):
            return True
        if case.scenario.connection != EMBEDDED:
            raise InputError(f"It runs a workflow of the connection {case.scenario.connection!r}.")
        found = find_workflow(name, self._embedded)
        if found == old.workflow_id or not logical_id:
            return found == old.workflow_id or not old.workflow_id
        return logical_id_of(found, self._embedded) == logical_id

    def _effects_of(self, case: Case) -> Sequence[ChangeEffect]:
        """Return the changes, or those from the old version to the workflow of a scenario.

        Raises:
            DebuggerError: The workflow of the scenario cannot be read.
        """
        if self._given is not None:
            return self._given
        new = self._own_workflow(case)
        key = encode(new.to_wire())
        if key not in self._effects:
            self._effects[key] = version_effects(self._old.workflow, new, self._embedded.workflow)
        return self._effects[key]

    def _own_workflow(self, case: Case) -> Workflow:
        if case.scenario.connection != EMBEDDED:
            raise InputError(f"It runs on the connection {case.scenario.connection!r}.")
        if case.loaded.document is not None:
            return case.loaded.document
        workflow_id = find_workflow(case.scenario.workflow, self._embedded)
        return self._embedded.workflow(workflow_id, case.scenario.workflow_version)

    def _passage(self, case: Case) -> Passage:
        """Return what a scenario passes on the old version.

        Raises:
            DebuggerError: It cannot be known.
        """
        scenario = case.scenario
        if scenario.connection != EMBEDDED:
            raise InputError(f"It runs on the connection {scenario.connection!r}.")
        document = self._document
        calls = live_classes(scenario, self._settings, self._running)
        if calls and scenario.recording is None:
            raise InputError(f"It makes live calls ({', '.join(calls)}), which are not made here.")
        changed = scenario.model_copy(update={"workflow": _FILE, "workflow_version": None})
        text = encode(document.to_wire()).decode()
        loaded = replace(case.loaded, scenario=changed, rows=[], document=document, document_text=text)
        run = self._runner.start(loaded, case.row_number)
        for turn in scenario.turns:
            try:
                run.take_turn(turn)
            except RunEndedError:
                break
        if run.run_id is None:
            raise InputError("It has no turn.")
        if run.has_misses:
            raise InputError("Its recorded answers do not fit the old version.")
        recorded = self._runner.backend(EMBEDDED).run(run.run_id)
        return passage_of(self._coverage, turn_logs(recorded))

    @cached_property
    def _document(self) -> Workflow:
        """Return the old version with the stored workflows of its super nodes in them.

        The store in memory does not have these. Raises `RunError` where one cannot be read.
        """
        return with_inner_workflows(self._old.workflow, self._embedded.workflow)

    @cached_property
    def _running(self) -> Workflow:
        return CheckedWorkflow.expanded(self._document, self._embedded.workflow).running

    @cached_property
    def _coverage(self) -> Coverage:
        return open_coverage(self._document, self._embedded.workflow)


def with_inner_workflows(workflow: Workflow, load: Callable[..., Workflow]) -> Workflow:
    """Return a workflow in whose super nodes the stored workflows are embedded, at every level.

    Args:
        workflow: The workflow; it is not changed.
        load: Returns a stored workflow by id and version.

    Raises:
        RunError: A super node cannot be expanded.
    """
    if not expand(workflow, load).loaded:
        return workflow
    return Workflow.from_wire(_embedded(workflow.to_wire(), load))


def _embedded(document: JsonObject, load: Callable[..., Workflow]) -> JsonObject:
    """Return a document with the workflows of its super nodes; that these have an end was checked before."""
    return {**document, "node_configs": list(_with_inner(document.get("node_configs") or [], load))}


def _with_inner(nodes: Iterable[JsonObject], load: Callable[..., Workflow]) -> Iterator[JsonObject]:
    for node in nodes:
        if not is_expandable(node):
            yield node
            continue
        inner = Workflow.from_document(node[INNER]) if node.get(INNER) else _stored(node, load)
        yield {**node, INNER: _embedded(inner.to_wire(), load)}


def _stored(node: JsonObject, load: Callable[..., Workflow]) -> Workflow:
    return load(node["super_workflow_id"], node.get("super_workflow_version_number"))


def _of_every_run(effects: Sequence[ChangeEffect]) -> list[ChangeEffect]:
    return [each for each in effects if each.scope == "every"]


def _line(reason: str) -> str:
    """Return a reason as one line without secrets and without its last full stop."""
    return release_line(" ".join(reason.split())).removesuffix(".")
