"""The page of a report: HTML that says everything in words and numbers, and draws it too."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from html import escape

from accounting.report.calendar import columns, day_name
from accounting.report.chart import column_chart
from accounting.report.figures import TOP, Figures
from accounting.report.numbers import ranked, share
from accounting.report.style import STYLE

__all__ = ["page"]

# Characters of a number that fit beside a name on a phone.
_FITS = 11

_SERVICES = {
    "chat": "chat, answered at once",
    "chat-streaming": "streamed answers",
    "chat-streaming-failed": "streamed answers that failed",
    "chat-streaming-aborted": "streamed answers that were stopped",
    "chat-streaming-expired": "streamed answers that fell silent",
}

# The text of user ids and the like comes from elsewhere: this page loads and runs nothing.
_CONTENT_SECURITY_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def page(figures: Figures, title: str) -> str:
    """The whole page.

    Args:
        figures: what `gather` read.
        title: its heading.
    """
    stats = figures.stats
    parts = [
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f'<meta http-equiv="Content-Security-Policy" content="{_CONTENT_SECURITY_POLICY}">',
        f"<title>{_text(title)}: {_period(figures)}</title>",
        f"<style>\n{STYLE}\n</style>\n</head>\n<body>\n<main>",
        f'<header><h1>{_text(title)}</h1><p class="period">{_period(figures)}</p>',
        f'<p class="summary">{_summary(figures)}</p></header>',
        _tiles(figures),
        _use_by_day(figures),
        '<div class="pair">',
        _ranking(
            "by-model",
            "Use by model",
            "Chat only; other services have no model. Shares are of all credits used.",
            "Model",
            stats.by_model,
            stats.total_credits,
        ),
        _ranking(
            "by-service",
            "Use by service",
            "What the credits were spent on.",
            "Service",
            stats.by_service,
            stats.total_credits,
            lambda service: (service, _SERVICES.get(service, "")),
        ),
        "</div>",
        _ranking(
            "by-user",
            "Top users",
            f"The {TOP} accounts that used most, and all others together.",
            "User",
            stats.by_user,
            stats.total_credits,
            lambda user: (figures.usernames.get(user, user), user),
        ),
        _expiring(figures),
        f"<footer>{_about(figures)}</footer>\n</main>\n</body>\n</html>\n",
    ]
    return "\n".join(parts)


def _text(text: str) -> str:
    return escape(text, quote=True)


def _period(figures: Figures) -> str:
    start, end = figures.start, figures.end
    if _is_midnight(start) and _is_midnight(end) and start < end:
        last = (end - timedelta(days=1)).date()
        first = start.date()
        if first == last:
            return day_name(first)
        return f"{day_name(first)} \N{EN DASH} {day_name(last)}"
    begun = day_name(start.date()) if _is_midnight(start) else _minute(start)
    return f"{begun} \N{EN DASH} {_minute(end)} UTC"


def _is_midnight(value: datetime) -> bool:
    return (value.hour, value.minute, value.second, value.microsecond) == (0, 0, 0, 0)


def _minute(value: datetime) -> str:
    return f"{day_name(value.date())}, {value:%H:%M}"


def _number(credits: int) -> str:
    """With commas, after which a narrow screen may break a number that is long."""
    digits = f"{credits:,}"
    return digits.replace(",", ",<wbr>") if len(digits) > _FITS else digits


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _summary(figures: Figures) -> str:
    stats = figures.stats
    if not stats.total_records:
        return "Nothing was used in this period."
    users = _count(len(stats.by_user), "account", "accounts")
    text = f"{users} used {_count(stats.total_credits, 'credit', 'credits')}"
    if stats.by_model and stats.total_credits:
        model, credits = min(stats.by_model.items(), key=lambda item: (-item[1], item[0]))
        text += f"; {share(credits, stats.total_credits)} went to {_text(model)}"
    return text + "."


def _tiles(figures: Figures) -> str:
    stats = figures.stats
    soon = f"within {_count(figures.expiring_days, 'day', 'days')} from now"
    tiles = (
        (
            "allocated",
            "Allocated",
            figures.allocated_credits,
            f"credits, in {_count(figures.allocations, 'allocation', 'allocations')}",
            "",
        ),
        (
            "used",
            "Used",
            stats.total_credits,
            f"credits, in {_count(stats.total_records, 'use', 'uses')}",
            "",
        ),
        (
            "expiring",
            "Expiring soon",
            figures.expiring_credits,
            f"credits, {soon}",
            "warn" if figures.expiring_credits else "",
        ),
        ("lapsed", "Expired unused", figures.lapsed_credits, "credits, in this period", ""),
        (
            "balance",
            "Balance now",
            figures.balance_credits,
            f"credits, in {_count(figures.accounts, 'account', 'accounts')}"
            + (f"; {figures.held_credits:,} more held" if figures.held_credits else ""),
            "",
        ),
    )
    return (
        '<dl class="tiles">'
        + "".join(
            f'<div class="card {kind}"><dt>{label}</dt><dd><div class="number" id="{name}" '
            f'data-value="{number}">{_number(number)}</div>'
            f'<div class="note">{note}</div></dd></div>'
            for name, label, number, note, kind in tiles
        )
        + "</dl>"
    )


def _use_by_day(figures: Figures) -> str:
    by_day = figures.stats.by_day
    first = figures.start.date()
    last = max(first, (figures.end - timedelta(microseconds=1)).date())
    unit, drawn = columns(by_day, first, last)
    heading = f"Use by {unit}"
    if not by_day:
        return _section("by-day", heading, "Nothing was used in this period.", "")
    peak = max(drawn, key=lambda column: column.credits)
    # A period may reach into the future, where nothing can have been used yet.
    begun = sum(column.first <= figures.at.date() for column in drawn)
    average = figures.stats.total_credits // max(begun, 1)
    said = (
        f"Most on {peak.label}: {peak.credits:,} credits. About {average:,} credits per {unit}."
        if unit == "day"
        else f"Most: {peak.label}, {peak.credits:,} credits. About {average:,} per {unit}."
    )
    return _section(
        "by-day",
        heading,
        said,
        column_chart("use", f"Credits used by {unit}", said, drawn)
        + _day_table("by-day-table", by_day, "Credits used"),
    )


def _expiring(figures: Figures) -> str:
    heading = "Credits that expire soon"
    days = _count(figures.expiring_days, "day", "days")
    if not figures.expiring:
        return _section("expiring-by-day", heading, f"None within {days} from now.", "")
    first = figures.at.date()
    last = first + timedelta(days=figures.expiring_days)
    unit, drawn = columns(figures.expiring, first, last)
    peak = max(drawn, key=lambda column: column.credits)
    said = (
        f"{figures.expiring_credits:,} credits end within {days} unless they are used; most: "
        f"{peak.label}, {peak.credits:,} credits."
    )
    return _section(
        "expiring-by-day",
        heading,
        said,
        column_chart("expiring-chart", f"Credits that expire, by {unit}", said, drawn)
        + _day_table("expiring-table", figures.expiring, "Credits that expire"),
    )


def _section(name: str, heading: str, about: str, body: str) -> str:
    return (
        f'<section class="card" aria-labelledby="{name}-heading"><h2 id="{name}-heading">'
        f'{_text(heading)}</h2><p class="about">{_text(about)}</p>{body}</section>'
    )


def _day_table(name: str, by_day: Mapping[str, int], heading: str) -> str:
    rows = "".join(
        f'<tr><th scope="row">{day}</th><td class="number-cell" data-value="{credits}">'
        f"{_number(credits)}</td></tr>"
        for day, credits in sorted(by_day.items())
    )
    return (
        f'<details><summary>The same as a table</summary><table id="{name}"><thead><tr>'
        f'<th scope="col">Day (UTC)</th><th scope="col" class="number-cell">{heading}</th></tr>'
        f'</thead><tbody>{rows}</tbody><tfoot><tr><th scope="row">All</th><td '
        f'class="number-cell">{_number(sum(by_day.values()))}</td></tr></tfoot></table></details>'
    )


def _ranking(
    name: str,
    heading: str,
    about: str,
    column: str,
    credits: Mapping[str, int],
    whole: int,
    said: Callable[[str], tuple[str, str]] = lambda key: (key, ""),
) -> str:
    """A table whose rows are bars too: the longest first, the rest in one.

    Args:
        name: for ids; unique on the page.
        heading: of the section.
        about: a sentence below it.
        column: what the rows are.
        credits: what each of them came to.
        whole: what the shares are of.
        said: a row's name, and what stands below it in small.
    """
    if not credits:
        return _section(name, heading, "None in this period.", "")
    total = sum(credits.values())
    largest, others, rest = ranked(credits, TOP)
    rows = [_row(said(key), amount, largest[0][1], whole) for key, amount in largest]
    if others:
        # No bar: many together would look like the largest of all.
        rows.append(_row((f"{others:,} others together", ""), rest, 0, whole))
    body = (
        f'<table id="{name}"><thead><tr><th scope="col">{column}</th>'
        '<th scope="col" class="number-cell">Credits</th>'
        '<th scope="col" class="number-cell">Share</th></tr></thead>'
        f'<tbody>{"".join(rows)}</tbody><tfoot><tr><th scope="row">All</th>'
        f'<td class="number-cell" data-value="{total}">{_number(total)}</td>'
        f'<td class="number-cell share">{share(total, whole)}</td></tr></tfoot></table>'
    )
    return _section(name + "-section", heading, about, body)


def _row(said: tuple[str, str], credits: int, highest: int, whole: int) -> str:
    bar = ""
    if highest:
        width = max(credits * 1000 // highest / 10, 0.4 if credits else 0)
        bar = (
            '<svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'
            f'<rect class="fill" width="{width}" height="8"/></svg>'
        )
    name, more = map(_text, said)
    below = f"<small>{more}</small>" if more and more != name else ""
    return (
        f'<tr><th scope="row" class="name">{name}{below}{bar}</th>'
        f'<td class="number-cell" data-value="{credits}">{_number(credits)}</td>'
        f'<td class="number-cell share">{share(credits, whole)}</td></tr>'
    )


def _about(figures: Figures) -> str:
    return (
        f"Read on {_minute(figures.at)} UTC. Days are UTC days. Allocated: credits given in the "
        "period, without refunds of streamed answers. Used: what the use cost, also where the "
        "balance did not cover it; what was not collected is not shown apart. Balance, held and "
        "expiring stand as of the reading, whatever the period."
    )
