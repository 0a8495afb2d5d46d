"""Keys of a run input that only a first turn uses, and what it does with them.

Source: ``platform.md#execute-input`` and ``platform.md#history``.
"""

from __future__ import annotations

from collections.abc import Iterator

from debugger.protocol.runs import TurnInput

FIRST_TURN_KEYS = {
    "run_by": "the run has its label since its first turn",
    "version_number": "a run stays on the version of its first turn",
    "start_node_logical_id": "only a first turn starts at a chosen node",
    "initial_state": "only a first turn restores a state",
    "welcome_message": "only a first turn adds a welcome message",
}
"""Why each has no effect on a later turn."""
_REPEATED = frozenset({"run_by", "version_number"})
"""Those that clients send with each turn: the run has them, and nothing that was wanted is left out."""

WELCOME = "Models read it as the agent's first message, and no event says it."
"""What a first turn does with ``welcome_message``, as a sentence."""


def input_notes(turn_input: TurnInput, *, is_first_turn: bool) -> Iterator[str]:
    """Yield a sentence for each key without the effect on a turn that it suggests.

    Args:
        turn_input: The input of the turn.
        is_first_turn: Whether it starts a run.
    """
    if is_first_turn:
        if turn_input.welcome_message:
            yield f"welcome_message: {WELCOME}"
        return
    for key, reason in FIRST_TURN_KEYS.items():
        if key not in _REPEATED and getattr(turn_input, key):
            yield f"{key} has no effect on this turn: {reason}."
