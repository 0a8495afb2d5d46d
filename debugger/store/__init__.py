"""Where workflows and runs are kept."""

from debugger.store.api_keys import ApiKey, ApiKeys, Role, digest_of
from debugger.store.audit import AuditEntry, AuditLog
from debugger.store.backup import back_up, restore
from debugger.store.claims import Progress, RunPosition, TurnClaim
from debugger.store.copied_usage import CopiedUsage
from debugger.store.forks import ForkBook
from debugger.store.global_variables import GlobalVariable
from debugger.store.ids import new_id
from debugger.store.notebook import Notebook
from debugger.store.owners import current_owner
from debugger.store.python_consents import PythonConsent, PythonConsents
from debugger.store.rerun_tokens import RerunTicket
from debugger.store.retention import Limits, Pruning
from debugger.store.run_copies import RunFork, WrittenPair
from debugger.store.schema import MAX_CLIENT_TURN_ID
from debugger.store.store import Store
from debugger.store.teams import url_of_team
from debugger.store.turn_claims import ClientTurn, TurnClaims
from debugger.store.turns import Checkpoint, FinishedTurn
from debugger.store.unfinished import UnfinishedTurn
from debugger.store.workflow_edits import VersionCopy
from debugger.store.workflow_facts import NOTHING_KNOWN, RunRule, WorkflowFacts

__all__ = [
    "MAX_CLIENT_TURN_ID",
    "NOTHING_KNOWN",
    "ApiKey",
    "ApiKeys",
    "AuditEntry",
    "AuditLog",
    "Checkpoint",
    "ClientTurn",
    "CopiedUsage",
    "FinishedTurn",
    "ForkBook",
    "GlobalVariable",
    "Limits",
    "Notebook",
    "Progress",
    "Pruning",
    "PythonConsent",
    "PythonConsents",
    "RerunTicket",
    "Role",
    "RunFork",
    "RunPosition",
    "RunRule",
    "Store",
    "TurnClaim",
    "TurnClaims",
    "UnfinishedTurn",
    "VersionCopy",
    "WorkflowFacts",
    "WrittenPair",
    "back_up",
    "current_owner",
    "digest_of",
    "new_id",
    "restore",
    "url_of_team",
]
