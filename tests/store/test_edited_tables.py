from __future__ import annotations

import ast
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest

import debugger
from debugger.errors import EditConflictError
from debugger.protocol.notes import Target
from debugger.protocol.reviews import Verdict
from debugger.store import ReviewChanges, Role, Store, VerdictChange, back_up, restore
from debugger.store.edited_tables import EDITED_TABLES
from debugger.store.scenarios import Writer
from debugger.store.schema import metadata
from tests.store.test_reviews import a_run

RUN = "665f0c2b9a3e4d5f6a7b8c90"
TEA = "665f00000000000000000001"
ADA = Writer("Ada", Role.RUN)


class Edit(NamedTuple):
    """Functions that store a thing in place of a revision, and read it with its own."""

    store: object
    read: object


def store_verdict(store, text, expected):
    verdict = Verdict(run_id=RUN, target=Target(), value="pass", reviewer="Ada", comment=text)
    before = verdict.model_copy(update={"revision": expected}) if expected else None
    store.reviews.apply(ReviewChanges([VerdictChange(verdict, before)]))


def read_verdict(store):
    return next(
        ((each.comment, each.revision) for each in store.reviews.verdicts([RUN]).get(RUN, [])), ("", 0)
    )


def read_named(saved):
    found = saved.stored().get("Green")
    return (found.content["text"], found.revision) if found else ("", 0)


def read_preset(store):
    return next(((each.run_input["text"], each.revision) for each in store.notes.presets(TEA)), ("", 0))


def read_scenario(store):
    found = store.scenarios.find("Green")
    return (found.text, found.revision) if found else ("", 0)


def first(stored):
    return next(iter(stored.content), ""), stored.revision


EDITS = {
    "run_marks": Edit(
        lambda store, text, expected: store.notes.write(RUN, text, by="Ada", expected=expected),
        lambda store: store.notes.note(RUN)[:2],
    ),
    "verdicts": Edit(store_verdict, read_verdict),
    "rubrics": Edit(
        lambda store, text, expected: store.reviews.set_rubric(TEA, [text], by="Ada", expected=expected),
        lambda store: first(store.reviews.stored_rubric(TEA)),
    ),
    "demo_scripts": Edit(
        lambda store, text, expected: store.demo_scripts.save("", TEA, [text], by="Ada", expected=expected),
        lambda store: first(store.demo_scripts.stored("", TEA)),
    ),
    "presets": Edit(
        lambda store, text, expected: store.notes.keep_preset(
            TEA, "Green", {"text": text}, by="Ada", expected=expected
        ),
        read_preset,
    ),
    "export_presets": Edit(
        lambda store, text, expected: store.export_presets.save(
            "Green", {"text": text}, by="Ada", expected=expected
        ),
        lambda store: read_named(store.export_presets),
    ),
    "saved_filters": Edit(
        lambda store, text, expected: store.saved_filters.save(
            "Green", {"text": text}, by="Ada", expected=expected
        ),
        lambda store: read_named(store.saved_filters),
    ),
    "scenarios": Edit(
        lambda store, text, expected: store.scenarios.save("Green", text, ADA, expected=expected),
        read_scenario,
    ),
}
"""By the name of the table."""

NOT_EDITED = {
    "a list of entries, which are added and removed one by one": (
        *("run_tags", "comments", "favorites", "hidden_runs", "python_consents", "accepted_groups"),
    ),
    "a choice of one user, who makes it anew": ("ratings",),
    "the set-up that the last tab of a run had, which nobody edits as such": ("kits",),
    "written by the program": (
        *("meta", "runs", "turns", "forks", "unfinished_turns", "spoken", "run_facts", "run_scenarios"),
        *(
            "suite_runs",
            "suite_results",
            "suite_repetitions",
            "replays",
            "replay_results",
            "rerun_tokens",
            "audit_entries",
            "ended_logins",
        ),
    ),
    "made and revoked, never changed": ("api_keys",),
    "changed field by field over the API of the platform, which knows no revisions": (
        *("workflows", "versions", "workflow_facts", "global_variables"),
    ),
}
"""Tables without a revision, by the reason."""


@pytest.fixture(params=EDITS)
def edit(request):
    """A way to edit each of the tables."""
    return EDITS[request.param]


def test_every_table_is_edited_by_revision_or_has_reason():
    edited = {each.table.name for each in EDITED_TABLES}
    others = [name for names in NOT_EDITED.values() for name in names]

    assert set(EDITS) == edited
    assert sorted([*edited, *others]) == sorted(metadata.tables)


WRITERS = {"insert", "update", "upsert", "delete"}
ALLOWED = {
    ("edited_tables.py", "write", "self.table"),
    ("edited_tables.py", "delete", "self.table"),
    # What is imported, only where there is no row.
    ("edited_tables.py", "add", "self.table"),
    # The star is a choice beside the note.
    ("notes.py", "_set_star", "run_marks"),
    # These go with their workflow or run.
    ("workflows.py", "delete_workflow", "demo_scripts"),
    ("workflows.py", "delete_workflow", "table"),
    ("retention.py", "delete_runs", "table"),
    # Whole databases.
    ("backup.py", "_insert", "rows[0].table"),
    # Results of suite runs.
    ("suites.py", "prune", "table"),
    # The last migration.
    ("schema.py", "write_first_facts", "revisions"),
    # The statement of all upserts.
    ("sql_helpers.py", "upsert", "table"),
}
"""Writes to an edited table, or to one that the source does not name, by file and function."""


def writes(path):
    """Yield function and table of each statement that writes to an edited table, or to one without a name."""
    edited = {each.table.name for each in EDITED_TABLES}
    for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(function, ast.FunctionDef):
            continue
        for call in ast.walk(function):
            if not isinstance(call, ast.Call):
                continue
            is_method = isinstance(call.func, ast.Attribute)
            name = call.func.attr if is_method else getattr(call.func, "id", "")
            if name not in WRITERS or not (is_method or call.args):
                continue
            table = ast.unparse(call.func.value if is_method else call.args[0]).removeprefix("schema.")
            if table in edited or (not is_method and table not in metadata.tables):
                yield function.name, table


def test_edited_table_is_written_by_compare_and_set_alone():
    package = Path(debugger.__file__).parent
    files = [path for path in package.rglob("*.py") if "migrations" not in path.parts]
    sources = [path for path in files if "sqlalchemy" in path.read_text(encoding="utf-8")]

    assert {(path.name, *write) for path in sources for write in writes(path)} == ALLOWED


@pytest.mark.parametrize("table", ["rubrics", "TABLES[name]", "schema.verdicts"])
def test_write_past_the_helper_is_found(tmp_path, table):
    path = tmp_path / "planted.py"
    path.write_text(f"def plant(connection):\n    connection.execute(update({table}).values(checks='[]'))\n")

    assert list(writes(path)) == [("plant", table.removeprefix("schema."))]


def test_overtaken_change_is_refused_with_what_is_stored(url, edit):
    with closing(Store(url)) as store:
        a_run(store)
        edit.store(store, "first", 0)
        _, seen = edit.read(store)
        edit.store(store, "second", seen)
        stored = edit.read(store)

        with pytest.raises(EditConflictError, match="changed meanwhile; nothing was stored") as refused:
            edit.store(store, "third", seen)

        assert stored == edit.read(store) == ("second", refused.value.revision)
        error = refused.value
        assert error.revision != seen
        assert error.changed_by == "Ada"
        assert "second" in str(error.present)
        assert error.changed_at.startswith("20")


def test_new_thing_does_not_replace_another(url, edit):
    with closing(Store(url)) as store:
        a_run(store)
        edit.store(store, "first", 0)

        with pytest.raises(EditConflictError):
            edit.store(store, "second", 0)

        assert edit.read(store)[0] == "first"


DELETES = {
    "preset": (
        EDITS["presets"],
        lambda store, expected: store.notes.delete_preset(TEA, "Green", expected=expected),
    ),
    "export preset": (
        EDITS["export_presets"],
        lambda store, expected: store.export_presets.delete("Green", expected=expected),
    ),
    "scenario": (
        EDITS["scenarios"],
        lambda store, expected: store.scenarios.delete("Green", ADA, expected=expected),
    ),
    "verdict": (
        EDITS["verdicts"],
        lambda store, expected: store.reviews.delete_verdict(RUN, Target(), "Ada", expected=expected),
    ),
}


@pytest.mark.parametrize("name", DELETES)
def test_thing_made_again_is_another(url, name):
    edit, delete = DELETES[name]
    with closing(Store(url)) as store:
        a_run(store)
        edit.store(store, "first", 0)
        _, seen = edit.read(store)
        delete(store, seen)
        with pytest.raises(EditConflictError, match="deleted meanwhile") as gone:
            edit.store(store, "mine", seen)
        edit.store(store, "again", 0)

        with pytest.raises(EditConflictError, match="changed meanwhile"):
            edit.store(store, "mine", seen)
        with pytest.raises(EditConflictError, match="changed meanwhile"):
            delete(store, seen)

        assert (gone.value.present, gone.value.revision) == (None, 0)
        assert edit.read(store)[0] == "again"


def test_change_of_before_a_restore_does_not_replace_one_after_it(tmp_path, edit):
    url, backup = f"sqlite:///{tmp_path}/debugger.sqlite3", tmp_path / "backup"
    with closing(Store(url)) as store:
        a_run(store)
        edit.store(store, "first", 0)
        back_up(url, backup)
        edit.store(store, "lost", edit.read(store)[1])
        _, seen = edit.read(store)
        restore(url, backup, replace=True)
        edit.store(store, "theirs", edit.read(store)[1])

        with pytest.raises(EditConflictError, match="changed meanwhile"):
            edit.store(store, "mine", seen)

        assert edit.read(store)[0] == "theirs"


def test_two_threads_win_each_revision_once(url, edit):
    with closing(Store(url)) as one, closing(Store(url)) as two:
        a_run(one)
        barrier = threading.Barrier(2, timeout=60)

        def write(store, name):
            won = 0
            for number in range(10):
                seen = edit.read(store)[1]
                barrier.wait()  # both have seen the same
                try:
                    edit.store(store, f"{name}{number}", seen)
                except EditConflictError:
                    pass
                else:
                    won += 1
                barrier.wait()
            return won

        with ThreadPoolExecutor(2) as threads:
            won = list(threads.map(write, [one, two], ["a", "b"]))

        text, revision = edit.read(one)
    assert sum(won) == 10
    assert text in ("a9", "b9")
    assert revision > 0


SERVER = """
import sys
from debugger.errors import EditConflictError
from debugger.store import Store
from tests.store.test_edited_tables import EDITS

store = Store(sys.argv[1])
print("ready", flush=True)
for line in sys.stdin:
    name, text, seen = line.split()
    try:
        EDITS[name].store(store, text, int(seen))
        print("stored", flush=True)
    except EditConflictError:
        print("conflict", flush=True)
"""


class Editor:
    """A process that edits a thing, once for each line that it is given."""

    def __init__(self, url):
        self._process = subprocess.Popen(
            [sys.executable, "-c", SERVER, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, *words):
        self._process.stdin.write(" ".join(map(str, words)) + "\n")
        self._process.stdin.flush()

    def answer(self):
        return self._process.stdout.readline().strip()

    def close(self):
        self._process.stdin.close()
        self._process.wait(60)
        self._process.stdout.close()


def test_two_processes_win_each_revision_once(url):
    answers, texts, winners = [], [], []
    with closing(Store(url)) as store:
        a_run(store)
        with closing(Editor(url)) as one, closing(Editor(url)) as two:
            assert [one.answer(), two.answer()] == ["ready", "ready"]
            for name in list(EDITS) * 10:
                _, seen = EDITS[name].read(store)
                one.ask(name, f"one{seen}", seen)
                two.ask(name, f"two{seen}", seen)
                pair = [one.answer(), two.answer()]
                answers.append(sorted(pair))
                winners.append(f"one{seen}" if pair[0] == "stored" else f"two{seen}")
                texts.append(EDITS[name].read(store)[0])

    assert answers == [["conflict", "stored"]] * 10 * len(EDITS)
    assert texts == winners
