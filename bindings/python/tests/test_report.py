"""The report: well-formed, self-contained, and the same numbers as the statistics."""

from __future__ import annotations

import dataclasses
import re
from datetime import date, datetime, timedelta, timezone
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import accounting
from accounting import Accounting, ManualClock
from accounting.report import gather, page
from accounting.report.calendar import columns
from accounting.report.chart import column_chart, compact
from accounting.report.numbers import share, standing
from accounting.report.style import STYLE
from cli_tool import Tool

START = datetime(2026, 1, 1, tzinfo=timezone.utc)
VOID = {"meta", "wbr", "link", "br", "img", "input", "hr"}


class Reader(HTMLParser):
    """Reads a page, insists that what opens closes, and keeps the numbers by where they are."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[tuple[str, str | None]] = []
        self.ids: list[str] = []
        self.tags: list[str] = []
        self.links: list[str] = []
        self.numbers: dict[str, list[tuple[str, int]]] = {}
        self.row = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append(tag)
        self.links += [v or "" for k, v in attrs if k in {"src", "href", "srcset", "action"}]
        if identity := given.get("id"):
            self.ids.append(identity)
        if given.get("scope") == "row":
            self.row = ""
        if value := given.get("data-value"):
            here = next((i for _, i in reversed(self.open) if i), None) or given.get("id") or ""
            self.numbers.setdefault(here, []).append((self.row, int(value)))
        if tag not in VOID:
            self.open.append((tag, given.get("id")))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1][0] == "th":
            self.row += data


def fill(books: Accounting, clock: ManualClock) -> None:
    for user in range(13):
        books.accounts.sync(f"u{user}", f"u{user}@x", f"<b>User & {user}</b>")
        books.credits.allocate(f"u{user}", 10_000, "admin", expiry_days=20)
    for day in range(9):
        for user in range(13):
            if (day + user) % 3:
                books.credits.charge(f"u{user}", "chat", f"m{user % 4}", 10 + day * user)
        books.credits.charge("u1", "images", "</svg><script>", 5)
        clock.advance(days=1)
    books.credits.allocate("u2", 77, "admin", never_expires=True)


@pytest.fixture
def full(books: Accounting, clock: ManualClock) -> Accounting:
    fill(books, clock)
    return books


def test_its_numbers_are_the_statistics(full: Accounting, clock: ManualClock) -> None:
    end = START + timedelta(days=8)
    figures = gather(full, START, end, at=clock.now(), expiring_days=30)
    stats = full.usage.system_stats(START, end)
    assert figures.stats == stats
    read = Reader(page(figures, "Credits"))
    numbers = read.numbers
    assert numbers["used"] == [("", stats.total_credits)]
    assert numbers["allocated"] == [("", 130_000)]
    remaining = sum(full.credits.balance(f"u{u}").total_credits for u in range(13))
    assert numbers["balance"] == [("", remaining)]
    assert numbers["expiring"] == [("", remaining - 77)]
    assert dict(numbers["by-day-table"]) == stats.by_day
    for name, credits in (("by-service", stats.by_service), ("by-model", stats.by_model)):
        assert sorted(n for _, n in numbers[name][:-1]) == sorted(credits.values())
        assert numbers[name][-1][1] == sum(credits.values())
    users = [n for _, n in numbers["by-user"]]
    assert users[:10] == sorted(stats.by_user.values(), reverse=True)[:10]
    assert users[10] == sum(sorted(stats.by_user.values())[:-10])
    assert users[11] == stats.total_credits


def test_it_stands_alone_and_can_be_read_aloud(full: Accounting, clock: ManualClock) -> None:
    text = page(gather(full, START, clock.now(), at=clock.now(), expiring_days=30), "<i>Mine</i>")
    read = Reader(text)
    assert not re.search(r"https?:|//[a-z]|@import|url\(", text)
    assert read.links == []
    assert not {"script", "link", "img", "iframe", "b", "i"} & set(read.tags)
    assert "&lt;b&gt;User &amp; 12&lt;/b&gt;" in text
    assert len(read.ids) == len(set(read.ids))
    for name in re.findall(r'aria-labelledby="([^"]*)"', text):
        assert set(name.split()) <= set(read.ids)
    assert text.count('role="img"') == text.count("<title id=") == text.count("<desc id=") == 6
    assert "prefers-color-scheme: dark" in text
    assert 'lang="en"' in text
    assert "width=device-width" in text


def test_where_an_allocation_stands(memory: Accounting, clock: ManualClock) -> None:
    def of(**changes: Any) -> str:
        return standing(dataclasses.replace(given, **changes), clock.now())

    [given] = memory.credits.balance("ada").active_allocations
    assert of() == "active"
    assert of(remaining_credits=0) == "used up"
    assert of(remaining_credits=0, held_credits=762) == "held"
    assert of(effective_at=clock.now() + timedelta.resolution) == "later"
    assert of(expires_at=clock.now()) == "expired"
    assert of(expires_at=clock.now(), revoked_at=clock.now()) == "revoked"


def test_a_period_without_anything(clock: ManualClock) -> None:
    with accounting.open("sqlite://", clock=clock) as books:
        text = page(gather(books, START, START, at=START, expiring_days=1), "Empty")
    Reader(text)
    assert "Nothing was used in this period." in text


@pytest.mark.parametrize(
    ("days", "unit", "count"),
    [(1, "day", 1), (62, "day", 62), (90, "week", 14), (500, "month", 17)],
)
def test_long_periods_have_broader_columns(days: int, unit: str, count: int) -> None:
    first = date(2026, 1, 1)
    last = first + timedelta(days=days - 1)
    by_day = {first.isoformat(): 3, last.isoformat(): 4}
    found, drawn = columns(by_day, first, last)
    assert (found, len(drawn)) == (unit, count)
    assert sum(column.credits for column in drawn) == sum(by_day.values())


def test_all_time_is_drawn_where_there_is_something() -> None:
    unit, drawn = columns({"2020-05-01": 1, "2026-05-01": 2}, date.min, date.max)
    assert unit == "year"
    assert [(c.label, c.credits) for c in drawn if c.credits] == [("2020", 1), ("2026", 2)]
    assert columns({}, date.min, date.max)[1]


def test_columns_stand_on_zero_and_end_at_their_value() -> None:
    _, drawn = columns(
        {"2026-01-01": 4_000, "2026-01-02": 1_000}, date(2026, 1, 1), date(2026, 1, 2)
    )
    chart = column_chart("c", "Title", "What is to be seen", drawn)
    narrow = chart.split("\n")[0]
    heights = [
        float(floor) - (float(top) - 2)
        for floor, top in re.findall(r"M[\d.]+ ([\d.]+)V([\d.]+)q", narrow)
    ]
    assert heights[0] == pytest.approx(4 * heights[1], abs=0.5)
    assert "<title>1 Jan 2026: 4,000 credits</title>" in narrow
    assert compact(10**15) == "1P"


@pytest.mark.parametrize("count", [1, 2, 5, 31])
def test_columns_stand_above_their_dates_and_below_their_number(count: int) -> None:
    first = date(2026, 1, 1)
    last = first + timedelta(days=count - 1)
    days = [first + timedelta(days=n) for n in range(count)]
    _, drawn = columns({day.isoformat(): 7 for day in days}, first, last)
    for chart in column_chart("c", "Title", "What is to be seen", drawn).split("\n"):
        centres = [
            float(x) + 2 + float(inner) / 2
            for x, inner in re.findall(r'class="column" d="M([\d.]+) .*?h([\d.]+)q', chart)
        ]
        ticks = centred(chart, "tick")
        assert len(centres) == count
        assert ticks == [pytest.approx(near(centres, tick), abs=0.2) for tick in ticks]
        assert centred(chart, "peak") in ([], [pytest.approx(centres[0], abs=0.2)])
        assert ticks


def centred(chart: str, kind: str) -> list[float]:
    """Where the middles of the texts of a kind stand."""
    found = re.findall(rf'class="{kind}" x="([\d.]+)" y="[\d.]+" text-anchor="middle"', chart)
    return [float(x) for x in found]


def near(places: list[float], place: float) -> float:
    return min(places, key=lambda one: abs(one - place))


def test_shares_are_the_same_wherever_they_stand(full: Accounting, clock: ManualClock) -> None:
    text = page(gather(full, START, clock.now(), at=clock.now(), expiring_days=30), "Credits")
    stats = full.usage.system_stats(START, clock.now())
    largest = max(stats.by_model.values())
    said = share(largest, stats.total_credits)
    assert said != share(largest, sum(stats.by_model.values()))
    [(summarized, model)] = re.findall(r"; ([\d.]+ %) went to (m\d)\.", text)
    assert summarized == said
    table = text[text.index('id="by-model"') :]
    assert re.search(rf"{model}<svg.*?share\">{said}<", table)
    of_chat = share(sum(stats.by_model.values()), stats.total_credits)
    assert f'share">{of_chat}</td></tr></tfoot>' in table


def test_the_average_is_of_days_that_have_come(memory: Accounting, clock: ManualClock) -> None:
    memory.credits.charge("ada", "images", "sketch", 300)
    clock.advance(days=2)
    figures = gather(memory, START, START + timedelta(days=31), at=clock.now(), expiring_days=1)
    assert "About 100 credits per day." in page(figures, "Credits")


def test_a_chart_begins_with_the_period() -> None:
    first = date(2026, 1, 1)  # a Thursday
    unit, drawn = columns({"2026-01-02": 5}, first, first + timedelta(days=99))
    assert unit == "week"
    assert [(one.label, one.credits) for one in drawn[:2]] == [
        ("Week of 1 Jan 2026", 5),
        ("Week of 5 Jan 2026", 0),
    ]


def test_numbers_break_after_commas_alone(memory: Accounting) -> None:
    memory.credits.allocate("ada", 10**15, "admin")
    figures = gather(memory, START, START + timedelta(days=1), at=START, expiring_days=1)
    text = page(figures, "Credits")
    assert ">1,<wbr>000,<wbr>000,<wbr>000,<wbr>001,<wbr>000</div>" in text
    assert text.count("<wbr>") == 2 * 5  # allocated, balance; no number that is short
    assert not re.search(r"number[^{]*\{[^}]*overflow-wrap", STYLE)


def test_the_command_writes_it(url: str, tmp_path: Path) -> None:
    tool = Tool(url)
    tool.run("init")
    with tool.books() as books:
        books.accounts.sync("ada", "a@x", "Ada")
        books.credits.allocate("ada", 1_000, "admin")
        books.credits.charge("ada", "chat", "m", 123)
    file = tmp_path / "report.html"
    done = tool.json("report", "--output", str(file), "--title", "October")
    stats = tool.json("usage", "stats")
    assert done["stats"]["by_user"] == {"ada": 123}
    assert done["stats"] == {name: stats[name] for name in done["stats"]}
    read = Reader(file.read_text())
    assert read.numbers["used"] == [("", 123)]
    assert read.numbers["allocated"] == [("", 1_000)]
    tool.run("report", "--from", "2020-01-01", "--to", "2020-02-01", "-o", str(file))
    assert "1 Jan 2020 \N{EN DASH} 31 Jan 2020" in file.read_text()
    tool.run("report", code=2)
    assert "No such command" in tool.run("usage", "report", "-o", str(file), code=2).err
