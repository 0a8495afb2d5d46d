from __future__ import annotations

import subprocess
import sys
from contextlib import closing

import pytest

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
