"""Runs executed by the engine in this process."""

from debugger.backends.embedded.backend import EmbeddedBackend

__all__ = ["EmbeddedBackend"]
