from __future__ import annotations

from pathlib import Path

from debugger.errors import InputError
from debugger.store import Role
from debugger.views import shell
from debugger.views.auth.permissions import User
from debugger.views.panels import top_nav
from debugger.views.state import LastAction
from tests.views.bars import control, keys
from tests.views.records import record_of


def test_user_without_role_sees_one_sentence(app, monkeypatch):
    monkeypatch.setattr(shell, "current_user", lambda: User("eve@example.com", None, is_local=False))

    app.run()

    (sentence,) = app.error
    assert "no role was set for you" in sentence.value
    assert len(app.main.children) == 1
    assert not app.sidebar.children


def test_head_names_signed_in_user_without_markup(app, monkeypatch):
    monkeypatch.setattr(top_nav, "current_user", lambda: User("<b>Ada</b>", Role.RUN, is_local=False))

    app.run()

    (form,) = [element.proto.body for element in app.get("html") if "account" in element.proto.body[:30]]
    assert "&lt;b&gt;Ada&lt;/b&gt;" in form
    assert "<b>" not in form
    assert '<form class="account" method="post" action="/logout">' in form


def test_local_user_has_no_button_to_sign_out(app):
    app.run()

    assert not [element for element in app.get("html") if "account" in element.proto.body[:30]]


def test_error_of_a_page_stays_there(app):
    app.run()
    record_of(app, LastAction).error = InputError("It is red.")

    control(app, "to_runs").use()

    assert not app.exception
    assert not app.error


def test_each_module_of_a_page_is_in_the_navigation():
    folder = Path(shell.__file__).with_name("pages")
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__", "script"}

    assert modules == {view.name for view in shell.PAGES}


def test_style_is_opened_by_its_address_alone(view):
    app = view("style").run()

    assert not app.exception
    assert "to_runs" in keys(app)
    assert "to_style" not in keys(app)


def test_help_is_current_while_it_is_open(view):
    currents = {name: control(view(name).run(), "help").item["is_current"] for name in ("help", "runs")}

    assert currents == {"help": True, "runs": False}


def test_help_explains_each_page():
    assert all(view.help for view in (*shell.VIEWS, shell.REPLAY))


def test_each_page_has_title_and_icon():
    assert all(view.title and view.icon.startswith(":material/") for view in shell.PAGES)


def test_each_page_has_tests():
    tests = {path.stem for path in Path(__file__).with_name("pages").glob("test_*.py")}

    assert {f"test_{view.name}" for view in shell.PAGES} <= tests
