"""The route of the active versions of all workflows (``platform/wire.md`` 4.1)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Query

from debugger.backends.embedded import EmbeddedBackend
from debugger.protocol import urls
from debugger.protocol.workflow import VersionSummary, Workflow, WorkflowSummary
from debugger.server.answers.workflows import VersionPage
from debugger.server.operations import described
from debugger.server.paging import DEFAULT_SIZE, PageNumber, PageSize, page_envelope
from debugger.server.parameters import Engine, Person
from debugger.server.reply import JsonReply
from debugger.server.shapes.versions import version_row

router = APIRouter()

Found = tuple[WorkflowSummary, VersionSummary, Workflow]


@router.get(urls.ACTIVE_VERSIONS)
@described(VersionPage)
def list_active_versions(
    engine: Engine,
    person: Person,
    page: PageNumber = 1,
    size: PageSize = DEFAULT_SIZE,
    favorites: bool = False,
    created_by_me: bool = False,
    category: str | None = None,
    categories: Annotated[list[str] | None, Query()] = None,
    logical_id: str | None = None,
) -> JsonReply:
    """One page of the active versions, newest workflow first.

    A filter that is ``false`` filters nothing: what the platform makes of one is not known.
    """
    wanted = {*(categories or []), *([category] if category else [])}
    found = [
        (summary, version, graph)
        for summary, version, graph in _active(engine, person, favorites, created_by_me)
        if (not wanted or graph.config.category in wanted)
        and (logical_id is None or graph.config.logical_id == logical_id)
    ]
    rows = [
        version_row(summary.id, version, graph.to_wire())
        for summary, version, graph in found[(page - 1) * size : page * size]
    ]
    return JsonReply(page_envelope("versions", rows, page=page, size=size, total=len(found)))


def _active(engine: EmbeddedBackend, person: str, favorites: bool, created_by_me: bool) -> Iterator[Found]:
    summaries = engine.workflows()
    catalogue = engine.store.catalogue
    if favorites:
        marked = catalogue.favorites_of(person)
        summaries = [summary for summary in summaries if summary.id in marked]
    if created_by_me:
        facts = catalogue.facts([summary.id for summary in summaries])
        summaries = [one for one in summaries if one.id in facts and facts[one.id].created_by == person]
    for summary in summaries:
        active = next(version for version in engine.versions(summary.id) if version.is_active)
        yield summary, active, engine.workflow(summary.id, active.version_number)
