#!/usr/bin/env python3
"""Runs the day of chat as its users do: what it prints, what it answers, when it refuses."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
import uuid

PROGRAM = ""
SCHEMA = "chat_day_" + uuid.uuid4().hex[:12]
KEYS = {
    "requests",
    "completed",
    "aborted",
    "refused",
    "reserved_credits",
    "overage_credits",
    "used_credits",
    "refunded_credits",
    "uncollected_credits",
    "books_balance",
    "seconds",
}


def run(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, check=False)


def figures(*arguments: str) -> dict:
    done = run("--json", *arguments)
    if done.returncode != 0:
        raise AssertionError(f"exit code {done.returncode}: {done.stderr}")
    lines = done.stdout.splitlines()
    if len(lines) != 1:
        raise AssertionError(f"not one line on standard output: {done.stdout}")
    return json.loads(lines[0])


def without_seconds(answer: dict) -> dict:
    return {key: value for key, value in answer.items() if key != "seconds"}


class ChatDay(unittest.TestCase):
    def setUp(self) -> None:
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)

    def file(self, name: str, text: str) -> str:
        path = pathlib.Path(self.directory.name) / name
        path.write_text(text)
        return str(path)

    def check(self, answer: dict, requests: int) -> None:
        self.assertLessEqual(KEYS, answer.keys())
        self.assertTrue(answer["books_balance"])
        self.assertEqual(answer["requests"], requests)
        self.assertEqual(
            answer["completed"] + answer["aborted"] + answer["refused"], answer["requests"]
        )
        self.assertEqual(
            answer["reserved_credits"] + answer["overage_credits"],
            answer["used_credits"] + answer["refunded_credits"],
        )

    def test_a_generated_day_is_the_same_every_time(self) -> None:
        first = figures("--requests", "300", "--users", "20")
        self.check(first, 300)
        self.assertEqual(
            without_seconds(first), without_seconds(figures("--requests", "300", "--users", "20"))
        )

    def test_both_databases_give_the_same_figures(self) -> None:
        server = os.environ.get("ACCOUNTING_TEST_POSTGRESQL")
        if not server:
            self.skipTest("SKIPPED: ACCOUNTING_TEST_POSTGRESQL is not set")
        psql = ["psql", server, "--quiet", "--command"]
        subprocess.run([*psql, f"CREATE SCHEMA {SCHEMA}"], check=True)
        self.addCleanup(
            subprocess.run, [*psql, f"DROP SCHEMA {SCHEMA} CASCADE"], check=True, stderr=-3
        )
        database = f"{server}?options=-csearch_path%3D{SCHEMA}"
        arguments = ("--requests", "300", "--users", "20")
        self.assertEqual(
            without_seconds(figures(*arguments)),
            without_seconds(figures(*arguments, "--database", database)),
        )

    def test_the_real_trace(self) -> None:
        shared = os.environ.get("ACCOUNTING_SHARED")
        if not shared:
            self.skipTest("SKIPPED: ACCOUNTING_SHARED is not set")
        trace = f"{shared}/data/azure_llm_trace_conv_2023.csv"
        self.check(figures("--trace", trace, "--database", "sqlite://"), 19_366)

    def test_a_malformed_line_is_named_and_refused_or_skipped(self) -> None:
        trace = self.file(
            "trace.csv",
            "TIMESTAMP,ContextTokens,GeneratedTokens\n"
            "2023-11-16 18:15:46.6805900,374,44\n"
            "yesterday,1,2\n"
            "2023-11-16 18:15:50.9951690,396,109",
        )
        refused = run("--trace", trace, "--malformed", "refuse", "--database", "sqlite://")
        self.assertEqual(refused.returncode, 2)
        self.assertIn("line 3", refused.stderr)
        skipped = run(
            "--json", "--trace", trace, "--malformed", "skip", "--database", "sqlite://"
        )
        self.assertEqual(skipped.returncode, 0)
        self.assertIn("line 3", skipped.stderr)
        self.check(json.loads(skipped.stdout), 2)

    def test_bad_options_are_refused(self) -> None:
        for arguments in (
            ("--users", "0"),
            ("--abort-share", "2"),
            ("--requests", "many"),
            ("--trace", "/no/such/file"),
            ("--colour",),
        ):
            with self.subTest(arguments=arguments):
                done = run(*arguments)
                self.assertEqual(done.returncode, 2)
                self.assertTrue(done.stderr)
                self.assertEqual(done.stdout, "")

    def test_the_summary_is_for_people(self) -> None:
        done = run("--requests", "200", "--users", "10", "--database", "sqlite://")
        self.assertEqual(done.returncode, 0)
        for words in ("Books balance: yes", "Top users", "Top models", "refused"):
            self.assertIn(words, done.stdout)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()
