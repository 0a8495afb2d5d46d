"""A scenario with its workflow and script in one archive, which runs without a store."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace

from debugger.exports.file_names import plain_name
from debugger.protocol.base import JsonObject
from debugger.scenarios.loading import SUFFIX
from debugger.scenarios.proposal import ScenarioDraft

_AT = (1980, 1, 1, 0, 0, 0)
"""The earliest time that an archive can have: equal content makes an equal file."""


def write_bundle(draft: ScenarioDraft, name: str, workflow: JsonObject, script: str) -> bytes:
    """Return a ZIP archive of a scenario and the files that it names.

    Args:
        draft: The scenario; its workflow is named by the file, whatever it names now.
        name: The workflow's name, after which its file is named.
        workflow: The version that ran, without secret variables.
        script: The text of the script that answered; empty without one.

    Raises:
        InputError: See `ScenarioDraft.to_json`.
    """
    lead = plain_name(name) or "workflow"
    files = {f"{lead}.json": json.dumps(workflow, ensure_ascii=False, indent=2)}
    named = {"workflow": f"{lead}.json"}
    if script:
        files[f"{lead}.script.yaml"] = script
        named["script"] = f"{lead}.script.yaml"
    rest = {key: value for key, value in draft.head.items() if key != "workflow_version"}
    scenario = replace(draft, head={"name": rest.pop("name", ""), **rest, **named})
    files[f"{plain_name(str(draft.head['name'])) or 'scenario'}{SUFFIX}"] = scenario.text()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for file_name, text in files.items():
            archive.writestr(zipfile.ZipInfo(file_name, _AT), text.encode(), zipfile.ZIP_DEFLATED)
    return out.getvalue()
