"""Values that differ between any two runs, which comparisons can ignore.

Only fields of the protocol are named here. A variable of an author's own is never passed over, whatever it is
called; of the system's own variables only those that the caller did not set himself.

Source: the envelope, the sub-objects and the system's variables in ``platform.md#event-fields`` and
``platform.md#node-outputs``; usage in
``platform.md#usage``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from debugger.analysis.caller_input import supplied_dynamic
from debugger.protocol.base import JsonObject
from debugger.protocol.runs import CLIENT_TURN_ID, TurnInput
from debugger.protocol.workflow import SYSTEM_NAMES

_RANDOM = frozenset(name for name in SYSTEM_NAMES if name.startswith("rand_"))
_NODE_INPUTS = "run_input/thread_to_node_inputs/*/node_run_inputs"
_SYSTEM_PLACES = (
    "run_input/dynamic_variables",
    "run_input/runtime_variables/all_dynamic_variables",
    f"{_NODE_INPUTS}/dynamic_variables",
    "workflow_runtime_variables/_evaluated_dynamic_variables",
)
"""The places of the system's variables among an author's."""
_USAGE = "llm_usage_info"
_RETRIES = ("structured_output_retry_metadata", "request_retry_metadata")
_METADATA = ("response_metadata", "message/response_metadata", "messages/response_metadata")


NULLS = "absent or null"
"""The kind that makes a null equal to no key at all: engines differ in which of both they write."""


@dataclass(frozen=True)
class Ignored:
    """One kind of value that a comparison can ignore."""

    name: str
    covers: str
    """A description for users."""
    paths: tuple[str, ...]
    """In an event, or in a turn's input under ``run_input``, written as for `FilterNode`."""
    system_names: frozenset[str] = frozenset()
    """The system's variables that belong to it, in any place."""


IGNORED: tuple[Ignored, ...] = (
    Ignored(
        "ids",
        "ids of events, messages, tool calls, answers of models, conversations, documents, runs, workflows",
        (
            "logical_id",
            "message/id",
            "message/tool_calls/id",
            "message/tool_call_id",
            "messages/id",
            "chat_history/id",
            "chat_history/tool_calls/id",
            "conversation_id",
            "document_id",
            "document_url",
            f"{_USAGE}/llm_response_id",
            f"{_USAGE}/ai_message_turn_id",
            "run_input/messages/id",
            f"{_NODE_INPUTS}/messages/id",
            "run_input/workflow_run_id",
            f"run_input/miscellaneous/{CLIENT_TURN_ID}",
            "run_input/workflow_id",
            "run_input/team_id",
            "run_output/conversation_id",
        ),
    ),
    Ignored(
        "times",
        "when an event happened, deadlines, and the system's clock (now, date, timestamp and their like)",
        ("timestamp", "deadline_epoch"),
        SYSTEM_NAMES - _RANDOM,
    ),
    Ignored(
        "random values", "the system's random variables (rand_int, rand_uuid and their like)", (), _RANDOM
    ),
    Ignored(
        "durations",
        "the duration of turns, models and tools",
        (
            f"{_USAGE}/response_latency_milliseconds",
            *(f"{_USAGE}/{name}/failed_attempts/latency_milliseconds" for name in _RETRIES),
            "iteration_metrics/e2e_latency_milliseconds",
            "paused_intervals",
            "iteration_metrics/llm_call_latency_stats",
            "iteration_metrics/tool_call_latency_stats",
            "llm_latency_stats",
            *(f"{place}/latency_milliseconds" for place in _METADATA),
        ),
    ),
    Ignored(
        "tokens",
        "how many tokens models read and wrote",
        (
            f"{_USAGE}/prompt_tokens",
            f"{_USAGE}/completion_tokens",
            f"{_USAGE}/total_tokens",
            f"{_USAGE}/was_estimated",
            "message/usage_metadata",
            "llm_token_usage",
            *(f"{place}/token_usage" for place in _METADATA),
        ),
    ),
    Ignored(
        "engine",
        "which model and provider answered and how, and the engine's stack traces",
        (
            f"{_USAGE}/provider",
            f"{_USAGE}/response_model",
            f"{_USAGE}/named_llm_config_id",
            f"{_USAGE}/named_llm_config_name",
            f"{_USAGE}/used_user_api_key",
            f"{_USAGE}/was_streamed",
            f"{_USAGE}/finish_reason",
            "stack_trace",
            *(f"{place}/llm_config_model" for place in _METADATA),
            *(f"{place}/model_name" for place in _METADATA),
            *(f"{place}/model_provider" for place in _METADATA),
            *(f"{place}/system_fingerprint" for place in _METADATA),
            *(f"{place}/finish_reason" for place in _METADATA),
        ),
    ),
    Ignored(
        "version and user",
        "which version a turn asked for, and who ran it",
        ("run_input/version_number", "run_input/run_by"),
    ),
    Ignored("comments", "comments on an event, and ratings of it", ("comments", "ratings")),
    Ignored(
        "repetitions",
        "what an event repeats of others: the turn in its closing event, the events of a node in its output",
        (
            "run_input_output_pair",
            "run_output/events",
            "run_input/runtime_variables/all_dynamic_variables",
            "run_input/runtime_variables/input_dynamic_variables",
        ),
    ),
    Ignored(
        "input in states",
        "the dynamic variables that every state event repeats of the input",
        (
            "workflow_runtime_variables/_evaluated_dynamic_variables",
            "workflow_runtime_variables/_input_dynamic_variables",
        ),
    ),
    Ignored(
        "counters",
        "how often a node or an edge has run so far",
        (
            "origin_node_run_id",
            "edge_run_id",
            "run_output/node_run_id",
            "iteration_number",
            "run_input/runtime_variables/workflow_invoke_count",
        ),
    ),
    Ignored(
        "justifications",
        "a model's reasons for a transition, and their copies in variables",
        (
            "message/tool_calls/args/justification",
            "args_filled/justification",
            "runtime_variables/justification",
            "runtime_variables/*.justification",
        ),
    ),
    Ignored(NULLS, "whether a key without a value is absent or null", ()),
)
"""Every kind, in the order in which they are offered."""

IGNORED_BETWEEN_REPLAYS: frozenset[str] = frozenset(one.name for one in IGNORED) - {
    "input in states",
    "counters",
    "justifications",
    NULLS,
}
"""Ignored between two runs of the same turn."""

IGNORED_BETWEEN_RUNS: frozenset[str] = IGNORED_BETWEEN_REPLAYS | {"input in states", "counters", NULLS}
"""Ignored between any two runs at first: one changed input, or one detour, would show in every event after
it."""


def event_filter(ignoring: Collection[str], run_input: TurnInput) -> FilterNode:
    """Return the filter for the events and the input of a turn.

    Args:
        ignoring: Names of `IGNORED`.
        run_input: The turn's input: a system variable that it sets is the caller's own.

    Raises:
        KeyError: There is no such name.
    """
    own = SYSTEM_NAMES & supplied_dynamic(run_input).keys()
    return _filter(frozenset(ignoring), frozenset(own))


@lru_cache(maxsize=64)
def _filter(ignoring: frozenset[str], own: frozenset[str]) -> FilterNode:
    """Return the filter of kinds of values, cached; the system's variables in ``own`` are not ignored.

    Raises:
        KeyError: There is no such kind.
    """
    if unknown := ignoring - {one.name for one in IGNORED}:
        raise KeyError(f"nothing that can be ignored is called {', '.join(sorted(unknown))}")
    chosen = [one for one in IGNORED if one.name in ignoring]
    root = FilterNode.of(path for one in chosen for path in one.paths)
    root.drops_nulls = NULLS in ignoring
    for one in chosen:
        for place in _SYSTEM_PLACES if one.system_names else ():
            root.along(place.split("/")).keys.update(dict.fromkeys(one.system_names - own))
    # The filter also applies to whole events and turns inside events.
    output = root.along(["run_output"])
    output.keys.setdefault("events", root)
    output.keys["thread_to_node_outputs"] = FilterNode(endings={"": FilterNode(dict(output.keys))})
    root.keys.setdefault("run_input_output_pair", root)
    return root


@dataclass
class FilterNode:
    """Paths to ignored values below one object.

    A path is keys joined by ``/``; lists are entered without a key. A key may be ``*`` for any key, or begin
    with a star for all keys with that ending.
    """

    keys: dict[str, FilterNode | None] = field(default_factory=dict)
    """Rules by key; ``None`` marks a value that is ignored."""
    endings: dict[str, FilterNode | None] = field(default_factory=dict)
    """Rules by the end of the key, if no key matches."""
    drops_nulls: bool = False
    """Whether keys with a null are ignored at any depth; read at the root alone, see `without_nulls`."""

    @classmethod
    def of(cls, paths: Iterable[str]) -> FilterNode:
        """Return the paths as a tree."""
        root = cls()
        for path in paths:
            *way, last = path.split("/")
            branch = root.along(way)
            branch._among(last)[last.removeprefix("*")] = None
        return root

    def along(self, way: Iterable[str]) -> FilterNode:
        """Return the node at the end of these keys, made if missing."""
        here = self
        for key in way:
            among, name = here._among(key), key.removeprefix("*")
            here = among.setdefault(name, FilterNode()) or FilterNode()
        return here

    def filter(self, value: Any) -> Any:
        """Return the value without what the paths ignore.

        Parts that no path leads into are the same objects.
        """
        if isinstance(value, list):
            return [self.filter(one) for one in value]
        return self.filter_object(value) if isinstance(value, dict) else value

    def filter_object(self, value: JsonObject) -> JsonObject:
        """Return a copy of an object without what the paths ignore; nulls stay, see `without_nulls`."""
        keys, has_endings = self.keys, bool(self.endings)
        left: JsonObject = {}
        for key, one in value.items():
            if key in keys:
                branch = keys[key]
            elif has_endings and (ending := self._ending(key)) is not None:
                branch = self.endings[ending]
            else:
                left[key] = one
                continue
            if branch is not None:
                left[key] = branch.filter(one)
        return left

    def _among(self, key: str) -> dict[str, FilterNode | None]:
        return self.endings if key.startswith("*") else self.keys

    def _ending(self, key: str) -> str | None:
        return next((ending for ending in self.endings if key.endswith(ending)), None)


def without_nulls(value: Any) -> Any:
    """Return a JSON value without null keys; lists keep their nulls."""
    if isinstance(value, dict):
        return {key: without_nulls(one) for key, one in value.items() if one is not None}
    return [without_nulls(one) for one in value] if isinstance(value, list) else value
