#!/usr/bin/env python3
"""Compiles each public header by itself, and refuses those that reach a library's headers.

Whoever includes <accounting/...> must need nothing but a C++ standard library.
"""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"]
FOREIGN = re.compile(r"soci|openssl|nlohmann|libpq|postgres|sqlite|boost|/src/", re.IGNORECASE)


def problems_of(compiler, header, roots):
    """What is wrong with one header: compiler messages, or foreign headers that it reaches."""
    # Compiled through a file of its own, because compilers warn about a header as the main file.
    with tempfile.TemporaryDirectory() as folder:
        unit = pathlib.Path(folder, "alone.cpp")
        unit.write_text(f"#include <{header}>\n#include <{header}>\n")
        command = [compiler, "-std=c++20", "-fsyntax-only", "-H", *WARNINGS]
        command += [f"-I{root}" for root in roots]
        result = subprocess.run([*command, str(unit)], capture_output=True, text=True, check=False)

    # -H prints one line for each header read, with as many dots as it is deep.
    reached = []
    messages = []
    for line in result.stderr.splitlines():
        match = re.match(r"^[.!x]+ (.+)$", line)
        if match:
            reached.append(match.group(1))
        else:
            messages.append(line)

    problems = []
    if result.returncode != 0:
        problems.append("does not compile alone:\n" + "\n".join(messages))
    for path in reached:
        relative = path
        for root in roots:
            relative = relative.removeprefix(str(root))
        if FOREIGN.search(relative):
            problems.append(f"reaches {path}")
    return problems


def check(compiler, headers_root, generated):
    """Checks all headers below `headers_root`; answers {header: problems} of the faulty ones."""
    headers = sorted(
        str(path.relative_to(headers_root)) for path in headers_root.rglob("*.hpp"))
    if not headers:
        return {str(headers_root): ["holds no headers"]}
    roots = [headers_root] + ([generated] if generated else [])
    faulty = {}
    for header in headers:
        problems = problems_of(compiler, header, roots)
        if problems:
            faulty[header] = problems
    return faulty


def self_test(compiler):
    """The check must find what it is for."""
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder, "include")
        library = pathlib.Path(root, "accounting")
        library.mkdir(parents=True)
        (root / "soci").mkdir()
        (root / "soci" / "soci.h").write_text("#pragma once\n")
        files = {
            "good": "#include <string>\nstruct Good { std::string name; };\n",
            "needs_another": "struct NeedsAnother { std::string name; };\n",
            "no_guard": None,
            "warns": "inline int narrow(long number) { return number; }\n",
            "reaches_soci": "#include <accounting/through.hpp>\n",
            "through": "#include <soci/soci.h>\n",
        }
        for name, text in files.items():
            guard = "#pragma once\n" if text else ""
            (library / f"{name}.hpp").write_text(guard + (text or "struct Twice {};\n"))
        found = {pathlib.Path(name).stem for name in check(compiler, root, None)}
    expected = set(files) - {"good"}
    if found != expected:
        sys.exit(f"self-test: found {sorted(found)}, expected {sorted(expected)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--compiler", default="c++")
    parser.add_argument("--headers", type=pathlib.Path)
    parser.add_argument("--generated", type=pathlib.Path)
    parser.add_argument("--self-test", action="store_true")
    arguments = parser.parse_args()

    if arguments.self_test:
        self_test(arguments.compiler)
        return
    faulty = check(arguments.compiler, arguments.headers, arguments.generated)
    for header, problems in faulty.items():
        for problem in problems:
            print(f"{header}: {problem}")
    sys.exit(1 if faulty else 0)


if __name__ == "__main__":
    main()
