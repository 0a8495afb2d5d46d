"""Forks, re-runs and replays: earlier turns continued in a new run.

Source: ``platform/wire.md`` section 7, ``platform/engine.md`` 9.6.
"""

from __future__ import annotations

from debugger.backends.forks.forks import Forks, RerunPlan
from debugger.backends.forks.mapping import NodeMatch
from debugger.backends.forks.request import RerunEdits, RerunMode, RerunTarget
from debugger.backends.forks.transcript import Line

__all__ = ["Forks", "Line", "NodeMatch", "RerunEdits", "RerunMode", "RerunPlan", "RerunTarget"]
