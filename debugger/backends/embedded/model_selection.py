"""The choice of the model that answers in a workflow."""

from __future__ import annotations

import re
from pathlib import Path

from debugger.engine.models import HeuristicModel, Script, ScriptedModel
from debugger.engine.models.base import Model
from debugger.engine.models.providers import Keys, ProviderModel
from debugger.engine.models.providers.configs import group_of
from debugger.errors import InputError, RunError, SettingsError, StoreError
from debugger.protocol.base import JsonObject
from debugger.protocol.workflow import Workflow
from debugger.samples import script_for
from debugger.settings import Settings
from debugger.store.edited_files import file_revision, write_file
from debugger.store.edited_tables import NEVER_WRITTEN


def model_for(
    workflow: Workflow, settings: Settings, *, script: Script | None = None, keys: Keys | None = None
) -> Model:
    """Return the models where enabled, else the script, else the heuristic.

    A script is a YAML file in the folder of scripts that names the workflow's logical id; the samples bring
    theirs along. Where models are wanted, script and rules answer for those that are simulated.

    Args:
        workflow: Names models, and may have a script.
        settings: What is wanted.
        script: A script that answers whatever the settings say.
        keys: The keys of the models' providers; those of the process's environment by default.

    Raises:
        InputError: A script has a mistake; the message names the file and the line.
        StoreError: A script cannot be read.
        SettingsError: Models are wanted, and the default model cannot be used.
    """
    rules = HeuristicModel()
    if script is not None:
        return ScriptedModel(script, rules)
    if settings.responder == "rules":
        return rules
    script = find_script(workflow.config.logical_id, settings.scripts_folder)
    offline = ScriptedModel(script, rules) if script else rules
    if settings.responder != "model":
        return offline
    return ProviderModel(
        offline,
        keys=keys,
        default_llm=default_llm(settings.default_model),
        refuses_private=settings.outbound_private == "refuse",
    )


def default_llm(text: str) -> JsonObject | None:
    """Return the configuration of the model for nodes that name none (U-58); ``None`` for an empty text.

    Args:
        text: Type, model and, where it has one, address, with spaces between them.

    Raises:
        SettingsError: The text names no model.
    """
    if not text.strip():
        return None
    llm = dict(zip(("type", "model", "base_url"), text.split(), strict=False))
    try:
        group_of(llm, None)
    except RunError as error:
        raise SettingsError(
            f"The default model {text!r} cannot be used: {error.message}",
            advice="Name type, model and address, as in 'custom_llm llama3 http://localhost:11434/v1'.",
        ) from error
    return llm


def find_script(logical_id: str, folder: Path) -> Script | None:
    """Return the script of a workflow, from the folder or a sample; ``None`` without one.

    Files of the folder are read in the order of their names until one fits. Raises StoreError where one of
    them cannot be read, and InputError where it has a mistake.
    """
    path = _script_path(logical_id, folder)
    if path is not None:
        return _load(path)
    text = script_for(logical_id)
    return Script.load(text) if text else None


def _load(path: Path) -> Script:
    """Return the script in a file.

    Raises:
        StoreError: The file cannot be read.
        InputError: It is not UTF-8, or the script has a mistake; the message names the file.
    """
    try:
        return Script.load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise StoreError(f"The script {path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"The script {path} is not UTF-8.", advice="Save the file as UTF-8.") from error
    except InputError as error:
        raise InputError(f"The script {path}: {error.message}", advice=error.advice) from error


def script_text(logical_id: str, folder: Path) -> str:
    """Return the text of a workflow's script; empty without one.

    Raises:
        StoreError: A script of the folder cannot be read.
        InputError: One has a mistake.
    """
    path = _script_path(logical_id, folder)
    return path.read_text(encoding="utf-8") if path is not None else script_for(logical_id) or ""


def script_revision(logical_id: str, folder: Path) -> int:
    """Return the revision of a workflow's script in the folder; 0 without one.

    Raises:
        StoreError: A script of the folder cannot be read.
        InputError: One has a mistake.
    """
    path = _script_path(logical_id, folder)
    return NEVER_WRITTEN if path is None else file_revision(path)


def save_script(text: str, folder: Path, expected: int | None = None) -> Path:
    """Store a script in the file of the workflow's last one, or in a new file, and return its path.

    A new file is named after the workflow's logical id; the folder is made if it is not there.

    Args:
        text: The script.
        folder: The folder.
        expected: The revision that its author has seen, see `script_revision`; ``None`` replaces any.

    Raises:
        InputError: It has a mistake.
        EditConflictError: Another user has changed the workflow's script meanwhile.
        StoreError: It cannot be written.
    """
    logical_id = Script.load(text).workflow
    path = _script_path(logical_id, folder)
    if path is None:
        path = folder / f"{re.sub(r'[^A-Za-z0-9_-]+', '-', logical_id)}.script.yaml"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_file(path, text, expected, subject="The script")
    except OSError as error:
        raise StoreError(f"The script {path} cannot be written: {error.strerror}.") from error
    return path


def _script_path(logical_id: str, folder: Path) -> Path | None:
    paths = sorted(folder.glob("*.y*ml")) if folder.is_dir() else []
    return next((path for path in paths if _load(path).workflow == logical_id), None)
