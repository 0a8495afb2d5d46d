"""The interceptor of nodes, tools, models and calls to the outside: whatever answers in their place."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from debugger.engine.environment import PauseClock
from debugger.engine.mocks.pins_and_faults import Fault, InjectedError, Matched, MockSet, Pin, Target
from debugger.engine.mocks.recorded import NOTHING_RECORDED, RecordedAnswers
from debugger.engine.mocks.recording import CallRecorder, CallRequest, RecordedCall
from debugger.engine.mocks.replies import (
    RecordedModel,
    failure_to_json,
    prompt_request,
    raise_recorded_end,
    reply_to_json,
)
from debugger.engine.models.base import (
    Model,
    ModelError,
    Prompt,
    RemoteModel,
    Reply,
    ToolCall,
    TransitionOption,
)
from debugger.engine.nodes.base import Node, NodeContext, NodeResult, NodeRun, fixed_response
from debugger.engine.outbound import (
    CallClass,
    Gateway,
    OutboundCall,
    OutboundError,
    OutboundOutcome,
    Policy,
    RecordedAnswer,
    Secrets,
    Substitute,
)
from debugger.engine.outbound.gateway import Answer, AnswerSource, BlockedGateway
from debugger.engine.outbound.masking import mask_body, mask_recorded
from debugger.engine.tool_names import model_name
from debugger.engine.tools.base import Tool, ToolContext, ToolResult
from debugger.engine.tools.simulation import ToolAnswer, recorded_result
from debugger.errors import DebuggerError, NotFoundError, RunError
from debugger.expressions import render_value
from debugger.protocol.base import JsonObject
from debugger.protocol.events import EVENT_TYPES, AssistantResponseEvent
from debugger.protocol.workflow import NodeConfig

TOOL_NODE, RUN_FETCH = "tool_node", "workflow_run_fetch"
"""The types of node that run a tool, and that read another run."""

PERSON, PINNED = "person", "pinned"
"""What answered, as usage names it."""


class ManualInput(Protocol):
    """The source of manual answers."""

    def asks(self, prompt: Prompt) -> bool:
        """Return whether the user answers a prompt."""

    def ask(self, prompt: Prompt, fallback: Model, cancelled: threading.Event) -> Reply:
        """Wait for the user's answer.

        Raises:
            ModelError: The turn was ended meanwhile.
        """


@dataclass(frozen=True)
class FailingModel:
    """A model that always fails."""

    error: str
    is_faulted: bool = False

    def reply(self, prompt: Prompt) -> Reply:
        """Fail.

        Raises:
            ModelError: Always.
        """
        failure = ModelError(self.error)
        failure.is_faulted = self.is_faulted
        raise failure


@dataclass(frozen=True)
class PinnedModel:
    """A model that repeats a pinned answer."""

    output: JsonObject
    judged: Sequence[TransitionOption] = ()
    """The node's transitions that have a call of their own each, and are in no other prompt."""

    def reply(self, prompt: Prompt) -> Reply:
        """Return the pinned answer, with what the prompt offers in place of the pinned key.

        A transition that is judged apart is checked and then left out.

        Raises:
            RunError: It chooses a transition that is not offered.
        """
        output, pinned = self.output, f"the model of {prompt.node_name!r}"
        key, calls = output.get("chosen"), output.get("calls") or ()
        chosen = _offered(str(key), (*prompt.choices, *self.judged), pinned) if key else None
        return Reply(
            text=str(output.get("text") or ""),
            chosen=chosen if chosen in prompt.choices else None,
            args=dict(output.get("args") or {}),
            message=str(output.get("message") or ""),
            reason=str(output.get("reason") or ""),
            fields=dict(output.get("fields") or {}),
            calls=tuple(ToolCall(str(call["name"]), dict(call.get("args") or {})) for call in calls),
            model=PINNED,
        )


@dataclass(frozen=True)
class ManualModel:
    """A model whose answers the user writes."""

    manual_input: ManualInput
    fallback: Model
    cancelled: threading.Event
    pauses: PauseClock

    def reply(self, prompt: Prompt) -> Reply:
        """Wait for the answer; the wait is a pause and no latency.

        Raises:
            ModelError: The turn was ended meanwhile.
        """
        fallback = self.fallback.fallback if isinstance(self.fallback, RemoteModel) else self.fallback
        with self.pauses.hold("manual_answer"):
            reply = self.manual_input.ask(prompt, fallback, self.cancelled)
        return replace(reply, usage={**reply.usage, "response_latency_milliseconds": 0})


def _offered(key: str, choices: Sequence[TransitionOption], pinned: str) -> TransitionOption:
    """Return the first option whose edge or destination has an id.

    Raises:
        RunError: It is not offered to the ``pinned`` node or model.
    """
    for choice in choices:
        if key in (choice.edge_id, choice.destination_node_logical_id):
            return choice
    raise RunError(
        f"The pin of {pinned} takes the transition {key!r}, which is not offered here.",
        advice="Change the pin, or remove it.",
    )


@dataclass(frozen=True)
class _Choice:
    """The decision on what answers, with the pin and the fault that were found."""

    source: AnswerSource | None
    """``None`` lets it run."""
    matched: Matched
    played: RecordedCall | None = None
    """The recorded call that answers, where the source is ``recording``."""
    recorded: RecordedAnswer | ToolAnswer | None = None
    """The answer of a script, where the source is ``recorded``."""


_NOTHING = Matched()


@dataclass
class Interceptor:
    """The one place where it is decided what answers in the place of a node, tool, model or call.

    That is the first of these that there is: a fault, a pin, a manual answer, a recording, a recorded answer
    of a script, a simulation. Where there is a recorder, calls that are made are recorded, and those that a
    user, a script or a simulation answers.
    """

    mocks: MockSet = field(default_factory=MockSet)
    manual_input: ManualInput | None = None
    recorded: RecordedAnswers = NOTHING_RECORDED
    """Those of the workflow's script; the interpreter that begins an execution sets them."""
    recorder: CallRecorder | None = None
    """Plays the calls of a recording, and records others."""
    used: set[str] = field(default_factory=set)
    """The labels of the recorded answers that were used."""
    unreported: list[AnswerSource] = field(default_factory=list)
    """Answers since the last event of a node, one for each call: what gave them."""

    def run(self, node: Node[Any], context: NodeContext) -> NodeRun:
        """Return the generator of a node's run: the node itself, its pinned output, or its failure.

        A fault or pin of the node is counted, and its delay is waited here.
        """
        target = Target("node", node.config.logical_id)
        choice = self._choose(target, context, request=self._node_request(node, context))
        if choice.source == "fault" and choice.matched.fault is not None:
            return run_fault(choice.matched.fault, node, context)
        if choice.source == "pin" and choice.matched.pin is not None:
            return run_pin(choice.matched.pin, node, context)
        if choice.played is not None:
            return _play_node(choice.played, node, context)
        return node.run(context)

    def _node_request(self, node: Node[Any], context: NodeContext) -> CallRequest | None:
        """Return what a played run of events has of a node that calls a service; else ``None``.

        That are the fields of its own type, variables filled in: where one has changed, nobody knows what the
        service would answer. The call of a node that runs a tool is the tool's.
        """
        config = node.config
        calls = node.calls_service or config.type == RUN_FETCH
        if self.recorder is None or not self.recorder.of_events or not calls or config.type == TOOL_NODE:
            return None
        own = {key: each for key, each in config.to_wire().items() if key not in NodeConfig.model_fields}
        filled = render_value(own, context.scope, preserve_types=True)
        asked = mask_body(context.outbound.secrets.mask_value(filled))
        request = CallRequest("node", config.logical_id, str(config.type), asked)
        return request if self.recorder.knows(request) else None  # else the call of its service is recorded

    def select_model(self, prompt: Prompt, context: NodeContext) -> tuple[Prompt, Model]:
        """Return the prompt and the model that answers it: the context's, or a failing, pinned or manual one.

        Where another answers, the prompt has neither model configuration nor backchannel. A fault or pin is
        counted, and its delay is waited here.
        """
        # Without a configuration, which might let another model send fillers meanwhile.
        alone = replace(prompt, llm=None, backchannel=None)
        if isinstance(context.model, FailingModel):  # by a fault of the whole node
            return alone, context.model
        asks = self.asks_user(prompt)
        request = None if self.recorder is None else prompt_request(prompt, context.outbound.secrets)
        target = Target("model", prompt.node_logical_id)
        choice = self._choose(target, context, asks_user=asks, request=request)
        if choice.source == "fault" and choice.matched.fault is not None:
            return alone, FailingModel(choice.matched.fault.error, is_faulted=True)
        if choice.source == "pin" and choice.matched.pin is not None:
            return alone, PinnedModel(choice.matched.pin.output, context.llm_judged_choices)
        if choice.source == "manual" and self.manual_input is not None:
            return alone, ManualModel(self.manual_input, context.model, context.cancelled, context.pauses)
        if choice.played is not None:
            if choice.played.answer.get("model") == PERSON:
                ended = context.environment.now()
                context.pauses.leave_out("manual_answer", ended - choice.played.milliseconds / 1000, ended)
            return alone, RecordedModel(choice.played.answer)
        return prompt, context.model

    def record_reply(self, reply: Reply | ModelError | RunError, context: NodeContext) -> None:
        """Record the reply to the prompt that a model was selected for, or its failure.

        Nothing is recorded without a recorder, and of a model that a fault, pin or recording replaced.
        """
        if self.recorder is not None and self.recorder.is_open:
            if isinstance(reply, Reply):
                answer, spent = reply_to_json(reply), reply.usage.get("response_latency_milliseconds")
            else:
                answer, spent = failure_to_json(reply), None
            if answer.get("model") == PERSON:  # whose latency is none, as the time is a pause
                spent = None
            self.recorder.end(mask_recorded(answer, context.outbound.secrets), spent)

    def asks_user(self, prompt: Prompt) -> bool:
        """Return whether the user answers a prompt."""
        return self.manual_input is not None and self.manual_input.asks(prompt)

    def call(self, tool: Tool, arguments: JsonObject, context: ToolContext) -> ToolResult:
        """Call a tool, or return its pinned or recorded result, or a failure; a fault's delay is waited.

        A pinned result without ``success`` succeeds if it has no error. Raises RunError where the pattern of
        a recorded answer costs too much.
        """
        with self._record_failure(context.outbound.secrets):
            return self._call(tool, arguments, context)

    def _call(self, tool: Tool, arguments: JsonObject, context: ToolContext) -> ToolResult:
        target = Target("tool", model_name(tool.config.name), context.node_logical_id)
        request = self._tool_request(tool, arguments, context)
        choice = self._choose(
            target,
            context,
            find=lambda: self.recorded.of_tool(tool.config, arguments, context.options.inline_python),
            request=request,
        )
        if choice.source == "fault" and choice.matched.fault is not None:
            return ToolResult(success=False, error=choice.matched.fault.error, is_faulted=True)
        if choice.source == "pin" and choice.matched.pin is not None:
            output = choice.matched.pin.output
            success, error = output.get("success"), output.get("error")
            if success is None:
                success = not error
            return ToolResult(
                success, output.get("result"), error or (None if success else "The pinned call failed.")
            )
        if choice.played is not None:
            return _recorded_tool_result(choice.played, context)
        warned = len(context.warnings)
        if isinstance(choice.recorded, ToolAnswer):
            result = recorded_result(choice.recorded, arguments, context)
        else:
            result = tool.call(arguments, context)
        if self.recorder is not None and request is not None:
            answer = {"success": result.success, "result": result.result, "error": result.error}
            answer |= {"is_simulated": result.is_simulated, "warnings": context.warnings[warned:]}
            self.recorder.end(mask_recorded(answer, context.outbound.secrets))
        return result

    def _tool_request(self, tool: Tool, arguments: JsonObject, context: ToolContext) -> CallRequest | None:
        """Return what a recording has of a tool's call; ``None`` without one, or for a tool of a service."""
        if self.recorder is None:
            return None
        asked = tool.local_request(arguments, context)
        name = str(tool.config.name or tool.config.type)
        is_whole = asked is None and self.recorder.of_events
        if is_whole:
            config = render_value(tool.config.to_wire(), context.scope, preserve_types=True)
            asked = {"tool": config, "arguments": arguments}
        if asked is None:
            return None
        if self.recorder.of_events:  # which have the name that a model calls it by
            name = model_name(name)
        shown = mask_body(context.outbound.secrets.mask_value(asked))
        request = CallRequest("tool", context.node_logical_id, name, shown)
        return request if not is_whole or self.recorder.knows(request) else None

    def call_service(
        self, call: OutboundCall[Answer], gateway: Gateway, *, node_logical_id: str, timeout: float
    ) -> OutboundOutcome[Answer]:
        """Answer a call to the outside by a recording, a recorded answer or a simulation, or let it be made.

        Calls of models are recorded with their prompts, and what a tool or model calls belongs to it.

        Raises:
            MissError: A recording is played and has no answer.
            RunError: The pattern of a recorded answer costs too much, or a recording cannot be read.
        """
        recorder = self.recorder
        if recorder is not None and recorder.is_closed:
            call = replace(call, live=None)  # whatever a node or tool does: nothing is called
        if recorder is None or recorder.is_open or call.kind == "model":
            substitute = self.substitute(call, gateway.policy_of(call.call_class))
            return gateway.call(call, node_logical_id=node_logical_id, timeout=timeout, substitute=substitute)
        secrets = gateway.secrets
        asked = mask_body(secrets.mask_value({"target": call.target, **call.request}))
        request = CallRequest("service", node_logical_id, call.kind, asked)
        played = recorder.find(request)
        if played is not None:
            self.unreported.append("recording")
            outcome = _recorded_outcome(call, played)
            gateway.call(
                call,
                node_logical_id=node_logical_id,
                timeout=timeout,
                substitute=Substitute("recording", lambda: _answer_of(outcome)),
            )
            return outcome
        recorder.begin(request)
        with self._record_failure(secrets):
            substitute = self.substitute(call, gateway.policy_of(call.call_class))
            outcome = gateway.call(
                call, node_logical_id=node_logical_id, timeout=timeout, substitute=substitute
            )
        answer: JsonObject = {"how": outcome.how}
        if outcome.error is not None or outcome.answer is None:
            answer["error"] = outcome.error
        else:
            answer["answer"] = call.to_json(outcome.answer, secrets)
        recorder.end(mask_recorded(answer, secrets))
        return outcome

    def load_run(
        self, load: Callable[[str], JsonObject], run_id: str, node_logical_id: str, secrets: Secrets
    ) -> JsonObject:
        """Return the record of another run: a recorded one, else what is loaded, which is recorded.

        Raises:
            MissError: A recording is played and has no answer.
            DebuggerError: It cannot be loaded.
        """
        recorder = self.recorder
        if recorder is None:
            return load(run_id)
        request = CallRequest("service", node_logical_id, "stored run", {"workflow_run_id": run_id})
        if (played := recorder.find(request)) is not None:
            if "error" in played.answer:
                raise NotFoundError(str(played.answer["error"]), advice=str(played.answer.get("advice", "")))
            return dict(played.answer["answer"])
        recorder.begin(request)
        try:
            record = load(run_id)
        except DebuggerError as failure:
            recorder.end(mask_recorded({"error": failure.message, "advice": failure.advice}, secrets))
            raise
        recorder.end(mask_recorded({"answer": record}, secrets))
        return record

    @contextmanager
    def _record_failure(self, secrets: Secrets) -> Iterator[None]:
        """Record an error that ends the run as the answer of the call that is being recorded.

        Raises:
            RunError: The block raised it.
        """
        try:
            yield
        except RunError as failure:
            if self.recorder is not None:
                self.recorder.end(mask_recorded(failure_to_json(failure), secrets))
            raise

    def substitute(self, call: OutboundCall[Answer], policy: Policy) -> Substitute[Answer] | None:
        """Return what answers in the place of a call to the outside; ``None`` leaves it to its policy.

        What is found is noted in ``used`` and ``unreported``. Raises RunError where the pattern of a recorded
        answer costs too much.
        """
        is_simulated = policy == "simulated"
        choice = self._choose(
            None,
            None,
            find=lambda: self.recorded.of_call(call, is_simulated=is_simulated),
            is_simulated=is_simulated,
        )
        recorded = choice.recorded if isinstance(choice.recorded, RecordedAnswer) else None
        return None if choice.source is None else Substitute(choice.source, lambda: _simulate(call, recorded))

    def guard(self, gateway: Gateway) -> Gateway:
        """Return a gateway whose calls pass this interceptor first."""
        return _GuardedGateway(gateway.ledger, gateway.secrets, gateway.limits, gateway, self)

    def take_unreported(self) -> list[AnswerSource]:
        """Return what answered since the last event of a node, once."""
        taken, self.unreported = self.unreported, []
        return taken

    def _choose(
        self,
        target: Target | None,
        context: NodeContext | ToolContext | None,
        *,
        asks_user: bool = False,
        find: Callable[[], RecordedAnswer | ToolAnswer | None] = lambda: None,
        is_simulated: bool = False,
        request: CallRequest | None = None,
    ) -> _Choice:
        """Return what answers, and note it in ``unreported``; wait as long as a fault delays.

        Pins and faults of the target are counted and their ids added to the context; a recorded answer that
        is used is noted in ``used``.

        Args:
            target: What pins and faults name; ``None`` for a call to the outside, which none names.
            context: Where the node or tool runs.
            asks_user: Whether the user answers.
            find: Finds the answer of a script that fits; it may raise a RunError.
            is_simulated: Whether the policy simulates it.
            request: What a recording may answer, and what is recorded otherwise.

        Raises:
            MissError: A recording is played and has no answer.
        """
        matched, recorder = _NOTHING, self.recorder
        played: RecordedCall | None = None
        if self.mocks and target is not None and context is not None:
            matched = self.mocks.match(target)
            context.applied_mocks.extend(matched.ids)
            if matched.fault is not None:
                context.sleep(matched.fault.delay)
        source: AnswerSource | None = None
        if matched.fault is not None and matched.fault.error:
            source = "fault"
        elif matched.pin is not None:
            source = "pin"
        elif asks_user:
            source = "manual"
        elif request is not None and recorder is not None and (played := recorder.find(request)) is not None:
            source = "recording"
        if request is not None and recorder is not None and source in (None, "manual"):
            recorder.begin(request)
        recorded = find() if source is None else None
        if recorded is not None:
            source = "recorded"
            self.used.add(recorded.label)
        elif source is None and is_simulated:
            source = "simulation"
        if source is not None:
            self.unreported.append(source)
        return _Choice(source, matched, played, recorded)


def _play_node(played: RecordedCall, node: Node[Any], context: NodeContext) -> NodeRun:
    """Yield the recorded events of a node's run; write its variables and return its recorded result.

    Raises:
        RunError: The recorded run cannot be read.
    """
    answer = played.answer
    try:
        events = [EVENT_TYPES[each["type"]](**each) for each in answer["events"]]
        variables, output = dict(answer["variables"]), dict(answer["output"])
    except (KeyError, TypeError, ValueError) as error:
        raise RunError(
            f"The recorded run of the node {node.config.label!r} cannot be read: {error!r}.",
            advice="Record the run again.",
        ) from error
    for event in events:
        if isinstance(event, AssistantResponseEvent):
            event.stamp(logical_id=f"assistant_message_{context.environment.uuid()}")
        yield event
    node.write(context, variables)
    return NodeResult(output)


def _recorded_outcome(call: OutboundCall[Answer], played: RecordedCall) -> OutboundOutcome[Answer]:
    """Return what came of a recorded call of a service, with its answer as the call makes it of JSON.

    Raises:
        RunError: The recorded call ended the run, or its answer cannot be read.
    """
    answer = played.answer
    raise_recorded_end(answer)
    try:
        if "answer" in answer:
            return OutboundOutcome(answer["how"], call.from_json(answer["answer"]))
        return OutboundOutcome(answer["how"], error=answer["error"])
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise RunError(
            f"The recorded answer to {call.target} cannot be read: {error!r}.",
            advice="Record the call again.",
        ) from error


def _answer_of(outcome: OutboundOutcome[Answer]) -> Answer:
    """Return the answer of an outcome.

    Raises:
        OutboundError: It has none.
    """
    if outcome.answer is None:
        raise OutboundError(outcome.error or "There was no answer.")
    return outcome.answer


def _recorded_tool_result(played: RecordedCall, context: ToolContext) -> ToolResult:
    """Return the recorded result of a tool, and add the warnings that the call gave.

    Raises:
        RunError: The recorded call ended the run, or its result cannot be read.
    """
    answer = dict(played.answer)
    raise_recorded_end(answer)
    try:
        context.warnings.extend(answer.pop("warnings"))
        return ToolResult(**answer)
    except (KeyError, TypeError) as error:
        raise RunError(
            f"The recorded answer of {played.request.label} cannot be read: {error!r}.",
            advice="Record the call again.",
        ) from error


def _simulate(call: OutboundCall[Answer], recorded: RecordedAnswer | None) -> Answer:
    if recorded is not None and recorded.error is not None:
        raise OutboundError(recorded.error)
    return call.simulate(recorded)


def run_pin(pin: Pin, node: Node[Any], context: NodeContext) -> NodeRun:
    """Yield a node's pinned messages as answers; write its variables and return its pinned result.

    Raises:
        RunError: It chooses a transition that is not offered.
    """
    for text in pin.output.get("says") or ():
        yield fixed_response(str(text), context.environment)
    node.write(context, dict(pin.output.get("variables") or {}))
    key, choices = pin.output.get("chosen"), (*context.choices, *context.llm_judged_choices)
    return NodeResult(
        dict(pin.output.get("output") or {}),
        chosen=_offered(str(key), choices, f"node {node.config.label!r}") if key else None,
        args=dict(pin.output.get("args") or {}),
        reason=str(pin.output.get("reason") or ""),
        replied_to_user=bool(pin.output.get("says")) and node.calls_model,
    )


def run_fault(fault: Fault, node: Node[Any], context: NodeContext) -> NodeRun:
    """Run a node whose model, tool or service fails; without any of these, the run fails.

    The context is changed for it and marked as faulted.

    Raises:
        InjectedError: The node has nothing that could fail.
    """
    context.is_faulted = True
    if node.calls_model:
        context.model = FailingModel(fault.error, is_faulted=True)
    elif node.config.type == "tool_node":
        context.tool_error = fault.error
    elif node.calls_service:
        real = context.outbound
        context.outbound = _FailingGateway(real.ledger, real.secrets, real.limits, fault.error)
    else:
        raise InjectedError(f"Node {node.config.label!r} was made to fail: {fault.error}")
    return (yield from node.run(context))


@dataclass
class _GuardedGateway(BlockedGateway):
    """A gateway behind an interceptor."""

    gateway: Gateway = field(default_factory=BlockedGateway)
    interceptor: Interceptor = field(default_factory=Interceptor)

    def call(
        self,
        call: OutboundCall[Answer],
        *,
        node_logical_id: str,
        timeout: float,
        substitute: Substitute[Answer] | None = None,
    ) -> OutboundOutcome[Answer]:
        """Answer a call by the interceptor, or let the gateway decide on it.

        A call that must not be sent, or that has a substitute, does not reach the interceptor. Raises
        RunError; see `Interceptor.call_service`.
        """
        if substitute is None and not call.refusal:
            return self.interceptor.call_service(
                call, self.gateway, node_logical_id=node_logical_id, timeout=timeout
            )
        return self.gateway.call(
            call, node_logical_id=node_logical_id, timeout=timeout, substitute=substitute
        )

    def policy_of(self, call_class: CallClass) -> Policy:
        """Return the gateway's."""
        return self.gateway.policy_of(call_class)


@dataclass
class _FailingGateway(BlockedGateway):
    """A gateway whose calls all fail."""

    error: str = ""

    def call(
        self,
        call: OutboundCall[Answer],
        *,
        node_logical_id: str,
        timeout: float,
        substitute: Substitute[Answer] | None = None,
    ) -> OutboundOutcome[Answer]:
        """Return a simulated outcome with the error of the fault; nothing is called or logged."""
        return OutboundOutcome("simulated", error=self.error)
