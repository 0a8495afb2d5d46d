"""The routes that mark a workflow as a favorite of the one who asks (``platform/wire.md`` 4.1)."""

from __future__ import annotations

from fastapi import APIRouter, Depends

from debugger.protocol import urls
from debugger.server.answers.workflows import Message
from debugger.server.body import read_object
from debugger.server.operations import described
from debugger.server.parameters import Person, ServedStore, WorkflowId
from debugger.server.reply import JsonReply

router = APIRouter()


@router.post(urls.FAVORITE, dependencies=[Depends(read_object)])
@described(Message)
def mark(workflow_id: WorkflowId, store: ServedStore, person: Person) -> JsonReply:
    """Mark a workflow; to mark it again changes nothing."""
    store.catalogue.favor(workflow_id, person, is_favorite=True)
    return JsonReply({"message": "The workflow is a favorite."})


@router.delete(urls.FAVORITE)
@described(Message)
def unmark(workflow_id: WorkflowId, store: ServedStore, person: Person) -> JsonReply:
    """Take the mark away. The answer has a body: clients read one (``platform/wire.md`` 9.1)."""
    store.catalogue.favor(workflow_id, person, is_favorite=False)
    return JsonReply({"message": "The workflow is no favorite."})
