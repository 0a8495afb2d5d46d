"""The replay and the group on view in the address of the page Replay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from debugger.views import state
from debugger.views.address_bar import AddressBar

AGAIN_KEY = "replay_again_version"
"""The widget with the version on which the runs of the replay on view are played once more."""


@dataclass(frozen=True)
class ReplayAddress:
    """Address of the results of a replay; absent parts are empty."""

    replay: str = ""
    """The id of the replay."""
    group: str = ""
    """The key of the group on view."""

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, str]) -> Self:
        """Read the address bar; missing parameters are empty."""
        return cls(parameters.get("replay", "").strip(), parameters.get("group", "").strip())

    def to_parameters(self) -> dict[str, str]:
        """Return the query parameters, absent ones left out."""
        return {key: value for key, value in (("replay", self.replay), ("group", self.group)) if value}


@dataclass
class ReplayBar(AddressBar[ReplayAddress]):
    """Address bar of the page Replay."""

    shown: ReplayAddress = field(default_factory=ReplayAddress)


@dataclass
class ReplayOnView:
    """The replay and the group that the page shows."""

    replay: str = ""
    """The id of the replay; empty is the newest."""
    group: str = ""
    """The key of the chosen group; empty is the first that is not accepted."""


def follow_address() -> None:
    """Show the replay and the group that the address names, if the user has gone to another one."""
    bar = state.record(ReplayBar)
    wanted = bar.wanted()
    if wanted is not None:
        show_replay(wanted.replay, wanted.group)
        bar.shown = wanted


def show_replay(replay: str, group: str = "") -> None:
    """Show a replay; what was chosen for the one before is forgotten."""
    state.replace_record(ReplayOnView(replay, group))
    state.forget_widget(AGAIN_KEY)


def show_address(replay: str, group: str) -> None:
    """Make the address name what the page shows."""
    state.record(ReplayBar).show(ReplayAddress(replay, group))
