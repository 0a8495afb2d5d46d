"""Runs on the hosted API."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import replace

import httpx

from debugger.backends.base import (
    Ability,
    Backend,
    Capabilities,
    FoundTurn,
    Page,
    RunRevision,
    TurnProgress,
    TurnStream,
)
from debugger.backends.hosted.client import NO_CACHE, Answer, ApiClient
from debugger.backends.hosted.payloads import (
    PAGE_SIZE,
    Paging,
    has_more,
    inner_object,
    new_workflow_body,
    run_named,
    search_query,
    version_graph,
    version_summary,
    workflow_named,
    workflow_summary,
)
from debugger.backends.hosted.reconciliation import Reading, Reconciliation
from debugger.backends.hosted.turn_results import AnswerCheck, BackgroundProbe
from debugger.backends.hosted.turn_sender import TurnSender
from debugger.backends.hosted.turns import HostedTurns
from debugger.backends.hosted.websocket import SocketConnector
from debugger.engine.inspection import RunInspector
from debugger.errors import InputError, NotFoundError, UnsupportedError
from debugger.protocol import urls
from debugger.protocol.base import JsonObject, check_id
from debugger.protocol.runs import Run, RunSearch, SentTurn, TurnInput, requested_version, unwrap_run
from debugger.protocol.turn_logs import LazyRun, numbered_turns
from debugger.protocol.workflow import VersionSummary, Workflow, WorkflowSummary
from debugger.settings import HostedSettings
from debugger.store import KnownWorkflow, NoteRepository

MAX_PAGES = 1_000

_LIVE_IS_OFF = "INTERACTLY_LIVE_EVENTS is off, so the events of a turn come all at once when it is over."
_MISSING: dict[Ability, str] = {
    "import_version": "The API makes a new version as a copy of another one only.",
    "run_search": "The API looks for runs by workflow, status, date and text; it cannot filter by version, "
    "tags and stars.",
    "pause_mid_turn": "The API runs a turn as a whole, so it cannot be paused between two events.",
    "set_state": "The API does not let a client change variables while a turn runs.",
    "manual_model": "The API calls its models itself; a user cannot answer for them.",
    "pins": "The API runs every node itself, so no output can be frozen and no failure injected.",
    "exact_fork": "The API has no checkpoints: a fork is rebuilt from the record.",
}


class HostedBackend(Backend):
    """Runs workflows on the hosted API, or on a compatible server.

    Args:
        settings: Where the API is, and who asks.
        transport: What carries the requests, instead of the network.

    Raises:
        SettingsError: The base URL, the key or an id in the settings cannot be used.
    """

    name = "Hosted API"
    node_types: frozenset[str] | None = None
    capabilities: Capabilities
    """What is missing changes when a socket cannot be had, or can again."""
    notes: NoteRepository | None = None

    def __init__(self, settings: HostedSettings, *, transport: httpx.BaseTransport | None = None) -> None:
        """Open a client for the API and connect what sends turns and reads the record; nothing is sent.

        Live events are off with a transport of one's own. Raises SettingsError where a setting cannot be
        used.
        """
        self._client = ApiClient(settings, transport=transport)
        # A transport of one's own carries requests only.
        is_live = settings.live_events == "auto" and transport is None
        self._tell_live("" if is_live else _LIVE_IS_OFF)
        check = AnswerCheck()
        background = BackgroundProbe(self.workflow, self.run)
        self._connector = SocketConnector(self._client, is_used=is_live, on_change=self._tell_live)
        self._read_timeout = min(settings.timeout, settings.reconciliation_timeout)
        self._revisions = RunRevisions(self.run, self._newest_runs, check.note_record)
        self._reconciliation = Reconciliation(
            self._read_run,
            self._read_newest_runs,
            check,
            checks_numbers=lambda: self._client.server_checks_numbers,
            timeout=settings.reconciliation_timeout,
            turn_timeout=settings.timeout,
        )
        sender = TurnSender(
            self._client,
            connector=self._connector,
            check=check,
            active_version=lambda workflow_id: self.workflow_summary(workflow_id).active_version_number,
            background=background,
            reconciliation=self._reconciliation,
        )
        self._turns = HostedTurns(
            self._client, sender=sender, check=check, reconciliation=self._reconciliation
        )

    def __repr__(self) -> str:
        return f"HostedBackend({self.base_url!r})"

    @property
    def base_url(self) -> str:
        """Return the base URL of the API."""
        return self._client.base_url

    def replace_credentials(self, settings: HostedSettings) -> None:
        """See `ApiClient.replace_credentials`."""
        self._client.replace_credentials(settings)
        self._connector.reset()

    def close(self) -> None:
        """Close the connections."""
        self._connector.close()
        self._client.close()

    def workflows(self, search: str = "") -> list[WorkflowSummary]:
        """See `Backend.workflows`; they are in the API's order, and the API does the search.

        Pages are read until one brings nothing new, says that none follows, or is number `MAX_PAGES`. Raises
        the errors of `ApiClient.get`, and AnswerError where an answer is no list of workflows.
        """
        found: dict[str, WorkflowSummary] = {}
        for page in range(1, MAX_PAGES + 1):
            query: dict[str, str | int | bool] = {"page": page, "size": PAGE_SIZE}
            if search:
                query["search"] = search
            answer = self._client.get(urls.WORKFLOWS, "the list of workflows", query)
            rows = answer.rows("workflows", "items", "data")
            read = [answer.read(WorkflowSummary.from_row, row) for row in rows]
            known = len(found)
            found.update((summary.id, summary) for summary in read)
            if len(found) == known or not has_more(answer.body, len(rows), len(found)):
                break
        return list(found.values())

    def workflow_summary(self, workflow_id: str) -> WorkflowSummary:
        """See `Backend.workflow_summary`."""
        return self._get_workflow(workflow_id).read(workflow_summary)

    def versions(self, workflow_id: str) -> list[VersionSummary]:
        """See `Backend.versions`. Where a row does not say whether it is active, the workflow is read, too.

        Raises InputError where the id is malformed, the errors of `ApiClient.get`, as NotFoundError, and
        AnswerError where the answer is no list of versions.
        """
        answer = self._get_versions(workflow_id)
        rows = answer.rows("versions")
        if not all("is_active" in row for row in rows):
            active = self.workflow_summary(workflow_id).active_version_number
            rows = [{"is_active": row.get("version_number") == active, **row} for row in rows]
        versions = [answer.read(version_summary, row) for row in rows]
        return sorted(versions, key=lambda version: version.version_number)

    def workflow(self, workflow_id: str, version_number: int | None = None) -> Workflow:
        """See `Backend.workflow`.

        Raises:
            UnsupportedError: The API shows only the graph of the active version, and this is another one.
        """
        version = None if version_number is None else self._version(workflow_id, version_number)
        graph = None if version is None else version_graph(version.body)
        if version is not None and graph is not None:
            return version.read(Workflow.from_document, graph)
        answer = self._get_workflow(workflow_id, {"fully_hydrate": True})
        active = answer.read(workflow_summary).active_version_number
        if version_number not in (None, active):
            raise UnsupportedError(
                f"The API shows the graph of the active version ({active}) only, not that of version "
                f"{version_number}.",
                advice="Activate the version to see its graph; it can be run without.",
            )
        return answer.read(Workflow.from_document)

    def create_workflow(self, document: JsonObject, *, name: str | None = None) -> WorkflowSummary:
        """See `Backend.create_workflow`.

        Raises:
            WorkflowError: The document is no workflow, or breaks a rule of the API.
            InputError: A node or an edge in it lacks what every one of them needs.
        """
        body = new_workflow_body(document, name)
        risk = "The workflow may have been created nevertheless."
        answer = self._client.post(urls.WORKFLOWS, f"workflow {body['name']!r}", body, risk=risk)
        return answer.read(workflow_summary)

    def delete_workflow(self, workflow_id: str) -> None:
        """See `Backend.delete_workflow`."""
        check_id("workflow", workflow_id)
        self._client.delete(urls.WORKFLOW.format(workflow_id=workflow_id), workflow_named(workflow_id))

    def create_version(
        self,
        workflow_id: str,
        *,
        version_name: str | None = None,
        source_version_number: int | None = None,
        mark_as_active: bool = False,
    ) -> VersionSummary:
        """See `Backend.create_version`. Sent once; if the answer is lost, the error says that it may exist.

        An answer that does not say whether the version is active is read as ``mark_as_active`` asks.

        Raises:
            DebuggerError: The id is none, the API refuses, or its answer is no version.
        """
        path = urls.VERSIONS.format(workflow_id=check_id("workflow", workflow_id))
        body: JsonObject = {"mark_as_active": mark_as_active}
        if version_name is not None:
            body["version_name"] = version_name
        if source_version_number is not None:
            body["source_version_number"] = source_version_number
        risk = "The version may have been created nevertheless."
        answer = self._client.post(path, workflow_named(workflow_id), body, risk=risk)
        row = inner_object(answer.body, "version")
        return answer.read(version_summary, {"is_active": mark_as_active, **row})

    def find_workflows(self, logical_id: str) -> list[KnownWorkflow]:
        """See `Backend.find_workflows`: there are none of which a document can become a version."""
        return []

    def import_version(self, workflow_id: str, document: JsonObject, *, expected: int) -> VersionSummary:
        """Refuse it.

        Raises:
            UnsupportedError: Always.
        """
        raise UnsupportedError(_MISSING["import_version"], advice="Import it as a workflow of its own.")

    def activate_version(self, workflow_id: str, version_number: int) -> None:
        """See `Backend.activate_version`."""
        check_id("workflow", workflow_id)
        path = urls.ACTIVATE.format(workflow_id=workflow_id, version_number=version_number)
        self._client.post(path, f"version {version_number} of {workflow_named(workflow_id)}")

    def run(self, run_id: str) -> Run:
        """See `Backend.run`."""
        return self._read_run(run_id, self._client.settings.timeout).value

    def runs(
        self,
        *,
        workflow_id: str | None = None,
        status: str | None = None,
        search: RunSearch | None = None,
        page: int = 1,
        size: int = 50,
    ) -> Page[Run]:
        """See `Backend.runs`. Where the API tells no total, it is the number of runs up to this page's end.

        Raises:
            UnsupportedError: The search asks for what the API cannot look for.
        """
        query: dict[str, str | int | bool] = {"page": page, "size": size}
        if workflow_id is not None:
            query["workflow_id"] = check_id("workflow", workflow_id)
        if status is not None:
            query["status"] = status
        if search is not None and search.needs_notes:
            raise UnsupportedError(
                self.capabilities.missing["run_search"],
                advice="Remove version, tag and star from the filter.",
            )
        if search is not None:
            query.update(search_query(search))
        answer = self._client.get(urls.RUNS, "the list of runs", query)
        runs, total = _runs_in(answer), Paging.from_wire(answer.body).total
        return Page(runs, total if total is not None else (page - 1) * size + len(runs))

    def execute(
        self,
        workflow_id: str,
        turn_input: TurnInput,
        *,
        run_id: str | None = None,
        expected_turn_number: int | None = None,
        version_number: int | None = None,
        cancelled: threading.Event | None = None,
        inspector: RunInspector | None = None,
    ) -> TurnStream:
        """See `Backend.execute`. The turn is sent when the first event is pulled.

        It goes over a WebSocket where one can be opened, and its events come as they happen; else it is one
        request, and they come when it is answered. The record is read where the answer is lost; the events
        that are then in it are in the result, and those that had come before are not repeated.

        Raises:
            InputError: An id is malformed, or there is no run to stop.
        """
        check_id("workflow", workflow_id)
        if run_id is not None:
            check_id("run", run_id)
        elif turn_input.command == "stop":
            raise InputError("There is no run to stop.", advice="Send the command with the id of a run.")
        version = None if run_id else requested_version(version_number, turn_input)
        progress = TurnProgress()
        events = self._turns.execute(
            workflow_id,
            turn_input,
            run_id,
            expected_turn_number,
            version,
            cancelled or threading.Event(),
            progress,
        )
        return TurnStream(run_id, events, progress)

    def find_turn(self, workflow_id: str, sent: SentTurn, record: LazyRun | None = None) -> FoundTurn:
        """See `Backend.find_turn`."""
        return self._reconciliation.find(workflow_id, sent, record)

    def revision(self, run_id: str) -> RunRevision:
        """See `Backend.revision`."""
        return self._revisions.read(run_id)

    def pump(
        self,
        workflow_id: str,
        run_id: str,
        *,
        cancelled: threading.Event | None = None,
        inspector: RunInspector | None = None,
    ) -> TurnStream:
        """See `Backend.pump`; the request is sent with the first event.

        Raises:
            InputError: An id is malformed.
        """
        check_id("workflow", workflow_id)
        check_id("run", run_id)
        return TurnStream(run_id, self._turns.pump(workflow_id, run_id, cancelled or threading.Event()))

    def _tell_live(self, reason: str) -> None:
        """Report why events are not live; an empty text means they are."""
        live: dict[Ability, str] = {"live_events": reason} if reason else {}
        self.capabilities = Capabilities(live | _MISSING)

    def _newest_runs(self, workflow_id: str, size: int) -> list[Run]:
        return self._read_newest_runs(workflow_id, size).value

    def _read_newest_runs(self, workflow_id: str, size: int) -> Reading[list[Run]]:
        """Return the first page of a workflow's runs, past caches, with the times that the answer tells.

        Raises the errors of `ApiClient.get`, and AnswerError where the answer is no list of runs.
        """
        query: dict[str, str | int | bool] = {"page": 1, "size": size, "workflow_id": workflow_id}
        answer = self._client.get(
            urls.RUNS, "the list of runs", query, timeout=self._read_timeout, headers=NO_CACHE
        )
        return Reading(_runs_in(answer), answer.age, answer.date, answer.server_time)

    def _read_run(self, run_id: str, timeout: float | None = None) -> Reading[Run]:
        path = urls.RUN.format(run_id=check_id("run", run_id))
        seconds = self._read_timeout if timeout is None else timeout
        answer = self._client.get(path, run_named(run_id), timeout=seconds, headers=NO_CACHE)
        return Reading(answer.read(unwrap_run), answer.age, answer.date, answer.server_time)

    def _get_workflow(self, workflow_id: str, query: Mapping[str, bool] | None = None) -> Answer:
        path = urls.WORKFLOW.format(workflow_id=check_id("workflow", workflow_id))
        return self._client.get(path, workflow_named(workflow_id), query)

    def _get_versions(self, workflow_id: str) -> Answer:
        path = urls.VERSIONS.format(workflow_id=check_id("workflow", workflow_id))
        return self._client.get(path, workflow_named(workflow_id))

    def _version(self, workflow_id: str, version_number: int) -> Answer:
        """Return the row of a version, as an answer of its own.

        Raises:
            NotFoundError: The workflow has no such version.
        """
        answer = self._get_versions(workflow_id)
        rows = {answer.read(version_summary, row).version_number: row for row in answer.rows("versions")}
        if version_number not in rows:
            raise NotFoundError(
                f"{workflow_named(workflow_id).capitalize()} has no version {version_number}.",
                advice=f"Its versions are: {', '.join(str(number) for number in rows)}.",
            )
        return Answer(answer.request, rows[version_number])


def _runs_in(answer: Answer) -> list[Run]:
    return [answer.read(unwrap_run, row) for row in answer.rows("workflow_runs", "items", "data")]


MAX_RUNS = 64
"""Runs whose last state is remembered."""
ROWS = 20
"""The newest runs of a workflow among which a run's row is looked for."""
_AT_REST = frozenset({"waiting_for_user_input", "paused", "completed", "failed", "cancelled"})


class RunRevisions:
    """Reads the state of runs.

    The API has no summary of one run, and a record may be large.

    So the rows of the workflow's newest runs are read first, and the record only where the row of the run has
    changed or is not among them.

    Args:
        run: Returns a run's record.
        newest_runs: Returns the newest runs of a workflow, without their turns.
        note_record: Is told the number of the last turn in a record.
    """

    def __init__(
        self,
        run: Callable[[str], Run],
        newest_runs: Callable[[str, int], list[Run]],
        note_record: Callable[[str, int], object],
    ) -> None:
        """Keep what reads the record; nothing is read yet."""
        self._run = run
        self._newest_runs = newest_runs
        self._note_record = note_record
        self._known: OrderedDict[str, tuple[Run, RunRevision]] = OrderedDict()

    def read(self, run_id: str) -> RunRevision:
        """Return the state of a run, with its record where that was read.

        The states of the ``MAX_RUNS`` runs read last are remembered.

        Raises:
            NotFoundError: There is no such run.
        """
        known = self._known.get(run_id)
        if known is not None and self._is_unchanged(known[0]):
            return known[1]
        run = self._run(run_id)
        revision = _revision_of(run)
        self._note_record(run_id, sum(not turn.is_background for turn in run.finished_turns))
        self._known[run_id] = (run.model_copy(update={"input_output_pairs": []}), revision)
        self._known.move_to_end(run_id)
        if len(self._known) > MAX_RUNS:
            self._known.popitem(last=False)
        return replace(revision, run=run)

    def _is_unchanged(self, known: Run) -> bool:
        """Return whether the list of newest runs has a run at rest with time and status of its known record.

        False where the run is not in the list, or the list cannot be had.
        """
        if known.updated_at is None or known.status not in _AT_REST:
            return False
        try:
            rows = self._newest_runs(known.workflow_id, ROWS)
        except NotFoundError:  # of the list: only that of the record says that the run is gone
            return False
        row = next((row for row in rows if row.workflow_run_id == known.workflow_run_id), None)
        return row is not None and (row.updated_at, row.status) == (known.updated_at, known.status)


def _revision_of(run: Run) -> RunRevision:
    """Return the state of a run in its record; the turn in progress has the number after the last one.

    Where only background work is executed, or nothing, there is no such turn.
    """
    length = len(run.finished_turns)
    executing = [turn for turn in run.input_output_pairs if turn.is_in_progress and not turn.is_background]
    if not executing:
        return RunRevision(run.status, length)
    number = max((log.number for _, log in numbered_turns(run)), default=0) + 1
    return RunRevision(run.status, length, number, len(executing[-1].run_output.events))
