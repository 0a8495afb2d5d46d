"""Super nodes are replaced by what they stand for, before a run (``platform/engine.md`` 2.11)."""

from __future__ import annotations

from debugger.engine.super_nodes.expand import expand
from debugger.engine.super_nodes.placeholder import SUPER_NODE
from debugger.engine.super_nodes.report import Expansion, Report
from debugger.engine.super_nodes.sources import LoadWorkflow

__all__ = ["SUPER_NODE", "Expansion", "LoadWorkflow", "Report", "expand"]
