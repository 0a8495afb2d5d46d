"""Run inputs that were kept under a name, by workflow."""

from __future__ import annotations

import time

from sqlalchemy import Connection, delete, func, select

from debugger.errors import InputError, NotFoundError
from debugger.protocol.base import JsonObject
from debugger.protocol.json_codec import encode
from debugger.protocol.notes import Preset
from debugger.store.json_text import read_json
from debugger.store.notebook_schema import presets
from debugger.store.times import iso_time
from debugger.store.upserts import insert

SECRETS = "secret_variables"
"""The one key of a run input that is never kept (``platform/wire.md`` 2.2)."""

MOST_NAME_CHARACTERS = 80


def read_presets(connection: Connection, workflow_id: str) -> list[Preset]:
    """A workflow's presets by name."""
    statement = select(presets).where(presets.c.workflow_id == workflow_id)
    return [
        Preset(
            name=row.name,
            run_input=read_json(row.run_input, f"preset {row.name!r}"),
            updated_at=iso_time(row.updated_at),
        )
        for row in connection.execute(statement.order_by(func.lower(presets.c.name)))
    ]


def keep_preset(connection: Connection, workflow_id: str, name: str, run_input: JsonObject) -> None:
    """Keep a run input under a name, in the place of what had it before.

    Raises:
        InputError: The name is blank or too long.
    """
    name = " ".join(name.split())
    if not 0 < len(name) <= MOST_NAME_CHARACTERS:
        raise InputError(
            f"The name of a preset has 1 to {MOST_NAME_CHARACTERS} characters, and this has {len(name)}.",
            advice="Name it after what it is for.",
        )
    kept = {key: value for key, value in run_input.items() if key != SECRETS}
    values = {"updated_at": time.time(), "run_input": encode(kept)}
    fresh = insert(presets).values(workflow_id=workflow_id, name=name, **values)
    connection.execute(fresh.on_conflict_do_update(index_elements=["workflow_id", "name"], set_=values))


def delete_preset(connection: Connection, workflow_id: str, name: str) -> None:
    """Forget a preset.

    Raises:
        NotFoundError: There is none of that name.
    """
    ours = (presets.c.workflow_id == workflow_id) & (presets.c.name == name)
    if not connection.execute(delete(presets).where(ours)).rowcount:
        raise NotFoundError(f"There is no preset {name!r}.", advice="Somebody else has deleted it.")
