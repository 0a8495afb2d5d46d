from __future__ import annotations

import pytest

from debugger.analysis.mocked_events import is_fault_at, is_mocked
from debugger.engine.mocks.interceptor import PERSON, PINNED
from debugger.engine.models.invoke import _RECORDED

SIMULATED = {"response_metadata": {"simulated": True}}


@pytest.mark.parametrize(
    "event",
    [
        {"type": "http_request", "answered_by": ["recorded"]},
        {"type": "end_node_run", "intervened": ["pin1"]},
        {"type": "end_node_run", "run_output": {"simulated": True}},
        {"type": "worker_llm", "message": SIMULATED},
        *(
            {"type": "say_llm", "llm_usage_info": {"provider": "embedded", "response_model": model}}
            for model in (PERSON, PINNED, _RECORDED)
        ),
    ],
)
def test_signs_of_mocks_are_read(event):
    assert is_mocked(event)


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"type": "end_node_run"},
        {"type": "end_node_run", "run_output": None, "intervened": []},
        {"type": "end_node_run", "run_output": {"simulated": "no"}},
        {"type": "say_llm", "message": 5, "llm_usage_info": "no"},
        {"type": "say_llm", "llm_usage_info": {"provider": "embedded", "response_model": "built-in rules"}},
        {"type": "say_llm", "llm_usage_info": {"provider": "custom", "response_model": "person"}},
    ],
)
def test_other_events_are_not_mocked(event):
    assert not is_mocked(event)


@pytest.mark.parametrize(
    ("sources", "expected"), [(["pin", "fault"], True), (["pin"], False), ("fault", False), (None, False)]
)
def test_faults_are_named(sources, expected):
    assert is_fault_at({"answered_by": sources}) is expected


@pytest.mark.parametrize(
    ("applied", "expected"), [(["pin1", "fault2"], True), (["pin1"], False), ("fault1", False), ([5], False)]
)
def test_applied_faults_are_named(applied, expected):
    assert is_fault_at({"type": "end_node_run", "intervened": applied}) is expected
