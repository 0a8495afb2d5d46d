"""Each edge of eight shapes of workflow is walked without a model, by at most two clicks."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from debugger.analysis.run_end import run_end
from debugger.backends.embedded import EmbeddedBackend
from debugger.engine.mocks import Pin
from debugger.protocol.runs import TERMINAL_STATUSES, TurnInput
from debugger.session.human_input import NextStep
from debugger.session.session import DebugSession
from debugger.settings import Settings
from tests.support.shapes import SHAPES

WAYS = [
    pytest.param(shape, way, id=f"{name}: {way.name}") for name, shape in SHAPES.items() for way in shape.ways
]


@pytest.fixture
def backend(tmp_path):
    backend = EmbeddedBackend(Settings(database=f"sqlite:///{tmp_path}/runs.sqlite3", responder="rules"))
    yield backend
    backend.close()


class Walk:
    """A walk of a user, who answers for the model of one node; counts the clicks."""

    def __init__(self, session, way):
        self.session, self.way, self.clicks = session, way, 0
        self.has_typed = False

    @property
    def path(self):
        return [
            event.origin_node_logical_id
            for turn in self.session.turns
            for event in turn.events
            if event.type == "start_node_run"
        ]

    def answer_all(self):
        """Answer prompts until the destination is reached or nothing is asked any more."""
        self.session.wait_until_idle(10)
        while (inquiry := self.session.human_input.pending) is not None:
            if self.way.ends_at in self.path:
                self.session.human_input.use_fallback()
            elif (self.way.edge or self.way.node) and self._choose(inquiry):
                pass
            else:
                self._answer(inquiry)
            self.session.wait_until_idle(10)

    def _choose(self, inquiry):
        step = NextStep(self.way.edge, self.way.node)
        is_offered = step.choice_of(inquiry.prompt) is not None
        if inquiry.chosen or not (is_offered or inquiry.prompt.kind == "judge"):
            return False
        self.clicks += 1
        self.session.human_input.choose(step)
        return True

    def _answer(self, inquiry):
        self.clicks += 1
        form = inquiry.first_form
        choice = next((one for one in inquiry.prompt.choices if one.edge_id == form.chosen), None)
        args = inquiry.first_args(choice) if choice else ""
        fields = inquiry.first_fields if self.way.fields is None else json.dumps(self.way.fields)
        reply = replace(form, args=args, fields=fields).reply(inquiry.prompt)
        self.session.human_input.answer(reply)
        if self.way.is_pinned:
            self.session.mocks.put(Pin.of_reply(inquiry.prompt.node_logical_id, reply))


@pytest.mark.parametrize(("shape", "way"), WAYS)
def test_edge_is_walked_by_two_clicks(backend, shape, way):
    session = DebugSession(backend, backend.create_workflow(shape.make()).id)
    session.human_input.nodes = frozenset({way.asked})
    wire = TurnInput.with_message("Hello").to_wire()
    session.start(TurnInput.from_wire({**wire, **shape.start}))
    walk = Walk(session, way)

    walk.answer_all()

    assert way.ends_at in walk.path
    assert walk.clicks <= 2
    if session.status in TERMINAL_STATUSES:
        position = session.index.read(session.turns).position.position(session.status)
        end = run_end(session.status, position, session.index.graph)
        assert end and end.text.startswith("Ended: ")
    else:
        session.stop()
