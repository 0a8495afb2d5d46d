from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

import debugger
from debugger.errors import EditConflictError
from debugger.store.edited_files import file_revision, write_file

PROCESS = """
import sys
from pathlib import Path
from debugger.errors import EditConflictError
from debugger.store.edited_files import write_file

print("ready", flush=True)
for line in sys.stdin:
    text, seen = line.split()
    try:
        write_file(Path(sys.argv[1]), text, int(seen), subject="The script")
        print("stored", flush=True)
    except EditConflictError:
        print("conflict", flush=True)
"""


class Editor:
    """A process that edits a file, once for each line that it is given."""

    def __init__(self, path):
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROCESS, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, text, seen):
        self._process.stdin.write(f"{text} {seen}\n")
        self._process.stdin.flush()

    def answer(self):
        return self._process.stdout.readline().strip()

    def close(self):
        self._process.stdin.close()
        self._process.wait(60)
        self._process.stdout.close()


def test_link_to_a_file_stays(tmp_path):
    shared, folder = tmp_path / "shared", tmp_path / "scripts"
    shared.mkdir()
    folder.mkdir()
    (shared / "tea.yaml").write_text("first")
    (folder / "tea.yaml").symlink_to(shared / "tea.yaml")

    write_file(folder / "tea.yaml", "second", None, subject="The script")

    assert (folder / "tea.yaml").is_symlink()
    assert (shared / "tea.yaml").read_text() == "second"


def test_overtaken_change_of_file_is_refused(tmp_path):
    path = tmp_path / "tea.script.yaml"
    seen = write_file(path, "first ü", 0, subject="The script")
    later = write_file(path, "second ü", seen, subject="The script")

    with pytest.raises(EditConflictError, match="The script has been changed meanwhile") as refused:
        write_file(path, "third", seen, subject="The script")
    stored = path.read_text(encoding="utf-8")
    path.unlink()
    with pytest.raises(EditConflictError, match="deleted meanwhile") as gone:
        write_file(path, "third", later, subject="The script")

    assert stored == refused.value.present == "second ü"
    assert (refused.value.revision, gone.value.present, gone.value.revision) == (later, None, 0)
    assert list(tmp_path.iterdir()) == []


def test_any_file_is_replaced_without_a_revision(tmp_path):
    path = tmp_path / "tea.script.yaml"
    path.write_text("first")

    assert write_file(path, "second", None, subject="The script") == file_revision(path) != 0
    assert path.read_text() == "second"


def test_two_processes_win_each_revision_of_a_file_once(tmp_path):
    path = tmp_path / "tea.script.yaml"
    answers, texts, winners = [], [], []
    with closing(Editor(path)) as one, closing(Editor(path)) as two:
        assert [one.answer(), two.answer()] == ["ready", "ready"]
        for number in range(40):
            seen = file_revision(path)
            one.ask(f"one{number}", seen)
            two.ask(f"two{number}", seen)
            pair = [one.answer(), two.answer()]
            answers.append(sorted(pair))
            winners.append(("one" if pair[0] == "stored" else "two") + str(number))
            texts.append(path.read_text())

    assert answers == [["conflict", "stored"]] * 40
    assert texts == winners


FILE_WRITES = {
    ("cli/export.py", "open"): 1,
    ("cli/export.py", "out.open"): 1,
    ("cli/test.py", "os.open"): 1,
    ("scenarios/opening.py", "path.write_bytes"): 1,
    ("store/backup_file.py", "os.fdopen"): 1,
    ("store/edited_files.py", "beside.write_bytes"): 1,
    ("store/sqlite.py", "os.fdopen"): 1,
    ("store/sqlite.py", "os.open"): 2,
    ("views/auth/logins.py", "os.fdopen"): 1,
    ("views/auth/logins.py", "os.open"): 1,
}
"""The calls that write files, with how often each is made.

The one writer of what users edit is that of ``store/edited_files.py``. The others write what a command names,
and files of the program's own, as keys.
"""
COPIES = {"shutil.copy", "shutil.copy2", "shutil.copyfile", "shutil.copytree", "shutil.move"}


def file_writes(tree):
    """Yield the calls that write a file, or copy or open one in another way than for reading."""
    for call in ast.walk(tree):
        if isinstance(call, ast.Call):
            called = ast.unparse(call.func)
            name = called.rpartition(".")[2]
            is_write = name in {"write_text", "write_bytes"} or called in COPIES
            flags = ast.unparse(call.args[1]) if called == "os.open" and len(call.args) > 1 else ""
            has_flags = any(flag in flags for flag in ("O_WRONLY", "O_RDWR", "O_CREAT"))
            if is_write or has_flags or (called != "os.open" and opens_for_writing(call, called)):
                yield called


def opens_for_writing(call, called):
    """Tell whether a call opens a file for writing; the built-in function also with an unknown mode."""
    if called.rpartition(".")[2] not in {"open", "fdopen"}:
        return False
    place = 1 if called in {"open", "os.fdopen"} else 0
    [mode] = [each.value for each in call.keywords if each.arg == "mode"] or call.args[place:][:1] or [None]
    if isinstance(mode, ast.Constant) and isinstance(mode.value, str):
        return set(mode.value) <= {*"rwxabt+"} and bool(set(mode.value) & {*"wxa+"})
    return place == 1 and mode is not None


def test_what_users_edit_is_written_by_one_function():
    root = Path(debugger.__file__).parent

    found = Counter(
        (path.relative_to(root).as_posix(), called)
        for path in root.rglob("*.py")
        for called in file_writes(ast.parse(path.read_text(encoding="utf-8")))
    )

    assert found == FILE_WRITES


@pytest.mark.parametrize(
    "call",
    [
        "open(p, 'r+')",
        "p.open('r+b')",
        "open(p, mode)",
        "p.open(mode='a')",
        "os.open(p, os.O_CREAT)",
        "p.write_text('')",
        "shutil.move(p, q)",
    ],
)
def test_write_of_a_file_is_found(call):
    assert len(list(file_writes(ast.parse(call)))) == 1


@pytest.mark.parametrize("call", ["open(p)", "open(p, 'rb')", "p.open()", "p.open('r')", "dialog.copy()"])
def test_read_of_a_file_is_no_write(call):
    assert list(file_writes(ast.parse(call))) == []
