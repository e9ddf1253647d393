#!/usr/bin/env python3
"""Ten minutes of work: memory, statements and connections stay, and updates stay in their pages."""

import pathlib
import re
import time

import harness
import server

SECONDS = 600 if harness.LONG else 20
WARM_UP = 60 if harness.LONG else 8
THREADS = 8
# Of a thousand calls, as where credits are bought now and then. An allocation's last credit takes
# it out of the burn order's index, and such an update cannot stay in its page.
GRANTS = 5
# So many that old rows which a slow transaction still keeps find room in their pages.
ACCOUNTS = 400
MEMORY_TOLERANCE = 0.05
LEAST_HOT = 0.95
HOT_TABLES = ("user_accounts", "credit_allocations")
# A session's end takes it out of the index of the active ones, once; its reports change no index.
LEAST_HOT_SESSIONS = 0.4
TABLES = (*HOT_TABLES, "streaming_sessions", "usage_rollups")

# Each of the worker's connections notes how many statements it has prepared, with each session.
COUNT_STATEMENTS = """
CREATE TABLE prepared (pid integer PRIMARY KEY, statements bigint NOT NULL);
CREATE FUNCTION count_prepared() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO prepared SELECT pg_backend_pid(), count(*) FROM pg_prepared_statements
  ON CONFLICT (pid) DO UPDATE SET statements = excluded.statements;
  RETURN NULL;
END $$;
CREATE TRIGGER count_prepared AFTER INSERT ON streaming_sessions
  FOR EACH STATEMENT EXECUTE FUNCTION count_prepared();
"""


def memory_of(pid: int) -> int:
    """In KiB."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE)
    return int(found.group(1)) if found else 0


def prepared_statements(url: str) -> dict[str, int]:
    rows = harness.sql(url, "SELECT pid, statements FROM prepared ORDER BY pid")
    return {pid: int(count) for pid, count in (row.split("|") for row in rows)}


def hot_shares(url: str) -> dict[str, float]:
    names = ", ".join(f"'{table}'" for table in TABLES)
    rows = harness.sql(
        url,
        "SELECT relname, n_tup_hot_upd, n_tup_upd FROM pg_stat_user_tables "
        f"WHERE relname IN ({names}) AND n_tup_upd > 0 ORDER BY relname",
    )
    shares = {}
    for row in rows:
        name, hot, updates = row.split("|")
        shares[name] = int(hot) / int(updates)
    return shares


def sessions_in_state(url: str, state: str) -> int:
    return int(
        harness.sql(
            url,
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            f"AND pid <> pg_backend_pid() AND state LIKE '{state}'",
        )[0]
    )


def is_at_rest(arena: harness.Arena) -> bool:
    """Nothing was logged for half a second."""
    arena.new_lines()
    time.sleep(0.5)
    return not arena.new_lines()


def soak_on_postgresql(stack: harness.Stack) -> None:
    # Transactions that others hold open, in whatever database, keep the server from tidying pages.
    cluster = server.Server(stack)
    cluster.set_up()
    url = cluster.url()
    arena = harness.Arena(stack, url, accounts=ACCOUNTS, session_ttl=60_000)
    harness.sql(url, COUNT_STATEMENTS)
    # It ends its work before its life, so that its connections are seen at rest.
    worker = arena.start(threads=THREADS, seconds=SECONDS, linger=300, grants=GRANTS)
    begin = time.monotonic()
    memory: list[int] = []
    time.sleep(WARM_UP)
    statements = prepared_statements(url)
    while time.monotonic() - begin < SECONDS - 1:
        worker.check_alive()
        memory.append(memory_of(worker.pid))
        time.sleep(1)
    harness.wait_for(lambda: is_at_rest(arena), "the work comes to its end", 180)
    idle = sessions_in_state(url, "idle")
    in_transaction = sessions_in_state(url, "idle in transaction%")
    at_end = prepared_statements(url)
    played = worker.stop()
    # What a connection did last is told to the statistics when it ends.
    harness.wait_for(lambda: not sessions_in_state(url, "%"), "the worker's connections are gone")
    hot = hot_shares(url)
    audit = arena.audit(every=10)
    harness.say(
        f"seconds={SECONDS} rss_kib: first={memory[0]} last={memory[-1]} most={max(memory)} "
        f"least={min(memory)} prepared: first={sorted(statements.values())} "
        f"last={sorted(at_end.values())} in_transaction={in_transaction} hot: "
        + " ".join(f"{name}={share:.4f}" for name, share in hot.items())
        + f" {played}; audit: {audit}"
    )
    harness.check(played["failed"] + played["unknown"] == 0, "calls failed on a healthy server")
    harness.check(
        in_transaction == 0 and 1 <= idle <= THREADS,
        f"at rest {in_transaction} connections are in a transaction and {idle} are not",
    )
    check_statements(statements, at_end)
    # A sanitizer keeps what was freed for a while, and transactions open for longer, so that old
    # rows cannot leave their pages.
    if not harness.SANITIZED:
        check_hot(hot)
        most, least = max(memory), min(memory)
        harness.check(most <= least * (1 + MEMORY_TOLERANCE), f"memory: {memory}")


def check_hot(shares: dict[str, float]) -> None:
    for table in HOT_TABLES:
        harness.check(shares[table] >= LEAST_HOT, f"HOT updates of {table}: {shares[table]}")
    sessions = shares["streaming_sessions"]
    harness.check(sessions >= LEAST_HOT_SESSIONS, f"HOT updates of streaming_sessions: {sessions}")


def check_statements(first: dict[str, int], last: dict[str, int]) -> None:
    # Callers share transactions, so not every connection has begun a session.
    stayed = first.keys() <= last.keys() and len(last) <= THREADS
    harness.check(stayed, f"connections came and went: {first}, {last}")
    # A rare statement may be met late; one that was prepared anew each time would make hundreds.
    harness.check(0 < max(last.values()) <= max(first.values()) + 5, f"prepared statements: {last}")


if __name__ == "__main__":
    harness.main(soak_on_postgresql)
