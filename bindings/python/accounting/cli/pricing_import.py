"""`accounting pricing import`: a price map in US dollars per token becomes pricing rules."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer

from accounting.books import Transaction
from accounting.cli.desk import Desk, actor, at_desk
from accounting.cli.exits import ExitCode, Refused
from accounting.cli.options import CreatedBy, Database, DryRun, Json, Yes, optional_moment
from accounting.cli.output import instant, now
from accounting.cli.price_map import ModelPrices, PriceMap, amount, read_price_map
from accounting.cli.rules import in_force
from accounting.errors import Conflict
from accounting.values import PricingRule

__all__ = ["import_prices"]


class Plain(str, enum.Enum):
    """Which price tokens get that come as one number, without kinds."""

    INPUT = "input"
    OUTPUT = "output"
    HIGHEST = "highest"


def import_prices(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A price map as LiteLLM keeps it.")],
    credits_per_dollar: Annotated[
        str, typer.Option("--credits-per-dollar", metavar="N", help="What a US dollar buys.")
    ],
    plain: Annotated[
        Plain, typer.Option("--plain", help="Price of tokens given as one number, without kinds.")
    ] = Plain.INPUT,
    round_: Annotated[
        bool, typer.Option("--round", help="Round to 10 fractional digits, halves up.")
    ] = False,
    created_by: CreatedBy = None,
    effective_from: Annotated[
        str | None, typer.Option("--effective-from", metavar="WHEN", help="Default: now.")
    ] = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    database: Database = None,
    json: Json = False,
) -> None:
    """Import prices from a file in US dollars per token, exactly: all of them or none.

    A price becomes dollars per token x 1,000 x credits per dollar, of input,
    output and cached input where the file has them. Prices with more than 10
    fractional digits are named and refused unless --round is given. Models
    that have these prices already stay as they are. Asks first where other
    prices are replaced.
    """
    with at_desk(database, json) as desk:
        rate = amount(credits_per_dollar, "--credits-per-dollar")
        begins = optional_moment(effective_from, "--effective-from")
        prices = read_price_map(file.read_bytes(), rate, round_=round_)
        if prices.inexact:
            raise Refused(
                f"{len(prices.inexact):,} price(s) have more than 10 fractional digits; nothing "
                "was imported (--round rounds them)",
                code="inexact_prices",
                lines=prices.inexact,
            )
        at = begins or now()
        before = {rule.model_id: rule for rule in desk.books.pricing.list() if in_force(rule, at)}
        changed = [
            model
            for model in prices.models
            if _values(model, plain) != _stored(before.get(model.model_id))
        ]
        rules = _set(desk, changed, plain, actor(created_by), begins, dry_run=True)
        if not dry_run:
            _confirm(desk, sum(rule.model_id in before for rule in rules), at, yes=yes)
            rules = _set(desk, changed, plain, actor(created_by), begins, dry_run=False)
        _answer(desk, prices, rules, before, dry_run)
        desk.finish(dry_run)


def _confirm(desk: Desk, replaced: int, at: datetime, *, yes: bool) -> None:
    if replaced:
        desk.confirm(
            f"Replace the prices of {replaced:,} model(s) from {instant(at)} UTC on?", yes=yes
        )


def _values(model: ModelPrices, plain: Plain) -> tuple[Decimal | None, ...]:
    return (model.plain(plain.value), model.input, model.output, model.cached(plain.value))


def _stored(rule: PricingRule | None) -> tuple[Decimal | None, ...] | None:
    # A rule that ends is not the price that was asked for, whatever it says until then.
    if rule is None or rule.effective_to is not None:
        return None
    return (rule.price_per_1k_tokens, rule.input, rule.output, rule.cached_input)


def _set(
    desk: Desk,
    models: list[ModelPrices],
    plain: Plain,
    created_by: str,
    begins: datetime | None,
    *,
    dry_run: bool,
) -> list[PricingRule]:
    """The rules, all or none. Refused names every model that has a price for that time."""

    def work(tx: Transaction) -> list[PricingRule]:
        rules = []
        conflicts = []
        with desk.out.progress("Trying" if dry_run else "Setting prices", len(models)) as step:
            for model in models:
                try:
                    rules.append(
                        tx.pricing.set(
                            model.model_id,
                            model.plain(plain.value),
                            created_by,
                            effective_from=begins,
                            input=model.input,
                            output=model.output,
                            cached_input=model.cached(plain.value),
                        )
                    )
                except Conflict as error:
                    conflicts.append(f"{model.model_id}: {error}")
                step.advance()
        if conflicts:
            raise Refused(
                f"{len(conflicts):,} model(s) have other prices for that time; nothing was "
                "imported",
                code=Conflict.code,
                exit=ExitCode.REFUSED,
                lines=tuple(conflicts),
            )
        return rules

    return desk.apply_all(work, dry_run=dry_run) if models else []


def _answer(
    desk: Desk,
    prices: PriceMap,
    rules: list[PricingRule],
    before: Mapping[str, PricingRule],
    dry_run: bool,
) -> None:
    rounded = [f"{m.model_id}: {kind}" for m in prices.models for kind in m.rounded]
    if desk.out.as_json:
        desk.out.json(
            {
                "set": rules,
                "unchanged": len(prices.models) - len(rules),
                "rounded": rounded,
                "skipped": prices.skipped,
                "dry_run": dry_run,
            }
        )
        return
    desk.out.table(
        "Prices to set" if dry_run else "Prices set",
        ("model", ">was", ">price", ">input", ">output", ">cached input"),
        [
            (
                r.model_id,
                before[r.model_id].price_per_1k_tokens if r.model_id in before else None,
                r.price_per_1k_tokens,
                r.input,
                r.output,
                r.cached_input,
            )
            for r in rules
        ],
    )
    if prices.skipped:
        desk.out.table("Skipped", ("model", "why"), list(prices.skipped.items()))
    if rounded:
        desk.out.table("Rounded to 10 fractional digits", ("price",), [(text,) for text in rounded])
    desk.out.line(
        (f"{len(rules):,} {'to set' if dry_run else 'set'}", "bold"),
        f", {len(prices.models) - len(rules):,} unchanged, {len(prices.skipped):,} skipped, "
        "in credits per 1,000 tokens",
    )
