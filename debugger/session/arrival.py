"""Messages whose answer was lost, as the record shows them."""

from __future__ import annotations

from dataclasses import dataclass

from debugger.backends.base import FoundTurn, TurnOutcome

ARRIVED: frozenset[TurnOutcome] = frozenset({"arrived", "seems_arrived", "executed_twice"})
"""Verdicts on a turn that was executed."""


@dataclass(frozen=True)
class Arrival:
    """A message that has arrived although its answer was lost."""

    message: str
    """The user's message; empty of a turn without one."""
    outcome: TurnOutcome
    turn_numbers: tuple[int, ...]
    """The turns that it is, in order."""
    run_ids: tuple[str, ...] = ()
    """The runs that it has started, where these are several."""

    @classmethod
    def of(cls, found: FoundTurn, message: str) -> Arrival:
        """Return the arrival that a search of the record shows."""
        number = found.result.turn_number if found.result is not None else 0
        return cls(message, found.outcome, found.turn_numbers or (number,), found.run_ids)

    @property
    def is_restorable(self) -> bool:
        """Return whether the message may be another client's, so that the user may want it back."""
        return self.outcome == "seems_arrived" and bool(self.message)

    @property
    def sentence(self) -> str:
        """Return the sentence for the user: executed several times, seems to have arrived, or has arrived."""
        what = "message" if self.message else "turn"
        last = self.turn_numbers[-1]
        if self.run_ids:
            runs = " and ".join(self.run_ids)
            return f"The {what} was executed {_times(len(self.run_ids))}: it has started the runs {runs}."
        if self.outcome == "executed_twice":
            turns = " and ".join(str(number) for number in self.turn_numbers)
            return f"The {what} was executed {_times(len(self.turn_numbers))}, as turns {turns}."
        if self.outcome == "seems_arrived":
            return (
                f"The answer was lost. The {what} seems to have arrived as turn {last}: "
                "the record has the same text there, and nothing else identifies it."
            )
        return f"The answer was lost, and the {what} has arrived: the record has it as turn {last}."


def _times(number: int) -> str:
    return "twice" if number == 2 else f"{number} times"
