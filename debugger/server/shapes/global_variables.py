"""A global variable as answers show it (``platform/wire.md`` section 8): never with a secret's value."""

from __future__ import annotations

from typing import Any

from debugger.protocol.base import JsonObject
from debugger.store import GlobalVariable

MASK = "***"
"""What stands in a secret's place."""

SYSTEM_PREFIX = "system:"


def variable_shape(variable: GlobalVariable) -> JsonObject:
    """A variable that somebody made."""
    return {
        "_id": variable.id,
        "id": variable.id,
        "name": variable.name,
        "is_secret": variable.is_secret,
        "is_system": False,
        "value": shown_value(variable),
        "description": variable.description,
        "category": variable.category,
        "created_at": variable.created_at,
        "updated_at": variable.updated_at,
    }


def system_shape(name: str, value: str, *, is_secret: bool, description: str) -> JsonObject:
    """A variable that the system brings; nobody can change it."""
    return {
        "_id": f"{SYSTEM_PREFIX}{name}",
        "id": f"{SYSTEM_PREFIX}{name}",
        "name": name,
        "is_secret": is_secret,
        "is_system": True,
        "value": value,
        "description": description,
        "category": "system",
        "created_at": None,
        "updated_at": None,
    }


def shown_value(variable: GlobalVariable) -> Any:
    """A variable's value, or the mask."""
    return MASK if variable.is_secret else variable.value
