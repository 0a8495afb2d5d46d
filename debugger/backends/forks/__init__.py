"""Re-runs: a past turn taken again in a new run, in another version or another workflow if need be.

Source: ``platform/wire.md`` section 7, ``platform/engine.md`` 9.6.
"""

from __future__ import annotations

from debugger.backends.forks.forks import RerunPlan, Reruns
from debugger.backends.forks.mapping import NodeMatch
from debugger.backends.forks.request import Mode, RerunEdits, RerunTarget
from debugger.backends.forks.transcript import Line

__all__ = ["Line", "Mode", "NodeMatch", "RerunEdits", "RerunPlan", "RerunTarget", "Reruns"]
