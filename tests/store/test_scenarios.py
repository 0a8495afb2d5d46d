from __future__ import annotations

import subprocess
import sys
from contextlib import closing

import pytest

from debugger.errors import EditConflictError, ForbiddenError, InputError, NotFoundError
from debugger.store import Role, Store
from debugger.store import scenarios as module
from debugger.store.scenarios import MAX_NAME_CHARACTERS, MAX_TEXT_CHARACTERS, Writer

ADA, BEN = Writer("Ada", Role.RUN), Writer("Ben", Role.RUN)
BOSS, READER = Writer("Eve", Role.ADMIN), Writer("Rita", Role.REVIEW)


@pytest.fixture
def stored(url):
    """The scenarios of a store that has one of Ada's, with its revision."""
    with closing(Store(url)) as store:
        revision = store.scenarios.save("Tea", "name: Tea", ADA, expected=0)
        yield store.scenarios, revision


def test_author_changes_and_deletes_own(stored):
    scenarios, revision = stored

    revision = scenarios.save("Tea", "name: Tea # 2", ADA, expected=revision)
    found = scenarios.find("Tea")
    scenarios.delete("Tea", ADA, expected=revision)

    assert found[:5] == ("Tea", "name: Tea # 2", "Ada", revision, "Ada")
    assert found.updated_at.startswith("20")
    assert scenarios.find("Tea") is None


@pytest.mark.parametrize("writer", [BEN, READER, Writer("Ada", Role.READ), Writer("", None)])
def test_scenario_of_another_is_refused(stored, writer):
    scenarios, revision = stored
    before = scenarios.all()

    for expected in (revision, 0):
        with pytest.raises(ForbiddenError):
            scenarios.save("Tea", "name: Tea # mine", writer, expected=expected)
        with pytest.raises(ForbiddenError):
            scenarios.delete("Tea", writer, expected=expected)

    assert scenarios.all() == before
    assert not before[0].may_be_written_by(writer)


def test_admin_changes_any_and_author_stays(stored):
    scenarios, revision = stored

    revision = scenarios.save("Tea", "name: Tea # 2", BOSS, expected=revision)

    found = scenarios.find("Tea")
    assert (found.author, found.updated_by) == ("Ada", "Eve")
    with pytest.raises(EditConflictError) as refused:
        scenarios.save("Tea", "name: Tea # 3", ADA, expected=1)
    assert (refused.value.present, refused.value.changed_by) == ("name: Tea # 2", "Eve")
    scenarios.save("Tea", "name: Tea # 3", ADA, expected=revision)


def test_role_run_is_needed_to_add(stored):
    scenarios, _ = stored

    with pytest.raises(ForbiddenError, match="Needs the role run; you have review"):
        scenarios.save("Coffee", "name: Coffee", READER, expected=0)

    assert [each.name for each in scenarios.all()] == ["Tea"]


def test_name_is_taken_by_the_first(stored):
    scenarios, _ = stored

    with pytest.raises(EditConflictError):
        scenarios.save("Tea", "name: Tea # mine", BOSS, expected=0)


def test_scenarios_are_sorted_without_case(stored):
    scenarios, _ = stored
    for name in ("coffee", "Water", "Bread"):
        scenarios.save(name, f"name: {name}", BEN, expected=0)

    assert [each.name for each in scenarios.all()] == ["Bread", "coffee", "Tea", "Water"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("", "", "1 to 120 characters, and this has 0"),
        ("x" * (MAX_NAME_CHARACTERS + 1), "", "this has 121"),
        ("Long", "x" * (MAX_TEXT_CHARACTERS + 1), "The scenario 'Long' has 100,001 characters"),
    ],
)
def test_long_name_or_text_is_refused(stored, name, text, message):
    scenarios, _ = stored

    with pytest.raises(InputError, match=message):
        scenarios.save(name, text, ADA, expected=0)


def test_number_of_scenarios_is_limited(stored, monkeypatch):
    scenarios, revision = stored
    monkeypatch.setattr(module, "MAX_SCENARIOS", 1)

    with pytest.raises(InputError, match="There are 1 stored scenarios"):
        scenarios.save("Coffee", "name: Coffee", ADA, expected=0)

    scenarios.save("Tea", "name: Tea # 2", ADA, expected=revision)


def test_deleting_what_is_gone_is_told(stored):
    scenarios, revision = stored
    scenarios.delete("Tea", BOSS, expected=revision)

    with pytest.raises(NotFoundError, match="There is no scenario 'Tea'"):
        scenarios.delete("Tea", BOSS, expected=revision)


_WRITER = """
import sys
from debugger.errors import EditConflictError, ForbiddenError
from debugger.store import Role, Store
from debugger.store.scenarios import Writer

url, mark = sys.argv[1:]
store, me = Store(url), Writer("Ada", Role.RUN)
print("ready", flush=True)
sys.stdin.readline()
won = []
for name in (f"New {number}" for number in range(10)):
    try:
        store.scenarios.save(name, mark, me, expected=0)
        won.append(name)
    except EditConflictError:
        pass
done = 0
while done < 15:
    seen = store.scenarios.find("Tea")
    try:
        store.scenarios.save("Tea", f"{seen.text}\\n{mark}{done}", me, expected=seen.revision)
        done += 1
    except EditConflictError:
        pass
print(",".join(won), flush=True)
store.close()
"""


def test_two_processes_lose_nothing(url):
    with closing(Store(url)) as store:
        store.scenarios.save("Tea", "name: Tea", ADA, expected=0)
        command = [sys.executable, "-c", _WRITER, url]
        processes = [
            subprocess.Popen([*command, mark], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for mark in "ab"
        ]
        for process in processes:
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            process.stdin.write("go\n")
            process.stdin.flush()
        won = [process.communicate()[0].strip().split(",") for process in processes]
        found = store.scenarios.all()

    lines = found[-1].text.splitlines()[1:]
    assert sorted(lines) == sorted(f"{mark}{number}" for mark in "ab" for number in range(15))
    assert [each for each in lines if each[0] == "a"] == [f"a{number}" for number in range(15)]
    assert {name for name in won[0] + won[1] if name} == {f"New {number}" for number in range(10)}
    assert {each.name: each.text for each in found[:-1]} == {
        name: mark for mark, own in zip("ab", won, strict=True) for name in own if name
    }
    assert len(won[0] + won[1]) - (won[0] + won[1]).count("") == 10
