"""A PostgreSQL server of a test's own, which may be stopped and started."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import psycopg
import pytest
from psycopg.sql import SQL, Identifier, Literal

ACCOUNT = "postgres"
"""Whose server it is where the tests run as root, who may have none."""


class OwnServer:
    """A server with its data in a new folder."""

    def __init__(self):
        self._programs = _programs()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.folder = Path(tempfile.mkdtemp(prefix="debugger-postgres-"))
        if os.geteuid() == 0:
            shutil.chown(self.folder, ACCOUNT)
        self._run("initdb", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-sync")
        self.start()

    @property
    def url(self):
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    @property
    def process_id(self):
        """Return the id of the parent process."""
        return int((self.folder / "data" / "postmaster.pid").read_text().split()[0])

    def start(self):
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=''"
        self._run("pg_ctl", "start", "--wait", f"--options={options}", f"--log={self.folder}/log")

    def stop(self, mode="fast"):
        self._run("pg_ctl", "stop", "--wait", f"--mode={mode}")

    def create(self, name, on_disk=None):
        """A new database, in another folder if need be; gives its URL."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            tablespace = SQL("")
            if on_disk is not None:
                place = Identifier(f"disk of {name}")
                connection.execute(
                    SQL("CREATE TABLESPACE {} LOCATION {}").format(place, Literal(str(on_disk)))
                )
                tablespace = SQL("TABLESPACE {}").format(place)
            connection.execute(
                SQL("CREATE DATABASE {} TEMPLATE template0 {}").format(Identifier(name), tablespace)
            )
        return f"{self.url.removesuffix('postgres')}{name}"

    def drop(self, name):
        """Drop a database that was made in another folder, and leave that folder empty."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))
            connection.execute(SQL("DROP TABLESPACE {}").format(Identifier(f"disk of {name}")))

    def remove(self):
        self._run("pg_ctl", "stop", "--wait", "--mode=immediate", check=False)
        shutil.rmtree(self.folder)

    def _run(self, program, *arguments, check=True):
        command = [self._programs[program], f"--pgdata={self.folder}/data", *arguments]
        if os.geteuid() == 0:
            command = ["setpriv", f"--reuid={ACCOUNT}", f"--regid={ACCOUNT}", "--clear-groups", *command]
        subprocess.run(
            command,
            check=check,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=120,
        )


def _programs():
    folders = [os.environ.get("PATH", ""), *map(str, Path("/usr/lib/postgresql").glob("*/bin"))]
    path = os.pathsep.join(folders)
    found = {name: shutil.which(name, path=path) for name in ("initdb", "pg_ctl")}
    if None in found.values():
        pytest.skip("the programs of a PostgreSQL server are not installed")
    return found
