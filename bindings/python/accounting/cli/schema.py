"""`init`, `migrate`, `status` and `doctor`: the books as a whole."""

from __future__ import annotations

from typing import Any

import typer

from accounting.cli.desk import Desk, at_desk, sqlite_file
from accounting.cli.exits import ExitCode, Refused
from accounting.cli.options import Database, DryRun, Json, Yes
from accounting.cli.output import Cell
from accounting.values import Health

__all__ = ["doctor", "init", "migrate", "status"]

# Expiry follows the books' clock: one that is this far from the database's is worth a warning.
_SKEW_SECONDS = 5.0

# One line for each, however broken the books are; --json lists all.
_PROBLEMS_SHOWN = 50


def init(database: Database = None, dry_run: DryRun = False, json: Json = False) -> None:
    """Set up an empty database. One that is set up already stays as it is.

    Ends with 3 where an older version set it up: see `accounting migrate`.
    """
    with at_desk(database, json) as desk:
        path = sqlite_file(desk.url)
        if dry_run and path is not None and not path.exists():
            _set_up(desk, 0, 0, created=True, dry_run=True)
            return
        health = _reached(desk.open(migrate=False).health())
        if health.schema_version > 0 and health.pending_migrations > 0:
            raise Refused(
                "the database is set up, by an older version; `accounting migrate` brings it up "
                "to date",
                code="migration_error",
                exit=ExitCode.UNREACHABLE,
            )
        created = health.schema_version == 0
        version = health.schema_version
        if created and not dry_run:
            version = desk.done(desk.books.migrate())
        _set_up(desk, health.schema_version, version, created=created, dry_run=dry_run)


def _set_up(desk: Desk, before: int, version: int, *, created: bool, dry_run: bool) -> None:
    if desk.out.as_json:
        desk.out.json({"created": created, "schema_version": version, "dry_run": dry_run})
    elif created:
        done = "would be set up" if dry_run else f"set up, schema version {version}"
        desk.out.line(f"{desk.place}: {done}")
    else:
        desk.out.line(f"{desk.place}: set up already, schema version {before}")
    desk.finish(dry_run)


def migrate(
    database: Database = None, dry_run: DryRun = False, yes: Yes = False, json: Json = False
) -> None:
    """Bring the schema up to this version. There is no way back but a backup."""
    with at_desk(database, json) as desk:
        health = _reached(desk.books.health())
        before, pending = health.schema_version, health.pending_migrations
        if health.problem and pending == 0 and not health.ok:
            raise Refused(health.problem, code="migration_error", exit=ExitCode.UNREACHABLE)
        version = before
        if pending and not dry_run:
            if before > 0:
                # An empty database has nothing to lose; this one has.
                desk.confirm(
                    f"Apply {pending:,} migration(s) to {desk.place}? There is no way back but a "
                    "backup.",
                    yes=yes,
                )
            version = desk.done(desk.books.migrate())
        if desk.out.as_json:
            desk.out.json(
                {"before": before, "pending": pending, "version": version, "dry_run": dry_run}
            )
        elif not pending:
            desk.out.line(f"up to date, schema version {before}")
        elif dry_run:
            desk.out.line(f"{pending:,} migration(s) would be applied to schema version {before}")
        else:
            desk.out.line(f"schema version {before} → {version}")
        desk.finish(dry_run)


def status(database: Database = None, json: Json = False) -> None:
    """Whether the books can be worked with. Ends with 3 where not."""
    with at_desk(database, json) as desk:
        health = desk.books.health()
        if desk.out.as_json:
            desk.out.json(health)
        else:
            desk.out.card("Status", _health_fields(desk, health))
        if not health.ok:
            desk.out.error(
                _advice(health), "migration_error" if health.reachable else "unreachable"
            )
            raise typer.Exit(ExitCode.UNREACHABLE)


def doctor(database: Database = None, json: Json = False) -> None:
    """Check health, and prove that the books balance. Ends with 4 where they do not."""
    with at_desk(database, json) as desk:
        health = desk.books.health()
        if not health.ok:
            if desk.out.as_json:
                desk.out.json({"ok": False, "health": health, "verify": None})
            else:
                desk.out.card("Health", _health_fields(desk, health))
            desk.out.error(
                _advice(health), "migration_error" if health.reachable else "unreachable"
            )
            raise typer.Exit(ExitCode.UNREACHABLE)
        with desk.out.progress("Checking every row"):
            report = desk.interruptible(desk.books.verify)
        if desk.out.as_json:
            desk.out.json({"ok": report.ok, "health": health, "verify": report})
        else:
            desk.out.card("Health", _health_fields(desk, health))
            looked_at: dict[str, Cell] = {
                name: getattr(report, name)
                for name in ("accounts", "allocations", "sessions", "usage_records", "entries")
            }
            desk.out.table(
                "Looked at",
                ("what", ">rows"),
                [(name.replace("_", " "), count) for name, count in looked_at.items()],
            )
            if report.ok:
                desk.out.line(("The books balance.", "bold green"))
            else:
                desk.out.table(
                    f"Problems: {len(report.problems):,}",
                    ("=invariant", "user", "detail"),
                    [(p.invariant, p.user_id, p.detail) for p in report.problems[:_PROBLEMS_SHOWN]],
                )
        if not report.ok:
            desk.out.error(
                f"the books do not balance: {len(report.problems):,} problem(s)", "unbalanced"
            )
            raise typer.Exit(ExitCode.UNBALANCED)


def _reached(health: Health) -> Health:
    if not health.reachable:
        raise Refused(health.problem, code="connection_lost", exit=ExitCode.UNREACHABLE)
    return health


def _advice(health: Health) -> str:
    if health.reachable and health.pending_migrations:
        command = "migrate" if health.schema_version else "init"
        return f"the schema is not this version's; run `accounting {command}`"
    return health.problem


def _health_fields(desk: Desk, health: Health) -> dict[str, Any]:
    skew = None
    if health.clock_skew is not None:
        seconds = health.clock_skew.total_seconds()
        far = abs(seconds) > _SKEW_SECONDS
        skew = f"{seconds:+.3f} s" + (": set the clocks, expiry follows them" if far else "")
    return {
        "database": f"{health.database}, {desk.place}",
        "reachable": "yes" if health.reachable else "no",
        "schema version": health.schema_version,
        "pending migrations": health.pending_migrations,
        "library version": health.version,
        "time": health.time,
        "clock skew": skew,
        "pool": f"{health.pool.in_use:,} in use, {health.pool.open:,} open, "
        f"{health.pool.size:,} at most",
        "problem": health.problem or None,
    }
