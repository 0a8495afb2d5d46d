from __future__ import annotations

from contextlib import closing

from typer.testing import CliRunner

from debugger.cli import main
from debugger.store import Role, Store, digest_of


def command(*arguments, **environment):
    return CliRunner().invoke(main, ["keys", *arguments], env=environment)


def test_key_is_printed_once(tmp_path):
    url = f"sqlite:///{tmp_path}/debugger.sqlite3"

    made = command("add", "Ada L.", "--role", "run", "--database", url)
    listed = command("list", WORKFLOW_DEBUGGER_DATABASE=url)

    key = made.stdout.strip()
    with closing(Store(url)) as store:
        [kept] = store.api_keys.all()
    assert (kept.digest, kept.person, kept.role) == (digest_of(key.encode()), "Ada L.", Role.RUN)
    assert made.stderr == f"Key {kept.id} for Ada L.: role run. It is not shown again:\n"
    heading, line = listed.stdout.splitlines()
    assert heading.split() == ["ID", "USER", "ROLE", "TEAM", "CREATED", "REVOKED"]
    assert line.split()[:5] == [kept.id, "Ada", "L.", "run", "-"]
    assert key not in listed.stdout
    assert kept.digest not in listed.stdout


def test_a_revoked_key_is_listed_as_such(tmp_path):
    url = f"sqlite:///{tmp_path}/debugger.sqlite3"
    with closing(Store(url)) as store:
        added, _ = store.api_keys.add("Ada", Role.ADMIN)

    told = command("revoke", added.id, "--database", url)
    listed = command("list", "--database", url)

    assert told.stdout == f"Key {added.id} is revoked.\n"
    *_, team, made, revoked = listed.stdout.splitlines()[1].split()
    assert (team, made) == ("-", revoked)


def test_errors_are_one_sentence(tmp_path):
    url = f"sqlite:///{tmp_path}/debugger.sqlite3"

    unknown = command("revoke", "665f", "--database", url)
    no_role = command("add", "Ada", "--database", url, "--role", "owner")

    assert unknown.exit_code == 1
    assert unknown.stderr == "error: There is no key '665f'. Copy an id from `keys list`.\n"
    assert no_role.exit_code == 2
    assert "Traceback" not in no_role.stderr
