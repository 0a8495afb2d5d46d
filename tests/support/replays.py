"""Runs in memory that are recorded, and played again."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Sequence
from typing import Any

from debugger.engine.environment import Environment
from debugger.engine.inspection import RunInspector
from debugger.engine.interpreter import Interpreter
from debugger.engine.mocks.interceptor import Interceptor, ManualInput
from debugger.engine.mocks.recording import CallRecorder
from debugger.engine.mocks.recording_file import Recording
from debugger.engine.models import HeuristicModel
from debugger.engine.models.base import Model
from debugger.engine.outbound import Gateway
from debugger.engine.outbound.gateway import LiveGateway
from debugger.protocol.runs import TERMINAL_STATUSES, TurnInput
from debugger.protocol.turn_logs import TurnLog
from debugger.protocol.workflow import Workflow

Json = dict[str, Any]
BEGAN = 1_790_000_000.0
_CHANGING = (
    "logical_id",
    "timestamp",
    "id",
    "tool_call_id",
    "llm_response_id",
    "answered_by",
    "paused_intervals",
    "side_effects",
)


class Clock:
    """A clock that stands still, but for what is waited."""

    def __init__(self, seconds: float = BEGAN) -> None:
        self.seconds = seconds

    def now(self) -> float:
        return self.seconds

    def sleep(self, seconds: float, _woken: threading.Event) -> None:
        self.seconds += seconds


def talk(
    workflow: Workflow,
    texts: Sequence[str | None],
    recorder: CallRecorder,
    *,
    model: Model | None = None,
    gateway: Gateway | None = None,
    clock: Clock | None = None,
    chance: int = 1,
    manual_input: ManualInput | None = None,
    **interpreter: Any,
) -> list[Json]:
    """The events of a run in memory, whose calls a recorder records or answers."""
    clock = clock or Clock()
    world = Environment(now=clock.now, random=random.Random(chance), sleep=clock.sleep)
    runs = Interpreter(workflow, model or HeuristicModel(), environment=world, **interpreter)
    state, past, events = None, list[TurnLog](), list[Json]()
    for text in texts:
        given = TurnInput.with_message(text, command="start" if state is None else "data")
        state = state or runs.begin(given)
        inspector = RunInspector(Interceptor(manual_input=manual_input, recorder=recorder))
        log = TurnLog(len(past) + 1, given)
        turn = runs.turn(
            state, given, past=lambda: past, inspector=inspector, outbound=gateway or LiveGateway()
        )
        while True:
            try:
                event = next(turn)
            except StopIteration as stop:
                status = stop.value.status
                break
            log.add(event)
            events.append(json.loads(json.dumps(event.to_wire())))
        past.append(log)
        if state.main.ended or status in TERMINAL_STATUSES:
            break
    return events


def play(
    workflow: Workflow, texts: Sequence[str | None], recorder: CallRecorder, **options: Any
) -> tuple[list[Json], CallRecorder]:
    """The events of a run that a recorder's recording answers, as read from its file, and the recorder."""
    text = Recording(tuple(recorder.calls), tuple(recorder.turns)).to_text()
    player = Recording.of_text(text, "file").player()
    return talk(workflow, texts, player, model=NoModel(), **options), player


class NoModel:
    """A model that must not be asked."""

    def reply(self, prompt: Any) -> Any:
        raise AssertionError(f"the model was asked: {prompt.system!r}")


def without_ids(value: Any) -> Any:
    """A value without what differs from run to run: ids, times and what answered."""
    if isinstance(value, dict):
        return {
            key: without_ids(each)
            for key, each in value.items()
            if key not in _CHANGING and "timestamp" not in key and "latency" not in key and "_at" not in key
        }
    return [without_ids(each) for each in value] if isinstance(value, list) else value
