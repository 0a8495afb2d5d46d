"""Where workflows and runs are kept."""

from debugger.store.forks import ForkBook
from debugger.store.ids import new_id
from debugger.store.notebook import Notebook
from debugger.store.run_copies import RunFork
from debugger.store.store import Store
from debugger.store.turns import Checkpoint, FinishedTurn
from debugger.store.unfinished import UnfinishedTurn

__all__ = [
    "Checkpoint",
    "FinishedTurn",
    "ForkBook",
    "Notebook",
    "RunFork",
    "Store",
    "UnfinishedTurn",
    "new_id",
]
