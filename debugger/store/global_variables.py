"""Global variables: values that every run of a team begins with (``platform/wire.md`` section 8)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from debugger.errors import ConflictError, NotFoundError
from debugger.protocol.json_codec import decode, encode
from debugger.store.database import Database
from debugger.store.ids import new_id
from debugger.store.paging import page_of
from debugger.store.secrecy import Secrecy
from debugger.store.server_schema import global_variables
from debugger.store.times import iso_time


@dataclass(frozen=True)
class GlobalVariable:
    """One global variable."""

    id: str
    name: str
    is_secret: bool
    description: str | None
    category: str | None
    created_at: str
    updated_at: str
    kept: str = field(repr=False)
    """The value as it is kept."""
    secrecy: Secrecy = field(repr=False, compare=False)

    @property
    def value(self) -> Any:
        """Its value. Shown when it is asked for: what is only listed or deleted needs no key.

        Raises:
            StoreError: It is secret, and the key is not the one that it was encrypted with.
        """
        return decode(self.secrecy.shown(self.kept).encode())


class GlobalVariables:
    """The global variables. Every method is one transaction and may raise `StoreError`.

    Values of secret ones are encrypted at rest.

    Args:
        database: The store's.
        secrecy: Hides the values of secret ones.
    """

    def __init__(self, database: Database, secrecy: Secrecy) -> None:
        self._database = database
        self._secrecy = secrecy

    def page(self, category: str | None, page: int, size: int) -> tuple[list[GlobalVariable], int]:
        """One page of the variables by name, and how many there are on all pages.

        Args:
            category: Only those of this category.
            page: Counts from 1.
            size: Rows on a page.

        Raises:
            InputError: Page or size is below 1.
        """
        chosen = [] if category is None else [global_variables.c.category == category]
        statement = select(global_variables).where(*chosen).order_by(global_variables.c.name)
        with self._database.reading() as connection:
            rows = connection.execute(page_of(statement, page, size)).all()
            count = select(func.count()).select_from(global_variables).where(*chosen)
            return [self._variable(row) for row in rows], connection.scalar(count) or 0

    def all(self) -> list[GlobalVariable]:
        """All of them by name."""
        statement = select(global_variables).order_by(global_variables.c.name)
        with self._database.reading() as connection:
            return [self._variable(row) for row in connection.execute(statement)]

    def get(self, variable_id: str) -> GlobalVariable:
        """One of them.

        Raises:
            NotFoundError: There is none of that id.
        """
        with self._database.reading() as connection:
            return self._find(connection, variable_id)

    def create(self, values: Mapping[str, Any]) -> GlobalVariable:
        """Keep a new one.

        Args:
            values: ``name``, ``is_secret``, ``value``, ``description`` and ``category``.

        Raises:
            ConflictError: There is one of that name.
        """
        now, variable_id = time.time(), new_id()
        with self._database.writing() as connection:
            _refuse_known(connection, values["name"])
            written = self._written(values, is_secret=bool(values.get("is_secret")))
            row = {"id": variable_id, **written, "created_at": now, "updated_at": now}
            connection.execute(insert(global_variables), row)
            return self._find(connection, variable_id)

    def change(self, variable_id: str, values: Mapping[str, Any]) -> GlobalVariable:
        """Change some of what one of them is.

        Raises:
            NotFoundError: There is none of that id.
            ConflictError: There is another one of the new name.
        """
        with self._database.writing() as connection:
            known = self._find(connection, variable_id)
            if values.get("name", known.name) != known.name:
                _refuse_known(connection, values["name"])
            is_secret = bool(values.get("is_secret", known.is_secret))
            if is_secret != known.is_secret:
                values = {"value": known.value, **values}  # kept in another way from now on
            changes = {**self._written(values, is_secret=is_secret), "updated_at": time.time()}
            ours = global_variables.c.id == variable_id
            connection.execute(update(global_variables).where(ours).values(**changes))
            return self._find(connection, variable_id)

    def delete(self, variable_id: str) -> None:
        """Forget one of them.

        Raises:
            NotFoundError: There is none of that id.
        """
        with self._database.writing() as connection:
            self._find(connection, variable_id)
            connection.execute(delete(global_variables).where(global_variables.c.id == variable_id))

    def _find(self, connection: Connection, variable_id: str) -> GlobalVariable:
        row = connection.execute(
            select(global_variables).where(global_variables.c.id == variable_id)
        ).one_or_none()
        if row is None:
            raise NotFoundError(
                f"There is no global variable {variable_id!r}.", advice="Copy an id from their list."
            )
        return self._variable(row)

    def _written(self, values: Mapping[str, Any], *, is_secret: bool) -> dict[str, Any]:
        if "value" not in values:
            return dict(values)
        text = encode(values["value"]).decode("utf-8")
        return {**values, "value": self._secrecy.hidden(text) if is_secret else text}

    def _variable(self, row: Row[Any]) -> GlobalVariable:
        return GlobalVariable(
            id=row.id,
            name=row.name,
            is_secret=row.is_secret,
            description=row.description,
            category=row.category,
            created_at=iso_time(row.created_at),
            updated_at=iso_time(row.updated_at),
            kept=row.value,
            secrecy=self._secrecy,
        )


def _refuse_known(connection: Connection, name: str) -> None:
    if connection.scalar(select(global_variables.c.id).where(global_variables.c.name == name)) is not None:
        raise ConflictError(
            f"There is a global variable {name!r} already.", advice="Change that one, or choose another name."
        )
