"""The store's content after a campaign, compared with its users' view."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import zip_longest
from urllib.parse import parse_qs, urlsplit

from tests.conformance.stored_runs import read_stored_runs


@dataclass
class Tally:
    """Findings that must be empty."""

    lost: list[str]
    """Texts that a page called executed and that are not in the record."""
    doubled: list[str]
    """Texts that are more than once in the records, or were executed more than once, without a choice."""
    surplus: list[str]
    """Runs that no page knows."""
    differing: list[str]
    """Runs that a page shows otherwise than the record."""
    given_up: list[str]
    """Texts that could not be sent, however often."""

    @property
    def counts(self):
        return {name: len(found) for name, found in vars(self).items()}

    def listed(self):
        """Return everything that was found as text, a line each."""
        return "\n".join(f"{name}: {item}" for name, found in vars(self).items() for item in found)


def tally(database, conversations, received):
    """Compare, after the server has ended.

    Args:
        database: The URL of the server's store.
        conversations: What the users know.
        received: The requests of the workflow's tool, each of which is one execution.
    """
    records = {run_id: _turns(run) for run_id, run in read_stored_runs(database).items()}
    return compare(records, conversations, executions(received))


def executions(received):
    """Count the executions of each text by the tool's calls."""
    words = (parse_qs(urlsplit(request.path).query).get("word") for request in received)
    return Counter(word[0] for word in words if word)


def compare(records, conversations, executed):
    """Compare stored turns and executions with the users' view."""
    recorded = Counter(text for turns in records.values() for _, texts, _ in turns for text in texts)
    chosen = set().union(*(talk.chosen for talk in conversations))
    known = {talk.run_id for talk in conversations}
    remaining = [talk for talk in conversations if not talk.is_deleted]
    differences = (_difference(talk, records.get(talk.run_id, [])) for talk in remaining)
    return Tally(
        lost=[
            text for talk in remaining for text in talk.done if not _holds(records.get(talk.run_id, ()), text)
        ],
        doubled=[
            text
            for text in sorted(recorded.keys() | executed.keys())
            if max(recorded[text], executed[text]) > 1 and text not in chosen
        ],
        surplus=[
            run_id
            for run_id, turns in records.items()
            if run_id not in known and not (turns and chosen.intersection(turns[0][1]))
        ],
        differing=[difference for difference in differences if difference],
        given_up=[text for talk in conversations for text in talk.given_up],
    )


def _turns(run):
    """Return turns of a stored run: user texts and event ids."""
    numbered = zip(run.numbers, run.events, strict=True)
    return [
        (number, [text for event in events for text in _texts(event)], [e["logical_id"] for e in events])
        for number, events in numbered
    ]


def _texts(event):
    if event["type"] != "user_messages":
        return []
    return [message["content"] for message in event["messages"]]


def _holds(turns, text):
    return any(text in texts for _, texts, _ in turns)


def _difference(talk, turns):
    """Return the first difference of page and record, or nothing."""
    if talk.view == turns:
        return ""
    pairs = zip_longest(talk.view, turns)
    shown, stored = next((shown, stored) for shown, stored in pairs if shown != stored)
    return f"{talk.name} ({talk.run_id}): shown {_brief(shown)}, stored {_brief(stored)}"


def _brief(turn):
    if turn is None:
        return "nothing"
    number, texts, ids = turn
    return f"turn {number} {texts} with {len(ids)} events, the last {ids[-1] if ids else None}"
