"""Where workflows and runs are kept."""

from debugger.store.backup import back_up, restore
from debugger.store.forks import ForkBook
from debugger.store.ids import new_id
from debugger.store.notebook import Notebook
from debugger.store.retention import Limits, Pruning
from debugger.store.run_copies import RunFork
from debugger.store.store import Store
from debugger.store.turns import Checkpoint, FinishedTurn
from debugger.store.unfinished import UnfinishedTurn

__all__ = [
    "Checkpoint",
    "FinishedTurn",
    "ForkBook",
    "Limits",
    "Notebook",
    "Pruning",
    "RunFork",
    "Store",
    "UnfinishedTurn",
    "back_up",
    "new_id",
    "restore",
]
