"""The app with a local identity provider."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.browser.conftest import free_port, running, streamlit_app


@dataclass(frozen=True)
class Site:
    port: int
    user: Path
    """The file with the claims of the user whom the provider signs in."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def set_user(self, claims: Mapping[str, object]) -> None:
        self.user.write_text(json.dumps(claims))


@contextmanager
def site_with_provider(folder: Path, roles: str) -> Iterator[Site]:
    provider, user = free_port(), folder / "user.json"
    command = [sys.executable, "-m", "tests.support.oidc_provider", str(provider), str(user)]

    def write_secrets(port: int) -> None:
        (folder / ".streamlit").mkdir()
        (folder / ".streamlit" / "secrets.toml").write_text(
            f"""
            [auth]
            redirect_uri = "http://127.0.0.1:{port}/oauth2callback"
            cookie_secret = "{"0123456789abcdef" * 4}"
            client_id = "debugger"
            client_secret = "client-secret"
            server_metadata_url = "http://127.0.0.1:{provider}/.well-known/openid-configuration"
            """
        )

    with (
        running(command, "/health", provider, folder),
        streamlit_app(folder, before_start=write_secrets, WORKFLOW_DEBUGGER_ROLES=roles) as app,
    ):
        yield Site(int(app.url.rpartition(":")[2]), user)
