"""`accounting sessions …`: credits that are held while answers stream."""

from __future__ import annotations

from typing import Annotated

import typer

from accounting.cli.desk import Services, at_desk
from accounting.cli.options import Database, DryRun, Json, UserId, Yes
from accounting.cli.output import Cell, Step, now
from accounting.limits import MOST_AT_ONCE
from accounting.values import Settlement, TokenCounts

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Streaming sessions: what is held, and ending it.")


@app.command("active")
def active(
    user_id: Annotated[
        str | None, typer.Argument(metavar="[USER_ID]", help="Default: all accounts.")
    ] = None,
    database: Database = None,
    json: Json = False,
) -> None:
    """List active sessions, of one account or of all, oldest first."""
    with at_desk(database, json) as desk:
        sessions = desk.books.sessions
        found = sessions.all_active() if user_id is None else sessions.active(user_id)
        if desk.out.as_json:
            desk.out.json(found)
            return
        at = now()
        columns = ("user", "session", "model", ">tokens", ">held", "=last sign (UTC)", "=state")
        desk.out.table(
            f"Active sessions: {len(found):,}",
            columns,
            [
                (
                    s.user_id,
                    s.session_id,
                    s.model_id,
                    _tokens(s.estimated_tokens),
                    s.allocated_credits,
                    s.last_activity_at,
                    "stale" if s.expires_at <= at else "alive",
                )
                for s in found
            ],
        )


@app.command("abort")
def abort(
    user_id: UserId,
    session_id: Annotated[str, typer.Argument(metavar="SESSION_ID", help="Which session.")],
    tokens: Annotated[
        int, typer.Option("--tokens", min=0, help="Tokens generated until now, to be paid.")
    ] = 0,
    dry_run: DryRun = False,
    yes: Yes = False,
    database: Database = None,
    json: Json = False,
) -> None:
    """End a session early, for the tokens generated until then. Asks first."""
    with at_desk(database, json) as desk:
        settlement = desk.preview(
            lambda tx: tx.sessions.abort(
                session_id, user_id, _in_form(tx, session_id, user_id, tokens)
            )
        )
        if not dry_run:
            desk.confirm(
                f"End session {session_id} of {user_id}: {settlement.actual_credits:,} credits are "
                f"charged and {settlement.refund:,} go back?",
                yes=yes,
            )
            counted = _in_form(desk.books, session_id, user_id, tokens)
            settlement = desk.done(desk.books.sessions.abort(session_id, user_id, counted))
        if desk.out.as_json:
            desk.json(settlement, dry_run)
        else:
            fields: dict[str, Cell] = {
                "held": settlement.allocated_credits,
                "charge": settlement.actual_credits,
                "refund": settlement.refund,
                "beyond the hold": settlement.overage or None,
                "uncollected": settlement.uncollected or None,
            }
            done = "would be aborted" if dry_run else "aborted"
            desk.out.card(f"Session {session_id} of {user_id}: {done}", fields)
        desk.finish(dry_run)


@app.command("expire-stale")
def expire_stale(
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="Sessions at most. Default: all.")
    ] = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    database: Database = None,
    json: Json = False,
) -> None:
    """End sessions that gave no sign of life for too long. Asks first; in cron, say --yes.

    They are charged for the tokens last reported and the rest goes back. Safe
    to run twice, or in two places.
    """
    with at_desk(database, json) as desk:
        if not (dry_run or yes):
            at = now()
            stale = sum(s.expires_at <= at for s in desk.books.sessions.all_active())
            count = stale if limit is None else min(stale, limit)
            if count:
                desk.confirm(f"End {count:,} session(s) that gave no sign of life?", yes=yes)
        with desk.out.progress("Ending sessions") as step:
            ended = desk.apply(lambda to: _expired(to, limit, step), dry_run=dry_run)
        if desk.out.as_json:
            desk.out.json([{**one.to_dict(), "dry_run": dry_run} for one in ended])
        else:
            desk.out.table(
                f"Sessions {'that would be ' if dry_run else ''}ended: {len(ended):,}",
                ("user", "session", ">held", ">charge", ">refund", ">uncollected"),
                [
                    (
                        s.user_id,
                        s.session_id,
                        s.allocated_credits,
                        s.actual_credits,
                        s.refund,
                        s.uncollected,
                    )
                    for s in ended
                ],
                empty="none is stale",
            )
        desk.finish(dry_run)


def _expired(to: Services, limit: int | None, step: Step) -> list[Settlement]:
    """Ends stale sessions in rounds, until there are no more or as many as were asked for."""
    ended: list[Settlement] = []
    while limit is None or len(ended) < limit:
        most = MOST_AT_ONCE if limit is None else min(MOST_AT_ONCE, limit - len(ended))
        batch = to.sessions.expire_stale(most)
        ended += batch
        step.advance(len(batch))
        if len(batch) < most:
            break
    return ended


def _in_form(books: Services, session_id: str, user_id: str, tokens: int) -> int | TokenCounts:
    """The tokens in the form that the session keeps: by kind, they count as output."""
    estimated = books.sessions.get(session_id, user_id).estimated_tokens
    return TokenCounts(output=tokens) if isinstance(estimated, TokenCounts) else tokens


def _tokens(tokens: int | TokenCounts) -> int:
    if isinstance(tokens, TokenCounts):
        return tokens.input + tokens.output + tokens.cached_input
    return tokens
