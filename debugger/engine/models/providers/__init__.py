"""Real language models that answer for the model nodes."""

from debugger.engine.models.providers.keys import Keys
from debugger.engine.models.providers.model import ProviderModel

__all__ = ["Keys", "ProviderModel"]
