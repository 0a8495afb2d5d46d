"""References, the condition language, and texts with placeholders."""

from debugger.expressions.conditions import Condition, ConditionResult, parse
from debugger.expressions.placeholders import Placeholder, placeholders
from debugger.expressions.references import ABSENT, Absent, Namespace, Scope, lookup
from debugger.expressions.required_variables import required_variables, unresolved_placeholders
from debugger.expressions.syntax import Reference
from debugger.expressions.template import RenderedText, hydrate, render, render_value

__all__ = [
    "ABSENT",
    "Absent",
    "Condition",
    "ConditionResult",
    "Namespace",
    "Placeholder",
    "Reference",
    "RenderedText",
    "Scope",
    "hydrate",
    "lookup",
    "parse",
    "placeholders",
    "render",
    "render_value",
    "required_variables",
    "unresolved_placeholders",
]
