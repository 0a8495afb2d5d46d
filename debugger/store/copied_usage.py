"""The model usage that a copy of a run begins with."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class CopiedUsage:
    """What the models had been used for when the copy was made; each turn of the copy adds to it.

    It is kept twice. Each turn's totals replace the last one's, so what was carried over would be lost in
    them (``platform/engine.md`` 9.5, 13).
    """

    token_usage_json: bytes
    latency_stats_json: bytes
    has_calls: bool
    """Whether a model had been called at all; where none had, nothing is carried over."""

    def columns(self) -> dict[str, bytes | None]:
        """The columns of the copy's row that tell of it."""
        return {
            "token_usage": self.token_usage_json,
            "latency_stats": self.latency_stats_json,
            "carried_over_token_usage": self.token_usage_json if self.has_calls else None,
            "carried_over_latency_stats": self.latency_stats_json if self.has_calls else None,
        }
