"""The wheel in an environment of its own, started in another folder with another home."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ROOT, free_port, running
from tests.browser.driving import choose, context, open_app, say, start

pytestmark = pytest.mark.browser

WATCH = """
import os, sys
def note(event, arguments):
    if event in ("open", "os.listdir", "os.scandir") and arguments and isinstance(arguments[0], str):
        path = os.path.abspath(arguments[0])
        if "/debugger/" in path or path.startswith({root!r}):
            os.write(log, (path + "\\n").encode())
log = os.open({log!r}, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
sys.addaudithook(note)
"""


@dataclass(frozen=True)
class Installation:
    commands: Path
    packages: Path
    opened: Path
    """The log of all files of the package and of the checkout that a process has opened."""

    def foreign_files(self) -> list[str]:
        """Return what was opened that is neither the package nor a dependency of the lock."""
        own = (str(self.packages), sysconfig.get_path("purelib"), sys.prefix)
        return [path for path in self.opened.read_text().splitlines() if not path.startswith(own)]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """The wheel of this checkout; its dependencies are those that the tests run with."""
    folder = tmp_path_factory.mktemp("wheel")
    shutil.copytree(
        ROOT / "debugger", folder / "source" / "debugger", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copy(ROOT / "pyproject.toml", folder / "source")
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-index",
        "--no-build-isolation",
    ]
    subprocess.run(
        [*build, "--wheel-dir", folder, folder / "source"], check=True, cwd=folder, capture_output=True
    )
    shutil.rmtree(folder / "source")
    (wheel,) = folder.glob("workflow_debugger-*.whl")

    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    python = folder / "venv" / "bin" / "python"
    install = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        python,
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
    ]
    subprocess.run([*install, wheel], check=True, capture_output=True)
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = Path(
        subprocess.run([python, "-c", ask], check=True, capture_output=True, text=True).stdout.strip()
    )
    # A path in such a file is only searched: the editable installation of the checkout stays without effect.
    (packages / "dependencies.pth").write_text(f"{sysconfig.get_path('purelib')}\nimport watch_opened\n")
    opened = folder / "opened.txt"
    (packages / "watch_opened.py").write_text(WATCH.format(log=str(opened), root=f"{ROOT}/"))
    return Installation(python.parent, packages, opened)


def test_installed_app_steps_clinic(page: Page, installed: Installation, tmp_path: Path):
    port = free_port()
    command = [
        "env",
        "-C",
        str(tmp_path),
        str(installed.commands / "workflow-debugger"),
        "app",
        "--port",
        str(port),
    ]
    with running(command, "/_stcore/health", port, tmp_path) as app:
        open_app(page, app.url)
        choose(page, "Workflow", "Clinic front desk")
        start(page)
        say(page, "Hi, I'd like to book an appointment, please.")

        expect(context(page)).to_contain_text("Turn 2")
    assert str(installed.packages / "debugger" / "views" / "app" / "app.py") in installed.opened.read_text()
    assert installed.foreign_files() == []


def test_installed_command_runs_packaged_suite(installed: Installation, tmp_path: Path):
    suite = installed.packages / "debugger" / "samples" / "scenarios"
    command = [installed.commands / "workflow-debugger", "test", suite]
    tested = subprocess.run(
        command, cwd=tmp_path, env={"HOME": str(tmp_path)}, capture_output=True, text=True
    )

    assert tested.returncode == 0, tested.stderr
    assert "\n9 passed in" in tested.stdout
    assert installed.foreign_files() == []
