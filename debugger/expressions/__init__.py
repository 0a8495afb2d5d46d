"""References, the condition language, and texts with placeholders."""

from debugger.expressions.conditions import Condition, Verdict, parse
from debugger.expressions.placeholders import Placeholder, placeholders
from debugger.expressions.references import ABSENT, Absent, Namespace, Scope, lookup
from debugger.expressions.required_variables import skeleton, unresolved_placeholders
from debugger.expressions.syntax import Reference
from debugger.expressions.template import Filled, fill, fill_value, hydrate

__all__ = [
    "ABSENT",
    "Absent",
    "Condition",
    "Filled",
    "Namespace",
    "Placeholder",
    "Reference",
    "Scope",
    "Verdict",
    "fill",
    "fill_value",
    "hydrate",
    "lookup",
    "parse",
    "placeholders",
    "skeleton",
    "unresolved_placeholders",
]
