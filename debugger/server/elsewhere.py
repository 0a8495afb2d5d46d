"""What of the platform's API is not here: each path answers 501 with a sentence that names it.

Source: ``platform/wire.md`` section 8.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from fastapi import APIRouter, Depends

from debugger.errors import UnsupportedError
from debugger.protocol import urls
from debugger.server.body import read_object

router = APIRouter()

_WHOLE = {
    "/v1/nodes": "Stand-alone nodes are kept on the platform only; here a node is a part of its workflow.",
    "/v1/edges": "Stand-alone edges are kept on the platform only; here an edge is a part of its workflow.",
    "/v1/tools": "Stand-alone tools are kept on the platform only; here a tool is a part of its node.",
    "/v1/super-nodes": "The list of super nodes is kept on the platform only; here they run all the same.",
    "/v1/templates": "Workflow templates are kept on the platform only.",
    "/v1/node-libraries": "Node libraries are kept on the platform only.",
    "/v1/workflow-categories": "Workflow categories are kept on the platform only.",
    "/v1/schemas": "The schema of LLM configurations is kept on the platform only.",
    "/v1/llm-configs": "Named LLM configurations are kept on the platform only.",
    "/v1/workflow-schedules": "Schedules are kept on the platform only.",
    "/v1/workflow-webhooks": "Webhooks are kept on the platform only.",
    "/v1/simulations": "Simulations are run on the platform only.",
    "/v1/simulation-runs": "Simulations are run on the platform only.",
}
"""Paths with everything below them."""

_SINGLE = {
    "/v1/workflows/{workflow_id}/schedules": "Schedules are kept on the platform only.",
    "/v1/workflows/{workflow_id}/super-node-interface": "The interface of a super node is set on the "
    "platform only; here it is a part of the document.",
    "/v1/workflows/{workflow_id}/super-node-dependents": "Which workflows hold a super node is told on the "
    "platform only.",
    "/v1/workflows/{workflow_id}/super-node-snapshot-status": "Snapshots of super nodes are kept on the "
    "platform only.",
    "/v1/workflows/{workflow_id}/expand-preview": "The preview of an expanded super node is made on the "
    "platform only.",
    urls.CHECKPOINT_RUN: "Checkpoint runs were removed from the API; re-run the turn instead.",
}

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def _refusal(sentence: str) -> Callable[[], None]:
    def refuse() -> None:
        raise UnsupportedError(sentence)

    return refuse


def refusals() -> Iterator[tuple[str, str]]:
    """Each path that is not here, with the sentence that says why."""
    for path, sentence in _WHOLE.items():
        yield path, sentence
        yield path + "/{rest:path}", sentence
    yield from _SINGLE.items()


for _path, _sentence in refusals():
    router.add_api_route(
        _path,
        _refusal(_sentence),
        methods=list(METHODS),
        dependencies=[Depends(read_object)],
        include_in_schema=False,  # one name for all methods would stand there
    )
