"""Rules of the repository that no tool checks.

`.ci/run` calls the formatter, the linters and mypy.
"""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_top_level_has_no_other_entry():
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    names = {path.split("/")[0] for path in tracked.splitlines()}

    # The licence is the owner's to choose.
    assert {name for name in names if not name.startswith(".")} - {"LICENSE"} == {
        "README.md",
        "app.py",
        "debugger",
        "pyproject.toml",
        "tests",
    }


def test_docstrings_open_with_a_verb_or_a_noun():
    opening = re.compile(
        r"(What|Whether|Who|Whoever|How|Where|Why|Which|As|Of|To|For|That|By|Nobody|Somebody|Whatever)\b"
    )
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    odd = [
        f"{path.relative_to(ROOT)}: {docstring.splitlines()[0]}"
        for folder in ("debugger", "tests")
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, kinds) and (docstring := ast.get_docstring(node)) and opening.match(docstring)
    ]

    assert odd == []
