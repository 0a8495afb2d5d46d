"""Pins, faults, manual and recorded answers of a run."""

from debugger.engine.mocks.pins_and_faults import Fault, MockSet, Pin, Target, TargetKind
from debugger.engine.mocks.recorded import RecordedAnswers

__all__ = ["Fault", "MockSet", "Pin", "RecordedAnswers", "Target", "TargetKind"]
