"""A QA person's way through the help: each step does what a page of it says, by its labels."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from inspect import cleandoc
from pathlib import Path

import pytest
import yaml
from playwright.sync_api import Download, Locator, Page, expect

from debugger.views.panels.help.topics import topic_text
from tests.browser.conftest import ROOT, Server, streamlit_app
from tests.browser.driving import (
    choose_in_menu,
    conversation,
    go_to,
    import_workflow,
    message_box,
    open_app,
    say,
    settled,
)

pytestmark = pytest.mark.browser

SHOP, BY_RULES, SCRIPT, BY_SCRIPT = [
    cleandoc(f"\n{block}")
    for block in re.findall(
        r"```\w+\n(.*?)```", topic_text("first_run").partition("## Your own workflow")[2], re.DOTALL
    )
]
"""Workflow, answer, script and answers as the help shows them."""


@pytest.fixture(scope="module")
def own_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The app with a store and a scripts folder of its own."""
    folder = tmp_path_factory.mktemp("protocol")
    with streamlit_app(folder, WORKFLOW_DEBUGGER_SCRIPTS=str(folder / "scripts")) as server:
        yield server


def dialog(page: Page) -> Locator:
    return page.get_by_role("dialog")


def pressed(page: Page, name: str | re.Pattern[str], *, inside: Locator | None = None) -> None:
    (inside or page).get_by_role("button", name=name, exact=isinstance(name, str)).last.click()
    settled(page)


def in_menu(page: Page, name: str) -> None:
    page.locator(".st-key-context_bar").get_by_role("button", name="More", exact=True).click()
    page.get_by_role("menuitem", name=name).or_(page.get_by_role("button", name=name)).last.click()
    settled(page)


def downloaded(page: Page, button: Locator, folder: Path, name: str = "") -> Path:
    with page.expect_download() as waiting:
        button.click()
    file: Download = waiting.value
    path = folder / (name or file.suggested_filename)
    file.save_as(path)
    return path


def test_qa_protocol_by_the_help_alone(page: Page, own_app: Server, tmp_path: Path):
    page.set_viewport_size({"width": 1280, "height": 720})
    repository = tmp_path / "repository"
    (repository / "scenarios").mkdir(parents=True)

    # "First run in five minutes", "Your own workflow"
    open_app(page, own_app.url)
    import_workflow(page, "tea_shop.json", SHOP)
    pressed(page, "Import")
    expect(page.locator(".st-key-title")).to_contain_text("Tea shop")
    page.locator(".st-key-start_bar").get_by_role("button", name="Start").click()
    expect(message_box(page)).to_be_enabled()
    say(page, "I'd like some tea.")
    expect(conversation(page)).to_contain_text(BY_RULES)

    # "My workflow without a model", "Write one on the page"
    choose_in_menu(page, "script")
    settled(page)
    editor = dialog(page).get_by_role("textbox", name="Script")
    editor.fill(SCRIPT.partition("  order:")[0] + "  ord")
    editor.press("End")
    editor.press("Control+ ")
    expect(page.get_by_role("option", name=re.compile("^order"))).to_be_visible()
    editor.press("Tab")
    editor.press_sequentially(":\n    - when: green|black\n      take: comp")
    editor.press("Control+ ")
    expect(page.get_by_role("option", name=re.compile("^complete"))).to_be_visible()
    editor.press("Tab")
    editor.press_sequentially("\n    - when: tea\n      say: Which tea would you like?")
    expect(editor).to_have_value(SCRIPT)
    expect(dialog(page)).to_contain_text("No problems found.")
    pressed(page, "Save", inside=dialog(page))
    expect(dialog(page)).to_be_hidden()

    # "First run in five minutes", "Your own workflow"
    in_menu(page, "Restart with the same input")
    expect(conversation(page)).not_to_contain_text(BY_RULES)
    expect(message_box(page)).to_be_enabled()
    for words, answer in zip(("I'd like some tea.", "Green, please."), BY_SCRIPT.splitlines(), strict=True):
        say(page, words)
        expect(conversation(page)).to_contain_text(answer)

    # "Scenarios in continuous integration", "From the page into a repository"
    in_menu(page, "Save as scenario …")
    archive = downloaded(
        page, dialog(page).get_by_role("button", name="Download with workflow and script"), tmp_path
    )
    dialog(page).get_by_role("button", name="Close").click()
    expect(dialog(page)).to_be_hidden()
    with zipfile.ZipFile(archive) as files:
        names = ["tea-shop.json", "tea-shop.scenario.yaml", "tea-shop.script.yaml"]
        assert sorted(files.namelist()) == names
        files.extractall(repository / "scenarios")
    assert steps_of_github_actions(repository, tmp_path) == [0, 0]
    assert 'failures="0"' in (repository / "report.xml").read_text()
    assert "passed" in (tmp_path / "summary.md").read_text()

    # "Review and export", "Review in a spreadsheet"
    go_to(page, "Review")
    pressed(page, "Export")
    preset = dialog(page).get_by_role("combobox", name="Preset")
    if "QA review" not in (preset.input_value() or ""):
        preset.click()
        page.get_by_role("option", name="QA review").click()
        settled(page)
    sheet = downloaded(page, dialog(page).get_by_role("button", name=re.compile("^Export ")), tmp_path)
    rows = list(csv.DictReader(sheet.read_text(encoding="utf-8-sig").splitlines()))
    assert {"run_id", "verdict", "comment"} <= set(rows[0])
    assert "Which tea would you like?" in {row["text"] for row in rows}


def steps_of_github_actions(repository: Path, folder: Path) -> list[int]:
    """Run the steps of the example in the help, but for the installation; return their exit codes."""
    example = topic_text("scenarios_in_ci").partition("## GitHub Actions")[2]
    job = yaml.safe_load(example.partition("```yaml\n")[2].partition("```")[0])["jobs"]["scenarios"]
    commands = [step["run"] for step in job["steps"] if "run" in step]
    assert commands[0] == "pip install tools/workflow_debugger-*.whl"
    program = folder / "bin" / "workflow-debugger"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m debugger "$@"\n')
    program.chmod(0o755)
    environment = {
        "PATH": f"{program.parent}:{os.environ['PATH']}",
        "HOME": str(folder),
        "PYTHONPATH": str(ROOT),
        "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
    }
    return [
        subprocess.run(["bash", "-e", "-c", command], cwd=repository, env=environment, check=False).returncode
        for command in commands[1:]
    ]
