"""The causes of failed checks: where the expected path was left, what failed, what set a value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from itertools import islice
from typing import Any

from debugger.analysis.chat import ChatMessage
from debugger.analysis.event_fields import node_of, text, thread_id_of, values_of
from debugger.analysis.timeline import FailureReasons
from debugger.analysis.trouble import classify_trouble
from debugger.boundary import SECRETS_ONLY, Boundary, Kind
from debugger.boundary.redaction import is_secret_name
from debugger.boundary.rules import TextRules
from debugger.engine.outbound.secrets import MARK
from debugger.errors import DebuggerError
from debugger.expressions import ABSENT, lookup, placeholders, render, render_value
from debugger.expressions import Scope as Values
from debugger.graph import Graph
from debugger.graph.checks.context import CheckContext
from debugger.graph.checks.variables import written_names
from debugger.protocol.base import JsonObject, PlainObject
from debugger.protocol.events import reference_id
from debugger.protocol.json_codec import encode
from debugger.protocol.runs import MAIN_THREAD
from debugger.protocol.value_view import ValueView
from debugger.protocol.workflow import NodeConfig, Workflow
from debugger.scenarios.conversation import ANY_NODES, Conversation, Scope, Visit, read_path
from debugger.scenarios.deviations import Deviation, Deviations
from debugger.scenarios.model import EventMatch, HintMatch, Limits, TextMatch, VariableMatch
from debugger.scenarios.short_texts import shorten_between

_MAX_WORDS = 1000
"""Characters of a cause."""
_MAX_VALUE = 160
"""Characters of a value or text in it."""
_MAX_TROUBLES = 4
_MAX_TROUBLE = 300
_MAX_TEXTS = 2
_MAX_NAMES = 12
"""Names of variables that are listed."""


@dataclass(frozen=True)
class Cause:
    """The cause of one failed check."""

    words: str
    """In one line; empty where nothing is known."""
    event: int | None = None
    """The event at which the expected path was left; ``None`` where it was not."""


def find_cause(
    find: Callable[[CauseFinder], Iterable[Part]],
    run: Conversation,
    scope: Scope,
    event: int | None,
    fits: Callable[[TextMatch, str], bool],
) -> Cause:
    """Return why a check failed: what its kind finds, the decision's operands and the troubles.

    Its words have no secrets and are cut to `_MAX_WORDS` characters. They are empty where the run cannot be
    read again; no error is raised then. Its event is that of the first deviation.

    Args:
        find: Reads the cause of the check's kind.
        run: The run.
        scope: The part of the run that the check reads.
        event: The nearest event, as the check has found it.
        fits: Whether a text fits a comparison.
    """
    finder = CauseFinder(run, scope, event, fits)
    try:
        found = list(find(finder))
        left = next(
            (each.event for each in found if isinstance(each, Deviation) and each.event is not None), None
        )
        words = [each.words if isinstance(each, Deviation) else each for each in found]
        more = [*(finder.operands(left) if left is not None else ()), *finder.troubles()]
    except DebuggerError:  # what cannot be read again explains nothing
        return Cause("")
    unsaid = [each for each in more if not any(each in said for said in words)]
    whole = finder.without_secrets(". ".join(filter(None, [*words, *unsaid])))
    return Cause(shorten_between(whole, _MAX_WORDS), left)


Part = str | Deviation
"""A part of a cause; of a deviation the event is known."""


class CauseFinder:
    """A reader of one run for the causes of a failed check."""

    def __init__(
        self,
        run: Conversation,
        scope: Scope,
        event: int | None,
        fits: Callable[[TextMatch, str], bool],
    ) -> None:
        """Hold run, part, event and comparison; nothing is read yet."""
        self._run = run
        self._scope = scope
        self._event = event
        self._fits = fits
        self._workflow = run.workflow
        self._nodes = run.workflow.running_graph.nodes
        self._deviations = Deviations(run, scope.first_event)

    # The kinds of expectations

    def says(self, match: TextMatch) -> Iterator[Part]:
        """Yield why the expected text was not said; with ``not``, why a wrong one was.

        First comes the node that has the text, if one does; where it did not run, where the run left the way
        to it ends the cause. Else at most `_MAX_TEXTS` messages follow, that of the check's event first, each
        with what set its variables; without any message the nodes that ran; then the last two choices. With
        ``not`` it is the first wrong message and the decision that led to its node, or nothing where none is
        wrong. Parts can be empty texts.
        """
        messages = self._run.agent_messages(self._scope)
        if match.not_ is not None:
            wrong = [each for each in messages if not self._fits(match, each.text)]
            yield from (self._spoken(each) for each in wrong[:1])
            yield from self._ways_to(wrong)
            return
        owner = next((node for node in self._nodes.values() if self._has_text(node, match)), None)
        if owner is not None:
            label = self._label(owner.logical_id)
            if not any(visit.is_in(owner.logical_id) for visit in self._run.visits(self._scope)):
                yield f"{label} has this text and did not run"
                yield self._deviations.find_toward({owner.logical_id})
                return
            yield f"{label} has this text and ran"
        nearest = sorted(messages, key=lambda each: each.event_index != self._event)
        for message in nearest[:_MAX_TEXTS]:
            yield self._spoken(message)
            yield from self._sources(message)
        if not messages:
            ran = dict.fromkeys(self._label(visit.node_id) for visit in self._run.visits(self._scope))
            yield f"None of the nodes that ran speaks: {', '.join(ran) or 'none ran'}"
        yield from self._choices()

    def reached(self, names: Sequence[str]) -> Iterator[Part]:
        """Yield where the path to the first node that was not reached was left; nothing where all were.

        Raises:
            InputError: The workflow has no such node, or several.
        """
        for node_id in map(self._workflow.node_id, names):
            if not any(visit.is_in(node_id) for visit in self._run.visits(self._scope)):
                yield self._deviations.find_toward({node_id})
                return

    def not_reached(self, names: Sequence[str]) -> Iterator[Part]:
        """Yield the decision that led to the first of the nodes that was reached; nothing where none was.

        Raises:
            InputError: The workflow has no such node, or several.
        """
        for node_id in map(self._workflow.node_id, names):
            for visit in self._run.visits(self._scope):
                if visit.is_in(node_id):
                    yield self._deviations.into(visit.event, {node_id}) or "The run begins there"
                    return

    def path(self, names: Sequence[str]) -> Iterator[Part]:
        """Yield the decision after the last node that fits, or toward the node that should follow.

        Where all nodes fit and another followed, yield the decision that led there. Where the first does not
        fit, yield first at which node the part begins.

        Raises:
            InputError: The workflow has no such node, or several.
        """
        wanted = [None if name == ANY_NODES else self._workflow.node_id(name) for name in names]
        visits = read_path(self._run.visits(self._scope))
        fitting, is_after_gap = 0, False
        following: str | None = None
        for node in wanted:
            if node is None:
                is_after_gap = True
                continue
            following = node
            places = (
                range(fitting, len(visits)) if is_after_gap else range(fitting, min(fitting + 1, len(visits)))
            )
            place = next((each for each in places if visits[each].is_in(node)), None)
            if place is None:
                break
            fitting, is_after_gap, following = place + 1, False, None
            is_around = visits[place].node_id != node  # a super node, in which others follow
            while is_around and fitting < len(visits) and visits[fitting].is_in(node):
                fitting += 1
        if following is None:  # all fit, and more followed
            more = visits[fitting : fitting + 1]
            yield from (self._deviations.into(each.event, {each.node_id}) or "" for each in more)
            return
        if fitting == 0 and not is_after_gap:
            first = visits[0] if visits else None
            started = (
                f"The {self._scope.noun} begins at {self._label(first.node_id)}" if first else "No node ran"
            )
            yield f"{started}, and not at {self._label(following)}"
            if self._scope.first_log == 0:
                return
        left = None
        if fitting and not is_after_gap:
            before = visits[fitting - 1]
            left = self._deviations.out_of(before.node_id, before.event, {following})
        yield left or self._deviations.find_toward({following})

    def edge_taken(self, names: Sequence[str]) -> Iterator[Part]:
        """Yield the decision at the source of the first edge that was not taken; nothing where all were.

        Where the run did not come to its source, yield which nodes that are, and where the way there was
        left.
        """
        taken = self._run.steps(self._scope)
        for name in names:
            if any(self._workflow.uses_edge(step, name) for step in taken):
                continue
            ends = self._workflow.nodes_of(name)
            visits = self._run.visits(self._scope)
            for source, destination in ends:
                at = [visit for visit in visits if source is not None and visit.is_in(source)]
                ways = (
                    self._deviations.out_of(visit.node_id, visit.event, {destination or ""})
                    for visit in reversed(at)
                )
                left = next(filter(None, ways), None)
                if left:
                    yield left
                    return
            targets = {source or destination or "" for source, destination in ends}
            if targets:
                yield f"The edge {name!r} leaves {' or '.join(self._label(each) for each in targets)}"
                yield self._deviations.find_toward(targets)
            return

    def edge_not_taken(self, names: Sequence[str]) -> Iterator[Part]:
        """Yield the decision by which the first of the edges was taken; nothing where none was."""
        for step in self._run.steps(self._scope):
            if any(self._workflow.uses_edge(step, name) for name in names):
                record = next((each for each in self._run.decisions if each.index == step.event_index), None)
                yield (
                    Deviation(step.event_index, f"Decided at {self._deviations.of(record)}") if record else ""
                )
                return

    def variable(self, match: VariableMatch) -> Iterator[Part]:
        """Yield the event and node run that set the variable last, and to which value.

        Of one that was never set, yield the default of a dynamic variable or similar names, and else the
        nodes that could have set it and why they did not.
        """
        kind, _, path = match.name.partition(".")
        name = _first_name(path)
        scope = f"thread_{match.thread}" if kind == "runtime" and match.thread != MAIN_THREAD else kind
        change = self._run.history.catch_up().last_set(scope, name, None)
        if change is not None:
            before = "" if change.op == "added" else f", before that {_shown(change.before)}"
            yield f"{match.name} was last set at event {change.index} to {_shown(change.after)}{before}"
            end = self._end_before(change.index)
            if end is not None:
                yield self._node_run(*end)
                yield from self._choices()
            else:
                yield "by the input of the turn"
            return
        if kind == "dynamic":
            default = lookup(self._values(None), "dynamic", path)
            known = sorted(self._values(None).dynamic)
            yield (
                f"No input sets it; the default of the workflow is {_shown(default)}"
                if default is not ABSENT
                else f"Neither the input nor the workflow has it{_similar(name, known)}"
            )
            return
        yield from self._unset(match.name, name)

    def hint(self, match: HintMatch) -> Iterator[Part]:
        """Yield how the run left the expected node, or where it left the way there.

        Without a node, yield the last decision and where the run waits.

        Raises:
            InputError: The workflow has no such node, or several.
        """
        if match.node is not None:
            node_id = self._workflow.node_id(match.node)
            visits = [visit for visit in self._run.visits(self._scope) if visit.is_in(node_id)]
            left = visits and self._deviations.out_of(visits[-1].node_id, visits[-1].event, ())
            yield left or self._deviations.find_toward({node_id})
            return
        yield from self._standing()

    def status(self, _: str) -> Iterator[Part]:
        """Yield the last decision."""
        yield from self._standing()

    def no_side_effect(self, classes: Sequence[str]) -> Iterator[Part]:
        """Yield the first call of one of the classes and the decision that led to its node, if any."""
        for event, effect in self._run.effects(self._scope):
            if effect.call_class in classes:
                yield f"{self._label(effect.node_logical_id)} called {effect.target} ({effect.how})"
                if event is not None:
                    yield self._deviations.into(event, {effect.node_logical_id}) or ""
                return

    def at_most(self, limits: Limits) -> Iterator[Part]:
        """Yield for each limit that is set what has the largest part of it.

        For milliseconds these are the longest node runs and calls, for tokens the nodes with the most, and
        for node runs or turns the nodes that ran most often, with the last decision there.
        """
        steps = [step for step in self._run.node_runs if step.place >= self._scope.first_log]
        if limits.ms is not None:
            slow = sorted(steps, key=lambda step: step.duration_ms or 0.0, reverse=True)[:3]
            yield "Longest: " + ", ".join(
                f"{self._label(step.node_logical_id)} {step.duration_ms:,.1f} ms (event {step.last})"
                for step in slow
                if step.duration_ms
            )
            calls = [effect for _, effect in self._run.effects(self._scope) if effect.duration_milliseconds]
            calls.sort(key=lambda effect: effect.duration_milliseconds or 0.0, reverse=True)
            yield "; ".join(
                f"the call {effect.target} {effect.duration_milliseconds:,.1f} ms" for effect in calls[:2]
            )
            if slow and slow[0].node_logical_id:
                yield self._node_run(slow[0].node_logical_id, slow[0].last)
        if limits.tokens is not None:
            tokens = Counter[str]()
            for step in steps:
                tokens[self._label(step.node_logical_id)] += step.tokens
            yield "Most tokens: " + _counted(tokens)
        if limits.node_runs is not None or limits.turns is not None:
            runs = Counter(self._label(step.node_logical_id) for step in steps if step.kind == "node")
            yield "Runs: " + _counted(runs)
            most = next((name for name, _ in runs.most_common(1)), None)
            found = [each for each in self._run.decisions if self._label(each.source) == most]
            yield from (f"Decided at {self._deviations.of(each)}" for each in found[-1:])

    def events(self, wanted: Sequence[EventMatch]) -> Iterator[Part]:
        """Yield where the run left the way to the node of the first missing event.

        If the node was visited, or the event names none, yield the last decision and where the run waits.

        Raises:
            InputError: The workflow has no such node, or several.
        """
        place = 0
        ids = [None if each.node is None else self._workflow.node_id(each.node) for each in wanted]
        for index, event in self._run.events(self._scope):
            node = ids[place] if place < len(wanted) else None
            if (
                place < len(wanted)
                and event.type == wanted[place].type
                and (node is None or Visit(index, node_of(event) or "", "", True).is_in(node))
            ):
                place += 1
        missing = ids[place] if place < len(wanted) else None
        if missing is not None and not any(each.is_in(missing) for each in self._run.visits(self._scope)):
            yield self._deviations.find_toward({missing})
        else:
            yield from self._standing()

    def judge(self, _: object) -> Iterator[Part]:
        """Yield who said what was judged."""
        yield from (self._spoken(each) for each in self._run.agent_messages(self._scope)[-2:])

    # What all of them use

    def operands(self, index: int) -> Iterator[str]:
        """Yield the node run that has set a variable in the conditions of a decision."""
        for record in self._run.decisions:
            if record.index == index:
                conditions = (each.condition for each in self._run.explain(record).candidates)
                yield from list(self._setters(conditions, index))[-1:]

    def troubles(self) -> list[str]:
        """Return the troubles of the part of the run in words, each once; warnings of the configuration last.

        Calls that failed or were not made are among them. Of more than `_MAX_TROUBLES` only the number
        follows.
        """
        found: dict[str, None] = {}
        warnings: dict[str, None] = {}
        reasons = FailureReasons()
        for event in self._run.fields(self._scope):
            reasons.apply(event)
            trouble = classify_trouble(event.event)
            if trouble is None and event.type != "self_loop_exhausted" and not text(event.event, "error"):
                continue
            words = shorten_between(reasons.summary(event.event), _MAX_TROUBLE)
            if command := text(event.event, "curl_command"):
                words += f" ({shorten_between(command, _MAX_VALUE)})"
            if trouble is not None and trouble.is_faulted:
                words += " (injected)"
            is_warning = trouble is not None and not trouble.is_problem
            (warnings if is_warning else found)[words] = None
        for _, effect in self._run.effects(self._scope):
            if effect.outcome != "ok":
                words = (
                    f"{self._label(effect.node_logical_id)}: the call {effect.target} was {effect.outcome}"
                )
                found[f"{words}{f': {effect.error}' if effect.error else ''}"] = None
        listed = [*found, *warnings]
        more = [f"{len(listed) - _MAX_TROUBLES} more failures"] if len(listed) > _MAX_TROUBLES else []
        return listed[:_MAX_TROUBLES] + more

    def without_secrets(self, words: str) -> str:
        """Return words with the values of variables that have a secret's name replaced by a mark.

        These are the values of the whole run, overwritten ones too; parts of them are found as well.
        """
        found: set[str] = set()
        for snapshot in self._run.snapshots.all:
            for values in snapshot.by_scope().values():
                found.update(_secrets_in(values))
        rules = TextRules((), lambda _: MARK)
        for secret in sorted(found, key=len, reverse=True):
            words = words.replace(secret, MARK)
            rules.values.add(secret, "")  # what a cut or quotes have left of it
        return rules.mask(words, None)

    def _label(self, node_id: str | None) -> str:
        return repr(self._workflow.label(node_id)) if node_id else "the run"

    def _values(self, index: int | None, thread: str = MAIN_THREAD) -> Values:
        return self._run.snapshots.at(index).scope(thread, self._workflow.running)

    def _standing(self) -> Iterator[Part]:
        """Yield the last decision of the main thread and the node that the run waits at, if any."""
        last = self._deviations.last()
        if last is not None:
            yield Deviation(last.index, f"Last decision at {self._deviations.of(last)}")
        result = self._run.result
        hint = (result.next_input_hint if result else None) or {}
        if node := hint.get("origin_node_logical_id"):
            yield f"The run waits at {self._label(str(node))}"

    def _choices(self) -> Iterator[Part]:
        """Yield the last two decisions of the part that had edges to choose from, the latest first."""
        own = (
            each
            for each in reversed(self._run.decisions)
            if each.index >= self._scope.first_event and self._deviations.had_candidates(each)
        )
        yield from (f"Decided at {self._deviations.of(each)}" for each in islice(own, 2))

    def _ways_to(self, messages: Sequence[ChatMessage]) -> Iterator[Part]:
        for message in messages[:1]:
            node = node_of(message.event) if message.event else None
            if node and message.event_index is not None:
                yield self._deviations.into(message.event_index, {node}) or ""

    def _has_text(self, node: NodeConfig, match: TextMatch) -> bool:
        """Return whether a fixed text of a node fits, as written or filled with the run's last values.

        Of a node whose model speaks it is never true.
        """
        if _speaks_by_model(node):
            return False
        return any(
            self._fits(match, each) or self._fits(match, render(each, self._values(None)).text)
            for each in _texts_of(node)
        )

    def _sources(self, message: ChatMessage) -> Iterator[Part]:
        """Yield the last two node runs that set variables of a message's text, and which no node sets.

        Nothing where the message's node is not known.
        """
        node = self._nodes.get((node_of(message.event) if message.event else None) or "")
        if node is None or message.event_index is None:
            return
        yield from list(self._setters(_texts_of(node), message.event_index))[-2:]
        values = self._values(message.event_index)
        for each in (found for written in _texts_of(node) for found in placeholders(written)):
            name = _first_name(each.path)
            if each.namespace == "runtime" and lookup(values, "runtime", name) is ABSENT:
                yield self._unwritten(f"runtime.{each.path}", name)

    def _setters(self, texts: Iterable[str], index: int) -> Iterator[str]:
        """Yield the node runs that have set the variables in texts up to an event, in words, each once.

        Variables that no node run has set, as those of the input, are left out.
        """
        found: dict[tuple[str, int], None] = {}
        for each in (one for written in texts for one in placeholders(written)):
            change = self._run.history.catch_up().last_set(each.namespace, _first_name(each.path), index)
            if change is not None and (end := self._end_before(change.index)) is not None:
                found[end] = None
        yield from (self._node_run(*end) for end in found)

    def _spoken(self, message: ChatMessage) -> str:
        """Return who said a message, from which text, with which values; empty for an unknown node."""
        node = self._nodes.get((node_of(message.event) if message.event else None) or "")
        if node is None or message.event_index is None:
            return ""
        said = f"{self._label(node.logical_id)} said {_quoted(message.text)}"
        is_prompt = _speaks_by_model(node)
        if is_prompt:
            said += self._answered(node.logical_id, message.event_index)
        noun = "its prompt" if is_prompt else "its text"
        return said + "".join(
            self._template(each, message.event_index, noun) for each in _texts_of(node)[:_MAX_TEXTS]
        )

    def _template(self, written: str, index: int, noun: str) -> str:
        """Return a text as it is written, with the values that are put into it, as the end of a sentence.

        It is empty for an empty text, and for a fixed one without placeholders.

        Args:
            written: The text.
            index: The event whose variables are put in.
            noun: What the text is: ``its text`` or ``its prompt``.
        """
        values = self._values(index)
        named = {each.text: each for each in placeholders(written)}
        filled = ", ".join(
            f"{name} is {_shown(lookup(values, each.namespace, each.path))}" for name, each in named.items()
        )
        if not written or (not filled and noun == "its text"):
            return ""
        return f"; {noun} is {_quoted(written)}{f', where {filled}' if filled else ''}"

    def _answered(self, node_id: str, before: int) -> str:
        """Return who answered a node's last model call up to an event, to end a sentence; else empty."""
        calls = [
            call
            for step in self._run.node_runs
            for call in step.calls
            if call.node_logical_id == node_id and call.index <= before
        ]
        return f", answered by {calls[-1].model}" if calls and calls[-1].model else ""

    def _end_before(self, index: int) -> tuple[str, int] | None:
        """Return the node run that ended last up to an event, and the index of that end.

        ``None`` where a message of the user came since, or no node run has ended.
        """
        for at, event in reversed(self._run.events(self._run.scope(None))[: index + 1]):
            if event.type == "end_node_run" and (node := node_of(event)):
                return node, at
            if event.type == "user_messages":
                return None
        return None

    def _node_run(self, node_id: str, index: int) -> str:
        """Return a sentence on a node run: its events, arguments, model, request, output and schema.

        Args:
            node_id: The node.
            index: The event that ended the node run.
        """
        node = self._nodes.get(node_id)
        events = self._run.events(self._run.scope(None))
        event = events[index][1]
        started = next(
            (
                at
                for at, each in reversed(events[:index])
                if each.type == "start_node_run" and node_of(each) == node_id
            ),
            index,
        )
        words = f"{self._label(node_id)} ran (events {started} to {index})"
        config = _NodeFields(node.to_wire() if node is not None else None)
        given = config.tool_arguments
        if given:
            thread = reference_id(thread_id_of(event)) or MAIN_THREAD
            filled = render_value(given, self._values(started, thread), preserve_types=True)
            words += f", called with {_shown(filled)}"
        words += self._answered(node_id, index)
        command = next(
            (text(each, "curl_command") for _, each in events[started:index] if each.type == "http_request"),
            None,
        )
        if command:
            words += f", requested {_quoted(command)}"
        output = values_of(event).run_output.wire
        for key in ("error_message", "structured_output", "tool_result", "http_response"):
            if output.get(key) not in (None, "", {}, []):
                words += f", {key.replace('_', ' ')} {_shown(output[key])}"
        schema = config.structured_output_schema.input_schema
        if schema.wire:
            words += f"; its schema has the fields {_shown(schema.properties)}"
        return words

    @cached_property
    def _written(self) -> dict[str, frozenset[str]]:
        """The runtime variables that nodes can set, by the nodes' ids."""
        return {key: _names_of(node) for key, node in self._nodes.items()}

    def _unwritten(self, full: str, name: str) -> str:
        """Return that no node sets a variable, and which others nodes set; empty where one does."""
        owners: dict[str, str] = {}
        for key, names in self._written.items():
            owners |= {each: self._label(key) for each in names if not each.endswith(("_success", "_error"))}
            if name in names:
                return ""
        near = get_close_matches(name, sorted(owners), n=3, cutoff=0.5)
        listed = ", ".join(f"{each} ({owners[each]})" for each in near or list(owners)[:_MAX_NAMES])
        others = f"; {'similar is' if near else 'nodes set'} {listed}" if listed else ""
        return f"No node of the workflow sets {full}{others}"

    def _unset(self, full: str, name: str) -> Iterator[Part]:
        """Yield that no node sets a variable, or which would and did not run, or the last run that did not.

        Of nodes that did not run, yield where the way to them was left; else the last choices follow.
        """
        writers = [key for key, names in self._written.items() if name in names]
        visits = self._run.visits(self._run.scope(None))
        if not writers:
            yield self._unwritten(full, name)
            yield from self._choices()
            return
        ran = [key for key in writers if any(visit.is_in(key) for visit in visits)]
        if not ran:
            yield f"{', '.join(map(self._label, writers))} would set it, and did not run"
            yield self._deviations.find_toward(set(writers))
            return
        for step in reversed(self._run.node_runs):
            if step.node_logical_id in ran and step.kind == "node":
                yield f"{self._node_run(step.node_logical_id or '', step.last)}, and did not set it"
                break
        yield from self._choices()


def _names_of(node: NodeConfig) -> frozenset[str]:
    """Return the runtime variables that a node can set, as far as its settings show them."""
    alone = Workflow(node_configs=[node.model_copy(update={"disabled": False})])
    own = written_names(CheckContext(Graph(alone))) or set()
    return frozenset(own - (written_names(CheckContext(Graph(Workflow()))) or set()))


def _first_name(path: str) -> str:
    """Return the variable of a path: ``slots`` of ``slots[0].day``."""
    return path.split(".")[0].split("[")[0]


def _secrets_in(values: JsonObject) -> Iterator[str]:
    """Yield the texts of variables with a secret's name, in objects too; lists are not searched."""
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _secrets_in(value)
        elif isinstance(value, str) and value and is_secret_name(name):
            yield value


class _StaticMessages(ValueView):
    static_messages: list[Any]


class _ModelResponse(ValueView):
    prompt: str


class _ObjectSchema(ValueView):
    properties: PlainObject


class _OutputSchema(ValueView):
    input_schema: _ObjectSchema


class _NodeFields(ValueView):
    """The fields of a node's configuration that causes quote; a document need not be valid."""

    tool_arguments: PlainObject
    structured_output_schema: _OutputSchema
    static_messages_config: _StaticMessages
    main_response_config: _ModelResponse


def _speaks_by_model(node: NodeConfig) -> bool:
    return node.type != "say_static"


def _texts_of(node: NodeConfig) -> list[str]:
    """Return the fixed texts of a node, or the prompt of its model."""
    config = _NodeFields(node.to_wire())
    if not _speaks_by_model(node):
        return [str(each) for each in config.static_messages_config.static_messages]
    prompt = config.main_response_config.prompt
    return [prompt] if prompt else []


def _similar(name: str, known: Sequence[str]) -> str:
    near = get_close_matches(name, known, n=3, cutoff=0.5)
    return f"; similar is {', '.join(near)}" if near else ""


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in counts.most_common(3))


def _shown(value: Any) -> str:
    if value is ABSENT:
        return "absent"
    return shorten_between(encode(Boundary(SECRETS_ONLY).release(Kind.VALUE, value)).decode(), _MAX_VALUE)


def _quoted(words: str) -> str:
    return repr(shorten_between(words, _MAX_VALUE))
