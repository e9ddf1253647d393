"""Files that the command reads: allocations in CSV, and price maps."""

from __future__ import annotations

import json
import os
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from accounting.cli.exits import ExitCode
from cli_tool import Tool, contents


@pytest.fixture
def tool(url: str) -> Tool:
    """On a database with the accounts `ada` and `bob`, who have nothing."""
    tool = Tool(url)
    tool.run("init")
    for user in ("ada", "bob"):
        tool.run("accounts", "sync", user, "--email", f"{user}@x", "--username", user)
    return tool


GRANTS = """user_id,credits,expiry_days,notes
ada,100,30,"November, at last"
bob,50,,
ada,7,,again
"""


def test_a_file_is_allocated_once(tool: Tool, tmp_path: Path) -> None:
    file = tmp_path / "grants.csv"
    file.write_text(GRANTS)
    before = contents(tool.url)
    tried = tool.json("credits", "allocate-csv", str(file), "--by", "admin", "--dry-run")
    assert (tried["allocated"], tried["credits"], tried["dry_run"]) == (3, 157, True)
    assert contents(tool.url) == before
    done = tool.json("credits", "allocate-csv", str(file), "--by", "admin")
    assert (done["allocated"], done["already_allocated"], done["credits"]) == (3, 0, 157)
    assert done["allocations"][0]["notes"] == "November, at last"
    after = contents(tool.url)
    again = tool.json("credits", "allocate-csv", str(file), "--by", "admin")
    assert (again["allocated"], again["already_allocated"], again["credits"]) == (0, 3, 0)
    said = tool.run("credits", "allocate-csv", str(file), "--by", "admin").out
    day = done["allocations"][0]["allocated_at"][:10]
    assert f"allocated before, on {day} " in said
    assert "nothing to do" in said
    assert contents(tool.url) == after
    assert tool.json("credits", "balance", "ada")["total_credits"] == 107


def test_the_same_rows_saved_another_way_are_the_same_file(tool: Tool, tmp_path: Path) -> None:
    file = tmp_path / "grants.csv"
    file.write_text(GRANTS)
    tool.run("credits", "allocate-csv", str(file), "--by", "admin")
    after = contents(tool.url)
    file.write_bytes(b"\xef\xbb\xbf" + GRANTS.replace("\n", "\r\n\r\n").encode())
    assert tool.json("credits", "allocate-csv", str(file), "--by", "admin")["allocated"] == 0
    assert contents(tool.url) == after
    refused = tool.run("credits", "allocate-csv", str(file), "--by", "eve", code=ExitCode.REFUSED)
    assert "--by" in refused.err
    file.write_text(GRANTS.replace("bob,50", "bob,51"))
    assert tool.json("credits", "allocate-csv", str(file), "--by", "admin")["allocated"] == 3


def test_the_same_rows_are_allocated_once_for_each_batch(tool: Tool, tmp_path: Path) -> None:
    file = tmp_path / "grants.csv"
    file.write_text(GRANTS)
    command = ("credits", "allocate-csv", str(file), "--by", "admin")
    for batch, allocated in ((), 3), (("2026-11",), 3), (("2026-12",), 3), (("2026-11",), 0):
        options = [word for name in batch for word in ("--batch", name)]
        assert tool.json(*command, *options)["allocated"] == allocated
    assert tool.json("credits", "balance", "ada")["total_credits"] == 3 * 107


def test_amounts_out_of_range_are_told_the_range(tool: Tool, tmp_path: Path) -> None:
    file = tmp_path / "grants.csv"
    file.write_text("user_id,credits,expiry_days\nada,1000000000000001,1000001\n")
    ended = tool.run("credits", "allocate-csv", str(file), code=ExitCode.USAGE)
    assert "credits: expected a whole number from 1 to 1,000,000,000,000,000, not" in ended.err
    assert "expiry_days: expected a whole number from 1 to 1,000,000, not" in ended.err


def test_every_bad_line_is_named_and_nothing_allocated(tool: Tool, tmp_path: Path) -> None:
    file = tmp_path / "grants.csv"
    file.write_text(
        "user_id,credits,expiry_days,expires_at,never_expires,notes\n"  # 1
        "ada,100,,,,fine\n"  # 2
        "ada,1e3,,,,\n"  # 3
        'nobody,5,,,,"two\nlines"\n'  # 4 and 5
        "ada,5,10,2999-01-01,,\n"  # 6
        "\n"  # 7
        "ada,5\n"  # 8
        "ada,-5,0,,,\n"  # 9
        "ada,5,,2999-01-01T00:00,,\n"  # 10
        "bob,5,,2020-01-01,,\n"  # 11
        "bob,5,,,perhaps,\n"  # 12
        ",5,,,,\n"  # 13
    )
    before = contents(tool.url)
    ended = tool.run("credits", "allocate-csv", str(file), code=ExitCode.USAGE)
    named = [line.split(":")[0].strip() for line in ended.err.splitlines()[1:]]
    assert named == [f"line {n}" for n in (3, 4, 6, 8, 9, 10, 11, 12, 13)]
    assert "9 bad line(s); nothing was allocated [bad_lines]" in ended.err
    assert ended.out == ""
    assert contents(tool.url) == before


def test_ends_that_are_past_are_all_named(tool: Tool, tmp_path: Path) -> None:
    file = tmp_path / "grants.csv"
    file.write_text(
        "user_id,credits,expires_at\nada,1,2999-01-01\nada,1,2020-01-01\nbob,1,2020-01-02\n"
    )
    ended = tool.run("credits", "allocate-csv", str(file), code=ExitCode.USAGE)
    assert "line 3: " in ended.err
    assert "line 4: " in ended.err
    assert tool.json("credits", "balance", "ada")["total_credits"] == 0


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "header"),
        (b"user_id;credits\nada;5\n", "header"),
        (b"user_id,credit\nada,5\n", "header"),
        (b"user_id,credits,credits\nada,5,5\n", "header"),
        (b"user_id,credits\nada,\xff\n", "line 2: the file is not UTF-8"),
        (b'user_id,credits\nada,"5\n', "line 2"),
    ],
)
def test_what_is_no_such_file_is_refused(tmp_path: Path, content: bytes, word: str) -> None:
    tool = Tool(f"sqlite:///{tmp_path}/books.db")
    tool.run("init")
    file = tmp_path / "grants.csv"
    file.write_bytes(content)
    assert word in tool.run("credits", "allocate-csv", str(file), code=ExitCode.USAGE).err


def test_allocations_from_stdin(tool: Tool) -> None:
    tool.run("credits", "allocate-csv", "-", stdin="credits,user_id,never_expires\n5,ada,yes\n")
    assert tool.json("credits", "balance", "ada")["active_allocations"][0]["expires_at"] is None


# --- price maps ----------------------------------------------------------------------------------


def prices(tmp_path: Path, text: str) -> str:
    file = tmp_path / "prices.json"
    file.write_text(text)
    return str(file)


def test_prices_are_exact(tool: Tool, tmp_path: Path) -> None:
    file = prices(
        tmp_path,
        """{"a": {"input_cost_per_token": 3e-06, "output_cost_per_token": 1.5e-05,
                  "cache_read_input_token_cost": 3e-07},
            "sample_spec": {"input_cost_per_token": 0},
            "b": {"input_cost_per_token": 1.1e-10},
            "c": {"input_cost_per_second": 1.0},
            "free": {"input_cost_per_token": 0, "output_cost_per_token": 0.0},
            "%s": {"input_cost_per_token": 1e-06}}"""
        % ("x" * 101),
    )
    before = contents(tool.url)
    command = ("pricing", "import", file, "--credits-per-dollar", "100.5")
    assert len(tool.json(*command, "--dry-run")["set"]) == 3
    assert contents(tool.url) == before
    done = tool.json(*command)
    assert set(done["skipped"]) == {"sample_spec", "c", "x" * 101}
    rule = tool.json("pricing", "get", "a")
    assert (rule["price_per_1k_tokens"], rule["input"]) == ("0.3015", "0.3015")
    assert (rule["output"], rule["cached_input"]) == ("1.5075", "0.03015")
    assert Decimal(tool.json("pricing", "get", "b")["input"]) == Decimal("0.000011055")
    after = contents(tool.url)
    again = tool.json(*command)
    assert (again["set"], again["unchanged"]) == ([], 3)
    assert contents(tool.url) == after
    tool.run(*command)


def test_a_price_of_minus_nothing_is_nothing(tool: Tool, tmp_path: Path) -> None:
    text = '{"a": {"input_cost_per_token": -0.0, "output_cost_per_token": -0e-06}}'
    command = ("pricing", "import", prices(tmp_path, text), "--credits-per-dollar", "10")
    [rule] = tool.json(*command)["set"]
    assert (rule["price_per_1k_tokens"], rule["input"], rule["output"]) == ("0", "0", "0")
    assert tool.json(*command)["unchanged"] == 1


def test_models_whose_ids_no_text_can_hold_are_skipped(tool: Tool, tmp_path: Path) -> None:
    entry = '{"input_cost_per_token": 1e-06}'
    text = f'{{"nul\\u0000": {entry}, "half\\ud83d": {entry}, "whole\\ud83d\\ude00": {entry}}}'
    command = ("pricing", "import", prices(tmp_path, text), "--credits-per-dollar", "10")
    assert "half\\ud83d" in tool.run(*command, "--dry-run").out
    done = tool.json(*command)
    assert [rule["model_id"] for rule in done["set"]] == ["whole\N{GRINNING FACE}"]
    assert list(done["skipped"]) == ["nul\0", "half\ud83d"]


def test_which_price_tokens_without_kinds_have(tool: Tool, tmp_path: Path) -> None:
    text = '{"a": {"input_cost_per_token": 1e-06, "output_cost_per_token": 4e-06}}'
    command = ("pricing", "import", prices(tmp_path, text), "--credits-per-dollar", "1000")
    for plain, price, cached in (("input", "1", None), ("output", "4", "1"), ("highest", "4", "1")):
        tool.run(*command, "--plain", plain, "--yes")
        rule = tool.json("pricing", "get", "a")
        assert (rule["price_per_1k_tokens"], rule["input"], rule["output"]) == (price, "1", "4")
        # Cached input is input: it never falls back to the price of output.
        assert rule["cached_input"] == cached


def test_models_with_other_prices_for_that_time_are_all_named(tool: Tool, tmp_path: Path) -> None:
    tool.run("pricing", "set", "b", "1", "--effective-from", "2999-01-01")
    tool.run("pricing", "set", "c", "1", "--effective-from", "2999-01-01")
    file = prices(tmp_path, json.dumps({m: {"input_cost_per_token": 1e-06} for m in "abc"}))
    before = contents(tool.url)
    for options in ([], ["--dry-run"], ["--yes"]):
        command = ("pricing", "import", file, "--credits-per-dollar", "1000", *options)
        ended = tool.run(*command, code=ExitCode.REFUSED)
        lines = ended.err.splitlines()
        assert lines[0].startswith("error: 2 model(s) have other prices")
        assert lines[0].endswith("[conflict]")
        assert [line.split(":")[0].strip() for line in lines[1:]] == ["b", "c"]
        assert contents(tool.url) == before


def test_replacing_prices_asks_first(tool: Tool, tmp_path: Path) -> None:
    file = prices(tmp_path, '{"a": {"input_cost_per_token": 1e-06}}')
    command = ("pricing", "import", file, "--credits-per-dollar")
    tool.run(*command, "1000")
    before = contents(tool.url)
    assert "Replace the prices of 1 model" in tool.run(*command, "2000", code=ExitCode.REFUSED).err
    tool.run(*command, "2000", "--dry-run")
    assert contents(tool.url) == before
    tool.run(*command, "2000", stdin="y\n")
    assert tool.json("pricing", "get", "a")["input"] == "2"


def test_inexact_prices_are_named_and_rounded_only_when_asked(tool: Tool, tmp_path: Path) -> None:
    text = """{"a": {"input_cost_per_token": 1.23456789012345e-07},
               "b": {"input_cost_per_token": 1e-06}}"""
    command = ("pricing", "import", prices(tmp_path, text), "--credits-per-dollar", "1")
    ended = tool.run(*command, code=ExitCode.USAGE)
    assert "a: input 0.000123456789012345" in ended.err
    assert "b:" not in ended.err
    assert tool.json("pricing", "list", "--all") == []
    done = tool.json(*command, "--round")
    assert done["rounded"] == ["a: input"]
    assert Decimal(tool.json("pricing", "get", "a")["input"]) == Decimal("0.0001234568")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("[]", "object of models"),
        ("{", "no JSON"),
        ('{"a": {"input_cost_per_token": NaN}}', "NaN"),
        ('{"a": {"input_cost_per_token": -1e-06}}', "a: input_cost_per_token"),
        ('{"a": {"input_cost_per_token": "1e-06"}}', "a: input_cost_per_token"),
        ('{"a": {"input_cost_per_token": true}}', "a: input_cost_per_token"),
        ('{"a": {"input_cost_per_token": 1e999999999}}', "out of range"),
        ('{"a": {"input_cost_per_token": 1e-999999}}', "out of range"),
        ('{"a": {"input_cost_per_token": 1}, "a": {"input_cost_per_token": 2}}', "twice"),
    ],
)
def test_prices_that_are_none_are_refused(tmp_path: Path, text: str, word: str) -> None:
    tool = Tool(f"sqlite:///{tmp_path}/books.db")
    tool.run("init")
    command = ("pricing", "import", prices(tmp_path, text), "--credits-per-dollar", "10")
    assert word in tool.run(*command, code=ExitCode.USAGE).err
    assert tool.json("pricing", "list", "--all") == []


@pytest.mark.parametrize("rate", ["0", "-1", "many", "NaN", "1e99"])
def test_a_rate_is_a_number_above_0(tmp_path: Path, rate: str) -> None:
    tool = Tool(f"sqlite:///{tmp_path}/books.db")
    tool.run("init")
    command = ("pricing", "import", prices(tmp_path, "{}"), f"--credits-per-dollar={rate}")
    assert "--credits-per-dollar" in tool.run(*command, code=ExitCode.USAGE).err


def test_the_real_price_map_is_imported_exactly(tool: Tool) -> None:
    shared = os.environ.get("ACCOUNTING_SHARED")
    if not shared:
        pytest.skip("SKIPPED: ACCOUNTING_SHARED is not set, so the real price map is not imported")
    file = Path(shared) / "data" / "model_prices.json"
    done = tool.json("pricing", "import", str(file), "--credits-per-dollar", "1000")
    # Read a second way: the text of each number, as a fraction.
    entries = json.loads(file.read_text(), parse_float=Fraction, parse_int=Fraction)
    stored = {rule["model_id"]: rule for rule in tool.json("pricing", "list")}
    fields = {
        "input": "input_cost_per_token",
        "output": "output_cost_per_token",
        "cached_input": "cache_read_input_token_cost",
    }
    assert set(stored) | set(done["skipped"]) == set(entries)
    assert len(stored) > 200
    for model_id, rule in stored.items():
        for kind, field in fields.items():
            dollars = entries[model_id].get(field)
            price = rule[kind]
            assert (price is None) == (dollars is None), (model_id, kind)
            if price is not None:
                assert Fraction(price) == dollars * 1000 * 1000, (model_id, kind)
        assert rule["price_per_1k_tokens"] == (rule["input"] or rule["output"])
