"""To ask whatever answers for a model: through the door, and with a filler while the answer is late."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from debugger.engine.outbound.base import Outbound, OutboundCall, OutboundError
from debugger.engine.outbound.recorded import RecordedAnswer
from debugger.engine.responders.backchannel import Backchannel, backchannel_of
from debugger.engine.responders.base import ModelFailure, Prompt, RemoteResponder, Reply, Responder
from debugger.engine.world import World
from debugger.errors import DebuggerError
from debugger.protocol.base import JsonObject

LONGEST_ANSWER = 180.0
"""Seconds that an answer may take, all attempts of it together."""

_GRACE = 2.0
"""Seconds after which a call that should have ended by itself is abandoned."""
_LOOK = 0.02
"""Seconds between two looks at whether the turn was ended."""
_RECORDED = "recorded"
"""What answers, as usage names it, where a person recorded the answer."""

Result = TypeVar("Result")


@dataclass(slots=True)
class Answer:
    """A reply, and what it cost."""

    reply: Reply
    usage: JsonObject
    """The keys of ``LLMUsageInfo`` (``platform/engine.md`` 13)."""


@dataclass(frozen=True)
class _Caller:
    """On whose behalf is asked."""

    responder: Responder
    world: World
    outbound: Outbound
    cancelled: threading.Event


def ask(
    responder: Responder,
    prompt: Prompt,
    world: World,
    *,
    outbound: Outbound,
    cancelled: threading.Event,
    timeout: float | None = None,
) -> Generator[str, None, Answer]:
    """Ask, measure, and yield what is to be spoken meanwhile (``platform/engine.md`` 11.3).

    Args:
        responder: Whatever answers; one that is remote is asked through the door.
        prompt: What it is asked.
        world: Chance and ids.
        outbound: The door.
        cancelled: Ends the waiting as soon as it is set.
        timeout: Seconds that the answer may take; never more than `LONGEST_ANSWER`.

    Raises:
        ModelFailure: There is no answer.
        RunError: A person must mend something before there can be one.
    """
    target = responder.remote(prompt) if isinstance(responder, RemoteResponder) else None
    backchannel = backchannel_of(prompt.llm)
    if target is None and backchannel is None:
        return _measured(responder, prompt, world)
    caller = _Caller(responder, world, outbound, cancelled)
    seconds = LONGEST_ANSWER if timeout is None else min(timeout, LONGEST_ANSWER)
    # The history may be read from the store, which is not for another thread to do.
    history = tuple(prompt.history())
    given_up = threading.Event()
    prompt = replace(prompt, history=lambda: history, seconds=seconds, given_up=given_up)
    try:
        return (yield from _wait(caller, prompt, target, backchannel))
    finally:
        given_up.set()


def usage_info(model: str, latency: float, world: World) -> JsonObject:
    """The usage of one answer that took ``latency`` milliseconds; a stand-in uses no tokens.

    Source: ``platform/engine.md`` 13.
    """
    return {
        "response_model": model,
        "provider": "embedded",
        "llm_response_id": f"response_{world.uuid()}",
        "used_user_api_key": False,
        "response_latency_milliseconds": round(latency),
        "prompt_tokens": 0,
        "completion_tokens": 0,
        "total_tokens": 0,
        "was_estimated": False,
    }


def _wait(
    caller: _Caller, prompt: Prompt, target: str | None, backchannel: Backchannel | None
) -> Generator[str, None, Answer]:
    """Wait for the answer; where it is late, yield one filler and cut the answer to what follows it."""
    answer = _Late(lambda: _asked(caller, prompt, target))
    began = time.monotonic()
    if backchannel is not None and not answer.done.wait(backchannel.patience):
        filler = _filler(caller, prompt, backchannel, answer.done)
        if filler:
            yield filler
            return _after(backchannel, answer.result(caller.cancelled, _left(prompt, began)))
    return answer.result(caller.cancelled, _left(prompt, began))


def _left(prompt: Prompt, began: float) -> float:
    return (prompt.seconds or LONGEST_ANSWER) + _GRACE - (time.monotonic() - began)


def _after(backchannel: Backchannel, answer: Answer) -> Answer:
    return replace(answer, reply=replace(answer.reply, text=backchannel.rest(answer.reply.text)))


def _filler(
    caller: _Caller, prompt: Prompt, backchannel: Backchannel, answered: threading.Event
) -> str | None:
    """The filler; ``None`` where there is none, or where the answer came before it."""
    if backchannel.llm is None:
        return backchannel.line(prompt.visit, caller.world.random)
    wanted = backchannel.prompt(prompt)
    responder = caller.responder
    try:
        target = responder.remote(wanted) if isinstance(responder, RemoteResponder) else None
        filler = _Late(lambda: _asked(caller, wanted, target))
        reply = filler.result(caller.cancelled, _left(wanted, time.monotonic()), instead=answered).reply
    except (ModelFailure, DebuggerError):
        # Nobody misses a filler.
        return None
    return reply.text


def _asked(caller: _Caller, prompt: Prompt, target: str | None) -> Answer:
    """The answer: through the door where it comes from elsewhere, else at once."""
    responder, world = caller.responder, caller.world
    if target is None or not isinstance(responder, RemoteResponder):
        return _measured(responder, prompt, world)
    stand_in, trouble = responder.stand_in, _Trouble()
    call = OutboundCall(
        kind="model",
        call_class="talk",
        target=target,
        request=_sizes(prompt),
        simulated=lambda recorded: trouble.kept(lambda: _made_up(stand_in, prompt, world, recorded)),
        live=lambda seconds: trouble.kept(
            lambda: _measured(responder, replace(prompt, seconds=seconds), world)
        ),
    )
    timeout = prompt.seconds or LONGEST_ANSWER
    outcome = caller.outbound.call(call, node_logical_id=prompt.node_logical_id, timeout=timeout)
    if trouble.error is not None:
        raise trouble.error
    if outcome.answer is None:
        raise ModelFailure(outcome.error or f"{target} gave no answer.")
    return outcome.answer


def _measured(responder: Responder, prompt: Prompt, world: World) -> Answer:
    began = time.perf_counter()
    reply = responder.reply(prompt)
    latency = (time.perf_counter() - began) * 1000
    return Answer(reply, {**usage_info(reply.model, latency, world), **reply.usage})


def _made_up(stand_in: Responder, prompt: Prompt, world: World, recorded: RecordedAnswer | None) -> Answer:
    """The recorded text of a speaker or output of a worker, else what the stand-in answers."""
    body = None if recorded is None else recorded.body
    if prompt.kind == "say" and isinstance(body, str):
        return Answer(Reply(text=body, model=_RECORDED), usage_info(_RECORDED, 0.0, world))
    if prompt.kind == "work" and isinstance(body, dict):
        return Answer(Reply(fields=body, model=_RECORDED), usage_info(_RECORDED, 0.0, world))
    return _measured(stand_in, prompt, world)


def _sizes(prompt: Prompt) -> JsonObject:
    """What the ledger tells of a prompt; its words are the conversation's, not the ledger's."""
    return {
        "kind": prompt.kind,
        "system_characters": len(prompt.system),
        "messages": len(prompt.history()) + len(prompt.exchange),
        "tools": [tool.name for tool in prompt.tools],
        "hops": len(prompt.choices),
        "structured_output": prompt.schema is not None,
    }


class _Trouble:
    """Carries what a person must mend past the door, which raises nothing."""

    def __init__(self) -> None:
        self.error: DebuggerError | ModelFailure | None = None

    def kept(self, work: Callable[[], Result]) -> Result:
        """Do some work; what it raises is kept, and told to the door as a call without an answer."""
        try:
            return work()
        except (DebuggerError, ModelFailure) as error:
            self.error = error
            raise OutboundError(getattr(error, "message", str(error))) from None


class _Late(Generic[Result]):
    """Something that another thread works at."""

    def __init__(self, work: Callable[[], Result]) -> None:
        self.done = threading.Event()
        self._work = work
        self._result: list[Result] = []
        self._error: BaseException | None = None
        threading.Thread(target=self._run, name="ask a model", daemon=True).start()

    def _run(self) -> None:
        try:
            self._result.append(self._work())
        except BaseException as error:  # it is raised again where the result is wanted
            self._error = error
        finally:
            self.done.set()

    def result(
        self, cancelled: threading.Event, seconds: float, *, instead: threading.Event | None = None
    ) -> Result:
        """What the work gave.

        Args:
            cancelled: Ends the waiting.
            seconds: The longest time to wait.
            instead: Ends the waiting, too: what makes the result useless.

        Raises:
            ModelFailure: The waiting ended before the work did.
        """
        ends = time.monotonic() + seconds
        while not self.done.wait(_LOOK):
            if cancelled.is_set() or (instead is not None and instead.is_set()):
                raise ModelFailure("nobody waits for the answer any more")
            if time.monotonic() > ends:
                raise ModelFailure(f"there was no answer within {seconds:.0f} s")
        if self._error is not None:
            raise self._error
        return self._result[0]
