"""What never gets past the door: the secrets in a request (``platform/wire.md`` 2.2 and 4.4)."""

from __future__ import annotations

from debugger.protocol.base import JsonObject

SECRETS = "secret_variables"
_WRAPPINGS = ("workflow", "workflow_config")


def without_secrets(data: JsonObject) -> JsonObject:
    """The same object without ``secret_variables``, also where a workflow document is wrapped in others."""
    kept = {key: value for key, value in data.items() if key != SECRETS}
    for key in _WRAPPINGS:
        inner = kept.get(key)
        if isinstance(inner, dict):
            kept[key] = without_secrets(inner)
    return kept
