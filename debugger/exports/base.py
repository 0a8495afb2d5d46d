"""What an export has to offer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

Source = TypeVar("Source")


@dataclass(frozen=True)
class Export(Generic[Source]):
    """One format that one kind of facts can be saved in."""

    label: str
    """How people know it."""
    extension: str
    """With its dot."""
    media_type: str
    render: Callable[[Source], bytes]
    """The whole file."""
