"""Teams of earlier releases, which are exported and not served.

A team had a file beside the main one, or a schema in the same database; its keys are in the main store.
"""

from __future__ import annotations

from contextlib import closing

from sqlalchemy import make_url, select

from debugger.errors import NotFoundError, StoreError
from debugger.store.database import Database
from debugger.store.keys import is_team_name
from debugger.store.schema import api_keys
from debugger.store.schema_setup import ensure_schema


def reject_teams(database: Database) -> None:
    """Reject a database with keys of teams, which would open the main store.

    Raises:
        StoreError: A key of a team is not revoked.
    """
    valid = select(api_keys.c.team).where(api_keys.c.team.is_not(None), api_keys.c.revoked_at.is_(None))
    with database.reading() as connection:
        teams = sorted(set(connection.scalars(valid)))
    odd = [team for team in teams if not is_team_name(team)]
    if odd:
        raise StoreError(
            f"The database {database.place} has a key of the team {odd[0][:40]!a}, no name of a team.",
            advice="Revoke the key, which another program has written (workflow-debugger keys list).",
        )
    if teams:
        commands = "; ".join(f"workflow-debugger backup {team}.backup --team {team}" for team in teams)
        raise StoreError(
            f"The database {database.place} has the teams {', '.join(teams)}; "
            "this version serves one team per deployment.",
            advice=f"Export each team ({commands}), restore it into a database of its own, and revoke its "
            "keys here (workflow-debugger keys list, keys revoke ID).",
        )


def team_url(url: str, team: str) -> str:
    """Return the URL, with its password, of a team's store: another file, or a schema of the same database.

    The tables of the main store are made or migrated first, as by `ensure_schema`.

    Raises:
        NotFoundError: No key was ever made for such a team.
        StoreError: The database cannot be read.
    """
    with closing(Database(url)) as database:
        ensure_schema(database)
        with database.reading() as connection:
            teams = set(connection.scalars(select(api_keys.c.team).where(api_keys.c.team.is_not(None))))
            is_file = database.dialect.name == "sqlite"
            schema = "" if is_file else str(connection.exec_driver_sql("SELECT current_schema()").scalar())
    if team not in teams or not is_team_name(team):
        names = ", ".join(sorted(filter(is_team_name, teams))) or "none at all"
        raise NotFoundError(f"There is no team {team!r}.", advice=f"The teams are: {names}.")
    main = make_url(url)
    if is_file:
        stem, dot, suffix = (main.database or "").rpartition(".")
        return main.set(database=f"{stem}.team-{team}{dot}{suffix}").render_as_string(hide_password=False)
    own = f"{'' if schema == 'public' else schema + '__'}team_{team.replace('-', '_')}"
    # Of two paths the later one counts.
    options = f"{main.query.get('options', '')} -csearch_path={_escaped(own)}".lstrip()
    return main.update_query_dict({"options": options}).render_as_string(hide_password=False)


def _escaped(schema: str) -> str:
    """Quote a schema's name for the options of a connection."""
    quoted = '"{}"'.format(schema.replace('"', '""'))
    return quoted.replace("\\", "\\\\").replace(" ", "\\ ")
