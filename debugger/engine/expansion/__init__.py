"""Super nodes are replaced by what they stand for, before a run (``platform/engine.md`` 2.11)."""

from __future__ import annotations

from debugger.engine.expansion.expand import expand
from debugger.engine.expansion.placeholder import SUPER_NODE
from debugger.engine.expansion.report import Expansion, Report
from debugger.engine.expansion.sources import LoadWorkflow

__all__ = ["SUPER_NODE", "Expansion", "LoadWorkflow", "Report", "expand"]
