"""The access to the page in a real browser: other names, frames, the login, the content policy."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from socket import create_connection

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from debugger.store import Role, Store
from tests.browser.conftest import FLAGS, find_chromium, streamlit_app
from tests.browser.driving import (
    WATCH,
    choose,
    conversation,
    export_run,
    go_to,
    import_workflow,
    open_app,
    open_tab,
    say,
    settled,
    start,
)
from tests.browser.presenting import press
from tests.safety.oidc_site import site_with_provider
from tests.support.factories import document
from tests.support.factories import say as say_node

pytestmark = pytest.mark.browser

SCREENSHOTS = Path(__file__).parent / "screenshots"
NAMES = "MAP evil.example 127.0.0.1, MAP debugger.example 127.0.0.1"
VIOLATIONS = """document.addEventListener("securitypolicyviolation", event =>
  window.report(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`))"""


@dataclass(frozen=True)
class Site:
    port: int
    database: str
    keys: dict[str, str]

    def at(self, host: str, port: int | None = None) -> str:
        return f"http://{host}:{port or self.port}"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A page that is reached under another name, too."""
    folder = tmp_path_factory.mktemp("site")
    database = f"sqlite:///{folder}/runs.sqlite3"
    with closing(Store(database)) as store:
        keys = {person: store.api_keys.add(person, Role.ADMIN)[1] for person in ("Ada", "Mallory")}
    settings = {"DATABASE": database, "ALLOWED_HOSTS": "debugger.example"}
    environment = {f"WORKFLOW_DEBUGGER_{name}": value for name, value in settings.items()}
    with streamlit_app(folder, **environment) as server:
        yield Site(int(server.url.rpartition(":")[2]), database, keys)


@pytest.fixture(scope="module")
def named(chromium: Browser) -> Iterator[Browser]:
    """A browser for which other host names are this machine, as after DNS rebinding."""
    flags = [flag.replace("MAP *", f"{NAMES}, MAP *") for flag in FLAGS]
    browser = chromium.browser_type.launch(executable_path=find_chromium(), args=flags)
    yield browser
    browser.close()


@pytest.fixture
def context(named: Browser) -> Iterator[BrowserContext]:
    context = named.new_context(viewport={"width": 1280, "height": 720}, accept_downloads=True)
    context.add_init_script(WATCH)
    yield context
    context.close()


def sign_in(page: Page, site: Site, person: str = "Ada") -> None:
    page.get_by_label("API key").fill(site.keys[person])
    page.get_by_role("button", name="Sign in").click()
    page.locator(".account").wait_for()
    settled(page)


def test_rebound_name_is_refused(context: BrowserContext, site: Site):
    page = context.new_page()
    page.goto(site.at("evil.example"))

    expect(page.locator("body")).to_contain_text("does not answer to the host name 'evil.example")
    assert page.locator("script, input").count() == 0


def test_frame_of_another_origin_stays_empty(context: BrowserContext, site: Site):
    page = context.new_page()
    frame = f"<iframe src='{site.at('127.0.0.1')}/login'></iframe>"
    page.route("http://localhost/", lambda route: route.fulfill(body=frame, content_type="text/html"))
    page.goto("http://localhost/")

    (framed,) = page.main_frame.child_frames
    assert framed.url.startswith("chrome-error:")
    assert framed.locator("form").count() == 0


class _Forward(socketserver.BaseRequestHandler):
    """One connection through a proxy that passes the request on as it is."""

    port = 0

    def handle(self) -> None:
        with create_connection(("127.0.0.1", self.port)) as server:
            back = threading.Thread(target=self._copy, args=(server, self.request), daemon=True)
            back.start()
            self._copy(self.request, server)
            back.join()

    @staticmethod
    def _copy(source, target) -> None:
        with suppress(OSError):  # the other end has gone
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(1)


@contextmanager
def proxy_to(port: int) -> Iterator[int]:
    handler = type("Forward", (_Forward,), {"port": port})
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler)
    server.daemon_threads, server.block_on_close = True, False
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


def test_page_behind_proxy_asks_for_login(context: BrowserContext, site: Site):
    page = context.new_page()
    with proxy_to(site.port) as port:
        page.goto(site.at("debugger.example", port) + "/runs?run=1")
        assert page.url == site.at("debugger.example", port) + "/login?next=%2Fruns%3Frun%3D1"
        page.get_by_label("API key").fill("wfd_wrong")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_contain_text("not an API key of this server")

        sign_in(page, site)

        expect(page.locator(".account")).to_contain_text("Ada")
        expect(page.locator(".account")).to_contain_text("admin")
        assert "/runs" in page.url
        page.get_by_role("button", name="Sign out").click()
        page.get_by_label("API key").wait_for()
        page.goto(site.at("debugger.example", port))
        assert "/login" in page.url
        page.close()


def test_revoked_key_ends_open_page(context: BrowserContext, site: Site):
    page = context.new_page()
    page.goto(site.at("127.0.0.1"))
    sign_in(page, site, "Mallory")
    with closing(Store(site.database)) as store:
        (key_id,) = [key.id for key in store.api_keys.all() if key.person == "Mallory"]
        store.api_keys.revoke(key_id)

    page.wait_for_url("**/login", timeout=4_000)  # 2 s, and a moment for the browser

    page.get_by_label("API key").fill(site.keys["Mallory"])
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("revoked")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_login_page_has_look_of_app(context: BrowserContext, site: Site, scheme: str):
    page = context.new_page()
    page.emulate_media(color_scheme=scheme)
    page.goto(site.at("127.0.0.1") + "/login")

    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == {"light": "rgb(243, 246, 250)", "dark": "rgb(16, 21, 29)"}[scheme]
    assert page.evaluate("document.activeElement.id") == "key"
    assert Axe().run(page).response["violations"] == []
    page.screenshot(path=SCREENSHOTS / f"login_{scheme}.png")


def test_pages_work_under_content_security_policy(context: BrowserContext, site: Site):
    page, refused = context.new_page(), []
    page.expose_function("report", lambda violation: refused.append(violation))
    page.add_init_script(VIOLATIONS)
    page.on("console", lambda message: "Content Security" in message.text and refused.append(message.text))
    page.goto(site.at("127.0.0.1"))
    sign_in(page, site)

    import_workflow(page, "tea.json", document(say_node("tea", "Offer tea."), name="Tea under policy"))
    open_app(page, site.at("127.0.0.1"))
    choose(page, "Workflow", "Clinic front desk")
    start(page)
    say(page, "I'd like to book an appointment, please.")
    expect(conversation(page)).to_contain_text("book")
    for pane in ("Gantt", "Metrics", "Side effects", "Timeline"):
        open_tab(page, pane)
    for pane in ("Why", "Event", "Notes"):
        open_tab(page, pane)
    assert b"book an appointment" in Path(export_run(page).path()).read_bytes()
    page.reload()  # closes the menu
    settled(page)
    press(page, "Shift+E")
    press(page, "Shift+ArrowLeft")
    for name in ("Runs", "Review", "Compare", "Connection"):
        go_to(page, name)
    press(page, "Shift+H")
    expect(page.get_by_role("textbox", name="Search Help")).to_be_visible()

    assert refused == []
    script = "Object.assign(document.createElement('script'), {text: 'window.x = 1'})"
    page.evaluate(f"document.head.append({script})")
    page.wait_for_timeout(200)
    assert len(refused) == 2  # the console's and the event's: the test would see a violation
    assert page.evaluate("window.x") is None


# Has an app and a provider of its own; tests/safety/test_oidc_login.py does the same without a browser.
@pytest.mark.campaign
def test_login_at_identity_provider(context: BrowserContext, tmp_path: Path):
    page = context.new_page()
    with site_with_provider(tmp_path, "*@example.com=read") as site:
        site.set_user({"sub": "1", "email": "ada@example.com"})
        page.goto(f"{site.url}/runs")
        page.screenshot(path=SCREENSHOTS / "login_provider.png")
        page.get_by_role("link", name="Sign in").click()
        page.locator(".account").wait_for()
        settled(page)
        expect(page.locator(".account")).to_contain_text("ada@example.com")
        assert "/runs" in page.url

        page.get_by_role("button", name="Sign out").click()
        page.get_by_role("link", name="Sign in").wait_for()
        site.set_user({"sub": "2", "email": "eve@evil.example"})
        page.get_by_role("link", name="Sign in").click()
        expect(page.locator("main")).to_contain_text("have no role here")
        page.get_by_role("button", name="Sign out").click()
        page.get_by_role("link", name="Sign in").wait_for()
        page.close()
