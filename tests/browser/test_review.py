"""The page Review in a real browser: 20 runs are decided from the keyboard, and a sheet comes back."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import closing

import pytest
from openpyxl import load_workbook
from playwright.sync_api import Page, expect

from debugger.backends.embedded import EmbeddedBackend
from debugger.exports.formats import ExportOptions, write_export
from debugger.exports.presets import preset_columns
from debugger.exports.sources import RunReader
from debugger.exports.table import TableOptions
from debugger.protocol.notes import Target
from debugger.protocol.reviews import Verdict
from debugger.protocol.runs import TurnInput
from debugger.session.session import DebugSession
from debugger.settings import Settings
from tests.browser.conftest import Server, streamlit_app
from tests.browser.driving import id_on_view, open_app, settled
from tests.browser.visible_controls import WINDOW, visible_controls
from tests.support.factories import direct, document, say, static

pytestmark = pytest.mark.browser

RUNS = 20
MOST_CONTROLS = 30
WORDS = {"1": "pass", "2": "fail", "3": "unsure"}


@pytest.fixture(scope="module")
def database(tmp_path_factory) -> str:
    """The URL of a store with 20 short runs."""
    url = f"sqlite:///{tmp_path_factory.mktemp('review')}/runs.sqlite3"
    with closing(EmbeddedBackend(Settings(database=url, responder="rules"))) as backend:
        workflow = backend.create_workflow(
            document(static("a", "Hello"), say("b"), direct("a", "b")), name="Tea shop"
        )
        for number in range(RUNS):
            session = DebugSession(backend, workflow.id)
            session.start(TurnInput.with_message(None))
            assert session.wait(10)
            session.send(f"Order {number}")
            assert session.wait(10)
    return url


@pytest.fixture(scope="module")
def reviewed(database, tmp_path_factory) -> Iterator[Server]:
    """The app over that store."""
    folder = tmp_path_factory.mktemp("app")
    with streamlit_app(folder, WORKFLOW_DEBUGGER_DATABASE=database) as server:
        yield server


def opened(database):
    return closing(EmbeddedBackend(Settings(database=database)))


def press(page: Page, key: str) -> None:
    """Press a key that the page itself takes."""
    page.keyboard.press(key)
    settled(page)


def progress(page: Page):
    return page.locator(".st-key-review_progress")


def test_twenty_runs_are_decided_by_keys(reviewed: Server, database: str, page: Page):
    open_app(page, f"{reviewed.url}/review")
    transcript = page.locator(".st-key-review_transcript .box")
    expect(transcript).to_contain_text("Order 19")
    press(page, "m")
    press(page, "m")
    expect(transcript.locator('[aria-pressed="true"]')).to_contain_text("Hello")
    press(page, "2")
    expect(transcript).to_contain_text("✗ fail")
    chosen = transcript.locator('[aria-pressed="true"]')
    chosen.press("ArrowDown")
    page.keyboard.press("Enter")
    settled(page)
    expect(chosen).to_have_text(re.compile("^Turn 2"))
    transcript.get_by_text("Order 19", exact=True).click()
    settled(page)
    expect(page.locator(".st-key-review_subject")).to_have_text("Verdict on message 2")
    press(page, "w")

    keys = [str(number % 3 + 1) for number in range(RUNS)]
    for number, key in enumerate(keys, start=1):
        page.keyboard.press(key)
        expect(progress(page)).to_contain_text(f"{number} of 20 decided, {RUNS - number} open")
        settled(page)
        if number == 7:
            press(page, "z")
            expect(progress(page)).to_contain_text("6 of 20 decided")
            page.reload()
            settled(page)
            expect(transcript).to_contain_text("Order 13")
            press(page, key)
            expect(progress(page)).to_contain_text("7 of 20 decided")
    expect(progress(page)).to_contain_text("Every run of the filter is decided")

    with opened(database) as backend:
        run_ids = [run.workflow_run_id for run in backend.runs(size=RUNS).rows]
        found = backend.store.reviews.verdicts(run_ids)
    on_runs = [each.value for run_id in run_ids for each in found[run_id] if each.target == Target()]
    assert on_runs == [WORDS[key] for key in keys]
    assert [each.value for each in found[run_ids[0]] if each.target == Target.message(1)] == ["fail"]
    page.get_by_role("link", name="Open in Debug").click()
    expect(id_on_view(page)).to_contain_text(run_ids[-1])


def test_conflicting_sheet_is_shown_and_not_applied(reviewed: Server, database: str, page: Page):
    with opened(database) as backend:
        run_ids = [run.workflow_run_id for run in backend.runs(size=2).rows]
        for run_id in run_ids:
            verdict = Verdict(run_id=run_id, target=Target(), value="pass", reviewer="me")
            backend.store.reviews.set_verdict(verdict)
        out = io.BytesIO()
        columns = tuple(preset_columns("qa-review", "message"))
        runs = RunReader(backend, backend.store).read(run_ids)
        write_export(out, runs, ExportOptions("xlsx", table=TableOptions("message", columns)))
        backend.store.reviews.set_verdict(
            Verdict(run_id=run_ids[0], target=Target(), value="unsure", reviewer="me", comment="Heard again")
        )
    book = load_workbook(out)
    names = [cell.value for cell in book.worksheets[0][1]]
    for row in book.worksheets[0].iter_rows(min_row=2):
        row[names.index("run_verdict")].value = "fail"
    edited = io.BytesIO()
    book.save(edited)

    open_app(page, f"{reviewed.url}/review")
    page.get_by_role("button", name="Import a sheet").click()
    settled(page)
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    file = {"name": "reviewed.xlsx", "mimeType": kind, "buffer": edited.getvalue()}
    page.locator("input[type=file]").set_input_files(file)
    settled(page)
    expect(page.get_by_text("1 conflict")).to_be_visible()
    page.get_by_role("button", name="Import 1 verdict").click()
    expect(page.get_by_text("Imported 1 verdict")).to_be_visible()

    with opened(database) as backend:
        found = backend.store.reviews.verdicts(run_ids)
    values = [
        (each.value, each.comment) for run_id in run_ids for each in found[run_id] if each.target == Target()
    ]
    assert values == [("unsure", "Heard again"), ("fail", "")]


def test_transcript_stays_where_it_is_read(reviewed: Server, database: str, page: Page):
    with closing(EmbeddedBackend(Settings(database=database, responder="rules"))) as backend:
        workflow_id = next(row.id for row in backend.workflows() if row.label == "Tea shop")
        run_id = backend.execute(workflow_id, TurnInput()).finish().run_id
        for number in range(30):
            backend.execute(workflow_id, TurnInput.with_message(f"Cup {number}"), run_id=run_id).finish()
    page.set_viewport_size(WINDOW)
    open_app(page, f"{reviewed.url}/review?run={run_id}")
    transcript = page.locator(".st-key-review_transcript .box")
    transcript.get_by_text("Cup 15", exact=True).click()
    settled(page)
    read = transcript.evaluate("box => { box.scrollTop += 60; return box.scrollTop; }")
    assert read > 400

    def stays() -> bool:
        return transcript.evaluate("box => box.scrollTop") == read

    press(page, "2")
    expect(transcript.locator('[aria-pressed="true"]')).to_contain_text("✗ fail")
    assert stays()
    page.get_by_role("button", name="Pass", exact=False).click()
    settled(page)
    expect(transcript.locator('[aria-pressed="true"]')).to_contain_text("✓ pass")
    assert stays()
    press(page, "z")
    expect(transcript.locator('[aria-pressed="true"]')).to_contain_text("✗ fail")
    assert stays()
    page.get_by_role("switch", name="Go to next run").click()
    press(page, "w")
    press(page, "3")
    expect(page.locator(".st-key-review_panel")).to_contain_text("on the run")
    assert stays()


def test_review_fills_window_with_few_controls(reviewed: Server, page: Page):
    page.set_viewport_size(WINDOW)
    open_app(page, f"{reviewed.url}/review")
    line = page.locator(".st-key-review_subject")
    expect(line).to_have_text("Verdict on the run")

    found = visible_controls(page).usable

    assert len(found) <= MOST_CONTROLS, found
    transcript = page.locator(".st-key-review_transcript").first.bounding_box()
    assert transcript is not None
    assert WINDOW["height"] - 30 <= transcript["y"] + transcript["height"] <= WINDOW["height"]
    boxes = [page.get_by_role("button", name=name).bounding_box() for name in ("Pass", "Next open", "Undo")]
    assert len({box and box["y"] for box in boxes}) == 1  # all in one line
