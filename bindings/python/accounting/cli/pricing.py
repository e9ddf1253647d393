"""`accounting pricing …`: which model costs how much."""

from __future__ import annotations

from typing import Annotated

import typer

from accounting.cli.desk import actor, at_desk
from accounting.cli.options import CreatedBy, Database, DryRun, Json, optional_moment
from accounting.cli.output import Cell, now
from accounting.cli.pricing_import import import_prices
from accounting.cli.rules import in_force
from accounting.values import PricingRule

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Prices: which model costs how much, and when.")
app.command("import")(import_prices)

ModelId = Annotated[str, typer.Argument(metavar="MODEL_ID", help="Which model.")]
# Kept as text until the books read it: a float would not hold every price.
Price = Annotated[str | None, typer.Option(metavar="PRICE", help="Own price of these tokens.")]


@app.command("set")
def set_price(
    model_id: ModelId,
    price: Annotated[
        str, typer.Argument(metavar="PRICE", help="Credits per 1,000 tokens, for example 0.25.")
    ],
    input: Price = None,
    output: Price = None,
    cached_input: Price = None,
    effective_from: Annotated[
        str | None,
        typer.Option("--effective-from", metavar="WHEN", help="Past or future. Default: now."),
    ] = None,
    effective_to: Annotated[
        str | None,
        typer.Option("--effective-to", metavar="WHEN", help="Default: until the next rule."),
    ] = None,
    created_by: CreatedBy = None,
    dry_run: DryRun = False,
    database: Database = None,
    json: Json = False,
) -> None:
    """Set a model's price, and close the rule before it."""
    with at_desk(database, json) as desk:
        begins = optional_moment(effective_from, "--effective-from")
        ends = optional_moment(effective_to, "--effective-to")
        rule = desk.apply(
            lambda to: to.pricing.set(
                model_id,
                price,
                actor(created_by),
                effective_from=begins,
                effective_to=ends,
                input=input,
                output=output,
                cached_input=cached_input,
            ),
            dry_run=dry_run,
        )
        if desk.out.as_json:
            desk.json(rule, dry_run)
        else:
            would = ": would be set" if dry_run else ""
            desk.out.card(f"Price of {rule.model_id}{would}", _fields(rule))
        desk.finish(dry_run)


@app.command("get")
def get(
    model_id: ModelId,
    at: Annotated[str | None, typer.Option("--at", metavar="WHEN", help="Default: now.")] = None,
    database: Database = None,
    json: Json = False,
) -> None:
    """Show the rule that is in force for a model."""
    with at_desk(database, json) as desk:
        rule = desk.books.pricing.get(model_id, optional_moment(at, "--at"))
        if desk.out.as_json:
            desk.out.json(rule)
        else:
            desk.out.card(f"Price of {rule.model_id}", _fields(rule))


@app.command("list")
def list_prices(
    model_id: Annotated[
        str | None, typer.Argument(metavar="[MODEL_ID]", help="Default: all models.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Rules of the past and the future as well.")
    ] = False,
    database: Database = None,
    json: Json = False,
) -> None:
    """List the prices in force, or with --all every rule, in credits per 1,000 tokens."""
    with at_desk(database, json) as desk:
        at = now()
        rules = desk.books.pricing.list(model_id)
        if not everything:
            rules = [rule for rule in rules if in_force(rule, at)]
        if desk.out.as_json:
            desk.out.json(rules)
            return
        desk.out.table(
            f"Prices in credits per 1,000 tokens: {len(rules):,}",
            ("model", ">price", ">input", ">output", ">cached input", "=from (UTC)", "=to (UTC)"),
            [
                (
                    r.model_id,
                    r.price_per_1k_tokens,
                    r.input,
                    r.output,
                    r.cached_input,
                    r.effective_from,
                    r.effective_to,
                )
                for r in rules
            ],
        )


def _fields(rule: PricingRule) -> dict[str, Cell]:
    return {
        "per 1,000 tokens": rule.price_per_1k_tokens,
        "input": rule.input,
        "output": rule.output,
        "cached input": rule.cached_input,
        "from": rule.effective_from,
        "to": rule.effective_to,
        "set by": rule.created_by,
    }
