from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from debugger.errors import InputError
from debugger.protocol.file_limits import FILE_LIMITS, FileLimit

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("config", [".streamlit/config.toml", "debugger/views/app/.streamlit/config.toml"])
def test_server_takes_the_largest_file_and_no_larger_one(config):
    server = tomllib.loads((ROOT / config).read_text(encoding="utf-8"))["server"]

    assert server["maxUploadSize"] == max(limit.megabytes for limit in FILE_LIMITS)


def test_every_uploader_has_the_limit_of_its_kind():
    views = (ROOT / "debugger" / "views").rglob("*.py")
    drawing = [path.name for path in views if "st.file_uploader(" in path.read_text(encoding="utf-8")]

    assert drawing == ["uploads.py"]


def test_settings_name_each_limit():
    text = (ROOT / "debugger" / "docs" / "settings.md").read_text(encoding="utf-8")

    assert [
        limit.noun for limit in FILE_LIMITS if f"| {limit.noun} | {limit.megabytes} MB |" not in text
    ] == []


def test_a_larger_file_is_refused_by_name():
    limit = FileLimit("sheet", 1)

    limit.check(b"x" * limit.max_bytes)
    with pytest.raises(InputError, match=r"The sheet 'a.csv' has 1,048,577 bytes.*Split it: 1 MB"):
        limit.check(b"x" * (limit.max_bytes + 1), "a.csv")


@pytest.mark.parametrize("text", ["[" * 41, "1," * 101, b"{" * 41, b"1," * 101])
def test_json_of_many_values_is_refused(text):
    limit = FileLimit("workflow file", 1, values=100)

    limit.check_json(text[:40])
    with pytest.raises(InputError, match="Split it: 40 lists and objects and 100 values are the most"):
        limit.check_json(text)
