"""Packages that are used without the page, and the examples of the page *Use it from Python*."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

PAGE = (Path(__file__).parents[1] / "debugger" / "docs" / "python.md").read_text(encoding="utf-8")
PACKAGES = ["debugger.engine", "debugger.scenarios", "debugger.exports", "debugger.server"]
WITHOUT_PAGE = "import sys\nfor name in ('streamlit', 'debugger.views', 'pandas'): sys.modules[name] = None\n"
"""Makes each import of them raise `ImportError`."""
DOCTESTS = """
import doctest, importlib
for name in sys.argv[1:]:
    package = importlib.import_module(name)
    result = doctest.testmod(package)
    print(name, result.failed, result.attempted > 0, all(hasattr(package, each) for each in package.__all__))
"""
SCRIPTS = "\nimport runpy\nfor path in sys.argv[1:]: runpy.run_path(path)\n"


def run_python(code: str, *arguments: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=folder, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_packages_state_their_interface_by_a_call_that_runs(tmp_path):
    output = run_python(WITHOUT_PAGE + DOCTESTS, *PACKAGES, folder=tmp_path)

    assert output.splitlines() == [f"{name} 0 True True" for name in PACKAGES]


def test_import_of_a_package_imports_no_other_module_of_it(tmp_path):
    code = f"import sys, {', '.join(PACKAGES)}\nprint(*(name for name in sys.modules if 'debugger.' in name))"

    assert set(run_python(code, folder=tmp_path).split()) == {"debugger.lazy_names", *PACKAGES}


def test_unknown_name_is_no_attribute():
    import debugger.engine

    assert not hasattr(debugger.engine, "nothing")


def test_examples_of_the_page_print_what_stands_below_them(tmp_path):
    for name, text in re.findall(r"Save this as `([^`]+)`[^`]*```\w+\n(.*?)^```", PAGE, re.M | re.S):
        (tmp_path / name).write_text(text, encoding="utf-8")
    examples = re.findall(r"^```python\n(.*?)^```\n\n(?:[^\n]+\n\n)?```text\n(.*?)^```", PAGE, re.M | re.S)
    for number, (code, _) in enumerate(examples):
        (tmp_path / f"example_{number}.py").write_text(code, encoding="utf-8")
    *scripts, (server, address), (client, workflows) = examples

    names = [f"example_{number}.py" for number in range(len(scripts))]
    output = run_python(WITHOUT_PAGE + SCRIPTS, *names, folder=tmp_path)

    assert len(scripts) == PAGE.count("```python") - 2 == 6
    assert output == "".join(expected for _, expected in scripts)

    command = [sys.executable, "-c", WITHOUT_PAGE + server.replace("8611", "0")]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline()
            port = re.search(r":(\d+)/", line)[1]
            answer = run_python(WITHOUT_PAGE + client.replace("8611", port), folder=tmp_path)
        finally:
            process.terminate()

    assert line == address.replace("8611", port)
    assert answer == workflows
