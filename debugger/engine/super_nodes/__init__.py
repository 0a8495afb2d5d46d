"""Expansion of super nodes before a run (``platform.md#super-nodes``)."""

from __future__ import annotations

from debugger.engine.super_nodes.expand import UnfoldedGraph, expand, unfold
from debugger.engine.super_nodes.sources import SUPER_NODE, Expansion, LoadWorkflow

__all__ = ["SUPER_NODE", "Expansion", "LoadWorkflow", "UnfoldedGraph", "expand", "unfold"]
