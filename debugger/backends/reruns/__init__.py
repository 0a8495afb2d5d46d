"""Re-runs: a past turn taken again in a new run, in another version or another workflow if need be.

Source: ``platform/wire.md`` section 7, ``platform/engine.md`` 9.6.
"""

from __future__ import annotations

from debugger.backends.reruns.plan import Mode, NodeMatch, RerunPlan
from debugger.backends.reruns.reruns import Reruns
from debugger.backends.reruns.target import RerunEdits, RerunTarget
from debugger.backends.reruns.transcript import Line

__all__ = ["Line", "Mode", "NodeMatch", "RerunEdits", "RerunPlan", "RerunTarget", "Reruns"]
