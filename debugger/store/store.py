"""The store: where workflows and the runs of them are kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from debugger.protocol.base import JsonObject
from debugger.protocol.runs import Run, RunSearch, Turn
from debugger.protocol.turn_logs import LazyRun
from debugger.protocol.workflow import VersionSummary, WorkflowSummary
from debugger.store import facts, retention, runs, workflows
from debugger.store.api_keys import ApiKeys
from debugger.store.audit import AuditLog
from debugger.store.catalogue import Catalogue
from debugger.store.database import Database
from debugger.store.ended_logins import EndedLogins
from debugger.store.feedback import FeedbackBook
from debugger.store.forks import ForkBook
from debugger.store.global_variables import GlobalVariables
from debugger.store.installation import NEWEST, install
from debugger.store.notebook import Notebook
from debugger.store.python_consents import PythonConsents
from debugger.store.rerun_tokens import RerunTokens
from debugger.store.reruns import RerunBook
from debugger.store.retention import Limits, Pruning
from debugger.store.run_copies import RunFork, copy_run
from debugger.store.search import FoundRuns, search_runs
from debugger.store.secrecy import Secrecy
from debugger.store.starts import StartingVersion, StartStatements
from debugger.store.turn_claims import TurnClaims
from debugger.store.turns import Checkpoint, FinishedTurn, TurnStatements


class Store:
    """Workflows with their versions, runs with their turns; usable from any number of threads at once.

    Every method is one transaction: it is done as a whole or not at all, and what it raises changed nothing.
    Beside what each method says, all may raise `StoreError` when the database cannot be read or written, and
    `InputError` for a value that no database takes, such as an integer beyond 64 bits.

    Args:
        url: As in ``sqlite:///folder/file.sqlite3``; folder and file are made when they are not there.
            ``sqlite://`` is kept in memory and gone with the store. ``postgresql://user:password@host/database``
            is a database on a server, which any number of processes may use at once.
        encryption_key: What secrets are encrypted with at rest; without one, none can be kept.

    Raises:
        StoreError: The database cannot be opened or made, belongs to another program, or was made by a newer
            version of this one.
    """

    def __init__(self, url: str, *, encryption_key: str = "") -> None:
        self._database = Database(url)
        try:
            install(self._database)
        except BaseException:
            self._database.close()
            raise
        self._turns = TurnStatements(self._database.dialect)
        self.claims = TurnClaims(self._database, self._turns)
        """Turns that are being executed."""
        self._starts = StartStatements(self._database.dialect)
        self.notebook = Notebook(self._database)
        """What people note on runs, and what a session keeps beside them."""
        self.forks = ForkBook(self._database)
        """Which run each fork came from, and what was changed for it."""
        self.catalogue = Catalogue(self._database)
        self.feedback = FeedbackBook(self._database)
        self.globals = GlobalVariables(self._database, Secrecy(encryption_key))
        self.reruns = RerunBook(self._database)
        self.rerun_tokens = RerunTokens(self._database)
        self.api_keys = ApiKeys(self._database)
        """Who may use a server on this store, and on those of its teams."""
        self.audit = AuditLog(self._database)
        self.ended_logins = EndedLogins(self._database)
        self.python_consents = PythonConsents(self._database)

    def close(self) -> None:
        """Let go of the files."""
        self._database.close()

    def has_present_tables(self) -> bool:
        """Whether the database answers, and its tables are those of this program."""
        with self._database.reading() as connection:
            return facts.revision_of(connection) == NEWEST

    def is_empty(self) -> bool:
        """Whether no workflow was ever created here. Deleting the last one does not make it empty again."""
        with self._database.reading() as connection:
            return facts.never_used(connection)

    def claim_emptiness(self) -> bool:
        """The same, and from now on it is not: of several who ask at the same moment one hears yes."""
        with self._database.writing() as connection:
            is_empty = facts.never_used(connection)
            facts.remember_creation(connection)
        return is_empty

    def create_workflow(self, document: Mapping[str, Any], *, name: str | None = None) -> WorkflowSummary:
        """Keep a document as a new workflow, whose version 0 is active.

        Args:
            document: The hydrated workflow. It comes back with every field in the same order.
            name: Used when the document has no name at its top level; the last resort is that of its
                ``workflow_config``.

        Raises:
            InputError: Something in the document has no JSON form.

        Source: ``platform/wire.md`` 4.4.
        """
        with self._database.writing() as connection:
            return workflows.create_workflow(connection, document, name)

    def workflows(
        self, search: str = "", page: int = 1, size: int = 100
    ) -> tuple[list[WorkflowSummary], int]:
        """One page of workflows, newest first, and how many there are on all pages.

        Args:
            search: A part of the name; case does not matter.
            page: Counts from 1.
            size: Rows on a page.

        Raises:
            InputError: Page or size is below 1.
        """
        with self._database.reading() as connection:
            return workflows.list_workflows(connection, search, page, size)

    def workflow_summary(self, workflow_id: str) -> WorkflowSummary:
        """One workflow without its graph.

        Raises:
            NotFoundError: There is no such workflow.
        """
        with self._database.reading() as connection:
            return workflows.summarize_workflow(connection, workflow_id)

    def delete_workflow(self, workflow_id: str) -> None:
        """Forget a workflow and its versions. Its runs stay.

        Raises:
            NotFoundError: There is no such workflow.
        """
        with self._database.writing() as connection:
            workflows.delete_workflow(connection, workflow_id)

    def document(self, workflow_id: str, version_number: int | None = None) -> tuple[int, JsonObject]:
        """The document of a version, of the active one by default, after the version's number.

        Raises:
            NotFoundError: There is no such workflow, or it has no such version; the advice says which.
        """
        with self._database.reading() as connection:
            return workflows.read_document(connection, workflow_id, version_number)

    def versions(self, workflow_id: str) -> list[VersionSummary]:
        """A workflow's versions by number, without their graphs.

        Raises:
            NotFoundError: There is no such workflow.
        """
        with self._database.reading() as connection:
            return workflows.list_versions(connection, workflow_id)

    def create_version(
        self,
        workflow_id: str,
        *,
        document: Mapping[str, Any] | None = None,
        source_version_number: int | None = None,
        version_name: str | None = None,
        mark_as_active: bool = False,
    ) -> VersionSummary:
        """Keep the next version: a document, or else a copy of a version, of the active one by default.

        Raises:
            NotFoundError: There is no such workflow, or it has no such version to copy.
            InputError: Something in the document has no JSON form, or a version to copy is named beside it.
        """
        with self._database.writing() as connection:
            return workflows.create_version(
                connection,
                workflow_id,
                document=document,
                source_version_number=source_version_number,
                version_name=version_name,
                mark_as_active=mark_as_active,
            )

    def activate_version(self, workflow_id: str, version_number: int) -> None:
        """Make a version the one that new runs start with.

        Raises:
            NotFoundError: There is no such workflow, or it has no such version.
        """
        with self._database.writing() as connection:
            workflows.activate_version(connection, workflow_id, version_number)

    def starting_version(self, workflow_id: str, version_number: int | None = None) -> StartingVersion:
        """The version that a new run begins with, the active one by default.

        Raises:
            NotFoundError: There is no such workflow, or it has no such version; the advice says which.
        """
        with self._database.reading_cursor() as cursor:
            found = self._starts.find(cursor, workflow_id, version_number)
        if found is None:
            with self._database.reading() as connection:
                raise workflows.missing(connection, workflow_id, version_number)
        return found

    def append_turn(self, turn: FinishedTurn) -> None:
        """Store a turn that was executed elsewhere; with turn 1 the run itself.

        Raises:
            ConflictError: The run does not stand right before this turn.
        """
        self.claims.append(turn)

    def checkpoint(self, run_id: str, turn_number: int | None = None) -> Checkpoint:
        """Where a run stands, or stood after one of its turns.

        Raises:
            NotFoundError: There is no such run, or it has no such turn.
        """
        with self._database.reading_cursor() as cursor:
            return self._turns.checkpoint(cursor, run_id, turn_number)

    def fork(self, fork: RunFork) -> None:
        """Make a run out of the first turns of another, which is left as it is.

        Raises:
            NotFoundError: There is no such run.
        """
        with self._database.writing() as connection:
            copy_run(connection, fork)

    def delete_run(self, run_id: str) -> None:
        """Forget a run with all that is noted on it. Forks of it stay.

        Raises:
            NotFoundError: There is no such run.
        """
        with self._database.writing() as connection:
            retention.delete_run(connection, run_id)

    def what_would_go(self, limits: Limits) -> Pruning:
        """The runs that have been kept for long enough; none goes by itself."""
        with self._database.reading() as connection:
            return retention.plan(connection, limits)

    def prune(self, pruning: Pruning) -> int:
        """Delete what would go, some runs at a time; how many did go.

        A run stays that was gone on with or marked since.
        """
        return retention.prune(self._database, pruning)

    def compact(self) -> None:
        """Give the room of what was deleted back, as far as this kind of database does."""
        self._database.compact()

    def run(self, run_id: str) -> Run:
        """One run with its turns, in the shape of ``platform/wire.md`` 5.2.

        Raises:
            NotFoundError: There is no such run.
        """
        with self._database.reading() as connection:
            return runs.read_run(connection, run_id)

    def record(self, run_id: str) -> LazyRun:
        """One run to be read turn by turn; reading one of them needs no connection any more.

        Raises:
            NotFoundError: There is no such run.
        """
        with self._database.reading() as connection:
            return runs.read_record(connection, run_id)

    def pair(self, run_id: str, number: int) -> Turn:
        """One input/output pair of a run, by its place in the record from 1.

        Raises:
            NotFoundError: There is no such run, or it has no such pair.
        """
        with self._database.reading() as connection:
            return runs.read_pair(connection, run_id, number)

    def runs(
        self,
        workflow_id: str | None = None,
        status: str | None = None,
        page: int = 1,
        size: int = 50,
    ) -> tuple[list[Run], int]:
        """One page of runs without their turns, newest first, and how many there are on all pages.

        Args:
            workflow_id: Only runs of this workflow.
            status: Only runs that stand so.
            page: Counts from 1.
            size: Rows on a page.

        Raises:
            InputError: Page or size is below 1.

        Source: ``platform/wire.md`` 5.1.
        """
        found = self.find_runs(RunSearch(), workflow_id, status, page, size)
        return found.rows, found.total

    def find_runs(
        self,
        search: RunSearch,
        workflow_id: str | None = None,
        status: str | None = None,
        page: int = 1,
        size: int = 50,
    ) -> FoundRuns:
        """The same for runs that are looked for by what they are like.

        Raises:
            InputError: Page or size is below 1.
        """
        return search_runs(self._database, workflow_id, status, search, page, size)
