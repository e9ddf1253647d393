"""What the tests of faults share: workers and what they play on, and one way to begin and end.

A test is a function that takes an ExitStack, does something terrible, and checks what came of it.
Whatever it started or mounted it puts on the stack, so that it is gone afterwards, also on SIGTERM.
"""

import contextlib
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import types
import typing
import urllib.parse
import uuid

LONG = os.environ.get("ACCOUNTING_TEST_LONG", "") not in ("", "0")
SANITIZED = os.environ.get("ACCOUNTING_TEST_SANITIZED") == "TRUE"
SKIPPED = 77

Stack = contextlib.ExitStack
Test = typing.Callable[[Stack], None]

worker_program = ""
dice = random.Random()


class Skip(Exception):
    """What the test needs is not to be had here."""


def check(condition: bool, words: str) -> None:
    if not condition:
        raise AssertionError(words)


def say(words: str) -> None:
    print(words, flush=True)


def wait_for(happened: typing.Callable[[], bool], what: str, seconds: float = 60) -> float:
    """How long it took; fails where it takes longer than `seconds`."""
    begin = time.monotonic()
    while not happened():
        check(time.monotonic() - begin < seconds, f"{what}: not within {seconds} s")
        time.sleep(0.01)
    return time.monotonic() - begin


def _stop(_signal: int, _frame: types.FrameType | None) -> None:
    sys.exit(143)


def main(*tests: Test) -> None:
    """Runs the tests with the worker that the command line names."""
    global worker_program
    worker_program = sys.argv[1]
    signal.signal(signal.SIGTERM, _stop)
    seed = int(os.environ.get("ACCOUNTING_TEST_SEED", random.SystemRandom().randrange(1 << 32)))
    dice.seed(seed)
    say(f"seed {seed}")
    ran = failed = 0
    for test in tests:
        begin = time.monotonic()
        try:
            with Stack() as stack:
                test(stack)
            ran += 1
            say(f"{test.__name__}: ok, {time.monotonic() - begin:.1f} s")
        except Skip as reason:
            say(f"*** SKIPPED {test.__name__}: {reason} ***")
        except Exception:
            failed += 1
            say(f"{test.__name__}: FAILED after {time.monotonic() - begin:.1f} s")
            traceback.print_exc(file=sys.stdout)
    sys.exit(1 if failed else 0 if ran else SKIPPED)


# --- workers -------------------------------------------------------------------------------------


class Figures(dict[str, int]):
    """The numbers that a worker printed."""

    def __str__(self) -> str:
        return " ".join(f"{name}={value}" for name, value in self.items())


def _pair(word: str) -> list[str]:
    return word.split("=")


def _figures(output: str) -> Figures:
    # While it connects, libpq still prints what a server says that goes down.
    lines = [line for line in output.splitlines() if not line.startswith("FATAL:  terminating")]
    check(bool(lines) and "=" in lines[0], f"the worker printed no figures:\n{output}")
    return Figures({name: int(value) for name, value in map(_pair, lines[0].split())})


class Worker:
    """A process of the worker program; it is killed with the stack that it is on."""

    def __init__(self, stack: Stack, command: str, url: str, **options: object) -> None:
        self.command = command
        arguments = [worker_program, command, url]
        for name, value in options.items():
            arguments += ["--" + name.replace("_", "-"), str(value)]
        self._output = tempfile.TemporaryFile("w+")  # noqa: SIM115 – closed at its end
        self.process = subprocess.Popen(arguments, stdout=self._output, stderr=self._output)
        stack.callback(self.kill)

    @property
    def pid(self) -> int:
        return self.process.pid

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self._output.close()

    def finish(self, timeout: float = 3600) -> Figures:
        """Waits for its end, which must be a good one, and answers its figures."""
        code = self.process.wait(timeout)
        self._output.seek(0)
        output = self._output.read()
        self._output.close()
        check(code == 0, f"the worker's {self.command} ended with {code}:\n{output}")
        return _figures(output)

    def stop(self) -> Figures:
        """Asks it to end after the calls that it is making."""
        self.process.terminate()
        return self.finish(180)

    def check_alive(self) -> None:
        if self.process.poll() is not None:
            self.finish()
            raise AssertionError(f"the worker's {self.command} ended by itself")


class Arena:
    """Books with accounts, the workers that play on them, and their logs."""

    def __init__(self, stack: Stack, url: str, accounts: int, session_ttl: int = 3_600_000) -> None:
        self.url = url
        self.accounts = accounts
        self.session_ttl = session_ttl
        self.stack = stack
        self._directory = temporary_directory(stack)
        self._read: dict[pathlib.Path, int] = {}
        self._started = 0
        Worker(stack, "set-up", url, accounts=accounts).finish()

    def start(self, command: str = "play", **options: object) -> Worker:
        self._started += 1
        return Worker(
            self.stack,
            command,
            self.url,
            name=f"w{self._started}",
            seed=dice.randrange(1 << 40),
            accounts=self.accounts,
            session_ttl=self.session_ttl,
            log=self._directory,
            **options,
        )

    def inherit(self) -> Figures:
        """What others must be able to do when a worker has died."""
        return self.start("inherit", patience=5_000).finish()

    def audit(self, every: int = 1) -> Figures:
        """Judges the books from all logs; fails where anything is wrong."""
        audit = Worker(self.stack, "audit", self.url, log=self._directory, every=every).finish()
        check(audit["calls"] > 0, "nothing was played")
        return audit

    def new_lines(self) -> list[str]:
        """What the logs say that they did not say at the last call; whole lines only."""
        lines: list[str] = []
        for path in self._directory.iterdir():
            with path.open("rb") as file:
                file.seek(self._read.get(path, 0))
                text = file.read()
            whole = text[: text.rfind(b"\n") + 1]
            self._read[path] = self._read.get(path, 0) + len(whole)
            lines += whole.decode().splitlines()
        return lines

    def wait_for_work(self, workers: list[Worker], calls: int, seconds: float = 60) -> float:
        """Until each of the newest workers has had some calls acknowledged from now on."""
        first = self._started - len(workers) + 1
        missing = {f"w{number}": calls for number in range(first, self._started + 1)}
        self.new_lines()

        def has_worked() -> bool:
            for worker in workers:
                worker.check_alive()
            for line in self.new_lines():
                words = line.split()
                name = words[1].split(".")[0]
                if words[0] == "acknowledged" and name in missing:
                    missing[name] -= 1
            return all(count <= 0 for count in missing.values())

        return wait_for(has_worked, "work goes on", seconds)


def sum_of(figures: list[Figures]) -> Figures:
    """Of all numbers but `longest_ms`, of which it is the largest."""
    total = Figures({name: sum(one[name] for one in figures) for name in figures[0]})
    total["longest_ms"] = max(one["longest_ms"] for one in figures)
    return total


# --- databases -----------------------------------------------------------------------------------


def sqlite_url(path: pathlib.Path | str) -> str:
    return f"sqlite:///{path}"


def temporary_directory(stack: Stack) -> pathlib.Path:
    directory = tempfile.TemporaryDirectory(prefix="accounting-fault-", ignore_cleanup_errors=True)
    return pathlib.Path(stack.enter_context(directory))


def sqlite_file(stack: Stack) -> pathlib.Path:
    """Where a file is to be."""
    return temporary_directory(stack) / "books.db"


def sql(url: str, text: str) -> list[str]:
    """Runs SQL on PostgreSQL; answers the rows, their columns separated by `|`."""
    done = subprocess.run(
        ["psql", url, "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", text],
        capture_output=True,
        text=True,
        check=False,
    )
    check(done.returncode == 0, f"psql: {done.stderr}")
    return done.stdout.splitlines()


def sessions_in_state(url: str, state: str = "%") -> int:
    """How many others are connected, by a pattern of their state."""
    return int(
        sql(
            url,
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND backend_type = 'client backend' AND pid <> pg_backend_pid() "
            f"AND coalesce(state, '') LIKE '{state}'",
        )[0]
    )


def wait_until_left(url: str) -> None:
    """Until nobody is connected any more."""
    wait_for(lambda: sessions_in_state(url) == 0, "all others have left the database")


def postgresql_database(stack: Stack) -> str:
    """A database of the test's own on the server of the environment."""
    server = os.environ.get("ACCOUNTING_TEST_POSTGRESQL")
    if not server:
        raise Skip("ACCOUNTING_TEST_POSTGRESQL is not set")
    name = "accounting_fault_" + uuid.uuid4().hex[:12]
    sql(server, f"CREATE DATABASE {name} TEMPLATE template0")
    stack.callback(sql, server, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    return urllib.parse.urlsplit(server)._replace(path="/" + name).geturl()
