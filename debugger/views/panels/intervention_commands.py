"""What the controls of pins, faults and answers by hand do."""

from __future__ import annotations

from dataclasses import replace

from debugger.engine.mocks import Fault, Pin
from debugger.engine.mocks.interceptor import PERSON
from debugger.errors import InputError
from debugger.session.debug_setup import intervention_doubt, pin_of
from debugger.session.human_input import AnswerForm
from debugger.store import Role
from debugger.views import actions, state
from debugger.views.actions import command
from debugger.views.auth.permissions import requires

_SOON = 0.4
"""Seconds that an answer's effect is waited for, so that it is there at once."""


@command
@requires(Role.RUN)
def put(one: Pin | Fault) -> None:
    """Set a pin or a fault, or change the one with its id.

    Raises:
        InputError: It can have no effect in this version of the workflow.
    """
    session = state.page().session
    if session is None:
        return
    doubt = intervention_doubt(one, session.index.graph)
    if doubt is not None and not one.id:
        raise InputError(doubt, advice="Choose a node or a tool of the version on view.")
    session.interventions.put(one)
    actions.keep_kit()


@command
@requires(Role.RUN)
def remove(intervention_id: str) -> None:
    """Take a pin or a fault away."""
    session = state.page().session
    if session is not None:
        session.interventions.remove(intervention_id)
        actions.keep_kit()


@command
@requires(Role.RUN)
def pin_event(place: int, position: int) -> None:
    """Pin what an event of the run on view has given."""
    session = state.page().session
    if session is None:
        return
    log = session.turns[place]
    pin = pin_of(log, position)
    if pin is not None:
        session.interventions.put(replace(pin, note=f"from turn {log.number}"))
        actions.keep_kit()


@command
@requires(Role.RUN)
def ask_me(*, everywhere: bool, nodes: frozenset[str]) -> None:
    """Let the person answer for models: of every node, or of some."""
    session = state.page().session
    if session is not None:
        session.desk.asks_all, session.desk.nodes = everywhere, nodes


@command
@requires(Role.RUN)
def answer(form: AnswerForm, *, is_pinned: bool = False) -> None:
    """Hand in what was typed; ``is_pinned`` lets the node's model answer the same from now on."""
    session = state.page().session
    if session is None or session.desk.pending is None:
        return
    prompt = session.desk.pending.prompt
    reply = form.reply(prompt)
    session.desk.answer(reply)
    if is_pinned:
        session.interventions.put(Pin.of_reply(prompt.node_logical_id, reply, note=f"by a {PERSON}"))
        actions.keep_kit()
    session.wait_until_idle(_SOON)


@command
@requires(Role.RUN)
def let_stand_in() -> None:
    """Let the stand-in answer what waits."""
    session = state.page().session
    if session is not None:
        session.desk.let_stand_in()
        session.wait_until_idle(_SOON)
