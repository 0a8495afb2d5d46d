"""Whatever answers for a model: by fixed rules, or by a script with the rules behind it."""

from debugger.engine.models.base import Choice, ModelFailure, Prompt, Reply, Responder
from debugger.engine.models.heuristic import RulesResponder
from debugger.engine.models.script import Rule, Script
from debugger.engine.models.scripted import ScriptedResponder

__all__ = [
    "Choice",
    "ModelFailure",
    "Prompt",
    "Reply",
    "Responder",
    "Rule",
    "RulesResponder",
    "Script",
    "ScriptedResponder",
]
