"""Where workflows and runs are kept."""

from debugger.store.ids import new_id
from debugger.store.store import Store
from debugger.store.turns import Checkpoint, FinishedTurn

__all__ = ["Checkpoint", "FinishedTurn", "Store", "new_id"]
