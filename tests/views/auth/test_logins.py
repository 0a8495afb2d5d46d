from __future__ import annotations

import os

import pytest

from debugger.errors import SettingsError, StoreError
from debugger.settings import Settings
from debugger.store import Role, Store
from debugger.views.auth import logins as login_cookie
from debugger.views.auth.logins import (
    FRESH_SECONDS,
    MAX_AGE_SECONDS,
    MAX_UNREAD_SECONDS,
    Logins,
    issue_cookie,
    login_cookie_name,
    secret_folder,
    signing_secret,
)
from debugger.views.auth.permissions import User, current_user
from tests.support.teams import add_team_key


@pytest.fixture
def store(tmp_path):
    store = Store(f"sqlite:///{tmp_path}/runs.sqlite3")
    yield store
    store.close()


@pytest.fixture
def clock():
    return [0.0]


@pytest.fixture
def logins(store, tmp_path, clock):
    settings = Settings(database=f"sqlite:///{tmp_path}/runs.sqlite3")
    return Logins("key", settings, lambda: store, clock=lambda: clock[0])


def cookies_for(logins, key):
    return {login_cookie_name(): issue_cookie(logins.secret, key.id)}


def test_login_has_person_and_role_of_its_key(logins, store):
    key, _ = store.api_keys.add("Ada", Role.RUN)

    login = logins.find(cookies_for(logins, key))

    assert (login.person, login.role) == ("Ada", Role.RUN)


def test_revoked_key_is_noticed_within_second(logins, store, clock):
    key, _ = store.api_keys.add("Ada", Role.RUN)
    cookies = cookies_for(logins, key)
    assert logins.find(cookies)
    store.api_keys.revoke(key.id)

    clock[0] += FRESH_SECONDS + 0.01

    assert logins.find(cookies) is None
    assert logins.key(key.digest) is None


def test_key_of_team_does_not_open_page(logins, store, tmp_path):
    add_team_key(f"sqlite:///{tmp_path}/runs.sqlite3")
    [key] = store.api_keys.all()

    assert logins.find(cookies_for(logins, key)) is None
    assert not logins.has_keys()


def test_ended_login_ends_alone_and_at_once(logins, store):
    key, _ = store.api_keys.add("Ada", Role.RUN)
    one, other = cookies_for(logins, key), cookies_for(logins, key)

    logins.end(logins.find(one))

    assert logins.find(one) is None
    assert logins.find(other)


def test_expired_cookie_is_refused(logins, store, monkeypatch):
    key, _ = store.api_keys.add("Ada", Role.RUN)
    cookies = cookies_for(logins, key)
    now = login_cookie.time.time()

    monkeypatch.setattr(login_cookie.time, "time", lambda: now + MAX_AGE_SECONDS + 1)

    assert logins.find(cookies) is None


def test_logins_outlive_short_fault_of_store(store, tmp_path, clock):
    faults = []

    def read_store():
        if faults:
            raise StoreError("The database is locked.")
        return store

    logins = Logins("key", Settings(database=f"sqlite:///{tmp_path}/x.sqlite3"), read_store, lambda: clock[0])
    key, _ = store.api_keys.add("Ada", Role.RUN)
    cookies = cookies_for(logins, key)
    assert logins.find(cookies)
    faults.append(1)

    clock[0] = MAX_UNREAD_SECONDS
    assert logins.find(cookies)
    clock[0] += FRESH_SECONDS + 1
    with pytest.raises(StoreError):
        logins.find(cookies)


def test_secret_is_kept_for_its_user_alone(tmp_path):
    folder = tmp_path / "data"

    secret = signing_secret(folder)

    assert signing_secret(folder) == secret
    assert len(secret) == 64
    (file,) = folder.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600


def test_draft_of_a_killed_process_stops_no_start(tmp_path):
    (tmp_path / f"page-login.secret.{os.getpid()}").touch()

    assert len(signing_secret(tmp_path)) == 64


def test_file_without_secret_is_refused(tmp_path):
    (tmp_path / "page-login.secret").write_text("")

    with pytest.raises(SettingsError, match="holds no secret"):
        signing_secret(tmp_path)


@pytest.mark.parametrize(
    ("database", "folder"),
    [("sqlite:////srv/data/runs.sqlite3?timeout=2", "/srv/data"), ("sqlite:///runs.db", ".")],
)
def test_secret_is_beside_sqlite_file(database, folder):
    assert str(secret_folder(Settings(database=database))) == folder


def test_user_of_another_database_keeps_secret_in_data_folder():
    folder = secret_folder(Settings(database="postgresql://localhost/srv/runs"))

    assert folder == secret_folder(Settings(database="sqlite://")) == secret_folder(Settings())


def test_local_user_is_author(monkeypatch):
    monkeypatch.setenv("WORKFLOW_DEBUGGER_AUTHOR", "Ada")

    assert current_user() == User("Ada", Role.ADMIN, is_local=True)


def test_user_without_login_has_no_role(monkeypatch, logins):
    monkeypatch.setattr("debugger.views.auth.permissions.page_logins", lambda: logins)

    assert current_user() == User("", None, is_local=False)
