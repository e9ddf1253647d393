"""`accounting credits allocate-csv`: many allocations from one file, all or none, never twice."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Annotated

import typer

from accounting.books import Transaction
from accounting.cli.csv_file import AllocationFile, read_allocations
from accounting.cli.desk import Desk, actor, at_desk
from accounting.cli.exits import ExitCode, Refused
from accounting.cli.options import Actor, Database, DryRun, Json
from accounting.cli.output import expiry, instant, now
from accounting.errors import Conflict, InvalidArgument, NotFound
from accounting.values import CreditAllocation

__all__ = ["allocate_csv"]

_REQUEST = re.compile(r"requests\[(\d+)\]\.?")
_ROWS_SHOWN = 20


def allocate_csv(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A CSV file in UTF-8; - is stdin.")],
    batch: Annotated[
        str | None,
        typer.Option(
            "--batch",
            metavar="NAME",
            help="Makes the same rows another file: 2026-12, for what is given every month.",
        ),
    ] = None,
    by: Actor = None,
    dry_run: DryRun = False,
    database: Database = None,
    json: Json = False,
) -> None:
    """Allocate credits from a CSV file: all of it or, where a line is bad, nothing.

    The header names the columns: user_id,credits and, where wanted, one of
    expiry_days, expires_at and never_expires, and notes. Every bad line is
    named with its number.

    Running the same file again allocates nothing twice: each row's
    idempotency key is made of what all rows say, of the row's number and
    of --batch. A file that says anything else is another file, and so is
    the same one with another --batch.
    """
    with at_desk(database, json) as desk:
        content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        asked = read_allocations(content)
        unknown = _without_account(desk, asked)
        if unknown or asked.bad:
            # Nothing of this file can have been allocated before, so ends that are past count.
            asked.with_bad(unknown, _past(asked)).refuse_bad_lines()
        allocations, new = _allocate(desk, asked, actor(by), batch, dry_run)
        total = sum(allocation.total_credits for allocation in allocations)
        if desk.out.as_json:
            desk.out.json(
                {
                    "allocated": len(allocations) if new else 0,
                    "already_allocated": 0 if new else len(allocations),
                    "credits": total if new else 0,
                    "dry_run": dry_run,
                    "allocations": allocations,
                }
            )
        else:
            _show(desk, allocations, total, new, dry_run)
        desk.finish(dry_run)


def _without_account(desk: Desk, asked: AllocationFile) -> dict[int, str]:
    known: dict[str, bool] = {}
    wrong: dict[int, str] = {}
    with desk.out.progress("Looking up accounts", len(asked.rows)) as step:
        for row in asked.rows:
            if row.user_id not in known:
                known[row.user_id] = _is_account(desk, row.user_id)
            if not known[row.user_id]:
                wrong[row.line] = f"there is no account {row.user_id!r}"
            step.advance()
    return wrong


def _is_account(desk: Desk, user_id: str) -> bool:
    try:
        desk.books.accounts.get(user_id)
    except (NotFound, InvalidArgument):
        return False
    return True


def _past(asked: AllocationFile) -> dict[int, str]:
    at = now()
    return {
        row.line: "expires_at: expected a time in the future"
        for row in asked.rows
        if row.expires_at is not None and row.expires_at <= at
    }


def _allocate(
    desk: Desk, asked: AllocationFile, by: str, batch: str | None, dry_run: bool
) -> tuple[list[CreditAllocation], bool]:
    """The allocations, and whether they are new: all are, or none."""
    if not asked.rows:
        return [], True
    keys = asked.keys(batch)
    requests = [row.request(by, key) for row, key in zip(asked.rows, keys, strict=True)]
    users = sorted({row.user_id for row in asked.rows})
    first = users[0]

    def work(tx: Transaction) -> tuple[list[CreditAllocation], bool]:
        before = tx.credits.history(first, limit=1).total
        allocations = tx.credits.allocate_many(requests)
        return allocations, tx.credits.history(first, limit=1).total > before

    try:
        with desk.out.progress("Allocating"):
            return desk.apply_all(work, dry_run=dry_run, users=users)
    except InvalidArgument as error:
        found = _REQUEST.match(error.argument)
        if found is None:
            raise
        # The books name the first that they refuse; where that is for its end, name all of them.
        line = asked.rows[int(found[1])].line
        bad = {line: _REQUEST.sub("", str(error)), **_past(asked)}
        asked.with_bad(bad).refuse_bad_lines()
        raise
    except Conflict as error:
        raise Refused(
            "this file was allocated before, in another name; run it again with the same --by",
            code=error.code,
            exit=ExitCode.REFUSED,
        ) from None


def _show(
    desk: Desk, allocations: list[CreditAllocation], total: int, new: bool, dry_run: bool
) -> None:
    if not new:
        desk.out.line(
            f"allocated before, on {instant(allocations[0].allocated_at)} UTC: "
            f"{len(allocations):,} allocation(s), {total:,} credits; nothing to do (--batch NAME "
            "allocates the same rows once more)"
        )
        return
    if allocations:
        shown = allocations[:_ROWS_SHOWN]
        desk.out.table(
            "Allocations" if len(shown) == len(allocations) else f"The first {len(shown)}",
            ("user", ">id", ">credits", "=expires (UTC)", "notes"),
            [
                (a.user_id, a.id, a.total_credits, expiry(a.expires_at, now()), a.notes)
                for a in shown
            ],
        )
    users = len({allocation.user_id for allocation in allocations})
    verb = "would be allocated" if dry_run else "allocated"
    desk.out.line(
        (f"{total:,} credits {verb}", "bold"),
        f" in {len(allocations):,} allocation(s) to {users:,} account(s)",
    )
