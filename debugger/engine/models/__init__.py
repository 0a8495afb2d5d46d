"""Models that answer prompts: heuristic, scripted, or of a provider."""

from debugger.engine.models.base import Model, ModelError, Prompt, Reply, TransitionOption
from debugger.engine.models.heuristic import HeuristicModel
from debugger.engine.models.script import Rule, Script
from debugger.engine.models.scripted import ScriptedModel

__all__ = [
    "HeuristicModel",
    "Model",
    "ModelError",
    "Prompt",
    "Reply",
    "Rule",
    "Script",
    "ScriptedModel",
    "TransitionOption",
]
