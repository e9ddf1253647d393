"""Compare the tokens in the books with a provider's invoice, per day and model.

    ACCOUNTING_DATABASE_URL=... python reconcile.py invoice.csv

The invoice is CSV with the columns day (UTC, YYYY-MM-DD), model and tokens. Only days that it names
are compared. Exit code 1 where something differs.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone

import accounting
from accounting import columns

Place = tuple[str, str]  # day, model


def read_invoice(path: str) -> Counter[Place]:
    """Tokens by day and model; several lines of one day and model add up."""
    tokens: Counter[Place] = Counter()
    with open(path, newline="", encoding="utf-8") as file:
        for line in csv.DictReader(file):
            tokens[line["day"], line["model"]] += int(line["tokens"])
    return tokens


def count_tokens(metadata: object) -> int:
    """Tokens that a usage record names: a number, or a number for each kind."""
    tokens = metadata.get("tokens", 0) if isinstance(metadata, dict) else 0
    return sum(tokens.values()) if isinstance(tokens, dict) else int(tokens)


def read_books(books: accounting.Accounting, days: set[str]) -> Counter[Place]:
    """Tokens by day and model on the days of the invoice."""
    midnight = [datetime.fromisoformat(day).replace(tzinfo=timezone.utc) for day in days]
    start, end = min(midnight), max(midnight) + timedelta(days=1)
    tokens: Counter[Place] = Counter()
    for user_id in books.usage.system_stats(start, end).by_user:
        usage = columns.usage_columns(books, user_id, start, end)
        rows = zip(
            usage["timestamp"], usage["service"], usage["operation"], usage["metadata"],
            strict=True,
        )  # fmt: skip
        for timestamp, service, model, metadata in rows:
            day = f"{timestamp:%Y-%m-%d}"
            is_chat = service == "chat" or service.startswith("chat-")
            if is_chat and day in days:
                tokens[day, model] += count_tokens(metadata)
    return tokens


def main(books: accounting.Accounting, arguments: Sequence[str]) -> int:
    """Print what differs."""
    parser = argparse.ArgumentParser(description="Compare usage with a provider's invoice.")
    parser.add_argument("invoice", help="CSV file with the columns day, model, tokens")
    options = parser.parse_args(arguments)

    invoiced = read_invoice(options.invoice)
    if not invoiced:
        print("the invoice has no lines")
        return 1
    ours = read_books(books, {day for day, _ in invoiced})
    places = sorted(invoiced.keys() | ours.keys())
    differing = [place for place in places if invoiced[place] != ours[place]]

    if differing:
        print(f"{'day':10}  {'model':12} {'invoice':>10} {'books':>10} {'difference':>11}")
    for place in differing:
        difference = invoiced[place] - ours[place]
        print(
            f"{place[0]:10}  {place[1]:12} {invoiced[place]:>10,} {ours[place]:>10,}"
            f" {difference:>+11,}"
        )
    print(f"{len(places) - len(differing)} of {len(places)} agree")
    print(f"invoice {invoiced.total():,} tokens, books {ours.total():,} tokens")
    return 1 if differing else 0


if __name__ == "__main__":
    with accounting.open() as books:
        sys.exit(main(books, sys.argv[1:]))
