"""Results of replays: what a recorded run would do on another version of its workflow."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self, get_args

from debugger.protocol.base import JsonObject
from debugger.protocol.json_codec import encode

ReplayVerdict = Literal["same", "words", "variables", "path", "failed", "needs_model", "not_comparable"]
"""``same``: path, variables and words are the recorded ones. ``words``, ``variables``: these differ on the
same path. ``path``: another edge is taken. ``failed``: the run fails, and the recorded one did not.
``needs_model``: a model, tool or service is asked something else than it was: its answer is not known.
``not_comparable``: the run cannot be played on its own version."""

REPLAY_VERDICTS: tuple[ReplayVerdict, ...] = get_args(ReplayVerdict)

VERDICT_LABELS: Mapping[ReplayVerdict, str] = {
    "same": "Same",
    "words": "Other words",
    "variables": "Other variables",
    "path": "Other path",
    "failed": "Failed",
    "needs_model": "Needs a model",
    "not_comparable": "Not comparable",
}
"""The labels of the verdicts on the page and in reports."""


@dataclass(frozen=True)
class Divergence:
    """The first place where a run on another version differs."""

    turn: int
    """The user's turn, from 1."""
    node_id: str
    """Logical id of the node: the source of the edge, the node that spoke or wrote, or the one that asks a
    model, tool or service; empty where no node is known."""
    node: str
    """Its name."""
    before: str
    """What was recorded: an edge (``book → Booking intake``), words, a value, or a part of a request."""
    after: str
    """What the other version does or has instead."""
    subject: str = ""
    """Of variables, the name of the variable; of a request that is not recorded, the field that differs."""

    @property
    def text(self) -> str:
        """Return it in words: ``turn 2, Intent desk: billing → Billing instead of book → Booking``."""
        subject = f" {self.subject}" if self.subject else ""
        return f"turn {self.turn}, {self.node or 'the run'}:{subject} {self.after} instead of {self.before}"


@dataclass(frozen=True)
class ReplayResult:
    """The result of one run on another version."""

    run_id: str
    version_number: int
    """The version with which it was recorded."""
    verdict: ReplayVerdict
    turns: int = 0
    """The user's turns that were compared."""
    divergence: Divergence | None = None
    """The first one; ``None`` of a run that is the same or not comparable."""
    reason: str = ""
    """Of ``not_comparable`` the reason, without a full stop; else empty."""
    then: Divergence | None = None
    """Of ``words`` and ``variables``: the request without a recorded answer that ended the replay, if one
    did; what follows is not known."""

    @property
    def text(self) -> str:
        """Return reason and divergence in words; empty of a run that is the same."""
        found = [self.reason, self.divergence.text if self.divergence else ""]
        if self.then is not None:
            node = self.then.node or "the run"
            found.append(f"unknown from turn {self.then.turn} on, where {node} needs a model")
        return "; ".join(filter(None, found))

    @property
    def key(self) -> str:
        """Return the key of its group: runs of one group have the same verdict for the same cause.

        For ``path`` the cause is node and both edges, for ``failed`` node and error, for ``words``,
        ``variables`` and ``needs_model`` node and subject, for ``not_comparable`` node and reason. A run that
        is the same is in no group: its key is empty.
        """
        if self.verdict == "same":
            return ""
        found = self.divergence
        parts = [self.verdict, found.node_id if found else ""]
        if found is not None and self.verdict == "path":
            parts += [found.before, found.after]
        elif found is not None and self.verdict == "failed":
            parts.append(found.after)
        elif found is not None and self.verdict in ("words", "variables", "needs_model"):
            parts.append(found.subject)
        else:
            parts.append(self.reason)
        return hashlib.blake2b(encode(parts), digest_size=12).hexdigest()

    def to_json(self) -> JsonObject:
        """Return the stored form."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Read the result of `to_json`.

        Raises:
            TypeError: A field is missing or unknown.
        """
        read = dict(stored)
        for name in ("divergence", "then"):
            if read.get(name) is not None:
                read[name] = Divergence(**read[name])
        return cls(**read)
