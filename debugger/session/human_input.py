"""Answers of the user in place of models.

The thread that executes a turn waits here with the model's prompt; another thread submits the answer.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from debugger.analysis.node_origins import author_edge_id, author_node_id
from debugger.analysis.undecided import EdgeExpression
from debugger.engine.background_call import POLL_SECONDS
from debugger.engine.json_schema import schema_error
from debugger.engine.mocks.interceptor import PERSON
from debugger.engine.models.base import (
    Model,
    ModelError,
    Prompt,
    RemoteModel,
    Reply,
    ToolCall,
    TransitionOption,
)
from debugger.engine.models.extraction import fill_fields
from debugger.engine.tool_names import model_name
from debugger.errors import ConflictError, InputError, InputJsonError
from debugger.expressions import Scope
from debugger.protocol.base import JsonObject
from debugger.session.json_input import parse_object, to_json
from debugger.session.schema_example import example_object
from debugger.session.step_values import answer_fields, needed_for

_CHOSEN, _OTHER_CHOSEN = "chosen by the user", "another edge was chosen"


@dataclass(frozen=True)
class NextStep:
    """A possible next step, as the graph names it."""

    edge: str = ""
    """The author's edge."""
    node: str = ""
    """The destination, for a transition without an edge in the document."""
    expression: EdgeExpression | None = None
    """The expression that decides the edge; ``None`` where a model does."""
    scope: Scope = field(default_factory=Scope)
    """The variables of the run, for the expression."""

    def choice_of(self, prompt: Prompt) -> TransitionOption | None:
        """Return the first choice of a prompt that takes this step."""
        return next((choice for choice in prompt.choices if self._is_taken_by(choice)), None)

    def scope_at(self, prompt: Prompt) -> Scope:
        """Return the variables of the run at a prompt."""
        return replace(self.scope, runtime={**self.scope.runtime, **prompt.variables})

    def holds_at(self, prompt: Prompt) -> bool:
        """Return whether its expression, if there is one, holds before the prompt is answered."""
        if self.expression is None:
            return True
        return answer_fields(self.expression, {}, None, self.scope_at(prompt)) == {}

    def _is_taken_by(self, choice: TransitionOption) -> bool:
        if self.edge:
            return author_edge_id(choice.edge_id, {self.edge}) == self.edge
        return author_node_id(choice.destination_node_logical_id, {self.node}) == self.node


@dataclass(frozen=True)
class PendingPrompt:
    """A prompt that waits for the user's answer."""

    prompt: Prompt
    suggestion: Reply
    """What script and built-in rules would answer; empty where that is not known."""
    number: int
    """Counts the inquiries of a session."""
    step: NextStep | None = None
    """The step that the user has chosen in the graph or a list."""

    @property
    def chosen(self) -> TransitionOption | None:
        """Return the choice that takes the user's step."""
        return self.step.choice_of(self.prompt) if self.step is not None else None

    @property
    def first_form(self) -> AnswerForm:
        """Return the form with valid first values: the suggested answer, changed for the user's step."""
        found, chosen = AnswerForm.of(self.suggestion), self.chosen
        if chosen is not None and chosen.edge_id != found.chosen:
            return replace(found, text="", chosen=chosen.edge_id, reason="", args="")
        if self._expression is not None:
            return replace(found, chosen="", reason="", args="", calls=[*found.calls, *self._calls(found)])
        return found

    @property
    def note(self) -> str:
        """Return the sentence on what the user's step needs.

        Empty without a step or where a choice takes it.
        """
        if self._expression is None:
            return ""
        if self.step_fields is not None:
            return f"The edge is taken when {self._expression.text}; the output was filled in to match."
        calls = [name for name, _ in self._calls(AnswerForm())]
        if calls:
            named = " and ".join(calls)
            return f"The edge is taken when {self._expression.text}, which the result of {named} decides."
        return f"This answer cannot take the edge. {needed_for(self._expression)}"

    @property
    def needed(self) -> str:
        """Return the expression in the note; may be empty."""
        return self._expression.text if self._expression is not None else ""

    @cached_property
    def step_fields(self) -> JsonObject | None:
        """Return the structured output that takes the user's step; ``None`` where none is known."""
        if self.step is None or self._expression is None:
            return None
        fields = parse_object(_fitting(self.suggestion.fields, self.prompt.schema) or "{}")
        return answer_fields(self._expression, fields, self.prompt.schema, self.step.scope_at(self.prompt))

    @property
    def _expression(self) -> EdgeExpression | None:
        """Return the expression that decides the user's step; ``None`` where the form's choice does."""
        return self.step.expression if self.step is not None and self.chosen is None else None

    def _calls(self, form: AnswerForm) -> list[tuple[str, str]]:
        """Return calls of tools, with arguments as JSON, that set what the user's step needs.

        None that is in the form or was made already; empty without a step.
        """
        if self._expression is None:
            return []
        made = {*dict(form.calls), *(message.get("name") for message in self.prompt.exchange)}
        wanted = {model_name(name) for name in self._expression.tools}
        return [
            (offer.name, self._fitted_to_message(offer.args_schema))
            for offer in self.prompt.tools
            if offer.name in wanted - made
        ]

    def _fitted_to_message(self, schema: JsonObject | None) -> str:
        """Return first arguments: what the user said, else examples."""
        return _fitting(fill_fields(schema, self.prompt.message), schema)

    def first_args(self, choice: TransitionOption) -> str:
        """Return first arguments of a choice: what the user said, else examples."""
        if self.suggestion.chosen == choice and self.suggestion.args:
            return _fitting(self.suggestion.args, choice.args_schema)
        return self._fitted_to_message(choice.args_schema)

    @property
    def first_fields(self) -> str:
        """Return the first output: for the step, from the built-in rules, else examples."""
        fields = self.step_fields
        return _fitting(self.suggestion.fields, self.prompt.schema) if fields is None else to_json(fields)


@dataclass
class HumanInput:
    """The user's answers in one session."""

    asks_all: bool = False
    """True where the user answers for every model."""
    nodes: frozenset[str] = frozenset()
    """The nodes for whose models the user answers."""
    pending: PendingPrompt | None = None
    """What waits for an answer."""
    _wanted: NextStep | None = None
    """The step that the user has chosen before a prompt offers it."""
    _wanted_at: str = ""
    """The node that it leaves."""
    _accepted: tuple[str, int, int] | None = None
    """The visit of a node at which a condition held by the user; what is asked then decides nothing."""
    _reply: Reply | None = None
    _number: int = 0
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def inherit(self, other: HumanInput) -> None:
        """Ask for the same nodes as in the session that this one replaces."""
        self.asks_all, self.nodes = other.asks_all, other.nodes

    def asks(self, prompt: Prompt) -> bool:
        """Return whether the user answers this prompt."""
        return self.asks_all or prompt.node_logical_id in self.nodes

    def ask(self, prompt: Prompt, fallback: Model, cancelled: threading.Event) -> Reply:
        """Return the user's answer to a prompt; wait in `pending` for it unless an earlier one settles it.

        Raises:
            ModelError: The turn was ended meanwhile.
        """
        with self._changed:
            self._reply = self._settled(prompt, fallback)
            if self._reply is None:
                self._number += 1
                suggestion, step = _suggested(prompt, fallback), self._take_wanted(prompt)
                self.pending = PendingPrompt(prompt, suggestion, self._number, step)
            try:
                while self._reply is None:
                    if cancelled.is_set():
                        raise ModelError("no model call waits for the answer any more")
                    self._changed.wait(POLL_SECONDS)
            finally:
                self.pending = None
            if prompt.kind == "judge" and self._reply.chosen is not None:
                self._accepted = _visit(prompt, prompt.visit)
            return self._reply

    @property
    def wanted(self) -> NextStep | None:
        """Return the step with which the next answer begins."""
        return self._wanted

    def want(self, step: NextStep, node: str) -> None:
        """Select a step in the next prompt of a node that offers it."""
        self._wanted, self._wanted_at = step, node

    def choose(self, step: NextStep) -> None:
        """Choose a step for the waiting prompt; do nothing where none waits.

        The form of a prompt that offers the step, or whose output decides it, begins with it. A single
        condition that takes no arguments is answered at once. One for another step is answered that it does
        not hold, and the step is wanted at the next prompt of the node.
        """
        with self._changed:
            if self.pending is None:
                return
            prompt = self.pending.prompt
            choice = step.choice_of(prompt)
            if choice is None and (prompt.kind != "judge" or not step.holds_at(prompt)):
                if step.expression is not None:
                    self.pending = replace(self.pending, step=step)
            elif choice is None:
                self.want(step, prompt.node_logical_id)
                self._submit(Reply(reason=_OTHER_CHOSEN, model=PERSON))
            elif prompt.kind == "judge" and not choice.args_schema:
                self._submit(Reply(chosen=choice, reason=_CHOSEN, model=PERSON))
            else:
                self.pending = replace(self.pending, step=step)

    def _submit(self, reply: Reply) -> None:
        """Let the turn continue; from now on no prompt waits."""
        self._reply, self.pending = reply, None
        self._changed.notify_all()

    def _settled(self, prompt: Prompt, fallback: Model) -> Reply | None:
        """Return the answer to a prompt that follows from the user's last one or the wanted step.

        Else ``None``.
        A wanted step that is answered is forgotten.
        """
        is_judge = prompt.kind == "judge"
        # A model that speaks or works counts the visit under way, a condition those that are over.
        if self._accepted == _visit(prompt, prompt.visit if is_judge else prompt.visit - 1):
            # The first condition that holds decides; the others and the node's own answer are discarded.
            return Reply(reason=_OTHER_CHOSEN, model=PERSON) if is_judge else _suggested(prompt, fallback)
        if self._wanted is None or not is_judge or self._wanted_at != prompt.node_logical_id:
            return None
        choice = self._wanted.choice_of(prompt)
        if choice is None:
            return Reply(reason=_OTHER_CHOSEN, model=PERSON)
        if choice.args_schema:
            return None
        self._wanted = None
        return Reply(chosen=choice, reason=_CHOSEN, model=PERSON)

    def _take_wanted(self, prompt: Prompt) -> NextStep | None:
        """Return the wanted step for a prompt of its node, else ``None``.

        Forget it unless a tool's result comes first.
        """
        step, is_elsewhere = self._wanted, self._wanted_at != prompt.node_logical_id
        choice = step.choice_of(prompt) if step is not None else None
        if step is not None and choice is None and not is_elsewhere and not prompt.choices:
            return step  # a tool's result comes first
        self._wanted = None
        return None if is_elsewhere else step

    def answer(self, reply: Reply) -> None:
        """Submit the user's answer, with which the waiting turn continues.

        Raises:
            ConflictError: Nothing waits for one.
            InputError: It does not fit the prompt; the message says where.
        """
        with self._changed:
            if self.pending is None:
                raise ConflictError("No model waits for an answer.", advice="Continue the run.")
            _check(reply, self.pending.prompt)
            self._submit(replace(reply, model=PERSON))

    def use_fallback(self) -> None:
        """Let script and built-in rules answer the waiting prompt.

        Raises:
            ConflictError: Nothing waits for an answer.
        """
        with self._changed:
            if self.pending is None:
                raise ConflictError("No model waits for an answer.", advice="Continue the run.")
            self._submit(self.pending.suggestion)


def _visit(prompt: Prompt, number: int) -> tuple[str, int, int]:
    """Return the identity of a visit of a node by one thread."""
    return prompt.node_logical_id, number, id(prompt.variables)


def _suggested(prompt: Prompt, fallback: Model) -> Reply:
    if isinstance(fallback, RemoteModel):
        return Reply()
    return fallback.reply(prompt)


def _check(reply: Reply, prompt: Prompt) -> None:
    """Check that a reply fits its prompt.

    Raises:
        InputError: Its edge or a tool is not offered, or arguments or output do not fit their schema.
    """
    if reply.chosen is not None and reply.chosen not in prompt.choices:
        raise InputError("The chosen edge is not offered here.", advice="Choose one of those that are.")
    if reply.chosen is not None and reply.args and reply.chosen.args_schema:
        _fit(reply.args, reply.chosen.args_schema, f"the arguments of {reply.chosen.destination_node_name!r}")
    offers = {offer.name: offer for offer in prompt.tools}
    for call in reply.calls:
        if call.name not in offers:
            raise InputError(f"There is no tool {call.name!r} here.", advice="Choose one of those offered.")
        _fit(call.args, offers[call.name].args_schema, f"the arguments of {call.name!r}")
    if reply.fields:
        _fit(reply.fields, prompt.schema, "the structured output")


def _fit(value: object, schema: object, what: str) -> None:
    problem = schema_error(value, schema) if schema else None
    if problem is not None:
        raise InputError(f"In {what}: {problem}.", advice="Correct it; what you typed is kept.")


@dataclass(frozen=True)
class AnswerForm:
    """The typed answer; JSON is text, and empty text means nothing."""

    text: str = ""
    chosen: str = ""
    """The edge's id among the prompt's choices; empty takes none."""
    reason: str = ""
    args: str = ""
    """The arguments of the chosen edge."""
    fields: str = ""
    """The structured output."""
    calls: Sequence[tuple[str, str]] = ()
    """Tools to call, by name, each with its arguments."""

    @classmethod
    def of(cls, reply: Reply) -> AnswerForm:
        """Return the form that a suggested reply fills, with JSON as text; empty where it has none."""
        return cls(
            text=reply.text,
            chosen=reply.chosen.edge_id if reply.chosen else "",
            reason=reply.reason if reply.chosen else "",
            args=to_json(reply.args) if reply.args else "",
            fields=to_json(reply.fields) if reply.fields else "",
            calls=[(call.name, to_json(call.args)) for call in reply.calls],
        )

    def problems(self, prompt: Prompt) -> dict[str, str]:
        """Return why fields cannot be used, as sentences, by ``args``, ``fields`` or ``tool_`` and place."""
        schemas: dict[str, tuple[str, object]] = {}
        choice = self._choice(prompt)
        if choice is not None:
            schemas["args"] = self.args, choice.args_schema
        schemas["fields"] = self.fields, prompt.schema
        calls = dict(self.calls)
        for place, offer in enumerate(prompt.tools):
            if offer.name in calls:
                schemas[f"tool_{place}"] = calls[offer.name], offer.args_schema
        found = {name: _problem(text, schema) for name, (text, schema) in schemas.items()}
        return {name: sentence for name, sentence in found.items() if sentence}

    def reply(self, prompt: Prompt) -> Reply:
        """Return the reply that the form describes; it is not checked against the schemas.

        Raises:
            InputError: The chosen edge is not offered, or a text is not a JSON object.
        """
        chosen = self._choice(prompt)
        if self.chosen and chosen is None:
            raise InputError("The chosen edge is not offered here.", advice="Choose one of those that are.")
        return Reply(
            text=self.text,
            chosen=chosen,
            reason=self.reason or (_CHOSEN if chosen else ""),
            args=_object(self.args, "The arguments of the edge") if chosen else {},
            fields=_object(self.fields, "The structured output"),
            calls=tuple(
                ToolCall(name, _object(args, f"The arguments of {name}")) for name, args in self.calls
            ),
        )

    def _choice(self, prompt: Prompt) -> TransitionOption | None:
        return next((choice for choice in prompt.choices if choice.edge_id == self.chosen), None)


def blank(schema: JsonObject | None) -> str:
    """Return an example object for a schema; empty without one."""
    return _fitting({}, schema)


def _fitting(values: Mapping[str, object], schema: JsonObject | None) -> str:
    """Return known values with examples for the rest, as JSON, or examples only where those do not fit.

    Without a schema only the values; an empty text where there is nothing.
    """
    if not schema:
        return to_json(values) if values else ""
    example = example_object(schema)
    filled = {**example, **values}
    fits = schema_error(filled, schema) is None
    return to_json(filled if fits else example) if filled else ""


def _problem(text: str, schema: object) -> str:
    """Return why a text is no JSON object of a schema, as a sentence; empty where it is, or is blank."""
    try:
        value = _object(text, "This")
    except InputJsonError as error:
        return error.message
    problem = schema_error(value, schema) if schema and text.strip() else None
    return f"{problem}." if problem else ""


def _object(text: str, what: str) -> JsonObject:
    return parse_object(text, what=what) if text.strip() else {}
