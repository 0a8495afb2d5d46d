"""Which stand-in answers for the models of a workflow."""

from __future__ import annotations

from pathlib import Path

from debugger.engine.responders import RulesResponder, Script, ScriptedResponder
from debugger.engine.responders.base import Responder
from debugger.errors import InputError, StoreError
from debugger.protocol.workflow import Workflow
from debugger.samples import script_for
from debugger.settings import Settings


def responder_for(workflow: Workflow, settings: Settings) -> Responder:
    """The script of the workflow where it has one and scripts are wanted, else the rules.

    A script is a YAML file in the folder of scripts that names the workflow's logical id; the samples bring
    theirs along.

    Raises:
        InputError: A script has a mistake; the message names the file and the line.
        StoreError: A script cannot be read.
    """
    rules = RulesResponder()
    if settings.responder == "rules":
        return rules
    script = find_script(workflow.config.logical_id, settings.scripts_folder)
    return ScriptedResponder(script, rules) if script else rules


def find_script(logical_id: str, folder: Path) -> Script | None:
    """The script that names a workflow: one in the folder, by file name, else a sample's."""
    for path in sorted(folder.glob("*.y*ml")) if folder.is_dir() else ():
        script = _load(path)
        if script.workflow == logical_id:
            return script
    text = script_for(logical_id)
    return Script.load(text) if text else None


def _load(path: Path) -> Script:
    try:
        return Script.load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise StoreError(f"The script {path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"The script {path} is not UTF-8.", advice="Save the file as UTF-8.") from error
    except InputError as error:
        raise InputError(f"The script {path}: {error.message}", advice=error.advice) from error
