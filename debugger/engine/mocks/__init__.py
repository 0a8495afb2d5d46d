"""What a person does to a run: freezes outputs, injects failures, answers in a model's place."""

from debugger.engine.mocks.pins_and_faults import Fault, MockSet, Pin, Target, TargetKind

__all__ = ["Fault", "MockSet", "Pin", "Target", "TargetKind"]
