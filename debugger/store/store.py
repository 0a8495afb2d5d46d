"""The store: workflows, and the runs of them."""

from __future__ import annotations

from debugger.store.audit import AuditLog
from debugger.store.consents import PythonConsents
from debugger.store.database import Database
from debugger.store.demo_scripts import DemoScripts
from debugger.store.edited_tables import EXPORT_PRESETS, SAVED_FILTERS
from debugger.store.encryption import Cipher
from debugger.store.forks import ForkRepository
from debugger.store.hidden_runs import HiddenRuns
from debugger.store.keys import ApiKeys, EndedLogins
from debugger.store.notes import NoteRepository
from debugger.store.replays import ReplayRepository
from debugger.store.rerun_tokens import RerunTokens
from debugger.store.retention import RunDeletion
from debugger.store.reviews import ReviewRepository
from debugger.store.run_facts import RunFactsCache
from debugger.store.runs import RunRepository
from debugger.store.saved_names import SavedObjects
from debugger.store.scenario_runs import ScenarioRuns
from debugger.store.scenarios import StoredScenarios
from debugger.store.schema import revision_of
from debugger.store.schema_setup import NEWEST, ensure_schema
from debugger.store.snippets import Snippets
from debugger.store.suites import SuiteRepository
from debugger.store.teams import reject_teams
from debugger.store.turns import CheckpointReader, TurnClaims
from debugger.store.variables import VariableRepository
from debugger.store.workflow_catalog import WorkflowCatalog
from debugger.store.workflows import WorkflowRepository


class Store(WorkflowRepository, RunRepository, RunDeletion, CheckpointReader):
    """A database of workflows and runs, for any number of threads.

    Every method is one transaction: it is done as a whole or not at all, and after an exception nothing has
    changed. Beside its own exceptions, each may raise `StoreError` when the database cannot be read or
    written, and `InputError` for a value that no database takes, such as an integer beyond 64 bits.

    Args:
        url: As in ``sqlite:///folder/file.sqlite3``; folder and file are made when they do not exist.
            ``sqlite://`` is in memory and is lost with the store. ``postgresql://user:password@host/database``
            is a database on a server, which any number of processes may use at once.
        encryption_key: Encrypts secrets at rest; without one, none can be stored.
        permits_teams: Open a database with keys of teams, to revoke them.

    Raises:
        StoreError: The database cannot be opened or made, belongs to another program, has teams, or was made
            by a newer version of this one.
    """

    def __init__(self, url: str, *, encryption_key: str = "", permits_teams: bool = False) -> None:
        """Open the database, and make or migrate its tables; close it again on an error."""
        database = Database(url)
        try:
            ensure_schema(database)
            if not permits_teams:
                reject_teams(database)
        except BaseException:
            database.close()
            raise
        super().__init__(database)
        self.claims = TurnClaims(database)
        self.notes = NoteRepository(database)
        self.forks = ForkRepository(database)
        self.catalogue = WorkflowCatalog(database)
        self.globals = VariableRepository(database, Cipher(encryption_key))
        self.rerun_tokens = RerunTokens(database)
        self.api_keys = ApiKeys(database)
        self.audit = AuditLog(database)
        self.ended_logins = EndedLogins(database)
        self.python_consents = PythonConsents(database)
        self.hidden = HiddenRuns(database)
        self.run_facts = RunFactsCache(database)
        self.snippets = Snippets(database)
        self.saved_filters = SavedObjects(database, SAVED_FILTERS, "filter", "the runs that it finds")
        self.demo_scripts = DemoScripts(database)
        self.export_presets = SavedObjects(database, EXPORT_PRESETS, "preset", "what the file is for")
        self.reviews = ReviewRepository(database)
        self.suites = SuiteRepository(database)
        self.replays = ReplayRepository(database)
        self.scenario_runs = ScenarioRuns(database)
        self.scenarios = StoredScenarios(database)

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def has_present_tables(self) -> bool:
        """Return whether the tables are those of this program.

        Raises:
            StoreFileError: The database's file was deleted, moved or replaced while it was open.
            StoreDamagedError: A page that was read since the store was opened is damaged.
        """
        with self._database.reading() as connection:
            is_present = revision_of(connection) == NEWEST
            self._database.check()
        return is_present
