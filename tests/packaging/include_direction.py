#!/usr/bin/env python3
"""Checks which file of the project includes what.

Rooms depend strictly downward; each outside library has one room; the domain knows no clock and
does no I/O; headers of one system belong to `platform`.
"""

import argparse
import pathlib
import re
import sys
import tempfile

# A room may include itself and the rooms named here, and the public headers.
ROOMS = {
    "domain": set(),
    "crypto": set(),
    "platform": set(),
    "store": {"domain"},
    "sql": {"store", "domain", "crypto", "platform"},
    "services": {"store", "domain", "crypto", "platform"},
}
ROOMS_FOR_TOP = set(ROOMS)  # src/*.cpp put everything together

# Outside libraries, by the beginning of the include, and the rooms that may use them.
LIBRARIES = {
    "nlohmann/": {"domain", "crypto", "sql", "services"},
    "openssl/": {"crypto"},
    "soci/": {"sql"},
    "libpq-fe.h": {"sql"},
    "sqlite3.h": {"sql"},
    # What the standard library lacks stands in one room, spelled for each system there is.
    "netdb.h": {"platform"},
    "poll.h": {"platform"},
    "pthread.h": {"platform"},
    "sys/socket.h": {"platform"},
    "winsock2.h": {"platform"},
    "ws2tcpip.h": {"platform"},
}

STANDARD = set("""
    algorithm any array atomic barrier bit bitset cassert cctype cerrno cfenv cfloat charconv chrono
    cinttypes climits clocale cmath codecvt compare complex concepts condition_variable coroutine
    csetjmp csignal cstdarg cstddef cstdint cstdio cstdlib cstring ctime cuchar cwchar cwctype deque
    exception execution filesystem format forward_list fstream functional future initializer_list
    iomanip ios iosfwd iostream istream iterator latch limits list locale map memory memory_resource
    mutex new numbers numeric optional ostream queue random ranges ratio regex scoped_allocator
    semaphore set shared_mutex source_location span sstream stack stdexcept stop_token streambuf
    string string_view strstream syncstream system_error thread tuple type_traits typeindex typeinfo
    unordered_map unordered_set utility valarray variant vector version
""".split())

# The domain gets time and randomness as arguments and answers values.
DOMAIN_FORBIDDEN_HEADERS = {
    "condition_variable", "filesystem", "fstream", "future", "iostream", "mutex", "random",
    "shared_mutex", "thread",
}
DOMAIN_FORBIDDEN_CODE = re.compile(
    r"\b(?:system_clock|steady_clock|high_resolution_clock|utc_clock)\s*::\s*now\b"
    r"|\bstd\s*::\s*(?:cout|cerr|clog|cin|getenv|random_device|time|clock)\b"
    r"|\b[io]?fstream\b|\bf?printf\s*\(|\bfopen\b|\bfputs\b|\bgetenv\b"
    r"|\btime\s*\(\s*(?:NULL|nullptr|0)\s*\)")

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
COMMENT_OR_STRING = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"([^(\s]*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"'
    r"|'(?:\\.|[^'\\\n])'", re.DOTALL)


def without_comments_and_strings(text):
    return COMMENT_OR_STRING.sub(lambda match: "\n" * match.group(0).count("\n") or " ", text)


def without_comments(text):
    def keep_strings(match):
        text = match.group(0)
        return "\n" * text.count("\n") if text.startswith("/") else text
    return COMMENT_OR_STRING.sub(keep_strings, text)


def includes_of(text):
    for match in INCLUDE.finditer(without_comments(text)):
        yield match.group(1), match.group(2)


def refusal(place, kind, header):
    """Why a file of `place` ("public", "top", or a room) may not include a header; or None."""
    if header.startswith("accounting/"):
        return None
    if place != "public":
        if header == "version.hpp":
            return None
        room = header.split("/")[0]
        if "/" in header and room in ROOMS:
            if kind == "<":
                return "is the project's own: write it with quotes"
            allowed = ROOMS_FOR_TOP if place == "top" else ROOMS[place] | {place}
            return None if room in allowed else f"{place} must not depend on {room}"
        for library, rooms in LIBRARIES.items():
            if header.startswith(library):
                return None if place in rooms else f"{library} belongs to {', '.join(sorted(rooms))}"
    if kind == '"':
        return "is not rooted at src/"
    if header in STANDARD:
        if place == "domain" and header in DOMAIN_FORBIDDEN_HEADERS:
            return "has no place in the domain: no I/O, no clock, no threads"
        return None
    return "is not of the C++ standard library"


def check(root):
    """Answers the problems of the tree as lines of text."""
    problems = []
    files = sorted(
        path
        for folder in ("include", "src")
        for path in (root / folder).rglob("*")
        if path.suffix in {".hpp", ".cpp", ".h", ".ipp", ".inc"})
    if not files:
        return [f"{root}: no sources found"]
    for path in files:
        relative = path.relative_to(root)
        if relative.parts[0] == "include":
            place = "public"
        elif len(relative.parts) == 2:
            place = "top"
        else:
            place = relative.parts[1]
            if place not in ROOMS:
                problems.append(f"{relative}: {place} is not a known room")
                continue
        text = path.read_text(encoding="utf-8")
        for kind, header in includes_of(text):
            reason = refusal(place, kind, header)
            if reason:
                problems.append(f"{relative}: {header}: {reason}")
        if place == "domain":
            code = without_comments_and_strings(text)
            for match in DOMAIN_FORBIDDEN_CODE.finditer(code):
                line = code.count("\n", 0, match.start()) + 1
                problems.append(f"{relative}:{line}: {match.group(0)}: no I/O, no clock here")
    return problems


GOOD = {
    "include/accounting/types.hpp": "#include <accounting/export.hpp>\n#include <vector>\n",
    "src/domain/ledger.cpp":
        '#include "domain/ledger.hpp"\n#include <accounting/types.hpp>\n'
        "#include <nlohmann/json.hpp>\n"
        "// system_clock::now is not called here, nor is #include <fstream> meant.\n"
        "const char quote = '\"';\n"
        'const char* text = "std::cout";\n',
    "src/crypto/digest.cpp": "#include <openssl/evp.h>\n",
    "src/sql/sql_store.cpp":
        '#include "store/store.hpp"\n#include "crypto/digest.hpp"\n#include <soci/soci.h>\n'
        "#include <libpq-fe.h>\n#include <sqlite3.h>\n",
    "src/services/credits.cpp": '#include "store/store.hpp"\n#include "domain/ledger.hpp"\n',
    "src/accounting.cpp": '#include "sql/sql_store.hpp"\n#include "version.hpp"\n',
}

BAD = {
    "include/accounting/a.hpp": "#include <soci/soci.h>\n",
    "include/accounting/b.hpp": "#include <nlohmann/json.hpp>\n",
    "include/accounting/c.hpp": '#include "domain/ledger.hpp"\n',
    "include/accounting/d.hpp": "#include <sys/types.h>\n",
    "src/domain/a.cpp": '#include "store/store.hpp"\n',
    "src/domain/b.cpp": "auto now = std::chrono::system_clock::now();\n",
    "src/domain/c.cpp": "auto now = std::chrono::steady_clock::now();\n",
    "src/domain/d.cpp": 'void say() { std::cerr << "x"; }\n',
    "src/domain/e.cpp": 'void* file = fopen("x", "r");\n',
    "src/domain/f.cpp": "#include <fstream>\n",
    "src/domain/g.cpp": "#include <openssl/evp.h>\n",
    "src/domain/h.cpp": '#include "crypto/digest.hpp"\n',
    "src/crypto/a.cpp": '#include "domain/ledger.hpp"\n',
    "src/crypto/b.cpp": "#  include <soci/soci.h>\n",
    "src/store/a.cpp": '#include "sql/sql_store.hpp"\n',
    "src/store/b.cpp": '#include "crypto/digest.hpp"\n',
    "src/sql/a.cpp": '#include "services/credits.hpp"\n',
    "src/sql/b.cpp": "#include <openssl/sha.h>\n",
    "src/services/a.cpp": '#include "sql/sql_store.hpp"\n',
    "src/services/b.cpp": "#include <libpq-fe.h>\n",
    "src/services/c.cpp": "#include <unistd.h>\n",
    "src/services/d.cpp": '#include "credits.hpp"\n',
    "src/services/e.cpp": "#include <store/store.hpp>\n",
    "src/attic/a.cpp": "#include <vector>\n",
    "src/accounting.cpp": "#include <soci/soci.h>\n",
}


def self_test():
    """The check must find what it is for, file by file, and nothing in a tree without fault."""
    def found_in(tree):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for name, text in tree.items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(text, encoding="utf-8")
            return check(root)

    problems = found_in(GOOD)
    if problems:
        sys.exit("self-test: found in a good tree:\n" + "\n".join(problems))
    problems = found_in(BAD)
    missed = [name for name in BAD if not any(line.startswith(name + ":") for line in problems)]
    if missed:
        sys.exit("self-test: missed " + ", ".join(missed))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", nargs="?", type=pathlib.Path)
    parser.add_argument("--self-test", action="store_true")
    arguments = parser.parse_args()
    if arguments.self_test:
        self_test()
        return
    if arguments.root is None:
        parser.error("name the repository's root, or --self-test")
    problems = check(arguments.root)
    print("\n".join(problems) if problems else "all includes point downward")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
