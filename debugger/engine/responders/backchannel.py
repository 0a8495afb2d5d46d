"""A backchannel: what is said while the answer of a model is late (``platform/engine.md`` 11.3)."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from debugger.engine.responders.base import Prompt
from debugger.protocol.base import JsonObject

TYPE = "llm_group_with_backchannel"
"""The ``type`` of a model configuration that has one."""

_PATIENCE = 2000
"""Milliseconds; the platform's own default."""
_OWN_PROMPT = (
    "The answer to the user takes a moment. Say one short, natural sentence that bridges the wait. "
    "Do not answer the question itself."
)


@dataclass(frozen=True)
class Backchannel:
    """What is said while an answer is late, and from when."""

    patience: float
    """Seconds that the answer has before a filler is said."""
    lines: tuple[str, ...] = ()
    """Fixed fillers."""
    in_sequence: bool = False
    """Whether the fixed fillers are said in their order, else by chance."""
    llm: JsonObject | None = None
    """The model that makes a filler where there are no fixed ones."""
    prefix: str | None = None
    """The mark in the answer behind which it goes on after a filler."""

    def line(self, visit: int, chance: random.Random) -> str | None:
        """A fixed filler: by chance, or that of the node's run ``visit`` (from 1), over again at the end."""
        if not self.lines:
            return None
        return self.lines[(visit - 1) % len(self.lines)] if self.in_sequence else chance.choice(self.lines)

    def prompt(self, prompt: Prompt) -> Prompt:
        """What the model is asked that makes a filler."""
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
        """What of an answer is still to be said after a filler."""
        if not self.prefix or self.prefix not in text:
            return text
        return text.split(self.prefix, 1)[1].strip()


def backchannel_of(llm: JsonObject | None) -> Backchannel | None:
    """The backchannel of a model configuration, if it has one."""
    if llm is None or llm.get("type") != TYPE:
        return None
    lines = llm.get("backchannel_static_responses")
    patience, prefix = llm.get("backchannel_min_patience_time_ms"), llm.get("non_backchannel_response_prefix")
    fixed = tuple(str(line) for line in lines if line) if isinstance(lines, list) else ()
    model = llm.get("backchannel_llm_config")
    return Backchannel(
        patience=(patience if isinstance(patience, int | float) else _PATIENCE) / 1000,
        lines=fixed,
        in_sequence=llm.get("backchannel_static_responses_selection_mode") == "sequence",
        llm=model if isinstance(model, dict) and not fixed else None,
        prefix=prefix if isinstance(prefix, str) else None,
    )
