from __future__ import annotations

import pytest

from debugger.analysis.outbound_policies import model_source_label, policy_rows, policy_summary
from debugger.settings import Settings, read_settings


def test_policy_rows_name_policy_and_setting():
    rows = policy_rows(Settings(outbound_contact="simulated"))

    assert [(row.call_class, row.policy, row.meaning) for row in rows] == [
        ("talk", "live", "made for real"),
        ("read", "live", "made for real"),
        ("write", "blocked", "refused"),
        ("contact", "simulated", "answered here"),
    ]


def test_policy_rows_name_the_settings(monkeypatch):
    for row in policy_rows(Settings()):
        monkeypatch.setenv(row.setting, "simulated")

    rows = policy_rows(read_settings())

    assert [row.policy for row in rows] == ["simulated"] * 4


@pytest.mark.parametrize(
    ("responder", "has_script", "words"),
    [
        ("model", True, "the models that the workflow names"),
        ("rules", True, "rules"),
        ("scripted", True, "the workflow's script"),
        ("scripted", False, "rules, since the workflow has no script"),
        ("scripted", None, "the workflow's script, else rules"),
    ],
)
def test_what_answers_for_models_is_told(responder, has_script, words):
    assert model_source_label(Settings(responder=responder), has_script=has_script) == words


def test_policy_summary_is_one_line():
    told = policy_summary(Settings(responder="rules"), has_script=False)

    assert told == "Models: rules. External calls: talk live, read live, write blocked, contact blocked."
