"""`accounting audit`: who changed accounts, prices and keys."""

from __future__ import annotations

import json as json_text
from typing import Annotated

import typer

from accounting.cli.desk import at_desk
from accounting.cli.options import Database, Json, Limit, PageNumber
from accounting.frozen import thawed

__all__ = ["audit"]


def audit(
    user: Annotated[
        str | None, typer.Option("--user", metavar="USER_ID", help="Of one account only.")
    ] = None,
    actor: Annotated[
        str | None,
        typer.Option("--actor", help="By one actor only: host, principal:ada, key:1:ada."),
    ] = None,
    page: PageNumber = 1,
    limit: Limit = 20,
    database: Database = None,
    json: Json = False,
) -> None:
    """List who changed accounts, prices and API keys, newest first.

    Who changed credits stands in `accounting credits entries`.
    """
    with at_desk(database, json) as desk:
        found = desk.books.audit.list(user, actor, page, limit)
        if desk.out.as_json:
            desk.out.json(found)
            return
        desk.out.table(
            f"Audit trail: {found.total:,}, page {found.page:,} of {found.total_pages:,}",
            ("=time (UTC)", "actor", "=operation", "account", "subject", "what it is now"),
            [
                (
                    entry.created_at,
                    entry.actor,
                    entry.operation,
                    entry.user_id or None,
                    entry.subject,
                    json_text.dumps(thawed(entry.details), ensure_ascii=False),
                )
                for entry in found.items
            ],
            empty="none on this page",
        )
