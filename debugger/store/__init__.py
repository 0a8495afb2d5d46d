"""The store of workflows and runs."""

from debugger.store.audit import AuditEntry, AuditLog
from debugger.store.backup import back_up, back_up_readable, restore
from debugger.store.claims import TurnClaim
from debugger.store.forks import CarriedUsage, ForkRepository, RunFork, WrittenPair
from debugger.store.keys import ApiKey, ApiKeys, Role, digest_of
from debugger.store.notes import NoteRepository, UnfinishedTurn
from debugger.store.process_identity import current_owner, program_version
from debugger.store.replays import (
    Acceptance,
    ReplayRepository,
    ReplayTarget,
    StoredGroup,
    StoredReplay,
    StoredReplayResult,
)
from debugger.store.rerun_tokens import RerunTicket
from debugger.store.retention import Limits, Pruning
from debugger.store.reviews import NewComment, ReviewChanges, TagChange, VerdictChange
from debugger.store.scenario_runs import ScenarioRuns
from debugger.store.schema import MAX_CLIENT_TURN_ID
from debugger.store.sql_helpers import new_id
from debugger.store.store import Store
from debugger.store.suites import StoredRepetition, StoredResult, StoredSuite, SuiteRepository
from debugger.store.teams import team_url
from debugger.store.turns import Checkpoint, ClientTurn, FinishedTurn
from debugger.store.variables import GlobalVariable
from debugger.store.workflow_catalog import NOTHING_KNOWN, RunLimits, VersionCopy, WorkflowFacts
from debugger.store.workflows import KnownWorkflow

__all__ = [
    "MAX_CLIENT_TURN_ID",
    "NOTHING_KNOWN",
    "Acceptance",
    "ApiKey",
    "ApiKeys",
    "AuditEntry",
    "AuditLog",
    "CarriedUsage",
    "Checkpoint",
    "ClientTurn",
    "FinishedTurn",
    "ForkRepository",
    "GlobalVariable",
    "KnownWorkflow",
    "Limits",
    "NewComment",
    "NoteRepository",
    "Pruning",
    "ReplayRepository",
    "ReplayTarget",
    "RerunTicket",
    "ReviewChanges",
    "Role",
    "RunFork",
    "RunLimits",
    "ScenarioRuns",
    "Store",
    "StoredGroup",
    "StoredRepetition",
    "StoredReplay",
    "StoredReplayResult",
    "StoredResult",
    "StoredSuite",
    "SuiteRepository",
    "TagChange",
    "TurnClaim",
    "UnfinishedTurn",
    "VerdictChange",
    "VersionCopy",
    "WorkflowFacts",
    "WrittenPair",
    "back_up",
    "back_up_readable",
    "current_owner",
    "digest_of",
    "new_id",
    "program_version",
    "restore",
    "team_url",
]
