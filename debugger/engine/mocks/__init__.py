"""Pins, faults and manual answers of a debugged run."""

from debugger.engine.mocks.pins_and_faults import Fault, MockSet, Pin, Target, TargetKind

__all__ = ["Fault", "MockSet", "Pin", "Target", "TargetKind"]
