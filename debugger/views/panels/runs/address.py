"""The filters of the page Runs in its address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from debugger.views import state
from debugger.views.address_bar import AddressBar
from debugger.views.panels.runs.scope import NOTHING, first_page, read_day

_ON = "1"
_LEAD = "runs_"


@dataclass(frozen=True)
class RunsAddress:
    """Address of the page Runs: those of its filters that filter something."""

    filters: tuple[tuple[str, str], ...] = ()
    """Their keys and values, in the order of `NOTHING`."""

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, str]) -> Self:
        """Read the address bar; the filters themselves pass over what is no option of theirs."""
        return cls(tuple((key, text) for key in NOTHING if (text := parameters.get(_name(key), ""))))

    def to_parameters(self) -> dict[str, str]:
        """Return the query parameters, absent ones left out."""
        return {_name(key): text for key, text in self.filters}

    @classmethod
    def of_filters(cls) -> Self:
        """Return the address of the filters as they are set."""
        values = ((key, state.widget(key)) for key in NOTHING)
        return cls(tuple((key, _ON if value is True else str(value)) for key, value in values if value))


@dataclass
class RunsBar(AddressBar[RunsAddress]):
    """Address bar of the page Runs."""

    shown: RunsAddress = field(default_factory=RunsAddress)

    STALE_SECONDS: ClassVar[float] = 2.0


def follow_address() -> None:
    """Set the filters to those that the address names, if the user has changed it; the others filter nothing.

    The list then begins at its first page. A day that is none, and any other text than 1 for a switch,
    filters nothing; the part of the picture stays.
    """
    address = state.record(RunsBar)
    wanted = address.wanted()
    if wanted is None:
        return
    given = dict(wanted.filters)
    for key, nothing in NOTHING.items():
        state.set_widget(key, _value(key, given.get(key, ""), nothing))
    first_page()
    address.shown = wanted


def show_address() -> None:
    """Make the address name the filters."""
    state.record(RunsBar).show(RunsAddress.of_filters())


def _name(key: str) -> str:
    return key.removeprefix(_LEAD)


def _value(key: str, text: str, nothing: Any) -> Any:
    if isinstance(nothing, bool):
        return text == _ON
    is_day = key in {"runs_since", "runs_until"}
    return "" if is_day and read_day(text) is None else text
