from __future__ import annotations

import gc
import subprocess
import sys

CHILD = """
import gc
from debugger.server.serve import _freeze_objects

class Loop:
    pass

kept, lost = Loop(), Loop()
kept.own, lost.own = kept, lost
del lost
_freeze_objects()
print(sum(isinstance(thing, Loop) for thing in gc.get_objects()), gc.get_freeze_count() > 1_000)
"""


def test_freeze_objects_collects_garbage_first():
    before = gc.get_freeze_count()

    told = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True, check=True)

    assert told.stdout.split() == ["0", "True"]
    assert gc.get_freeze_count() == before
