"""A call of the clinic sample, as a caller plays it to its end."""

from __future__ import annotations

from functools import cache

from debugger.backends import open_embedded
from debugger.backends.embedded import EmbeddedBackend
from debugger.protocol.runs import TurnInput
from debugger.settings import Settings

CALL = (
    "Hi, I'd like to book an appointment, please.",
    "My name is Ada Moreno, and I was born on March 3, 1990.",
    "Before I go on, what are your opening hours?",
    "Good to know. It's about a sore knee, and Tuesday would be best.",
    "The earlier one, please.",
    "Yes, please book it.",
    "No, that's all. Thank you!",
)

LONG_CALL = (
    "I'd like to book an appointment.",
    "I'm Ada Moreno, born 4 May 1990.",
    "A check-up, on Tuesday please.",
    "Where can I park?",
    "Yes, go on please.",
    "The first one.",
    "No, the other one please.",
    "Tuesday at 2:40 pm.",
    "Yes, please book it.",
)
"""A call that changes its mind, and asks for more."""


@cache
def clinic_call() -> tuple[EmbeddedBackend, str]:
    """The backend in memory, and the run's id; for tests that only read."""
    backend = open_embedded(Settings(database="sqlite://"))
    return backend, play(backend)


def play(backend: EmbeddedBackend, *lines: str) -> str:
    """Play a call, by default the whole one; return the run's id."""
    clinic = next(each for each in backend.workflows("Clinic front desk"))
    result = backend.execute(clinic.id, TurnInput.with_message(None)).finish()
    for line in lines or CALL:
        said = TurnInput.with_message(line, command="data")
        result = backend.execute(clinic.id, said, run_id=result.run_id).finish()
    return result.run_id
