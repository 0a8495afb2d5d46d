"""Checks that README and documents agree with the code."""

from __future__ import annotations

import inspect
import re
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from debugger.cli import COMMANDS, load_command, main
from debugger.engine import ScriptedModel, load_workflow, run
from debugger.engine.models.heuristic import HeuristicModel
from debugger.engine.models.providers.keys import CUSTOM, CUSTOM_URL
from debugger.engine.models.script import Script
from debugger.engine.nodes import NODE_TYPES
from debugger.engine.tools import TOOL_TYPES
from debugger.graph.checks import check
from debugger.settings import HOSTED_PREFIX, PREFIX, HostedSettings, Settings

ROOT = Path(__file__).parents[1]
OTHER = {CUSTOM, CUSTOM_URL, f"{PREFIX}SECRETS_FOLDER", f"{PREFIX}STREAMLIT_PATCHES"}
"""Variables that are read outside `Settings`."""
PACKAGE = ROOT / "debugger"
DOCS = PACKAGE / "docs"
README = (ROOT / "README.md").read_text(encoding="utf-8")
SETTINGS = (DOCS / "settings.md").read_text(encoding="utf-8")
PLATFORM = (DOCS / "platform.md").read_text(encoding="utf-8")
PAPERS = [ROOT / "README.md", *sorted((ROOT / ".github").rglob("*.md")), *sorted(DOCS.rglob("*.md"))]
"""All documents: also those that neither the help nor the wheel has."""
PAGES = [path for path in sorted(DOCS.glob("*.md")) if path.stem != "changelog"]
FOR_DEVELOPERS = [
    ROOT / ".github" / "CONTRIBUTING.md",
    ROOT / ".github" / "SECURITY.md",
    DOCS / "architecture.md",
    *(path for path in sorted((DOCS / "decisions").iterdir()) if path.stem != "README"),
]
"""Documents in which each path in backticks is a file of the repository."""
CODE = [
    path
    for folder in ("debugger", "tests")
    for path in (ROOT / folder).rglob("*")
    if path.suffix in {".py", ".js", ".lark"} and path != Path(__file__)
]


def test_readme_has_both_commands():
    assert "pip install . && streamlit run app.py" in README
    assert "pip install -e '.[test]' && pytest" in README
    assert "pip install -q -e '.[test]' && pytest" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_readme_is_short_with_its_sections():
    assert len(README.splitlines()) <= 80
    assert re.findall(r"^## (.+)$", README, re.MULTILINE) == [
        "Two commands",
        "What it does",
        "A scenario and what it says",
        "Status",
        "Licence",
    ]


def test_readme_shows_output_of_its_scenario(tmp_path, monkeypatch):
    part = README.partition("## A scenario")[2]
    (tmp_path / "refill.scenario.yaml").write_text(re.findall(r"```yaml\n(.*?)```", part, re.DOTALL)[0])
    shown = re.findall(r"```text\n(.*?)```", part, re.DOTALL)[0].splitlines()
    monkeypatch.chdir(tmp_path)

    done = CliRunner().invoke(main, ["test", "refill.scenario.yaml", "--database", "sqlite://"])

    said = done.stdout.splitlines()
    patterns = [re.escape(line).replace("…", ".*") for line in shown]
    assert [line for line in patterns if not any(re.fullmatch(line, each) for each in said)] == []
    assert done.exit_code == 1


def test_first_run_shows_what_is_said():
    part = (DOCS / "first_run.md").read_text(encoding="utf-8").partition("## Your own workflow")[2]
    blocks = re.findall(r"```(\w+)\n(.*?)```", part, re.DOTALL)
    (_, file), (_, by_rules), (_, rules), (_, by_script) = [
        (kind, inspect.cleandoc(f"\n{text}")) for kind, text in blocks
    ]
    workflow, fallback = load_workflow(file), HeuristicModel()

    assert check(workflow, frozenset(NODE_TYPES), NODE_TYPES) == []
    assert _said(workflow, ["I'd like some tea."], fallback) == by_rules.splitlines()
    model = ScriptedModel(Script.load(rules), fallback)
    assert _said(workflow, ["I'd like some tea.", "Green, please."], model) == by_script.splitlines()


def _said(workflow, messages, model):
    """Return what the agent says after the greeting."""
    events = run(workflow, messages, model=model)
    return [event.words for event in events if event.type == "assistant_response"][1:]


def test_extraction_example_passes(tmp_path, monkeypatch):
    text = (DOCS / "extraction.md").read_text(encoding="utf-8")
    (tmp_path / "callback.json").write_text(re.findall(r"```json\n(.*?)```", text, re.DOTALL)[0])
    scenarios = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    for number, scenario in enumerate(scenarios):
        content = scenario.replace("workflow: workflow_callback", "workflow: callback.json")
        (tmp_path / f"{number}.scenario.yaml").write_text(content)
    monkeypatch.chdir(tmp_path)

    done = CliRunner().invoke(main, ["test", ".", "--database", "sqlite://"])

    workflow = load_workflow((tmp_path / "callback.json").read_text())
    assert check(workflow, frozenset(NODE_TYPES), NODE_TYPES) == []
    assert (done.exit_code, done.stdout.splitlines()[-1].startswith("3 passed in")) == (0, True)

    by_number = (tmp_path / "0.scenario.yaml").read_text()
    (tmp_path / "0.scenario.yaml").write_text(by_number.replace("phone: 555-0177}", "phone: 555-0178}"))
    assert CliRunner().invoke(main, ["test", ".", "--database", "sqlite://"]).exit_code == 1


def test_no_text_installs_from_an_index():
    texts = [ROOT / "README.md", *DOCS.glob("*.md"), *PACKAGE.rglob("*.py")]

    assert [path.name for path in texts if "workflow-debugger[" in path.read_text(encoding="utf-8")] == []


def test_settings_are_listed():
    own = {PREFIX + name.upper() for name in Settings.model_fields if name != "hosted"}
    hosted = {HOSTED_PREFIX + name.upper() for name in HostedSettings.model_fields}

    listed = set(re.findall(rf"`((?:{PREFIX}|{HOSTED_PREFIX})[A-Z_]*)`", SETTINGS))

    assert listed - {PREFIX, HOSTED_PREFIX} == own | hosted | OTHER


@pytest.mark.parametrize("name", ["responder", "inline_python", "max_node_runs", "dict_paths", "time_zone"])
def test_defaults_are_listed(name):
    row = next(line for line in SETTINGS.splitlines() if f"`{PREFIX}{name.upper()}`" in line)

    assert f"| `{getattr(Settings(), name)}` |" in row


def test_node_and_tool_types_are_listed():
    guide = (DOCS / "guide.md").read_text(encoding="utf-8")

    assert [name for name in (*NODE_TYPES, *TOOL_TYPES) if f"`{name}`" not in guide] == []


@pytest.mark.parametrize("path", PAPERS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_to_files(path):
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", path.read_text(encoding="utf-8"))

    assert [link for link in links if not (path.parent / link).exists()] == []


@pytest.mark.parametrize("path", [ROOT / "README.md", *PAGES], ids=lambda path: path.stem)
def test_commands_have_written_options(path):
    text = re.sub(r"\\?\n +", " ", path.read_text(encoding="utf-8"))
    commands = re.findall(r"workflow-debugger (\w+)([^|`#&\n]*)", text)

    assert [name + rest for name, rest in commands if not _is_known(name, rest)] == []


def _is_known(name: str, rest: str) -> bool:
    if name not in COMMANDS:
        return False
    command = load_command(name)
    commands = [command, *getattr(command, "commands", {}).values()]
    known = {option for each in commands for parameter in each.params for option in parameter.opts}
    return known.union(["--help"]).issuperset(re.findall(r"(?<!\S)--[\w-]+", rest))


def test_references_to_platform_rules_exist():
    anchors = {
        re.sub(r"[^\w-]", "", title.lower().replace(" ", "-"))
        for title in re.findall(r"^#+ (.+)$", PLATFORM, re.MULTILINE)
    }
    numbers = set(re.findall(r"\b(?:U-|V)\d+\b", PLATFORM))
    missing = []
    for path in CODE:
        text = path.read_text(encoding="utf-8")
        used = set(re.findall(r"platform\.md#([\w-]+)", text)) - anchors
        used |= set(re.findall(r"\bU-\d+\b", text)) - numbers
        # The rules have names and no numbers of sections.
        used |= set(re.findall(r" \((?:rank \d|[1-9]\.\d{1,2}|section \d+)(?: \([a-z]\))?\)|, fact \d", text))
        missing += [f"{path.relative_to(ROOT)}: {name}" for name in sorted(used)]

    assert missing == []


@pytest.mark.parametrize("path", FOR_DEVELOPERS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_named_files_exist(path):
    named = re.findall(r"`([a-z_.]+/[\w/.*]*)`", path.read_text(encoding="utf-8"))

    assert [each for each in named if not any(list(folder.glob(each)) for folder in (PACKAGE, ROOT))] == []
    assert named


def test_decisions_are_not_in_the_wheel():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = project["tool"]["setuptools"]["package-data"]["debugger"]
    packed = {path for pattern in patterns for path in PACKAGE.glob(pattern)}

    assert set(DOCS.glob("*.md")) <= packed
    assert packed & set((DOCS / "decisions").iterdir()) == set()


def test_every_decision_is_listed():
    listed = re.findall(r"\]\((\w+)\.md\)", (DOCS / "decisions" / "README.md").read_text(encoding="utf-8"))

    assert sorted(listed) == sorted(
        path.stem for path in (DOCS / "decisions").iterdir() if path.stem != "README"
    )
