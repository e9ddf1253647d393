"""`accounting accounts …`: who can hold credits."""

from __future__ import annotations

from typing import Annotated

import typer

from accounting.cli.desk import at_desk
from accounting.cli.options import Database, DryRun, Json, Limit, PageNumber, UserId
from accounting.cli.output import Cell
from accounting.values import Role, UserAccount

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Accounts: who can hold credits.")

RoleOption = Annotated[Role | None, typer.Option("--role", help="The account's role.")]


@app.command("list")
def list_accounts(
    role: RoleOption = None,
    page: PageNumber = 1,
    limit: Limit = 20,
    database: Database = None,
    json: Json = False,
) -> None:
    """List accounts, newest first."""
    with at_desk(database, json) as desk:
        accounts = desk.books.accounts.list(role, page, limit)
        if desk.out.as_json:
            desk.out.json(accounts)
            return
        desk.out.table(
            f"Accounts: {accounts.total:,}, page {accounts.page:,} of {accounts.total_pages:,}",
            ("user", "username", "email", "=role", "=created (UTC)"),
            [(a.user_id, a.username, a.email, a.role.value, a.created_at) for a in accounts.items],
            empty="none on this page",
        )


@app.command("get")
def get(user_id: UserId, database: Database = None, json: Json = False) -> None:
    """Show one account."""
    with at_desk(database, json) as desk:
        account = desk.books.accounts.get(user_id)
        if desk.out.as_json:
            desk.out.json(account)
        else:
            desk.out.card(f"Account {account.user_id}", _fields(account))


@app.command("sync")
def sync(
    user_id: UserId,
    email: Annotated[str, typer.Option("--email", help="Need not be unique.")],
    username: Annotated[str, typer.Option("--username", help="For people.")],
    role: RoleOption = None,
    dry_run: DryRun = False,
    database: Database = None,
    json: Json = False,
) -> None:
    """Create an account, or bring a known one up to date. Again: changes nothing."""
    with at_desk(database, json) as desk:
        result = desk.apply(
            lambda to: to.accounts.sync(user_id, email, username, role), dry_run=dry_run
        )
        if desk.out.as_json:
            desk.json(result, dry_run)
        else:
            known = "created" if result.created else "brought up to date"
            known = f"would be {known}" if dry_run else known
            desk.out.card(f"Account {result.account.user_id}: {known}", _fields(result.account))
        desk.finish(dry_run)


def _fields(account: UserAccount) -> dict[str, Cell]:
    return {
        "user": account.user_id,
        "username": account.username,
        "email": account.email,
        "role": account.role.value,
        "created": account.created_at,
        "updated": account.updated_at,
    }
