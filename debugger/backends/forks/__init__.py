"""Forks, re-runs and replays: earlier turns continued in a new run.

Source: ``platform.md#re-runs``.
"""

from __future__ import annotations

from debugger.backends.forks.forks import Forks, RerunPlan
from debugger.backends.forks.mapping import NodeMatch
from debugger.backends.forks.request import RerunEdits, RerunMode, RerunTarget
from debugger.backends.forks.transcript import Line

__all__ = ["Forks", "Line", "NodeMatch", "RerunEdits", "RerunMode", "RerunPlan", "RerunTarget"]
