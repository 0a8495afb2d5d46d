"""The request for a re-run (``platform.md#re-runs``)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from debugger.protocol.base import JsonObject
from debugger.protocol.runs import MAIN_THREAD

RerunMode = Literal["EXACT", "REMAPPED", "PORTABLE"]
"""The same graph and all that the run remembered; another graph, at the node that belongs to the old one;
only words and variables, at a node that is chosen."""

HistoryMode = Literal["FULL", "USER_AND_ASSISTANT_ONLY", "NONE"]

_Index = Annotated[int, Field(ge=0)]


class RerunTarget(BaseModel):
    """The target of a re-run; missing fields keep the run's values."""

    target_workflow_id: Annotated[str, Field(pattern="^[0-9a-f]{24}$")] | None = None
    target_version_number: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None
    """That of the workflow's active version by default."""
    history_mode: HistoryMode | None = None
    """All by default where the graphs are the same, else what was said alone."""
    entry_node_logical_id: str | None = None
    node_id_map: dict[str, str] | None = None
    requested_mode: RerunMode | None = None
    """The least that it must be."""


class MessageEdit(BaseModel):
    """Another text for a line."""

    model_config = ConfigDict(extra="forbid")

    thread_id: str = MAIN_THREAD
    index: _Index
    text: str

    _words = field_validator("text")(lambda value: _some_words(value))


class MessageAppend(BaseModel):
    """A line to append."""

    model_config = ConfigDict(extra="forbid")

    thread_id: str = MAIN_THREAD
    role: Literal["user", "assistant"]
    text: str

    _words = field_validator("text")(lambda value: _some_words(value))


class MessageDelete(BaseModel):
    """A line to delete."""

    model_config = ConfigDict(extra="forbid")

    thread_id: str = MAIN_THREAD
    index: _Index


class RerunEdits(BaseModel):
    """The edits made before a re-run starts.

    Indexes are those of the lines before any edit.
    """

    model_config = ConfigDict(extra="forbid")

    dynamic_variables: JsonObject = Field(default_factory=dict)
    runtime_variables: dict[str, JsonObject] = Field(default_factory=dict)
    """By thread."""
    message_edits: list[MessageEdit] = Field(default_factory=list)
    message_appends: list[MessageAppend] = Field(default_factory=list)
    message_deletes: list[MessageDelete] = Field(default_factory=list)

    @model_validator(mode="after")
    def _one_for_each_line(self) -> RerunEdits:
        """Refuse a second edit or deletion of a line, with a ValueError."""
        touched = [(line.thread_id, line.index) for line in self.message_edits]
        touched += [(line.thread_id, line.index) for line in self.message_deletes]
        if len(set(touched)) < len(touched):
            raise ValueError("a line can be edited or deleted, and once only")
        return self

    @property
    def is_empty(self) -> bool:
        """Return whether nothing is edited."""
        return self == RerunEdits()


def _some_words(value: str) -> str:
    if not value.strip():
        raise ValueError("a line needs some words; delete it instead")
    return value
