"""`accounting credits …`: giving credits, what is there, what was taken, and the journal."""

from __future__ import annotations

import json as json_text
from typing import Annotated, Any

import typer

from accounting.cli.allocate_csv import allocate_csv
from accounting.cli.desk import actor, at_desk
from accounting.cli.exits import Refused
from accounting.cli.options import (
    Actor,
    Database,
    DryRun,
    Json,
    Key,
    Limit,
    PageNumber,
    UserId,
    Yes,
    optional_moment,
)
from accounting.cli.output import Cell, expiry, now
from accounting.report.numbers import standing
from accounting.values import CreditAllocation

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Credits: allocations, balances and the journal.")
app.command("allocate-csv")(allocate_csv)

Amount = Annotated[int, typer.Argument(metavar="CREDITS", help="A whole number from 1.")]


@app.command("allocate")
def allocate(
    user_id: UserId,
    credits: Amount,
    by: Actor = None,
    expiry_days: Annotated[
        int | None,
        typer.Option(
            "--expiry-days",
            help="Days of 24 hours from now. Default: 30, whatever the host's own policy says.",
        ),
    ] = None,
    expires_at: Annotated[
        str | None, typer.Option("--expires-at", metavar="WHEN", help="An end in the future.")
    ] = None,
    never_expires: Annotated[
        bool, typer.Option("--never-expires", help="Credits without an end.")
    ] = False,
    effective_at: Annotated[
        str | None,
        typer.Option("--effective-at", metavar="WHEN", help="From when on. Default: now."),
    ] = None,
    notes: Annotated[str, typer.Option("--notes", help="Free text, kept with them.")] = "",
    idempotency_key: Key = None,
    dry_run: DryRun = False,
    database: Database = None,
    json: Json = False,
) -> None:
    """Give credits to an account."""
    with at_desk(database, json) as desk:
        ends = optional_moment(expires_at, "--expires-at")
        begins = optional_moment(effective_at, "--effective-at")
        allocation = desk.apply(
            lambda to: to.credits.allocate(
                user_id,
                credits,
                actor(by),
                expiry_days=expiry_days,
                expires_at=ends,
                never_expires=never_expires,
                effective_at=begins,
                notes=notes,
                idempotency_key=idempotency_key,
            ),
            dry_run=dry_run,
        )
        if desk.out.as_json:
            desk.json(allocation, dry_run)
        else:
            would = ": would be given" if dry_run else ""
            desk.out.card(f"Allocation {allocation.id} of {user_id}{would}", _fields(allocation))
        desk.finish(dry_run)


@app.command("balance")
def balance(user_id: UserId, database: Database = None, json: Json = False) -> None:
    """What an account can spend now, and in which order it goes."""
    with at_desk(database, json) as desk:
        there = desk.books.credits.balance(user_id)
        if desk.out.as_json:
            desk.out.json(there)
            return
        at = now()
        desk.out.line((f"{there.total_credits:,} credits", "bold"), f" can be spent by {user_id}")
        if there.held_credits:
            desk.out.line(f"{there.held_credits:,} more are held by streaming sessions")
        desk.out.table(
            "Spent in this order",
            (">allocation", ">remaining", ">of", "=expires (UTC)", "notes"),
            [
                (a.id, a.remaining_credits, a.total_credits, expiry(a.expires_at, at), a.notes)
                for a in there.active_allocations
            ],
            empty="no active allocation",
        )


@app.command("charge")
def charge(
    user_id: UserId,
    service: Annotated[str, typer.Argument(metavar="SERVICE", help='For example "images".')],
    operation: Annotated[str, typer.Argument(metavar="OPERATION", help="What of it.")],
    credits: Amount,
    metadata: Annotated[
        str | None, typer.Option("--metadata", metavar="JSON", help="Kept with the record.")
    ] = None,
    idempotency_key: Key = None,
    dry_run: DryRun = False,
    database: Database = None,
    json: Json = False,
) -> None:
    """Take credits and record the use in one step."""
    with at_desk(database, json) as desk:
        kept = _json_value(metadata)
        taken = desk.apply(
            lambda to: to.credits.charge(
                user_id, service, operation, credits, kept, idempotency_key
            ),
            dry_run=dry_run,
        )
        if desk.out.as_json:
            desk.json(taken, dry_run)
        else:
            desk.out.table(
                f"{taken.deduction.credits:,} credits {'would be ' if dry_run else ''}charged to "
                f"{user_id}, usage record {taken.usage_record.id}",
                (">allocation", ">credits"),
                [(part.allocation_id, part.credits) for part in taken.deduction.slices],
            )
        desk.finish(dry_run)


@app.command("history")
def history(
    user_id: UserId,
    page: PageNumber = 1,
    limit: Limit = 20,
    database: Database = None,
    json: Json = False,
) -> None:
    """List all allocations of an account, in any state, newest first."""
    with at_desk(database, json) as desk:
        found = desk.books.credits.history(user_id, page, limit)
        if desk.out.as_json:
            desk.out.json(found)
            return
        at = now()
        desk.out.table(
            f"Allocations of {user_id}: {found.total:,}, page {found.page:,} of "
            f"{found.total_pages:,}",
            (">id", "=state", ">given", ">remaining", ">held", ">used", "=expires (UTC)", "by"),
            [
                (
                    a.id,
                    standing(a, at),
                    a.total_credits,
                    a.remaining_credits,
                    a.held_credits,
                    a.consumed_credits,
                    expiry(a.expires_at, at),
                    a.allocated_by,
                )
                for a in found.items
            ],
            empty="none on this page",
        )


@app.command("entries")
def entries(
    user_id: UserId,
    after: Annotated[int, typer.Option("--after", min=0, help="Entries after this one.")] = 0,
    limit: Limit = 100,
    database: Database = None,
    json: Json = False,
) -> None:
    """List the journal of an account, oldest first."""
    with at_desk(database, json) as desk:
        found = desk.books.credits.entries(user_id, after, limit)
        if desk.out.as_json:
            desk.out.json(found)
            return
        desk.out.table(
            f"Journal of {user_id}",
            (">entry", "=time (UTC)", "=kind", ">allocation", ">credits", ">held", "for", "actor"),
            [
                (
                    e.sequence,
                    e.created_at,
                    e.kind.value,
                    e.allocation_id,
                    f"{e.credits:+,}" if e.credits else "0",
                    f"{e.held_credits:+,}" if e.held_credits else "0",
                    _cause(e.session_id, e.usage_id),
                    e.actor,
                )
                for e in found
            ],
            empty="no entry after that one" if after else "empty",
        )
        if len(found) == limit:
            desk.out.note(f"there may be more: --after {found[-1].sequence}")


@app.command("revoke")
def revoke(
    user_id: UserId,
    allocation_id: Annotated[
        int, typer.Argument(metavar="ALLOCATION_ID", min=1, help="Which, as `history` shows it.")
    ],
    by: Actor = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    database: Database = None,
    json: Json = False,
) -> None:
    """Take what remains of an allocation out of the balance for good. Asks first."""
    with at_desk(database, json) as desk:
        who = actor(by)
        revoked = desk.preview(lambda tx: tx.credits.revoke(allocation_id, user_id, who))
        if not dry_run:
            held = f", and {revoked.held_credits:,} held ones as they return"
            desk.confirm(
                f"Revoke allocation {allocation_id} of {user_id}: "
                f"{revoked.revoked_credits:,} of {revoked.total_credits:,} credits are gone for "
                f"good{held if revoked.held_credits else ''}?",
                yes=yes,
            )
            revoked = desk.done(desk.books.credits.revoke(allocation_id, user_id, who))
        if desk.out.as_json:
            desk.json(revoked, dry_run)
        else:
            done = "would be revoked" if dry_run else "revoked"
            desk.out.card(f"Allocation {revoked.id} of {user_id}: {done}", _fields(revoked))
        desk.finish(dry_run)


def _cause(session_id: str | None, usage_id: int | None) -> Cell:
    if session_id is not None:
        return f"session {session_id}"
    return None if usage_id is None else f"usage {usage_id:,}"


def _fields(allocation: CreditAllocation) -> dict[str, Cell]:
    return {
        "given": allocation.total_credits,
        "remaining": allocation.remaining_credits,
        "held": allocation.held_credits or None,
        "used": allocation.consumed_credits or None,
        "revoked": allocation.revoked_credits or None,
        "moved": allocation.moved_credits or None,
        "by": allocation.allocated_by,
        "at": allocation.allocated_at,
        "counts from": allocation.effective_at,
        "expires": expiry(allocation.expires_at, now()),
        "notes": allocation.notes or None,
        "revoked at": allocation.revoked_at,
        "revoked by": allocation.revoked_by,
    }


def _json_value(text: str | None) -> Any:
    if text is None:
        return None
    try:
        return json_text.loads(text)
    except (ValueError, RecursionError) as error:
        raise Refused(f"--metadata: expected JSON: {error}") from None
