"""The command ``serve``."""

from __future__ import annotations

import logging
from contextlib import closing
from typing import Annotated, Any, Literal

import typer

from debugger.cli.app import LogFormatOption, LogLevelOption
from debugger.cli.maintenance import Database, exit_on_error, shown_progress
from debugger.server.limits import MAX_CONCURRENT_TURNS, ConnectionLimits

logger = logging.getLogger(__name__)


def serve(
    host: Annotated[str, typer.Option(help="Interface to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0: a free one.")] = 8611,
    database: Database = "",
    api_key: Annotated[
        str,
        typer.Option(
            envvar="WORKFLOW_DEBUGGER_API_KEY",
            show_envvar=True,
            help="Bearer key that may be shared, an administrator's; users' own keys are made by `keys add`.",
        ),
    ] = "",
    inline_python: Annotated[
        Literal["off", "sandboxed", "unsafe"] | None,
        typer.Option(help="The way in which Python code of a workflow runs."),
    ] = None,
    max_turns: Annotated[
        int, typer.Option(min=1, help="Turns executed at once; more of them wait.")
    ] = MAX_CONCURRENT_TURNS,
    max_turns_per_key: Annotated[
        int, typer.Option(min=0, help="Turns of one API key at once; 0: a quarter of all.")
    ] = 0,
    max_connections: Annotated[
        int, typer.Option(min=1, help="Connections at once; fewer where file descriptors are few.")
    ] = ConnectionLimits.total,
    max_connections_per_address: Annotated[
        int, typer.Option(min=0, help="Connections from one address at once; 0: no limit.")
    ] = ConnectionLimits.per_address,
    header_timeout: Annotated[
        float, typer.Option(min=0.1, help="Seconds until the headers of a request are complete.")
    ] = ConnectionLimits.header_seconds,
    body_timeout: Annotated[
        float, typer.Option(min=0.1, help="Seconds from there until the body of a request is complete.")
    ] = ConnectionLimits.body_seconds,
    forwarded_allow_ips: Annotated[
        str,
        typer.Option(help="Proxies, separated by commas, whose X-Forwarded-For is trusted; none by default."),
    ] = "",
    log_level: LogLevelOption = None,
    log_format: LogFormatOption = None,
) -> None:
    """Serve the platform's API from the embedded engine.

    It ends with Ctrl+C or SIGTERM. Exit code 1 is for a setting that cannot be used, a store that fails, an
    address that cannot be listened on, and one that other machines reach without any key.
    """
    from debugger.backends import open_embedded
    from debugger.backends.base_url import is_loopback
    from debugger.boundary import register_process_secrets, release_line
    from debugger.engine.tools.sandbox import python_status
    from debugger.server.connections import read_proxies
    from debugger.server.http_server import serve as serve_backend
    from debugger.server.turn_limiter import TurnLimiter
    from debugger.settings import read_settings
    from debugger.telemetry.logs import configure_logs
    from debugger.telemetry.spans import start_traces

    with exit_on_error():
        settings = read_settings()
        options = {
            "database": database,
            "inline_python": inline_python,
            "log_level": log_level,
            "log_format": log_format,
        }
        chosen: dict[str, Any] = {name: value for name, value in options.items() if value}
        if not is_loopback(host):
            settings = settings.beyond_loopback()
        settings = settings.model_copy(update=chosen)
        register_process_secrets(settings)
        configure_logs(settings.log_level, settings.log_format, release_line)
        start_traces(release_line)
        logger.info("Inline Python: %s", python_status(settings.inline_python).description)
        with shown_progress():
            opened = open_embedded(settings)
        with closing(opened) as backend:
            serve_backend(
                backend,
                host,
                port,
                api_key.strip() or None,  # a header has no blanks around it
                turns=TurnLimiter(max_turns, max_turns_per_key),
                limits=ConnectionLimits(
                    total=max_connections,
                    per_address=max_connections_per_address,
                    header_seconds=header_timeout,
                    body_seconds=body_timeout,
                    trusted_proxies=read_proxies(forwarded_allow_ips),
                ),
            )
