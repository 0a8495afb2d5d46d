"""Comparison of what a server executed with what its users know."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from itertools import zip_longest

KINDS = (
    "lost",
    "seemed",
    "doubled unasked",
    "doubled by choice",
    "denied",
    "claimed too early",
    "surplus",
    "unreported copy",
    "differing",
    "question without a strike",
    "abandoned",
    "broken",
)
"""Of findings.

``lost``: the page says that a text was executed, and it never was. ``seemed``: the same, where the page says
that it *seems* to have arrived and offers to restore it, and the record without ids cannot tell: another
client has sent the text. ``doubled unasked``: a text was executed more often than it was said and than the
network delivered it. ``doubled by choice``: the same, after the user chose to send it again although it may
run twice; a look at an unknown outcome is no choice.
``denied``: the page offers a text as not executed that was executed before. ``claimed too early``: the
page says that a text was executed, which it was later. ``surplus``: a run that no page knows.
``unreported copy``: the record names the turns, the network has delivered one twice, and the page that has
looked it up does not say that it was executed twice.
``differing``: the page shows a run otherwise than the record, and does not say so.
``abandoned``: a text could not be sent, however often. ``broken``: the conversation ended by an exception.
"""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong."""

    kind: str
    talk: str
    """The name of the conversation."""
    strike: str
    detail: str


def compare(talks, executions, records, foreign_runs=(), *, has_ids=False):
    """Return the findings of one server's conversations.

    Args:
        talks: The conversations.
        executions: What the server executed for the pages, by its own log.
        records: The turns on record (number, user texts, event ids) by run id.
        foreign_runs: The runs that another client has started.
        has_ids: Whether records return the ids by which clients name their turns.
    """
    executed = defaultdict(list)
    for execution in sorted(executions, key=lambda execution: execution.at):
        executed[execution.text].append(execution.at)
    found = []
    for talk in talks:
        by_text = defaultdict(list)
        for said in talk.said:
            by_text[said.text].append(said)
        for text, said in by_text.items():
            found += _of_text(talk, text, said, executed[text], _is_recorded(text, records.get(talk.run_id)))
            found += _of_copies(talk, said, executed[text]) if has_ids else []
        found += _of_view(talk, records)
    return [*found, *_surplus(talks, executions, records, foreign_runs)]


def _is_recorded(text, turns):
    return any(text in texts for _, texts, _ in turns or ())


def _of_text(talk, text, said, times, is_recorded):
    """Yield the findings of one text, which may have been said more than once."""

    def finding(kind, one, detail=""):
        return Finding(kind, talk.name, one.strike, f"{text!r} {detail}".strip())

    if len(times) > len(said) + sum(one.copies for one in said):
        ends = [one.steps[0][0] for one in said[1:]] + [math.inf]
        since = 0.0
        for one, end in zip(said, ends, strict=True):
            within = [at for at in times if since <= at < end]
            since = end
            extra = within[1 + one.copies :]
            chosen = min(one.times("send again"), default=math.inf)
            for is_after, kind in enumerate(("doubled unasked", "doubled by choice")):
                count = sum((at >= chosen) == bool(is_after) for at in extra)
                if count:
                    yield finding(kind, one, f"executed {len(within)} times")
    done = [(moment, one) for one in said for moment in one.times("done")]
    for number, (moment, one) in enumerate(sorted(done, key=lambda pair: pair[0]), 1):
        if number > len(times) and is_recorded and one.strike.endswith("another client: stop"):
            continue  # it was stopped before it came to what counts it
        if number > len(times):
            is_said = one.verdict == "seems_arrived" and one.is_ambiguous
            yield finding("seemed" if is_said else "lost", one)
        elif times[number - 1] > moment:
            yield finding("claimed too early", one)
    for one in said:
        denials = [moment for moment in one.times("offered") if _is_denial(moment, said, times)]
        if denials:
            yield finding("denied", one, f"{len(denials)} times")
        if one.is_asked and not one.is_struck:
            yield finding("question without a strike", one)
        if one.times("abandoned"):
            yield finding("abandoned", one)


def _is_denial(moment, said, times):
    """Return whether a text that is offered at a moment was executed before."""
    over = [one for one in said if one.steps[-1][0] <= moment]
    expected = sum(one.steps[-1][1] == "done" for one in over)
    expected += sum(one.copies + len(one.times("send again")) for one in over)
    return sum(at <= moment for at in times) > expected


def _of_copies(talk, said, times):
    for one in said:
        is_executed = one.is_copy_unanswered and len(times) > len(said) == 1
        if one.copies and (one.shown > 1 or is_executed) and one.verdict not in ("", "executed_twice"):
            yield Finding("unreported copy", talk.name, one.strike, f"{one.text!r} {one.verdict}")


def _of_view(talk, records):
    pairs = zip_longest(talk.view, records.get(talk.run_id, []))
    different = ((shown, stored) for shown, stored in pairs if not _is_shown(talk, shown, stored))
    shown, stored = next(different, (None, None))
    if talk.is_deleted or shown is stored:
        return
    struck = ", ".join(dict.fromkeys(said.strike for said in talk.said if said.is_struck))
    yield Finding("differing", talk.name, struck, f"shown {_brief(shown)}, on record {_brief(stored)}")


def _is_shown(talk, shown, stored):
    """Return whether a turn is shown as it is on record, or else said to differ in its events."""
    if None in (shown, stored) or shown[0] not in talk.differing:
        return shown == stored
    return shown[:2] == stored[:2]


def _surplus(talks, executions, records, foreign_runs):
    known = {talk.run_id for talk in talks} | set(foreign_runs)
    spoken = defaultdict(list)
    for execution in executions:
        if execution.run_id is not None:
            spoken[execution.run_id].append((execution.text, execution.at))
    for run_id, turns in records.items():
        spoken[run_id] += [(text, math.inf) for _, said, _ in turns for text in said]
    by_text = defaultdict(list)
    for talk in talks:
        for one in talk.said:
            by_text[one.text].append((talk, one))
    for run_id, found in spoken.items():
        if run_id in known or not found:
            continue
        text, at = found[0]
        said = by_text[text]
        if any(one.is_asked or one.copies for _, one in said):
            continue
        # A run begins with its first turn, so that a text of unknown time is the first of its kind.
        before = [pair for pair in said if pair[1].steps[0][0] <= at < math.inf]
        talk, one = (before or said)[-1 if before else 0] if said else (None, None)
        names = ("", "") if one is None else (talk.name, one.strike)
        yield Finding("surplus", *names, f"run {run_id} with {[text]}")


def _brief(turn):
    if turn is None:
        return "nothing"
    number, texts, ids = turn
    return f"turn {number} {texts} with {len(ids)} events, the last {ids[-1] if ids else None}"
