"""What a person does to a run: freezes outputs, injects failures, answers in a model's place."""

from debugger.engine.mocks.interventions import Interventions
from debugger.engine.mocks.kinds import Fault, Pin, Target, TargetKind

__all__ = ["Fault", "Interventions", "Pin", "Target", "TargetKind"]
