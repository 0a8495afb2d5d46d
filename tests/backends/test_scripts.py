from __future__ import annotations

import pytest

from debugger.backends.scripts import find_script
from debugger.errors import InputError


def test_the_script_that_names_the_workflow_is_found_among_others(tmp_path):
    (tmp_path / "a.yaml").write_text("version: 1\nworkflow: other\n", encoding="utf-8")
    (tmp_path / "b.yml").write_text("version: 1\nworkflow: tea\ndemo: [Assam]\n", encoding="utf-8")

    assert find_script("tea", tmp_path).demo == ("Assam",)
    assert find_script("nobody's", tmp_path) is None
    assert find_script("nobody's", tmp_path / "not there") is None


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"version: 1\nworkflow: \xff\n", "a.yaml is not UTF-8"), (b"version: 2\n", "a.yaml: line 1: ")],
)
def test_a_script_that_cannot_be_used_is_told_by_its_file(tmp_path, data, words):
    (tmp_path / "a.yaml").write_bytes(data)

    with pytest.raises(InputError, match=words):
        find_script("tea", tmp_path)
