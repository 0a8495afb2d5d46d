"""Whatever answers for a model: by fixed rules, or by a script with the rules behind it."""

from debugger.engine.responders.base import Choice, ModelFailure, Prompt, Reply, Responder
from debugger.engine.responders.rules import RulesResponder
from debugger.engine.responders.script import Rule, Script
from debugger.engine.responders.scripted import ScriptedResponder

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
