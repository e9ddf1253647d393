#!/usr/bin/env python3
"""Tells of the results in a JUnit file of ctest or pytest.

    test_results.py count FILE       how many tests passed and failed
    test_results.py failures FILE    what the failed ones said, shortened
    test_results.py skipped FILE     what was skipped, and why
    test_results.py messages FILE    what the others said that they did

A test program of many cases counts as its cases, as its own summary has them; one that ends
without a summary counts as one, as does anything else.
"""

import re
import sys
import xml.etree.ElementTree
from collections.abc import Iterator
from xml.etree.ElementTree import Element

SUMMARY = re.compile(
    r"\[doctest\] test cases:\s*\d+ \|\s*(\d+) passed \|\s*(\d+) failed")
# What doctest prints before each message, and what it colours that with.
RULE = "=" * 79
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
LINES_OF_A_FAILURE = 8
MESSAGE = re.compile(r".+?:\d+: MESSAGE: (.*)")
# Programs in which all that is printed is meant to be read.
HARNESSES = "fault_"


def read_cases(path: str) -> Iterator[Element]:
    for case in xml.etree.ElementTree.parse(path).getroot().iter("testcase"):
        if case.get("status") != "disabled":
            yield case


def is_skipped(case: Element) -> bool:
    skipped = case.find("skipped")
    if case.get("status") == "notrun":
        # ctest calls a test whose program is missing skipped as well; that one has failed.
        return skipped is not None and skipped.get("message", "").startswith("SKIP_")
    return case.get("status") is None and skipped is not None  # pytest's way to say so


def is_passed(case: Element) -> bool:
    return (case.get("status") not in ("fail", "notrun")
            and case.find("failure") is None and case.find("error") is None)


def count(path: str) -> None:
    passed = failed = 0
    for case in read_cases(path):
        if is_skipped(case):
            continue
        ok = is_passed(case)
        summary = SUMMARY.search(case.findtext("system-out") or "")
        if summary:
            cases_passed, cases_failed = int(summary.group(1)), int(summary.group(2))
            passed += cases_passed
            # A program can fail after its summary, when a sanitizer speaks at exit.
            failed += max(cases_failed, 0 if ok else 1)
        else:
            passed += ok
            failed += not ok
    print(passed, failed)


def said(case: Element) -> Iterator[str]:
    """The parts of a failed test's output that say why."""
    output = COLOUR.sub("", case.findtext("system-out") or "")
    errors = [part.strip() for part in output.split(RULE) if "ERROR: " in part]
    if errors:
        yield from errors
        return
    for kind in ("failure", "error"):
        found = case.find(kind)
        if found is not None and (found.text or "").strip():
            yield found.get("message", "") + "\n" + (found.text or "")
            return
    # Killed or timed out: its last words.
    yield "\n".join(output.rstrip().splitlines()[-LINES_OF_A_FAILURE:])


def failures(path: str) -> None:
    for case in read_cases(path):
        if is_skipped(case) or is_passed(case):
            continue
        print(f"{case.get('name')}:")
        for part in said(case):
            lines = [line for line in part.splitlines() if line.strip()]
            print("\n".join("    " + line for line in lines[:LINES_OF_A_FAILURE]))


def messages_of(case: Element) -> Iterator[str]:
    """What a test says that it did, or why it did not."""
    for each in case.iter("property"):
        if each.get("name") == "did":  # pytest's way to say so
            yield each.get("value") or ""
    output = COLOUR.sub("", case.findtext("system-out") or "")
    is_harness = not SUMMARY.search(output) and (case.get("name") or "").startswith(HARNESSES)
    lines = output.splitlines()
    for number, line in enumerate(lines):
        found = MESSAGE.match(line)
        if found:
            yield "\n".join([found.group(1), *continued(lines[number + 1:])])
        elif is_harness and line.strip():
            yield line.strip()


def continued(lines: list[str]) -> Iterator[str]:
    """The indented lines that go on with a message, such as a census."""
    for line in lines:
        # What doctest adds of the variables around it stands in the message where it matters.
        if not line.startswith(" ") or not line.strip() or line.startswith("  logged: "):
            return
        yield line


def is_about_skipping(text: str) -> bool:
    return text.removeprefix("*** ").startswith("SKIPPED")


def skipped(path: str) -> None:
    for case in read_cases(path):
        reasons = [text for text in messages_of(case) if is_about_skipping(text)]
        if is_skipped(case) and not reasons:
            reasons = ["SKIPPED"]
        for reason in dict.fromkeys(reasons):
            print(f"{case.get('name')}: {reason}")


def messages(path: str) -> None:
    for case in read_cases(path):
        for text in messages_of(case):
            if not is_about_skipping(text):
                print(f"{case.get('name')}: {text}")


if __name__ == "__main__":
    {"count": count, "failures": failures, "skipped": skipped, "messages": messages}[
        sys.argv[1]](sys.argv[2])
