"""The workflow as a checked, indexed graph that can be drawn."""

from debugger.graph.checks import CHECKS, Problem, check
from debugger.graph.graph import Graph
from debugger.graph.layout import Layout, PlacedEdge, PlacedNode, layout
from debugger.graph.load import load_workflow

__all__ = [
    "CHECKS",
    "Graph",
    "Layout",
    "PlacedEdge",
    "PlacedNode",
    "Problem",
    "check",
    "layout",
    "load_workflow",
]
