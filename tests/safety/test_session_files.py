"""Attacks on the files and uploads of another user, on a real page with a login."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection

from debugger.store import Role, Store
from tests.browser.conftest import free_port, running
from tests.safety.page import messages_of, messages_until_end, open_socket, run_script

APP = """
import streamlit as st
from debugger.views.middleware import page_middleware

app = st.App("script.py", middleware=page_middleware())
"""
SCRIPT = """
import streamlit as st

st.download_button("Ready", b"a small export", file_name="small.csv")
st.download_button("Made", lambda: b"a deferred export", file_name="deferred.csv")
st.file_uploader("Upload")
"""
PAGE = {"accept": "text/html"}
SPELLINGS = [
    lambda path: path.replace("/media/", "//media/"),
    lambda path: path.replace("/media/", "/media//"),
    lambda path: path.replace("/media/", "/media/%2e%2e/media/"),
    lambda path: path.replace("/media/", "/%6dedia/"),
    lambda path: path.replace("/media/", "/media%2f"),
    lambda path: path.replace("/media/", "/MEDIA/"),
    lambda path: path.replace("/media/", "/./media/"),
    lambda path: path.replace("/media/", "/x/../media/"),
    lambda path: path.removesuffix(".csv"),
    lambda path: path.removesuffix(".csv") + ".csv.txt",
    lambda path: path + "/",
    lambda path: path + "?x=1",
    lambda path: path.rpartition("/")[0] + "/" + path.rpartition("/")[2].upper(),
]


@dataclass(frozen=True)
class Site:
    port: int
    base: str
    keys: dict[str, str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{self.base}"


@dataclass(frozen=True)
class Browser:
    """A browser by its cookies."""

    site: Site
    cookies: dict[str, str]

    @property
    def cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def request(self, path: str, method: str = "GET", **more) -> httpx.Response:
        host = f"http://127.0.0.1:{self.site.port}"
        headers = {"cookie": self.cookie, "x-xsrftoken": self.cookies.get("_streamlit_xsrf", "")}
        return httpx.request(method, host + path, headers=headers | more.pop("headers", {}), **more)

    def without(self, part: str) -> Browser:
        return Browser(self.site, {name: value for name, value in self.cookies.items() if part not in name})


@pytest.fixture(scope="module", params=["", "tools/debug"], ids=["root", "base path"])
def site(request, tmp_path_factory) -> Iterator[Site]:
    folder, port = tmp_path_factory.mktemp("files"), free_port()
    (folder / "app.py").write_text(APP)
    (folder / "script.py").write_text(SCRIPT)
    database = f"sqlite:///{folder}/runs.sqlite3"
    with closing(Store(database)) as store:
        keys = {person: store.api_keys.add(person, Role.RUN)[1] for person in ("Ada", "Mallory")}
    base = f"/{request.param}" if request.param else ""
    flags = ["--server.port", str(port), "--server.fileWatcherType", "none", "--server.headless", "true"]
    flags += ["--server.baseUrlPath", request.param]
    environment = {
        "WORKFLOW_DEBUGGER_DATABASE": database,
        "WORKFLOW_DEBUGGER_ALLOWED_HOSTS": "debugger.example",
        "PYTHONPATH": str(Path.cwd()),
    }
    command = [sys.executable, "-m", "streamlit", "run", str(folder / "app.py"), *flags]
    with running(command, f"{base}/_stcore/health", port, folder, **environment):
        yield Site(port, base, keys)


def sign_in(site: Site, person: str, browser: Browser | None = None) -> Browser:
    """A browser of its own, or another user's browser where one is given."""
    with httpx.Client(cookies=browser.without("_login_").cookies if browser else None) as client:
        origin = {"origin": f"http://127.0.0.1:{site.port}"}
        client.post(f"{site.url}/login", data={"key": site.keys[person]}, headers=origin)
        client.get(f"{site.url}/", headers=PAGE)
        client.get(f"{site.url}/_stcore/health")
        return Browser(site, {cookie.name: cookie.value or "" for cookie in client.cookies.jar})


@dataclass(frozen=True)
class Page:
    socket: ClientConnection
    session: str
    small: str
    """The address of the file that is ready."""
    deferred: str
    """The id of the file that is made when it is fetched."""


def draw(socket: ClientConnection) -> Page:
    run_script(socket)
    session, found = "", {}
    for message in messages_until_end(socket):
        if message.WhichOneof("type") == "new_session":
            session = message.new_session.initialize.session_id
        button = message.delta.new_element.download_button
        if button.label:
            found[button.label] = button
    return Page(socket, session, found["Ready"].url, found["Made"].deferred_file_id)


def answer(socket: ClientConnection, request: BackMsg, kind: str) -> ForwardMsg:
    socket.send(request.SerializeToString())
    return next(each for each in messages_of(socket, 20) if each.WhichOneof("type") == kind)


def made_file(page: Page, file_id: str) -> ForwardMsg:
    request = BackMsg()
    request.backend_operation_request.request_id = "1"
    request.backend_operation_request.session_id = page.session
    request.backend_operation_request.deferred_file.file_id = file_id
    return answer(page.socket, request, "backend_operation_response").backend_operation_response


def upload_path(page: Page) -> str:
    request = BackMsg()
    request.file_urls_request.request_id = "1"
    request.file_urls_request.file_names.append("notes.csv")
    found = answer(page.socket, request, "file_urls_response").file_urls_response.file_urls[0]
    assert found.delete_url == found.upload_url
    return found.upload_url


def upload(browser: Browser, path: str, content: bytes) -> int:
    return browser.request(path, "PUT", files={"file": ("notes.csv", content)}).status_code


@pytest.fixture
def ada(site: Site) -> Browser:
    return sign_in(site, "Ada")


@pytest.fixture
def page(ada: Browser) -> Iterator[Page]:
    with open_page(ada) as socket:
        yield draw(socket)


def open_page(browser: Browser, session: str = ""):
    return open_socket(browser.site.port, cookie=browser.cookie, session=session, base=browser.site.base)


def strangers(ada: Browser) -> dict[str, Browser]:
    """Browsers of others, and Ada's own with a cookie too few."""
    return {
        "another user": sign_in(ada.site, "Mallory"),
        "another user of her browser": sign_in(ada.site, "Mallory", ada),
        "herself in another browser": sign_in(ada.site, "Ada"),
        "without browser": ada.without("workflow_debugger_" + str(ada.site.port)),
        "without login": ada.without("_login_"),
    }


def test_file_is_for_its_user_and_browser(site, ada, page):
    made = made_file(page, page.deferred)
    paths = [f"{site.base}{page.small}", f"{site.base}{made.deferred_file.url}"]

    own = [ada.request(path) for path in paths]
    refused = {
        (name, path, method, str(headers)): browser.request(path, method, headers=headers)
        for name, browser in strangers(ada).items()
        for path in paths
        for method in ("GET", "HEAD", "OPTIONS")
        for headers in ({}, {"range": "bytes=0-3"})
    }

    assert [each.content for each in own] == [b"a small export", b"a deferred export"]
    assert ada.request(paths[0], headers={"range": "bytes=2-6"}).content == b"small"
    wrong = {case: each for case, each in refused.items() if each.status_code not in (401, 404)}
    assert wrong == {}
    assert not any(b"export" in each.content or b"xport" in each.content for each in refused.values())


def test_no_spelling_of_the_address_opens_the_file(site, ada, page):
    opened = [
        (name, number)
        for name, browser in strangers(ada).items()
        for number, change in enumerate(SPELLINGS)
        if b"small export" in browser.request(change(f"{site.base}{page.small}")).content
    ]

    assert opened == []


def test_copied_cookie_fetches_nothing_after_logout(site, page, ada):
    before = ada.request(f"{site.base}{page.small}").status_code

    out = ada.request(f"{site.base}/logout", "POST", headers={"origin": f"http://127.0.0.1:{site.port}"})

    assert (before, out.status_code) == (200, 303)
    assert ada.request(f"{site.base}{page.small}").status_code == 401


def test_file_is_made_for_its_session_alone(site, page, ada):
    for browser in (sign_in(site, "Mallory"), ada):
        with open_page(browser) as socket:
            other = draw(socket)
            refused = made_file(other, page.deferred)
            assert (refused.error_msg != "", refused.deferred_file.url) == (True, "")
            assert made_file(other, other.deferred).deferred_file.url


def test_upload_is_changed_by_its_user_and_browser_alone(site, ada, page):
    path = f"{site.base}{upload_path(page)}"
    assert upload(ada, path, b"mine") == 204

    for name, browser in strangers(ada).items():
        assert upload(browser, path, b"planted") in (401, 404), name
        assert browser.request(path, "DELETE").status_code in (401, 404), name
        for other in (
            path.replace("upload_file/", "upload_file//"),
            path.replace("/_st", "/%5fst"),
            path + "/",
        ):
            assert upload(browser, other, b"planted") in (400, 401, 404, 405), (name, other)

    assert upload(ada, path, b"mine again") == 204
    assert ada.request(path, "DELETE").status_code == 204


def test_session_is_continued_in_its_browser_alone(site, ada, page):
    path = f"{site.base}{upload_path(page)}"
    for browser in (sign_in(site, "Mallory"), sign_in(site, "Mallory", ada), sign_in(site, "Ada")):
        with open_page(browser, page.session) as socket:
            other = draw(socket)
            assert other.session != page.session
            assert upload(browser, path, b"planted") == 404
        assert upload(ada, path, b"mine") == 204  # her socket is still open

    with open_page(ada, page.session) as socket:
        assert draw(socket).session == page.session
