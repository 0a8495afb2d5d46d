"""Global variables, with which every run begins (``platform.md#other-routes``)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from debugger.errors import ConflictError, NotFoundError
from debugger.protocol.json_codec import decode, encode
from debugger.store.database import Database, Repository
from debugger.store.encryption import Cipher
from debugger.store.schema import global_variables
from debugger.store.sql_helpers import iso_time, new_id, page_of


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
    stored: str = field(repr=False)
    """The value as it is stored."""
    cipher: Cipher = field(repr=False, compare=False)

    @property
    def value(self) -> Any:
        """Return its value, decrypted.

        Raises:
            StoreError: It is secret, and the key is not the one that it was encrypted with.
        """
        return decode(self.cipher.decrypt(self.stored).encode())


class VariableRepository(Repository):
    """The global variables."""

    def __init__(self, database: Database, cipher: Cipher) -> None:
        super().__init__(database)
        self._cipher = cipher

    def page(self, category: str | None, page: int, size: int) -> tuple[list[GlobalVariable], int]:
        """Return one page of the variables by name, and the number on all pages.

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
        """Return all variables by name."""
        statement = select(global_variables).order_by(global_variables.c.name)
        with self._database.reading() as connection:
            return [self._variable(row) for row in connection.execute(statement)]

    def get(self, variable_id: str) -> GlobalVariable:
        """Return one variable.

        Raises:
            NotFoundError: There is none of that id.
        """
        with self._database.reading() as connection:
            return self._find(connection, variable_id)

    def create(self, values: Mapping[str, Any]) -> GlobalVariable:
        """Store a new variable, a secret one encrypted; return it with its new id.

        Args:
            values: ``name``, ``is_secret``, ``value``, ``description`` and ``category``.

        Raises:
            ConflictError: There is one of that name.
            InputError: It is secret, and there is no key to encrypt it with.
        """
        now, variable_id = time.time(), new_id()
        with self._database.writing() as connection:
            _reject_existing(connection, values["name"])
            written = self._written(values, is_secret=bool(values.get("is_secret")))
            row = {"id": variable_id, **written, "created_at": now, "updated_at": now}
            connection.execute(insert(global_variables), row)
            return self._find(connection, variable_id)

    def change(self, variable_id: str, values: Mapping[str, Any]) -> GlobalVariable:
        """Change some fields of a variable; return it. A change of ``is_secret`` encrypts or decrypts it.

        Raises:
            NotFoundError: There is none of that id.
            ConflictError: There is another one of the new name.
            InputError: It is secret, and there is no key to encrypt it with.
        """
        with self._database.writing() as connection:
            known = self._find(connection, variable_id)
            if values.get("name", known.name) != known.name:
                _reject_existing(connection, values["name"])
            is_secret = bool(values.get("is_secret", known.is_secret))
            if is_secret != known.is_secret and "value" not in values:
                values = {**values, "value": known.value}  # encrypted from now on, or not any more
            changes = {**self._written(values, is_secret=is_secret), "updated_at": time.time()}
            ours = global_variables.c.id == variable_id
            connection.execute(update(global_variables).where(ours).values(**changes))
            return self._find(connection, variable_id)

    def delete(self, variable_id: str) -> None:
        """Delete a variable.

        Raises:
            NotFoundError: There is none of that id.
        """
        with self._database.writing() as connection:
            self._find(connection, variable_id)
            connection.execute(delete(global_variables).where(global_variables.c.id == variable_id))

    def _find(self, connection: Connection, variable_id: str) -> GlobalVariable:
        """Return one variable.

        Raises:
            NotFoundError: There is none of that id.
        """
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
        return {**values, "value": self._cipher.encrypt(text) if is_secret else text}

    def _variable(self, row: Row[Any]) -> GlobalVariable:
        """Return a stored variable, its value still as it is stored."""
        return GlobalVariable(
            id=row.id,
            name=row.name,
            is_secret=row.is_secret,
            description=row.description,
            category=row.category,
            created_at=iso_time(row.created_at),
            updated_at=iso_time(row.updated_at),
            stored=row.value,
            cipher=self._cipher,
        )


def _reject_existing(connection: Connection, name: str) -> None:
    if connection.scalar(select(global_variables.c.id).where(global_variables.c.name == name)) is not None:
        raise ConflictError(
            f"There is a global variable {name!r} already.", advice="Change that one, or choose another name."
        )
