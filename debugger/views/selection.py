"""What can be chosen in a graph."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple


class Element(NamedTuple):
    """A node or an edge of the graph on view."""

    kind: Literal["node", "edge"]
    id: str

    @classmethod
    def from_browser(cls, told: Any) -> Element | None:
        """Read what the picture sends; ``None`` where it is no element, as after a choice was given back."""
        if not isinstance(told, dict) or told.get("kind") not in ("node", "edge"):
            return None
        return cls(told["kind"], str(told.get("id")))

    def to_browser(self) -> dict[str, str]:
        """The same as the picture takes it."""
        return {"kind": self.kind, "id": self.id}
