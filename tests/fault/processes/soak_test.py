#!/usr/bin/env python3
"""Ten minutes of work: memory, statements, connections and files stay, updates in their pages."""

import collections
import contextlib
import os
import pathlib
import re
import time

import harness
import server

# Of work, after the warm-up, in which memory is what it takes to be at work.
SECONDS = 600 if harness.LONG else 12
SETTLING = 60 if harness.LONG else 3
SQLITE_SECONDS = 300 if harness.LONG else 5
SQLITE_SETTLING = 60 if harness.LONG else 2
THREADS = 8
# Of a thousand calls, as where credits are bought now and then. An allocation's last credit takes
# it out of the burn order's index, and such an update cannot stay in its page.
GRANTS = 5
# So many that old rows which a slow transaction still keeps find room in their pages.
ACCOUNTS = 400
MEMORY_TOLERANCE = 0.05
# Each connection keeps up to 16 MB of the file's pages, which fill for longer than it settles.
SQLITE_CACHE = 16 * 1024  # KiB
LEAST_HOT = 0.95
HOT_TABLES = ("user_accounts", "credit_allocations", "usage_rollups")
# A session's end takes it out of the index of the active ones, once; its reports change no index.
LEAST_HOT_SESSIONS = 0.4
TABLES = (*HOT_TABLES, "streaming_sessions")
# SQLite moves its log into the file at 16 MB; who reads meanwhile lets it grow by what comes.
MOST_LOG = 32 << 20

# Each of the worker's connections notes what it has prepared, when it is shown and shown again;
# but for what one of them was asked when the books were opened.
NOTE_STATEMENTS = """
CREATE TABLE prepared (
  label text, pid integer, statements text[] NOT NULL, PRIMARY KEY (label, pid)
);
CREATE FUNCTION note_prepared() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO prepared SELECT split_part(NEW.session_id, '.', 2), pg_backend_pid(),
    array_agg(name ORDER BY name) FROM pg_prepared_statements WHERE name NOT LIKE 'migrator%';
  RETURN NULL;
END $$;
CREATE TRIGGER note_prepared AFTER INSERT ON streaming_sessions FOR EACH ROW
  WHEN (split_part(NEW.session_id, '.', 2) IN ('first', 'last')) EXECUTE FUNCTION note_prepared();
"""

Prepared = dict[str, set[str]]


def memory_of(pid: int) -> int:
    """In KiB."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE)
    return int(found.group(1)) if found else 0


def open_files_of(pid: int) -> collections.Counter[str]:
    """How often it has each file open."""
    files: collections.Counter[str] = collections.Counter()
    for each in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            files[os.readlink(each)] += 1
    return files


def check_files(files: list[collections.Counter[str]], path: pathlib.Path) -> int:
    """Answers how many connections there were at most: the last may be opened late."""
    own = (str(path), f"{path}-wal")
    others = [each.total() - sum(each[name] for name in own) for each in files]
    harness.check(max(others) - min(others) <= 1, f"open files: {others}")
    connections = max(each[name] for each in files for name in own)
    harness.check(connections <= THREADS, f"connections: {connections}")
    return connections


def prepared_statements(url: str, label: str) -> Prepared:
    """The names of what each connection had prepared."""
    rows = harness.sql(
        url,
        "SELECT pid, array_to_string(statements, ',') FROM prepared "
        f"WHERE label = '{label}' ORDER BY pid",
    )
    return {pid: set(names.split(",")) for pid, names in (row.split("|") for row in rows)}


def wait_until_shown(url: str, label: str, worker: harness.Worker) -> Prepared:
    def is_shown() -> bool:
        worker.check_alive()
        return len(prepared_statements(url, label)) == THREADS

    harness.wait_for(is_shown, f"every connection is shown ({label})", 600)
    return prepared_statements(url, label)


def hot_updates(url: str) -> dict[str, tuple[int, int]]:
    """Of each table, how many updates stayed in their pages, and how many there were."""
    names = ", ".join(f"'{table}'" for table in TABLES)
    rows = harness.sql(
        url,
        "SELECT relname, n_tup_hot_upd, n_tup_upd FROM pg_stat_user_tables "
        f"WHERE relname IN ({names}) AND n_tup_upd > 0 ORDER BY relname",
    )
    updates = {}
    for row in rows:
        name, hot, all_of_them = row.split("|")
        updates[name] = (int(hot), int(all_of_them))
    return updates


def share_of(updates: tuple[int, int]) -> float:
    return updates[0] / updates[1]


def of_tables(hot: dict[str, tuple[int, int]], tables: tuple[str, ...]) -> tuple[int, int]:
    return sum(hot[name][0] for name in tables), sum(hot[name][1] for name in tables)


def watch_memory(worker: harness.Worker, settling: float, seconds: float) -> list[int]:
    """KiB, once a second, from when it has settled until shortly before the work's end."""
    time.sleep(settling)
    memory: list[int] = []
    end = time.monotonic() + seconds - 1
    while time.monotonic() < end:
        worker.check_alive()
        memory.append(memory_of(worker.pid))
        time.sleep(1)
    return memory


def told(memory: list[int]) -> str:
    return (
        f"rss_kib: samples={len(memory)} first={memory[0]} last={memory[-1]} "
        f"most={max(memory)} least={min(memory)}"
    )


def check_memory(memory: list[int], growth: float) -> None:
    harness.check(max(memory) <= min(memory) + growth, f"memory: {memory}")


def soak_on_postgresql(stack: harness.Stack) -> None:
    # Transactions that others hold open, in whatever database, keep the server from tidying pages.
    cluster = server.Server(stack)
    cluster.set_up()
    url = cluster.url()
    arena = harness.Arena(stack, url, accounts=ACCOUNTS, session_ttl=60_000)
    harness.sql(url, NOTE_STATEMENTS)
    # It ends its work before its life, so that its connections are seen at rest.
    worker = arena.start(
        threads=THREADS, seconds=SETTLING + SECONDS, linger=300, grants=GRANTS, warm_up=True
    )
    first = wait_until_shown(url, "first", worker)
    # The warm-up gives more than is bought otherwise.
    harness.sql(url, "SELECT pg_stat_reset()")
    memory = watch_memory(worker, SETTLING, SECONDS)
    last = wait_until_shown(url, "last", worker)
    harness.wait_for(
        lambda: harness.sessions_in_state(url, "idle") == THREADS, "all connections are at rest"
    )
    in_transaction = harness.sessions_in_state(url, "idle in transaction%")
    played = worker.stop()
    # What a connection did last is told to the statistics when it ends.
    harness.wait_until_left(url)
    hot = hot_updates(url)
    audit = arena.audit(every=10)
    harness.say(
        f"PostgreSQL: seconds={SECONDS} {told(memory)} "
        f"prepared: first={sorted(map(len, first.values()))} "
        f"last={sorted(map(len, last.values()))} in_transaction={in_transaction} "
        f"hot: held to {LEAST_HOT}={share_of(of_tables(hot, HOT_TABLES)):.4f} "
        f"overall={share_of(of_tables(hot, TABLES)):.4f} "
        + " ".join(f"{name}={share_of(each):.4f}" for name, each in hot.items())
        + f" {played}; audit: {audit}"
    )
    harness.check(played["failed"] + played["unknown"] == 0, "calls failed on a healthy server")
    harness.check(in_transaction == 0, f"at rest {in_transaction} connections are in a transaction")
    check_statements(first, last)
    # A sanitizer keeps what was freed for a while, and transactions open for longer, so that old
    # rows cannot leave their pages.
    if not harness.SANITIZED:
        check_hot(hot)
        check_memory(memory, min(memory) * MEMORY_TOLERANCE)


def check_hot(hot: dict[str, tuple[int, int]]) -> None:
    for table in HOT_TABLES:
        share = share_of(hot[table])
        harness.check(share >= LEAST_HOT, f"HOT updates of {table}: {share}")
    sessions = share_of(hot["streaming_sessions"])
    harness.check(sessions >= LEAST_HOT_SESSIONS, f"HOT updates of streaming_sessions: {sessions}")


def check_statements(first: Prepared, last: Prepared) -> None:
    harness.check(first.keys() == last.keys(), f"connections came and went: {first}, {last}")
    # Else the warm-up met by chance what others may meet later.
    everywhere = set.intersection(*first.values())
    somewhere = sorted(set.union(*first.values()) - everywhere)
    harness.check(not somewhere, f"prepared by some connections in the warm-up: {somewhere}")
    for pid, statements in last.items():
        new = sorted(statements ^ first[pid])
        harness.check(not new, f"prepared after the warm-up, or lost: {new}")


def soak_on_sqlite(stack: harness.Stack) -> None:
    path = harness.sqlite_file(stack)
    log = path.with_name(path.name + "-wal")
    arena = harness.Arena(stack, harness.sqlite_url(path), accounts=ACCOUNTS, session_ttl=60_000)
    worker = arena.start(
        threads=THREADS, seconds=SQLITE_SETTLING + SQLITE_SECONDS, linger=300, grants=GRANTS
    )
    arena.wait_for_work([worker], 100)
    files: list[collections.Counter[str]] = []
    log_bytes: list[int] = []
    memory: list[int] = []
    time.sleep(SQLITE_SETTLING)
    end = time.monotonic() + SQLITE_SECONDS - 1
    while time.monotonic() < end:
        worker.check_alive()
        memory.append(memory_of(worker.pid))
        files.append(open_files_of(worker.pid))
        log_bytes.append(log.stat().st_size)
        time.sleep(0.5)
    played = worker.stop()
    audit = arena.audit(every=100 if harness.LONG else 10)
    harness.say(
        f"SQLite: seconds={SQLITE_SECONDS} {told(memory)} files: "
        f"least={min(each.total() for each in files)} most={max(each.total() for each in files)} "
        f"log_bytes: first={log_bytes[0]} most={max(log_bytes)} "
        f"file_bytes={path.stat().st_size} {played}; audit: {audit}"
    )
    harness.check(played["failed"] + played["unknown"] == 0, "calls failed on a healthy file")
    connections = check_files(files, path)
    harness.check(max(log_bytes) <= MOST_LOG, f"the log has {max(log_bytes)} bytes")
    if not harness.SANITIZED:
        check_memory(memory, connections * SQLITE_CACHE)


if __name__ == "__main__":
    harness.main(soak_on_postgresql, soak_on_sqlite)
