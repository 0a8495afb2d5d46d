"""Where workflows and runs are kept."""

from debugger.store.api_keys import ApiKey, ApiKeys, Role, digest_of
from debugger.store.backup import back_up, restore
from debugger.store.copied_usage import CopiedUsage
from debugger.store.forks import ForkBook
from debugger.store.global_variables import GlobalVariable
from debugger.store.ids import new_id
from debugger.store.notebook import Notebook
from debugger.store.rerun_tokens import RerunTicket
from debugger.store.reruns import RerunCopy, WrittenPair
from debugger.store.retention import Limits, Pruning
from debugger.store.run_copies import RunFork
from debugger.store.store import Store
from debugger.store.teams import url_of_team
from debugger.store.turns import Checkpoint, FinishedTurn
from debugger.store.unfinished import UnfinishedTurn
from debugger.store.workflow_edits import VersionCopy
from debugger.store.workflow_facts import NOTHING_KNOWN, RunRule, WorkflowFacts

__all__ = [
    "NOTHING_KNOWN",
    "ApiKey",
    "ApiKeys",
    "Checkpoint",
    "CopiedUsage",
    "FinishedTurn",
    "ForkBook",
    "GlobalVariable",
    "Limits",
    "Notebook",
    "Pruning",
    "RerunCopy",
    "RerunTicket",
    "Role",
    "RunFork",
    "RunRule",
    "Store",
    "UnfinishedTurn",
    "VersionCopy",
    "WorkflowFacts",
    "WrittenPair",
    "back_up",
    "digest_of",
    "new_id",
    "restore",
    "url_of_team",
]
