"""What the controls of skins, shortcuts and the presenter do."""

from __future__ import annotations

from debugger.graph.graph import Graph
from debugger.session.playback import Player, Recording
from debugger.session.session import DebugSession
from debugger.views import state
from debugger.views.actions import command

PLAIN_KEYS_KEY = "has_plain_keys"
"""The switch of the shortcuts that are typed like text."""
SPEED_KEY = "play_speed"
TURN_KEY = "play_turn"


def change_skin() -> None:
    """Change between the demo view and the engineer's; the run and what is chosen in it stay."""
    page = state.page()
    page.is_demo = not page.is_demo


def open_help() -> None:
    """Show the keyboard shortcuts."""
    state.page().opens_help = True


def allow_plain_keys() -> None:
    """Let shortcuts without Ctrl work or not, as the switch says."""
    state.page().has_plain_keys = bool(state.widget(PLAIN_KEYS_KEY))


def player_of(session: DebugSession) -> Player:
    """The player of the run on view; a new one where the run is another or has gone on since."""
    page = state.page()
    turns = session.turns
    edition = f"{session.run_id} {session.status} {len(turns)} {sum(len(turn.events) for turn in turns)}"
    if page.player is None or page.player.edition != edition:
        page.player = Player(edition, Recording(turns, Graph(session.workflow), session.status))
    return page.player


@command
def play_or_pause() -> None:
    """Let the presentation go on by itself, or stand still."""
    if (player := state.page().player) is not None:
        player.play_or_pause()


@command
def step_by(by: int) -> None:
    """Show the presentation's step so many further on."""
    if (player := state.page().player) is not None:
        player.step_by(by)


@command
def turn_by(by: int) -> None:
    """Show the beginning of the next turn (1) or of the one before (-1)."""
    if (player := state.page().player) is not None:
        player.turn_by(by)


@command
def go_to_turn() -> None:
    """Show the beginning of the turn that was chosen."""
    player, chosen = state.page().player, state.widget(TURN_KEY)
    if player is not None and chosen is not None:
        player.go_to_turn(chosen)


@command
def set_speed() -> None:
    """Play as fast as was chosen."""
    player, chosen = state.page().player, state.widget(SPEED_KEY)
    if player is not None and chosen is not None:
        player.speed = chosen
