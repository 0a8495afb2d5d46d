"""The command ``app``."""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Literal

import typer

from debugger.cli.output import say

HOST, PORT = "127.0.0.1", 8501

LogLevelOption = Annotated[
    Literal["debug", "info", "warning", "error"] | None,
    typer.Option("--log-level", help="Lowest level of lines in the log."),
]
LogFormatOption = Annotated[
    Literal["text", "json"] | None, typer.Option("--log-format", help="Form of lines in the log.")
]


def app(
    port: Annotated[
        int, typer.Option(min=1, max=65535, envvar="STREAMLIT_SERVER_PORT", help="Port to listen on.")
    ] = PORT,
    host: Annotated[
        str,
        typer.Option(
            envvar="STREAMLIT_SERVER_ADDRESS", help="Interface to listen on; another one needs a login."
        ),
    ] = HOST,
    opens: Annotated[bool, typer.Option("--open/--no-open", help="Open the page in a browser.")] = False,
    log_level: LogLevelOption = None,
    log_format: LogFormatOption = None,
    options: Annotated[
        list[str] | None, typer.Argument(help="Options of Streamlit, after '--'.", show_default=False)
    ] = None,
) -> None:
    """Start the app, until Ctrl+C; the default without a command.

    Exit code 1 is for an address that cannot be listened on.
    """
    _check_port(host, port)
    from streamlit.web.cli import main as streamlit  # takes longer than all else

    from debugger.views import app as folder

    for name, value in ("LEVEL", log_level), ("FORMAT", log_format):
        if value:
            os.environ[f"WORKFLOW_DEBUGGER_LOG_{name}"] = value
    # What is installed does not change, so that nothing has to be watched.
    os.environ.setdefault("STREAMLIT_SERVER_FILE_WATCHER_TYPE", "none")
    script = str(Path(folder.__file__).with_name("app.py"))
    if opens:
        threading.Thread(target=_open, args=(host, port), daemon=True).start()
    streamlit(
        ["run", script, f"--server.port={port}", f"--server.address={host}", *(options or [])],
        prog_name="streamlit",
    )


_LAST_PORT = 65_535


def _check_port(host: str, port: int) -> None:
    """Exit with code 1 and advice where an address cannot be listened on.

    Streamlit's own message has none.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        socket.create_server((host, port), family=family).close()
    except UnicodeError:  # a part of it is empty or too long
        say(
            f"error: The app cannot listen on {host}: it is no name of a host. Choose another --host.",
            err=True,
        )
        sys.exit(1)
    except OSError as error:
        reason = (error.strerror or str(error)).partition(" (while ")[0]
        other = port + 1 if port < _LAST_PORT else port - 1
        say(
            f"error: The app cannot listen on {host}, port {port}: {reason}. Stop the program that "
            f"has it, or choose another port: workflow-debugger app --port {other}.",
            err=True,
        )
        sys.exit(1)


def _open(host: str, port: int) -> None:
    """Open the page in a browser once it answers, for which it waits without end.

    Streamlit itself does so only without middleware.
    """
    name = "localhost" if host in ("127.0.0.1", "0.0.0.0", "::", "") else host
    while True:
        with suppress(OSError), socket.create_connection((name, port), timeout=1):
            break
        time.sleep(0.1)
    typer.launch(f"http://{f'[{name}]' if ':' in name else name}:{port}")
