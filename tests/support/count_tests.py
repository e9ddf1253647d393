#!/usr/bin/env python3
"""Prints how many tests passed and failed, from the JUnit file of ctest or pytest.

A test program of many cases counts as its cases, as its own summary has them; one that ends
without a summary counts as one, as does anything else.
"""

import re
import sys
import xml.etree.ElementTree

SUMMARY = re.compile(
    r"\[doctest\] test cases:\s*\d+ \|\s*(\d+) passed \|\s*(\d+) failed")


def main():
    passed = failed = 0
    for case in xml.etree.ElementTree.parse(sys.argv[1]).getroot().iter("testcase"):
        if case.get("status") == "disabled":
            continue
        if case.get("status") == "notrun":
            # ctest calls a test whose program is missing skipped as well; that one has failed.
            skipped = case.find("skipped")
            failed += skipped is None or not skipped.get("message", "").startswith("SKIP_")
            continue
        if case.get("status") is None and case.find("skipped") is not None:
            continue  # pytest's way to say so
        ok = not any(case.findall(kind) for kind in ("failure", "error"))
        ok = ok and case.get("status") != "fail"
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


if __name__ == "__main__":
    main()
