"""`accounting keys …`: API keys, which programs present in place of a person."""

from __future__ import annotations

from typing import Annotated

import typer

from accounting.cli.desk import Desk, at_desk
from accounting.cli.options import Database, DryRun, Json, UserId, Yes
from accounting.cli.output import Cell, expiry, now
from accounting.cli.stdin import read_line
from accounting.values import ApiKey, IssuedApiKey

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="API keys: created, rotated, revoked, validated.")

KeyId = Annotated[int, typer.Argument(metavar="KEY_ID", min=1, help="Its id in the account.")]


@app.command("create")
def create(
    user_id: UserId,
    name: Annotated[str, typer.Argument(metavar="NAME", help="For people.")],
    permission: Annotated[
        list[str] | None,
        typer.Option(
            "--permission",
            "-p",
            help="credits:read, usage:write, usage:read, keys:write, credits:write or admin; "
            "several times for several. Default: none.",
        ),
    ] = None,
    expiry_days: Annotated[
        int | None, typer.Option("--expiry-days", help="Days of 24 hours. Default: never.")
    ] = None,
    dry_run: DryRun = False,
    database: Database = None,
    json: Json = False,
) -> None:
    """Issue a key and print it, once: it is stored nowhere."""
    with at_desk(database, json) as desk:
        issued = desk.apply(
            lambda to: to.api_keys.create(user_id, name, permission or (), expiry_days),
            dry_run=dry_run,
        )
        _show_issued(desk, issued, "created", dry_run)


@app.command("list")
def list_keys(user_id: UserId, database: Database = None, json: Json = False) -> None:
    """List the keys of an account, without their secrets, oldest first."""
    with at_desk(database, json) as desk:
        keys = desk.books.api_keys.list(user_id)
        if desk.out.as_json:
            desk.out.json(keys)
            return
        at = now()
        desk.out.table(
            f"API keys of {user_id}",
            (">id", "key", "=state", "permissions", "=expires (UTC)", "=last used (UTC)", "name"),
            [
                (
                    key.id,
                    _shown(key),
                    _state(key),
                    " ".join(key.permissions),
                    expiry(key.expires_at, at),
                    key.last_used,
                    key.name,
                )
                for key in keys
            ],
        )


@app.command("rotate")
def rotate(
    user_id: UserId,
    key_id: KeyId,
    dry_run: DryRun = False,
    database: Database = None,
    json: Json = False,
) -> None:
    """Issue a successor and print it, once. The old key goes on for 24 hours."""
    with at_desk(database, json) as desk:
        issued = desk.apply(lambda to: to.api_keys.rotate(key_id, user_id), dry_run=dry_run)
        _show_issued(desk, issued, f"created in place of {key_id}", dry_run)


@app.command("revoke")
def revoke(
    user_id: UserId,
    key_id: KeyId,
    dry_run: DryRun = False,
    yes: Yes = False,
    database: Database = None,
    json: Json = False,
) -> None:
    """End a key for good. Asks first."""
    with at_desk(database, json) as desk:
        key = desk.preview(lambda tx: tx.api_keys.revoke(key_id, user_id))
        if not dry_run:
            desk.confirm(
                f"Revoke key {key.id} ({_shown(key)}, {key.name}) of {user_id} for good?", yes=yes
            )
            key = desk.done(desk.books.api_keys.revoke(key_id, user_id))
        if desk.out.as_json:
            desk.json(key, dry_run)
        else:
            done = "would be revoked" if dry_run else "revoked"
            desk.out.card(f"API key {key.id} of {user_id}: {done}", _fields(key))
        desk.finish(dry_run)


@app.command("validate")
def validate(database: Database = None, json: Json = False) -> None:
    """Read a key from stdin and say whose it is; exit code 1 where it is not valid.

    Not from the command line, where every user of the machine could read it.
    """
    with at_desk(database, json) as desk:
        identity = desk.books.api_keys.validate(read_line("an API key"))
        if desk.out.as_json:
            desk.out.json(identity)
            return
        granted = " ".join(identity.permissions) or "none"
        desk.out.line(
            (f"valid: key {identity.key_id} of {identity.user_id}", "green"),
            f", permissions: {granted}",
        )


def _show_issued(desk: Desk, issued: IssuedApiKey, done: str, dry_run: bool) -> None:
    key = issued.api_key
    # What a dry run made up is no key: printing it would have somebody try it.
    secret = "" if dry_run else issued.key
    if desk.out.as_json:
        desk.json(IssuedApiKey(secret, key), dry_run)
    else:
        done = f"would be {done}" if dry_run else done
        desk.out.card(f"API key {key.id} of {key.user_id}: {done}", _fields(key))
        if secret:
            desk.out.line((secret, "bold"))
    if secret:
        desk.out.note(
            ("Keep it now: it is stored nowhere and cannot be shown again.", "yellow"),
        )
    desk.finish(dry_run)


def _shown(key: ApiKey) -> str:
    return f"{key.prefix}_…{key.last_four}"


def _state(key: ApiKey) -> str:
    if key.revoked_at is not None:
        return "revoked"
    if key.expires_at is not None and key.expires_at <= now():
        return "expired"
    return "active" if key.is_active else "suspended"


def _fields(key: ApiKey) -> dict[str, Cell]:
    return {
        "name": key.name,
        "key": _shown(key),
        "state": _state(key),
        "permissions": " ".join(key.permissions) or "none",
        "created": key.created_at,
        "expires": expiry(key.expires_at, now()),
        "revoked": key.revoked_at,
    }
