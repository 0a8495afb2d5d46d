"""What an export has to offer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Row = TypeVar("Row")


@dataclass(frozen=True)
class Export(Generic[Row]):
    """One format that rows of one kind can be saved in."""

    label: str
    """How people know it."""
    extension: str
    """With its dot."""
    media_type: str
    render: Callable[[Sequence[Row]], bytes]
    """The whole file."""
