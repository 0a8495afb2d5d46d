"""The lock that `.ci/run` installs from fits the project's own dependencies."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCK = (ROOT / ".ci" / "requirements.txt").read_text()


def dependencies():
    """Return all dependencies: to run, of each extra, to build."""
    project = PROJECT["project"]
    named = [*project["dependencies"], *PROJECT["build-system"]["requires"]]
    named += [text for extra in project["optional-dependencies"].values() for text in extra]
    return [found for found in map(Requirement, named) if found.name != project["name"]]


def pins():
    return {
        canonicalize_name(name): pin for name, pin in re.findall(r"^([\w.-]+)==(\S+)", LOCK, re.MULTILINE)
    }


def test_every_dependency_has_an_upper_bound():
    unbounded = [
        found.name
        for found in dependencies()
        if not any(one.operator in ("<", "==") for one in found.specifier)
    ]

    assert unbounded == []


def test_extra_test_has_what_builds_the_wheel():
    assert set(PROJECT["build-system"]["requires"]) <= set(
        PROJECT["project"]["optional-dependencies"]["test"]
    )


def test_lock_fits_every_dependency():
    locked = pins()

    unfit = [
        str(found)
        for found in dependencies()
        if locked.get(canonicalize_name(found.name), "0") not in found.specifier
    ]

    assert unfit == [], "run .ci/lock"


def test_every_release_in_the_lock_has_hashes():
    blocks = re.split(r"^(?=[\w.-]+==)", LOCK, flags=re.MULTILINE)[1:]

    assert len(blocks) > 100
    assert all("--hash=sha256:" in block for block in blocks)


def test_lock_is_installed_before_the_tests():
    script = (ROOT / ".ci" / "run").read_text()

    lock, project = (
        script.index("--require-hashes -r .ci/requirements.txt"),
        script.index("-e '.[test]' && pytest"),
    )
    assert lock < script.index("PIP_NO_INDEX=1") < project


def test_command_of_the_readme_is_what_its_script_runs():
    (pattern,) = re.findall(r"grep -m1 '(.+)' README\.md", (ROOT / ".ci" / "readme").read_text())

    found = [line for line in (ROOT / "README.md").read_text().splitlines() if re.search(pattern, line)]

    assert found == ["pip install -e '.[test]' && pytest"]
