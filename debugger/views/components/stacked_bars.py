"""Charts of stacked bars whose parts can be chosen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from debugger.views import state
from debugger.views.components.factory import component


@dataclass(frozen=True)
class Part:
    """Part of a bar."""

    kind: str
    """Text that its legend shows."""
    colour: str
    count: int
    target: str
    """Value that is sent when it is chosen."""
    label: str
    """Text for the pointer and for screen readers."""
    is_chosen: bool = False
    """Whether a strip marks it as the one that the page is filtered by."""


@dataclass(frozen=True)
class Bar:
    """Bar of parts on top of each other."""

    label: str
    total: int
    parts: Sequence[Part]


@dataclass(frozen=True)
class Chart:
    """Bars with a title."""

    title: str
    bars: Sequence[Bar]
    legend: Sequence[tuple[str, str]]
    """Kinds with their colours."""
    is_upright: bool = False


_CHARTS = component("stacked_bars", __package__, "stacked_bars", ("elements.js", "stacked_bars.js"))


def stacked_bars(
    key: str,
    charts: Sequence[Chart],
    *,
    on_choose: Callable[[str], None],
    is_table: bool = False,
    is_strip: bool = False,
) -> None:
    """Draw charts side by side.

    Args:
        key: The widget's.
        charts: The charts from the left.
        on_choose: Takes the target of a chosen part.
        is_table: Whether their numbers are shown as tables.
        is_strip: Whether they are drawn in 24 pixels, without texts; each bar then has one part at most.
    """

    def choose() -> None:
        chosen: Any = state.sent_by_browser(key, "chosen")
        if isinstance(chosen, str):
            on_choose(chosen)

    data = {"charts": [asdict(chart) for chart in charts], "is_table": is_table, "is_strip": is_strip}
    _CHARTS(key=key, data=data, on_chosen_change=choose)
