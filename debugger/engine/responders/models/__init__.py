"""Real language models that answer for the model nodes."""

from debugger.engine.responders.models.keys import Keys
from debugger.engine.responders.models.responder import ModelResponder

__all__ = ["Keys", "ModelResponder"]
