"""Calls of a model through the gateway, with a filler meanwhile.

The filler is what ``platform.md#model-groups`` calls a backchannel.
"""

from __future__ import annotations

import math
import random
import threading
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from debugger.engine.background_call import POLL_SECONDS, BackgroundCall
from debugger.engine.environment import Environment
from debugger.engine.models.base import Model, ModelError, Prompt, RemoteModel, Reply
from debugger.engine.outbound.gateway import Gateway, OutboundCall, OutboundError, RecordedAnswer
from debugger.errors import DebuggerError, RunError
from debugger.protocol.base import JsonObject

MAX_ANSWER_SECONDS = 180.0
"""The longest time for an answer, all attempts of it together."""

_GRACE = 2.0
"""Seconds after which a call that should have ended by itself is abandoned."""
_RECORDED = "recorded"
"""What answers, as usage names it, where a person recorded the answer."""
BACKCHANNEL_TYPE = "llm_group_with_backchannel"
"""The ``type`` of a model configuration that has one."""

_PATIENCE = 2.0
"""Seconds; the platform's own default."""
_OWN_PROMPT = (
    "The answer to the user takes a moment. Say one short, natural sentence that bridges the wait. "
    "Do not answer the question itself."
)

Result = TypeVar("Result")


@dataclass(frozen=True)
class Backchannel:
    """The filler of a model configuration, and its delay."""

    patience: float
    """Seconds that the answer has before a filler is said."""
    lines: tuple[str, ...] = ()
    """Fixed fillers."""
    in_sequence: bool = False
    """Fixed fillers are said in order; otherwise one is drawn at random."""
    llm: JsonObject | None = None
    """The model that makes a filler where there are no fixed ones."""
    prefix: str | None = None
    """The mark in the answer behind which it goes on after a filler."""

    def line(self, visit: int, source: random.Random) -> str | None:
        """Return a fixed filler: random, or in sequence by ``visit``, from 1."""
        if not self.lines:
            return None
        return self.lines[(visit - 1) % len(self.lines)] if self.in_sequence else source.choice(self.lines)

    def prompt(self, prompt: Prompt) -> Prompt:
        """Return a copy of a prompt for the model that makes a filler, without tools, choices and schema.

        Its system prompt is the author's for fillers, else a fixed one.
        """
        return replace(
            prompt,
            kind="say",
            system=prompt.backchannel or _OWN_PROMPT,
            choices=(),
            schema=None,
            tools=(),
            exchange=(),
            llm=self.llm,
        )

    def rest(self, text: str) -> str:
        """Return the part of an answer that follows the mark after a filler; all of it without a mark."""
        if not self.prefix or self.prefix not in text:
            return text
        return text.split(self.prefix, 1)[1].strip()


@dataclass(frozen=True)
class _Caller:
    """The parts of a call that its answer and its filler share."""

    model: Model
    environment: Environment
    outbound: Gateway
    cancelled: threading.Event


def invoke(
    model: Model,
    prompt: Prompt,
    environment: Environment,
    *,
    outbound: Gateway,
    cancelled: threading.Event,
    timeout: float | None = None,
) -> Generator[str, None, Reply]:
    """Call a model and return its reply; yield the filler meanwhile (``platform.md#model-groups``).

    The reply's usage has all keys of ``LLMUsageInfo`` (``platform.md#usage``). After a filler its text lacks
    what precedes the backchannel's mark.

    Args:
        model: The model; a remote one is called through the gateway.
        prompt: The prompt.
        environment: Chance and ids.
        outbound: The gateway.
        cancelled: Ends the waiting as soon as it is set, with a `ModelError`.
        timeout: Seconds that the answer may take, and some grace; never more than `MAX_ANSWER_SECONDS`. The
            preparation of a remote model does not count.

    A model of this process without a filler is called directly: ``cancelled`` and ``timeout`` are not for it.
    Every other call runs in a thread of its own, which may go on for a while after the wait has ended.

    Raises:
        ModelError: There is no answer, not in time, or the wait was cancelled.
        DebuggerError: The user must correct something before there can be one.
    """
    target = model.remote(prompt) if isinstance(model, RemoteModel) else None
    backchannel = backchannel_of(prompt.llm)
    if target is None and backchannel is None:
        return (yield from _say_fillers(model, prompt, environment))
    caller = _Caller(model, environment, outbound, cancelled)
    seconds = MAX_ANSWER_SECONDS if timeout is None else min(timeout, MAX_ANSWER_SECONDS)
    # The history may be read from the store, which is not for another thread to do.
    history = tuple(prompt.history())
    given_up = threading.Event()
    prompt = replace(prompt, history=lambda: history, seconds=seconds, given_up=given_up)
    deadline = _Deadline(seconds)
    answer = BackgroundCall(lambda: _call(caller, prompt, target, deadline), "model call")
    try:
        if backchannel is not None and not answer.done.wait(backchannel.patience):
            filler = _filler(caller, prompt, backchannel, answer.done)
            if filler:
                yield filler
                try:
                    reply = _result(answer, cancelled, deadline)
                except (ModelError, RunError) as failure:
                    failure.fillers = (filler,)
                    raise
                return replace(reply, text=backchannel.rest(reply.text), fillers=(filler,))
        return _result(answer, cancelled, deadline)
    finally:
        given_up.set()


def _say_fillers(model: Model, prompt: Prompt, environment: Environment) -> Generator[str, None, Reply]:
    """Return the reply of a model in this process, measured; yield the fillers that a recorded one has.

    Raises:
        ModelError: There is no answer.
        RunError: The user must correct something before there can be one.
    """
    try:
        reply = _measured(model, prompt, environment)
    except (ModelError, RunError) as failure:
        yield from failure.fillers
        raise
    yield from reply.fillers
    return reply


def usage_info(model: str, latency: float, environment: Environment) -> JsonObject:
    """Return the usage of an answer, with ``latency`` in milliseconds, a new response id and no tokens.

    Source: ``platform.md#usage``.
    """
    return {
        "response_model": model,
        "provider": "embedded",
        "llm_response_id": f"response_{environment.uuid()}",
        "used_user_api_key": False,
        "response_latency_milliseconds": round(latency),
        "prompt_tokens": 0,
        "completion_tokens": 0,
        "total_tokens": 0,
        "was_estimated": False,
    }


def backchannel_of(llm: JsonObject | None) -> Backchannel | None:
    """Return the backchannel of a model configuration; ``None`` where it has none.

    Fixed lines win over a model for fillers; a patience that is no number is the default.
    """
    if llm is None or llm.get("type") != BACKCHANNEL_TYPE:
        return None
    lines = llm.get("backchannel_static_responses")
    prefix = llm.get("non_backchannel_response_prefix")
    fixed = tuple(str(line) for line in lines if line) if isinstance(lines, list) else ()
    model = llm.get("backchannel_llm_config")
    return Backchannel(
        patience=patience_seconds(llm.get("backchannel_min_patience_time_ms"), _PATIENCE),
        lines=fixed,
        in_sequence=llm.get("backchannel_static_responses_selection_mode") == "sequence",
        llm=model if isinstance(model, dict) and not fixed else None,
        prefix=prefix if isinstance(prefix, str) else None,
    )


def patience_seconds(milliseconds: Any, default: float) -> float:
    """Return a patience of a configuration in seconds, at most `MAX_ANSWER_SECONDS`."""
    is_number = isinstance(milliseconds, int | float) and not isinstance(milliseconds, bool)
    return max(0.0, min(milliseconds, MAX_ANSWER_SECONDS * 1000)) / 1000 if is_number else default


def _filler(
    caller: _Caller, prompt: Prompt, backchannel: Backchannel, answered: threading.Event
) -> str | None:
    """Return the line to say while the model answers; ``None`` if its own model gives none in time.

    The wait for that model ends once ``answered`` is set; its errors are swallowed.
    """
    if backchannel.llm is None:
        return backchannel.line(prompt.visit, caller.environment.random)
    wanted = backchannel.prompt(prompt)
    model = caller.model
    try:
        target = model.remote(wanted) if isinstance(model, RemoteModel) else None
        deadline = _Deadline(_seconds(wanted))
        filler = BackgroundCall(lambda: _call(caller, wanted, target, deadline), "model call")
        reply = _result(filler, caller.cancelled, deadline, instead=answered)
    except (ModelError, DebuggerError):
        # A filler can be missing.
        return None
    return reply.text


class _Deadline:
    """The time at which the wait for an answer ends.

    Args:
        seconds: How long the answer may take.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds + _GRACE
        self.restart()

    def restart(self) -> None:
        """Begin the time of the answer now."""
        self.ends = time.monotonic() + self.seconds


def _call(caller: _Caller, prompt: Prompt, target: str | None, deadline: _Deadline) -> Reply:
    """Return a model's reply with usage: of one in this process directly, of a remote one by the gateway.

    The deadline begins anew once a remote model is prepared.

    Raises:
        ModelError: There is no answer.
        DebuggerError: The user must correct something before there can be one.
    """
    model, world = caller.model, caller.environment
    if target is None or not isinstance(model, RemoteModel):
        return _measured(model, prompt, world)
    fallback, captured = model.fallback, _CapturedError()

    def prepare() -> None:
        """Prepare the model without a time limit, then begin the deadline anew."""
        deadline.ends = math.inf
        model.prepare(prompt)
        deadline.restart()

    outbound_call = OutboundCall(
        kind="model",
        call_class="talk",
        target=target,
        request={
            "kind": prompt.kind,
            "system_characters": len(prompt.system),
            "messages": len(prompt.history()) + len(prompt.exchange),
            "tools": [tool.name for tool in prompt.tools],
            "hops": len(prompt.choices),
            "structured_output": prompt.schema is not None,
        },
        takes=lambda recorded: _fits(prompt, recorded),
        simulate=lambda recorded: captured.run(lambda: _simulate(fallback, prompt, world, recorded)),
        prepare=prepare,
        live=lambda seconds: captured.run(lambda: _measured(model, replace(prompt, seconds=seconds), world)),
    )
    outcome = caller.outbound.call(
        outbound_call, node_logical_id=prompt.node_logical_id, timeout=_seconds(prompt)
    )
    if captured.error is not None:
        raise captured.error
    if outcome.answer is None:
        raise ModelError(outcome.error or f"{target} gave no answer.")
    return outcome.answer


def _seconds(prompt: Prompt) -> float:
    return MAX_ANSWER_SECONDS if prompt.seconds is None else prompt.seconds


def _measured(model: Model, prompt: Prompt, environment: Environment) -> Reply:
    started = time.perf_counter()
    reply = model.reply(prompt)
    latency = (time.perf_counter() - started) * 1000
    return replace(reply, usage={**usage_info(reply.model, latency, environment), **reply.usage})


def _simulate(
    fallback: Model, prompt: Prompt, environment: Environment, recorded: RecordedAnswer | None
) -> Reply:
    """Return the recorded answer as a reply, else the measured reply of the fallback model.

    A recorded body is the text of a speaking turn, else the fields. Raises OutboundError where it is recorded
    as a failure.
    """
    if recorded is None:
        return _measured(fallback, prompt, environment)
    body = recorded.successful_body()
    reply = Reply(text=body) if prompt.kind == "say" else Reply(fields=body)
    return replace(reply, model=_RECORDED, usage=usage_info(_RECORDED, 0.0, environment))


def _fits(prompt: Prompt, recorded: RecordedAnswer) -> bool:
    wanted = {"say": str, "work": dict}.get(prompt.kind)
    return recorded.is_failure or (wanted is not None and isinstance(recorded.body, wanted))


@dataclass
class _CapturedError:
    """An error that is carried past the gateway, which raises nothing."""

    error: DebuggerError | ModelError | None = None

    def run(self, work: Callable[[], Result]) -> Result:
        """Return the result of some work, or capture its DebuggerError or ModelError.

        After a captured error OutboundError is raised with the same text.
        """
        try:
            return work()
        except (DebuggerError, ModelError) as error:
            self.error = error
            raise OutboundError(getattr(error, "message", str(error))) from None


def _result(
    call: BackgroundCall[Reply],
    cancelled: threading.Event,
    deadline: _Deadline,
    *,
    instead: threading.Event | None = None,
) -> Reply:
    """Wait for the answer of a call, and return it.

    Args:
        call: The call.
        cancelled: Ends the wait.
        deadline: Ends the wait, too.
        instead: Ends the wait, too: set when the answer is of no use any more.

    Raises:
        ModelError: The wait ended before the call did, or the call raised it.
        DebuggerError: The call raised it.
    """
    while not call.wait(POLL_SECONDS):
        if cancelled.is_set() or (instead is not None and instead.is_set()):
            raise ModelError("the answer is no longer needed")
        if time.monotonic() > deadline.ends:
            raise ModelError(f"there was no answer within {deadline.seconds:.0f} s")
    return call.result()
