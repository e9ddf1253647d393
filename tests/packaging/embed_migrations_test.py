#!/usr/bin/env python3
"""Checks that the embedding of migrations refuses bad folders and keeps every byte."""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

REFUSED = {
    "a half is missing": {"0001_a.sqlite.sql": "x"},
    "a gap": {"0001_a.sqlite.sql": "x", "0001_a.postgresql.sql": "x",
              "0003_b.sqlite.sql": "x", "0003_b.postgresql.sql": "x"},
    "not from 1": {"0002_a.sqlite.sql": "x", "0002_a.postgresql.sql": "x"},
    "a number twice": {"0001_a.sqlite.sql": "x", "0001_a.postgresql.sql": "x",
                       "0001_b.sqlite.sql": "x", "0001_b.postgresql.sql": "x"},
    "an unknown name": {"0001_a.mysql.sql": "x"},
    "an empty file": {"0001_a.sqlite.sql": "", "0001_a.postgresql.sql": "x"},
}


def run(cmake, script, files):
    """Embeds `files`; answers the exit code and the text written."""
    with tempfile.TemporaryDirectory() as folder:
        migrations = pathlib.Path(folder, "migrations")
        migrations.mkdir()
        output = pathlib.Path(folder, "embedded.cpp")
        for name, text in files.items():
            (migrations / name).write_text(text, encoding="utf-8")
        code = subprocess.run(
            [cmake, f"-DMIGRATIONS={migrations}", f"-DOUTPUT={output}", "-P", script],
            capture_output=True, check=False).returncode
        return code, output.read_text(encoding="utf-8") if output.exists() else ""


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cmake", default="cmake")
    parser.add_argument("script")
    arguments = parser.parse_args()

    for name, files in REFUSED.items():
        code, _ = run(arguments.cmake, arguments.script, files)
        if code == 0:
            sys.exit(f"accepted: {name}")

    # What CMake's lists and escapes, and C++'s literals, could lose: ; [ ] \ " ' and non-ASCII.
    text = 'SELECT \'a;b\', "c[1]", E\'\\\\n\', $$é…$$;\n-- ]]\n' * 50
    code, written = run(arguments.cmake, arguments.script, {
        "0001_a.sqlite.sql": text, "0001_a.postgresql.sql": "p1",
        "0002_b.sqlite.sql": "s2", "0002_b.postgresql.sql": "p2"})
    if code != 0:
        sys.exit("refused a good folder")
    array = re.search(r"sqlite_1\[\] = \{(.*?)\};", written, re.DOTALL)
    found = bytes(int(byte, 16) for byte in re.findall(r"\\x(..)", array.group(1)))
    if found != text.encode():
        sys.exit("the bytes differ")


if __name__ == "__main__":
    main()
