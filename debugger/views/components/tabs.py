"""Tabs of a pane: some are always on view, the others behind *More* until they are opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from debugger.views import state
from debugger.views.components.toolbar import Button, Item, Menu, SegmentedControl

_MOST_COUNTS = 2


@dataclass
class OpenedTabs:
    """Tabs that were opened in this browser tab, and stay on view."""

    by_key: dict[str, set[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Tabs:
    """The choice of what a pane shows; `state.widget` has the chosen name."""

    key: str
    label: str
    """For screen readers."""
    first: Sequence[str]
    """The names that are always on view."""
    others: Sequence[str]
    """The names that are behind *More* until they are opened."""
    counts: Mapping[str, int]
    """What a name has to show, in numbers; one of nothing is not named."""

    def items(self) -> list[Item]:
        """Return the items of a bar; the one on view counts as opened, in this tab from then on.

        Names that are not opened are in the menu *More*, which is left out without any.
        """
        opened = state.record(OpenedTabs).by_key.setdefault(self.key, set())
        opened |= {state.widget(self.key)} & set(self.others)
        shown = [*self.first, *(name for name in self.others if name in opened)]
        behind = [name for name in self.others if name not in opened]
        names = {name: f"{name} {number}" for name, number in self.counts.items() if number}
        tabs = SegmentedControl(self.key, self.label, shown, names, look="tabs")
        if not behind:
            return [tabs]
        buttons = [
            Button(f"{self.key}_{name}".replace(" ", "_"), names.get(name, name), self._open, (name,))
            for name in behind
        ]
        return [tabs, Menu(f"{self.key}_more", self._more(behind), buttons, look="tertiary", of=self.label)]

    def _more(self, behind: Sequence[str]) -> str:
        told = [(name.lower(), self.counts[name]) for name in behind if self.counts.get(name)]
        words = [f"{number} {name.removesuffix('s') if number == 1 else name}" for name, number in told]
        more = ", …" if len(words) > _MOST_COUNTS else ""
        return f"More · {', '.join(words[:_MOST_COUNTS])}{more}" if words else "More"

    def _open(self, name: str) -> None:
        state.set_widget(self.key, name)
