from __future__ import annotations

import json

from debugger.graph.saved_models import with_known_models
from tests.support.factories import say, workflow

COPY = {"type": "openai_llm", "model": "m", "named_llm_config_id": "saved-1"}


def test_saved_model_is_found_by_its_copy():
    group = {"type": "llm_group", "llms": [{"type": "google_llm"}, COPY]}
    nodes = [
        say("a", attachable_llm_config_id="saved-1", llms_config={"type": "google_llm"}),
        say("b", attachable_llm_config_id="saved-2", llms_config={"type": "google_llm"}),
        say("c", llms_config=group),
    ]

    found = with_known_models(workflow(*nodes, attachable_llm_config_id="saved-1")).to_wire()

    holders = [found["workflow_config"], *found["node_configs"]]
    assert [(each.get("attachable_llm_config_id"), each.get("llms_config")) for each in holders] == [
        (None, COPY),
        (None, COPY),
        ("saved-2", {"type": "google_llm"}),
        (None, group),
    ]


def test_workflow_itself_stays_as_it_is():
    flow = workflow(say("a", attachable_llm_config_id="saved-1"), say("b", llms_config=COPY))
    before = json.dumps(flow.to_wire())

    with_known_models(flow)

    assert json.dumps(flow.to_wire()) == before


def test_workflow_without_copies_stays():
    flow = workflow(say("a", attachable_llm_config_id="saved-1", llms_config={"type": "google_llm"}))

    assert with_known_models(flow) is flow
