"""Outcomes of a turn as the page shows them, while faults strike between the app and a server."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, TimeoutError, expect

from tests.browser.conftest import Server, streamlit_app
from tests.browser.driving import (
    WATCH,
    choose_in_menu,
    context,
    conversation,
    export_run,
    go_to,
    message_box,
    open_app,
    open_tab,
    settled,
    tick,
)
from tests.browser.test_accessibility import serious
from tests.conformance.served import KEY, chat_of, create, execute, record, serving
from tests.faults.fault import EXECUTE, RUN, Fault
from tests.faults.proxy import FaultProxy, fault_proxy
from tests.faults.servers import started
from tests.faults.stranger import WORKFLOW
from tests.support.factories import direct, document, say, static

pytestmark = pytest.mark.browser

SCREENSHOTS = Path(__file__).parent / "screenshots"
SENCHA = "Two bags of sencha, please"
LOST = Fault(kind="drop", target=EXECUTE)
"""The turn is executed, and its answer does not come."""
DROPPED = Fault(kind="drop", target=EXECUTE, is_forwarded=False)
"""The turn does not reach the server."""
UNREADABLE = [Fault(kind="drop", target=RUN, is_forwarded=False)] * 400
"""More reads of a record than any test makes; `FaultProxy.disarm` lets the next one pass."""
COUNTDOWN = """() => {
  window.countdown = [];
  const look = () => {
    const parts = [...document.querySelectorAll(".st-key-conversation *")];
    const text = parts.find(each => each.shadowRoot)?.shadowRoot.textContent ?? "";
    const seconds = Number(/sent again within (\\d+) s/.exec(text)?.[1]);
    if (seconds && window.countdown.at(-1) !== seconds) window.countdown.push(seconds);
    requestAnimationFrame(look);
  };
  look();
}"""
"""Notes from now on the seconds that the page shows until a turn is sent again."""
BOTH_BACKENDS = pytest.mark.parametrize("backend", ["embedded", "hosted&connection=patient"])


@dataclass(frozen=True)
class World:
    """A server, the app on the same database, and a proxy between the two for two connections."""

    api: httpx.Client
    proxy: FaultProxy
    app: Server
    database: str
    workflow_id: str

    def start_run(self) -> str:
        """Return the id of a new run that waits for its user."""
        return str(execute(self.api, self.workflow_id).json()["run_id"])

    def send(self, run_id: str, text: str) -> None:
        """Send a message as another client of the server, which no fault strikes."""
        assert execute(self.api, self.workflow_id, text, run_id).is_success

    def said(self, run_id: str) -> list[str]:
        """Return the user's messages in the record."""
        return [text for speaker, text in chat_of(record(self.api, run_id)) if speaker == "user"]

    def open(self, page: Page, run_id: str, backend: str = "hosted&connection=patient") -> None:
        """Open a run on a backend."""
        address = f"?backend={backend}&workflow={self.workflow_id}&run={run_id}"
        page.set_viewport_size({"width": 1280, "height": 720})
        open_app(page, f"{self.app.url}/{address}")
        expect(conversation(page)).to_contain_text("Welcome")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("outcomes")
    database = f"sqlite:///{folder}/runs.sqlite3"
    shop = document(static("greet", "Welcome"), say("chat"), direct("greet", "chat"))
    with serving(database, folder) as api, fault_proxy(api.base_url.port) as proxy:
        (folder / ".streamlit").mkdir()
        (folder / ".streamlit" / "secrets.toml").write_text(
            connection("patient", proxy, reconciliation_timeout=60)
            + connection("hasty", proxy, reconciliation_timeout=0.5)
        )
        with streamlit_app(folder, WORKFLOW_DEBUGGER_DATABASE=database) as app:
            yield World(api, proxy, app, database, create(api, shop))


def connection(name: str, proxy: FaultProxy, **fields: Any) -> str:
    """Return the table of a connection."""
    fields = {"timeout": 5, "live_events": "off", "api_key": KEY, **fields}
    lines = [f"{key} = {value!r}" for key, value in fields.items()]
    return "\n".join([f"[connections.{name}]", f'base_url = "{proxy.url}/workflows"', *lines, ""])


@pytest.fixture(autouse=True)
def no_faults_left(world: World) -> Iterator[None]:
    yield
    world.proxy.disarm()


@pytest.fixture
def other(chromium: Browser) -> Iterator[Page]:
    """A page in another browser context, which is drawn beside the first one."""
    context = chromium.new_context(viewport={"width": 1600, "height": 1000}, reduced_motion="reduce")
    context.add_init_script(WATCH)
    page = context.new_page()
    page.set_default_timeout(30_000)
    yield page
    context.close()


def send(page: Page, text: str) -> None:
    """Send a message and wait for nothing that comes of it."""
    expect(message_box(page)).to_be_enabled()
    settled(page)
    message_box(page).fill(text)
    message_box(page).press("Enter")


def outcome(page: Page) -> Locator:
    """The box above the message box; not the one before it, which Streamlit keeps until this one is drawn."""
    return page.locator(":is(.st-key-turn_warning, .st-key-turn_notice):not([data-retained])")


def messages(page: Page) -> Locator:
    """The user's messages."""
    return page.locator(".st-key-conversation .chat-message.user > div")


def save(page: Page, name: str) -> None:
    """Save a screenshot of a page of 1280 by 720, in which the message box is in view."""
    settled(page)
    inside = page.evaluate("document.querySelector('.st-key-message').getBoundingClientRect().bottom")
    assert inside <= 720
    page.screenshot(path=SCREENSHOTS / f"outcome_{name}.png")


def make_unknown(page: Page, world: World, fault: Fault) -> str:
    """Let a message have an unknown outcome, and return its run."""
    run_id = world.start_run()
    world.open(page, run_id, "hosted&connection=hasty")
    world.proxy.arm(fault, *UNREADABLE)
    send(page, SENCHA)
    expect(context(page)).to_contain_text("Outcome unknown")
    expect(message_box(page)).to_be_disabled()
    expect(messages(page)).to_contain_text(f"{SENCHA}Outcome unknown")
    return run_id


def exported(page: Page, folder: Path) -> list[str]:
    """Return the user's messages in the CSV that the page exports."""
    export_run(page).save_as(folder / "turns.csv")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    with (folder / "turns.csv").open(encoding="utf-8-sig", newline="") as file:
        return [row["text"] for row in csv.DictReader(file) if row["role"] == "user"]


def test_lost_answer_is_looked_for_and_found(page: Page, world: World):
    run_id = world.start_run()
    world.open(page, run_id)
    world.proxy.arm(LOST, *UNREADABLE)

    send(page, SENCHA)

    expect(conversation(page)).to_contain_text("Looking for the message in the run's record")
    expect(messages(page)).to_contain_text(f"{SENCHA}Not confirmed yet")
    expect(message_box(page)).to_be_disabled()
    expect(context(page)).to_contain_text("Answer lost")
    page.screenshot(path=SCREENSHOTS / "outcome_pending.png")
    world.proxy.disarm()
    expect(outcome(page)).to_contain_text("the message has arrived: the record has it as turn 2.")
    expect(messages(page)).to_have_text([re.compile(f"{SENCHA}$")])
    expect(message_box(page)).to_be_enabled()
    expect(message_box(page)).to_have_value("")
    save(page, "arrived")

    send(page, "Anything else?")

    expect(context(page)).to_contain_text("Turn 3")
    expect(outcome(page)).to_have_count(0)
    assert world.said(run_id) == [SENCHA, "Anything else?"]


def test_message_that_did_not_arrive_is_offered_again(page: Page, world: World):
    run_id = world.start_run()
    world.open(page, run_id, "hosted&connection=hasty")
    world.proxy.arm(DROPPED)

    send(page, SENCHA)

    expect(message_box(page)).to_have_value(SENCHA)
    expect(outcome(page)).to_contain_text("Not executed: the message did not arrive.")
    expect(messages(page)).to_have_count(0)
    expect(page.get_by_test_id("stAlert")).to_have_count(0)
    save(page, "not_arrived")
    assert world.said(run_id) == []

    message_box(page).press("Enter")

    expect(context(page)).to_contain_text("Turn 2")
    expect(outcome(page)).to_have_count(0)
    expect(messages(page)).to_have_text([re.compile(f"{SENCHA}$")])
    assert world.said(run_id) == [SENCHA]


def test_check_now_finds_unknown_turn(page: Page, world: World):
    run_id = make_unknown(page, world, LOST)
    expect(outcome(page)).to_contain_text("it is not known whether the message was executed")
    expect(page.get_by_test_id("stAlert")).to_have_count(0)
    expect(page.locator(".st-key-message p[role=status]")).to_contain_text("it is not known")
    page.emulate_media(color_scheme="light")
    save(page, "unknown")
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("() => getComputedStyle(document.querySelector('.stApp')).colorScheme === 'dark'")
    settled(page)
    page.screenshot(path=SCREENSHOTS / "outcome_unknown_dark.png")
    assert serious(page) == []
    page.emulate_media(color_scheme="light")
    page.wait_for_function("() => getComputedStyle(document.querySelector('.stApp')).colorScheme === 'light'")
    assert serious(page) == []

    check_now = outcome(page).get_by_role("button", name="Check now")
    check_now.click()  # the record still cannot be read
    settled(page)
    expect(outcome(page)).to_contain_text("it is not known whether the message was executed")
    world.proxy.disarm()
    with suppress(TimeoutError):  # the page looks by itself, too, and may have been first
        check_now.click(timeout=3_000)

    expect(outcome(page)).to_contain_text("the message has arrived: the record has it as turn")
    expect(message_box(page)).to_be_enabled()
    expect(messages(page)).to_have_text([re.compile(f"{SENCHA}$")])
    assert world.said(run_id) == [SENCHA]


def test_send_again_executes_lost_message(page: Page, world: World):
    run_id = make_unknown(page, world, DROPPED)
    assert world.said(run_id) == []

    outcome(page).get_by_role("button", name="Send again (may run twice)").click()

    expect(message_box(page)).to_be_enabled()
    expect(messages(page)).to_have_text([re.compile(f"{SENCHA}$")])
    assert world.said(run_id) == [SENCHA]


def test_unknown_turn_outlives_reload(page: Page, world: World):
    make_unknown(page, world, DROPPED)

    page.reload()
    settled(page)

    expect(outcome(page)).to_contain_text("it is not known whether the message was executed")
    expect(page.get_by_role("button", name="Send again (may run twice)")).to_be_visible()
    page.get_by_role("button", name="Discard").click()
    settled(page)
    expect(page.get_by_role("button", name="Check now")).to_have_count(0)


def test_discard_unlocks_box(page: Page, world: World):
    run_id = make_unknown(page, world, DROPPED)

    outcome(page).get_by_role("button", name="Discard").click()

    expect(message_box(page)).to_be_enabled()
    expect(messages(page)).to_have_count(0)
    expect(outcome(page)).to_have_count(0)
    world.proxy.disarm()
    send(page, "Something else")
    expect(context(page)).to_contain_text("Turn 2")
    assert world.said(run_id) == ["Something else"]


@BOTH_BACKENDS
def test_turn_of_another_tab_is_reported_and_loaded(
    page: Page, other: Page, world: World, backend: str, tmp_path: Path
):
    run_id = world.start_run()
    world.open(page, run_id, backend)
    world.open(other, run_id, backend)

    send(other, "Also some oolong")

    expect(outcome(page)).to_contain_text("1 new turn from another client. Load it")
    expect(messages(page)).to_have_count(0)
    assert serious(page) == []
    save(page, "elsewhere")
    outcome(page).get_by_role("button", name="Load").click()
    expect(messages(page)).to_have_text([re.compile("Also some oolong")])
    expect(context(page)).to_contain_text("Turn 2")
    expect(outcome(page)).to_have_count(0)
    settled(page)
    assert exported(page, tmp_path) == world.said(run_id) == ["Also some oolong"]


@BOTH_BACKENDS
def test_stale_message_is_not_executed(page: Page, world: World, backend: str, tmp_path: Path):
    run_id = world.start_run()
    world.open(page, run_id, backend)
    message_box(page).fill(SENCHA)
    settled(page)
    world.send(run_id, "Also some oolong")

    message_box(page).press("Enter")

    expect(outcome(page)).to_contain_text("Not executed: the run has newer turns")
    expect(message_box(page)).to_have_value(SENCHA)
    expect(messages(page)).to_have_text([re.compile("Also some oolong")])
    expect(page.get_by_test_id("stAlert")).to_have_count(0)
    assert world.said(run_id) == ["Also some oolong"]

    message_box(page).press("Enter")

    expect(context(page)).to_contain_text("Turn 3")
    settled(page)
    assert exported(page, tmp_path) == world.said(run_id) == ["Also some oolong", SENCHA]


def test_late_messages_lose_no_pane(page: Page, world: World):
    folder = world.app.folder
    late = str(Path(__file__).parent / "late_messages")
    run_id = world.start_run()
    with streamlit_app(folder, WORKFLOW_DEBUGGER_DATABASE=world.database, PYTHONPATH=late) as app:
        replace(world, app=app).open(page, run_id)
        for text in ("one", "two", "three"):
            message_box(page).fill(SENCHA)
            settled(page)
            world.send(run_id, text)

            message_box(page).press("Enter")

            expect(outcome(page)).to_contain_text("Not executed: the run has newer turns")
            expect(messages(page).last).to_contain_text(text)
            expect(message_box(page)).to_have_value(SENCHA)


def test_followed_run_loads_turns_by_itself(page: Page, world: World):
    run_id = world.start_run()
    world.open(page, run_id, "embedded")
    world.send(run_id, "one")
    expect(outcome(page)).to_contain_text("1 new turn")

    outcome(page).get_by_role("switch", name="Follow").click()

    expect(messages(page)).to_have_text([re.compile("one")])
    world.send(run_id, "two")
    expect(messages(page)).to_have_text([re.compile("one"), re.compile("two")])
    outcome(page).get_by_role("switch", name="Follow").click()
    expect(outcome(page)).to_have_count(0)


def test_rate_limit_is_waited_for(page: Page, world: World):
    run_id = world.start_run()
    world.open(page, run_id)
    world.proxy.arm(
        Fault(
            kind="replace answer",
            target=EXECUTE,
            is_forwarded=False,
            status=429,
            headers=(("Retry-After", "4"),),
        )
    )
    page.evaluate(COUNTDOWN)

    send(page, SENCHA)

    expect(context(page)).to_contain_text("Not sent yet")
    expect(context(page)).to_contain_text("Turn 2")
    expect(message_box(page)).to_be_enabled()
    seconds = page.evaluate("window.countdown")
    assert len(seconds) >= 2
    assert seconds == sorted(seconds, reverse=True)
    assert world.said(run_id) == [SENCHA]


def test_run_is_paused_and_resumed(page: Page, world: World):
    run_id = world.start_run()
    world.open(page, run_id, "embedded")

    choose_in_menu(page, "pause_run")

    expect(context(page)).to_contain_text("Paused")
    expect(message_box(page)).to_be_disabled()
    assert record(world.api, run_id)["status"] == "paused"
    settled(page)
    page.get_by_role("button", name="Resume run").click()
    expect(context(page)).to_contain_text("Your turn")
    send(page, SENCHA)
    expect(messages(page)).to_have_text([re.compile(SENCHA)])
    assert world.said(run_id) == [SENCHA]


def answer_for_models(page: Page) -> None:
    """Let the user answer for every model, so that a turn lasts until the user does."""
    open_tab(page, "Mocks")
    page.get_by_text("Me (all model calls)").click()
    settled(page)


def test_session_link_opens_run_in_another_process(page: Page, other: Page, world: World):
    run_id = world.start_run()
    world.open(page, run_id, "embedded")
    answer_for_models(page)
    send(page, SENCHA)
    expect(context(page)).to_contain_text("Answer as the model")
    expect(page).to_have_url(re.compile("session="))
    with streamlit_app(world.app.folder, WORKFLOW_DEBUGGER_DATABASE=world.database) as second:
        open_app(other, page.url.replace(world.app.url, second.url))

        expect(conversation(other)).to_contain_text("Welcome")
        expect(outcome(other)).to_contain_text("The run is shown at its last finished turn.")
        expect(outcome(other)).to_contain_text("Another client is executing turn 2.")
        page.locator(".st-key-desk_answer button").first.click()
        expect(context(page)).to_contain_text("Turn 2")
        expect(outcome(other)).to_contain_text("1 new turn from another client")
        outcome(other).get_by_role("button", name="Load").click()
        expect(messages(other)).to_have_text([re.compile(SENCHA)])

        settled(page)
        open_app(page, f"{world.app.url}/?backend=embedded&workflow={world.workflow_id}")
        answer_for_models(page)
        send(page, "A first message")
        expect(context(page)).to_contain_text("Answer as the model")
        expect(page).to_have_url(re.compile("session="))
        go_to(other, "Runs")
        tick(other, 0)
        other.locator(".st-key-open_chosen button").first.click()
        settled(other)
        found = re.search("run=([0-9a-f]{24})", page.url)
        assert found is not None
        expect(context(other)).to_contain_text(found[1])
        expect(outcome(other)).to_contain_text("Another client is executing turn 1.")


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FaultProxy, Server]]:
    """An app in front of a server that returns no ids."""
    folder = tmp_path_factory.mktemp("stranger")
    with started("stranger", folder) as server, fault_proxy(server.port) as proxy:
        (folder / ".streamlit").mkdir()
        secrets = connection("stranger", proxy, reconciliation_timeout=2)
        (folder / ".streamlit" / "secrets.toml").write_text(secrets)
        with streamlit_app(folder, WORKFLOW_DEBUGGER_DATABASE=f"sqlite:///{folder}/app.sqlite3") as app:
            yield proxy, app


def test_message_that_seems_to_have_arrived(page: Page, stranger: tuple[FaultProxy, Server]):
    proxy, app = stranger
    page.set_viewport_size({"width": 1280, "height": 720})
    open_app(page, f"{app.url}/?backend=hosted&connection=stranger&workflow={WORKFLOW}")
    send(page, "Hello")
    expect(context(page)).to_contain_text("Turn 1")
    proxy.arm(Fault(kind="replace answer", target=EXECUTE, status=404, content=b"{}"))

    send(page, SENCHA)

    expect(outcome(page)).to_contain_text("The message seems to have arrived as turn 2")
    expect(message_box(page)).to_have_value("")
    expect(messages(page)).to_have_text([re.compile("Hello$"), re.compile(f"{SENCHA}$")])
    page.emulate_media(color_scheme="light")
    page.wait_for_function("() => getComputedStyle(document.querySelector('.stApp')).colorScheme === 'light'")
    save(page, "seems")
    assert serious(page) == []

    outcome(page).get_by_role("button", name="Restore the message").click()

    expect(message_box(page)).to_have_value(SENCHA)
    expect(outcome(page)).to_have_count(0)


def test_message_that_arrived_late_leaves_the_box(page: Page, world: World):
    run_id = world.start_run()
    world.open(page, run_id, "hosted&connection=hasty")
    late = Fault(kind="replace answer", target=EXECUTE, status=502, content=b"{}", is_awaited=False)
    world.proxy.arm(late)

    send(page, SENCHA)

    expect(messages(page)).to_have_text([re.compile(f"{SENCHA}$")])
    expect(message_box(page)).to_have_value("")
    assert world.said(run_id) == [SENCHA]
