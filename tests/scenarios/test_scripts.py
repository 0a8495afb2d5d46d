"""Tests of the check of scripts, and of the names that they may use."""

from __future__ import annotations

import pytest

from debugger.protocol.workflow import Workflow
from debugger.samples import SAMPLES
from debugger.scenarios.scripts import script_names, script_problems, script_template
from tests.support.factories import document, say

CLINIC = Workflow.from_document(SAMPLES[-1].load_documents()[-1])


@pytest.mark.parametrize("sample", [each for each in SAMPLES if each.script], ids=lambda each: each.name)
def test_script_problems_finds_none_in_samples(sample) -> None:
    workflow = Workflow.from_document(sample.load_documents()[-1])

    assert script_problems(sample.script_text(), workflow) == []


def test_script_problems_names_line_and_column() -> None:
    own = "version: 1\nworkflow: workflow_clinic_front_desk\n"

    assert script_problems(f"{own}nodes:\n  Intent desk:\n    - whn: a\n      say: b\n", CLINIC)[
        0
    ].startswith("line 5, column 7: rule 1 of 'Intent desk' has the unknown key 'whn'")
    assert script_problems(own.replace("clinic", "other"), CLINIC) == [
        "The script is of the workflow 'workflow_other_front_desk'; this one is 'workflow_clinic_front_desk'."
    ]
    unknown = "anywhere:\n  - when: a\n    take: nowhere\nnodes:\n  Lobby:\n    - say: b\n"
    assert script_problems(own + unknown, CLINIC) == [
        "The workflow has no node 'Lobby' (line 8).",
        "The workflow has no edge and no node 'nowhere': rule 1 of anywhere (line 4).",
    ]


def test_script_names_are_of_nodes_edges_and_tools() -> None:
    names = script_names(CLINIC)

    assert ("node_opening_hours", "node Opening hours") in names
    assert ("Opening hours", "node") in names
    assert ("slots free", "edge") in names
    assert "tool" in {kind for _, kind in names}


def test_script_template_can_be_used() -> None:
    assert script_problems(script_template(CLINIC), CLINIC) == []


def test_script_may_name_several_nodes_at_once() -> None:
    own = Workflow.from_document(document(say("a", name="Desk"), say("b", name="Desk"), logical_id="w"))

    assert script_problems("version: 1\nworkflow: w\nnodes:\n  Desk:\n    - say: Hello\n", own) == []
