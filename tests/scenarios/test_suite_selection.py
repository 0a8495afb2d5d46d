from __future__ import annotations

import pytest

from debugger.errors import InputError
from debugger.scenarios.suite import load_cases, select_cases


@pytest.fixture
def cases(tmp_path, monkeypatch):
    """Three cases with tags."""
    monkeypatch.chdir(tmp_path)
    for name, tags in (("a", "[smoke, fast]"), ("b", "[smoke]"), ("c", "[]")):
        text = f"version: 1\nname: {name}\ntags: {tags}\nworkflow: x\nturns: [{{say: Hi}}, {{advance: 2}}]\n"
        (tmp_path / f"{name}.scenario.yaml").write_text(text)
    return load_cases([tmp_path])


@pytest.mark.parametrize(
    ("tags", "excluded", "names"),
    [
        ([], [], "abc"),
        (["smoke"], [], "ab"),
        (["smoke", "fast"], [], "ab"),
        (["smoke"], ["fast"], "b"),
        ([], ["smoke"], "c"),
    ],
)
def test_tags_select_cases(cases, tags, excluded, names):
    assert "".join(case.scenario.name for case in select_cases(cases, tags, excluded)) == names


def test_unknown_tag_names_known_ones(cases):
    with pytest.raises(InputError, match="The tags are: fast, smoke") as caught:
        select_cases(cases, ["booking"])

    assert caught.value.message == "No scenario has the tag 'booking'."


def test_paths_that_overlap_count_once(cases, tmp_path):
    again = load_cases([tmp_path, tmp_path / "a.scenario.yaml", tmp_path / "x" / ".." / "b.scenario.yaml"])

    assert [case.id for case in again] == [case.id for case in cases]
    assert cases[0].id == "a.scenario.yaml::a"


def test_options_replace_connection_and_repetitions(tmp_path, cases):
    changed = load_cases([tmp_path], connection="hosted", repeat=3)

    assert {(case.scenario.connection, case.turns) for case in changed} == {("hosted", 3)}
    assert [case.turns for case in cases] == [1, 1, 1]
    assert {case.digest for case in changed}.isdisjoint(case.digest for case in cases)
