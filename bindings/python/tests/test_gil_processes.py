"""Whole processes: how they end, fork and are interrupted with books open."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from datetime import timedelta

import pytest

import accounting

LONG = os.environ.get("ACCOUNTING_TEST_LONG", "") not in ("", "0")
INTERRUPTS = 60 if LONG else 3
FORKS = 300 if LONG else 30

Say = Callable[[str], None]

BEGIN = """
import accounting, os, sys, threading, time
books = accounting.open(os.environ["BOOKS"], migrate=True)
books.accounts.sync("ada", "ada@example.org", "Ada")
books.credits.allocate("ada", 1_000_000, "admin")
"""


def start(program: str, url: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [
            *(sys.executable, "-X", "dev", "-W", "ignore::DeprecationWarning"),
            *("-c", BEGIN + textwrap.dedent(program)),
        ],
        env={**os.environ, "BOOKS": url},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str], within: float = 60) -> str:
    """What it printed; fails where it complained or did not end."""
    try:
        out, complaints = process.communicate(timeout=within)
    finally:
        process.kill()
    assert (process.returncode, complaints) == (0, "")
    return out


def run(program: str, url: str, within: float = 60) -> str:
    return finish(start(program, url), within)


NAMES = ("books", "credits", "tx", "inside")


def test_any_order_of_destruction_is_safe(url: str, say: Say) -> None:
    with accounting.open(url, migrate=True) as books:
        books.accounts.sync("ada", "ada@example.org", "Ada")
    orders = list(itertools.permutations(NAMES))
    short = timedelta(seconds=10)
    for committed, order in enumerate(orders):
        books = accounting.open(url)
        tx = books.transaction()
        tx.credits.allocate("ada", 1, "admin")
        alive = {"books": books, "credits": books.credits, "tx": tx, "inside": tx.credits}
        del books, tx
        for name in order:
            del alive[name]
        # Were anything of it still there, its lock on the account would be as well.
        with accounting.open(url, lock_timeout=short, call_timeout=short) as again:
            assert again.credits.balance("ada").total_credits == committed, order
            again.credits.allocate("ada", 1, "admin")
            assert again.verify().ok
    say(f"{len(orders)} orders, each with a transaction open")


@pytest.mark.parametrize("names", [NAMES, tuple(reversed(NAMES))], ids="-".join)
def test_the_interpreter_may_end_with_everything_alive(names: tuple[str, ...], url: str) -> None:
    # Globals are destroyed by name order of creation, late, when little of Python is left.
    printed = run(
        f"""
        tx = books.transaction()
        made = dict(books=books, credits=books.credits, tx=tx, inside=tx.credits)
        del books, tx
        for name in {names!r}:
            globals()[name] = made.pop(name)
        error = accounting.InsufficientCredits(1, 0)
        log = accounting.open("sqlite://", log=lambda level, text: print(level, flush=True))
        cycle = [log]
        cycle.append(cycle)
        """,
        url,
    )
    assert printed == "info\n"


def test_the_interpreter_may_end_while_daemon_threads_are_at_work(url: str, say: Say) -> None:
    printed = run(
        """
        def charge():
            while True:
                books.credits.charge("ada", "s", "o", 1)
                books.transact(lambda tx: tx.credits.deduct("ada", 1))

        for _ in range(4):
            threading.Thread(target=charge, daemon=True).start()
        while books.credits.balance("ada").total_credits == 1_000_000:
            pass
        time.sleep(0.3)
        print("bye")
        """,
        url,
    )
    assert printed == "bye\n"
    with accounting.open(url) as books:
        assert books.verify().ok
        taken = 1_000_000 - books.credits.balance("ada").total_credits
    say(f"4 daemon threads at the end, which had taken {taken} credits")


def test_a_fork_after_the_import_may_open_books_of_its_own(url: str) -> None:
    printed = run(
        """
        child = os.fork()
        if child == 0:
            with accounting.open(os.environ["BOOKS"]) as own:
                own.credits.charge("ada", "s", "o", 1)
            sys.exit(7)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        books.credits.charge("ada", "s", "o", 1)
        print(books.credits.balance("ada").total_credits)
        """,
        url,
    )
    assert printed == "999998\n"


def test_a_forked_child_works_with_the_parents_books(url: str) -> None:
    printed = run(
        """
        child = os.fork()
        if child == 0:
            books.credits.charge("ada", "s", "o", 1)
            threads = [
                threading.Thread(target=books.credits.charge, args=("ada", "s", "o", 1))
                for _ in range(4)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert books.verify().ok
            books.close()
            sys.exit(7)
        for _ in range(100):
            books.credits.charge("ada", "s", "o", 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        print(books.credits.balance("ada").total_credits, books.verify().ok)
        """,
        url,
    )
    assert printed == "999895 True\n"


def test_a_fork_does_not_touch_the_parents_transaction(url: str) -> None:
    # The child ends as a whole process does, with all its destructors; the parent's connections
    # and its open transaction must survive that.
    printed = run(
        """
        tx = books.transaction()
        tx.credits.deduct("ada", 1)
        child = os.fork()
        if child == 0:
            for call in (lambda: tx.credits.balance("ada"), lambda: tx.commit()):
                try:
                    call()
                except accounting.Conflict as error:
                    assert "fork" in str(error), error
                else:
                    print("not refused")
            tx.rollback()
            del books, tx, call
            sys.exit(7)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        tx.commit()
        books.credits.deduct("ada", 1)
        print(books.credits.balance("ada").total_credits, books.verify().ok)
        """,
        url,
    )
    assert printed == "999998 True\n"


@pytest.mark.parametrize("attempt", range(INTERRUPTS))
def test_ctrl_c_leaves_the_books_in_order(url: str, attempt: int, say: Say) -> None:
    process = start(
        """
        charged = 0
        try:
            while True:
                books.credits.charge("ada", "s", "o", 1)
                charged += 1
                if charged == 1:
                    print("ready", flush=True)
                books.transact(lambda tx: [tx.credits.deduct("ada", 1) for _ in range(2)])
        except KeyboardInterrupt:
            pass
        taken = 1_000_000 - books.credits.balance("ada").total_credits
        # The charge that was interrupted may have taken effect; half a transaction may not.
        assert taken - 3 * charged in (-2, 0, 1), (taken, charged)
        assert books.verify().ok
        print(charged, taken - 3 * charged)
        """,
        url,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.2 + attempt * 0.01)
    process.send_signal(signal.SIGINT)
    charged, beyond = map(int, finish(process).split())
    assert charged > 0
    say(f"interrupted once after {charged} charges, with {beyond} credits beyond them")


def test_ctrl_c_ends_transact_for_good(url: str) -> None:
    printed = run(
        """
        import signal
        runs = []

        def work(tx):
            runs.append(1)
            tx.credits.deduct("ada", 1)
            signal.raise_signal(signal.SIGINT)
            tx.credits.deduct("ada", 1)

        try:
            books.transact(work)
        except KeyboardInterrupt:
            print("interrupted", len(runs), books.credits.balance("ada").total_credits)
        """,
        url,
    )
    assert printed == "interrupted 1 1000000\n"


def test_a_child_can_open_books_whatever_threads_did_at_the_fork(url: str, say: Say) -> None:
    """The fork waits until no call is under way, so that nothing of the client's is locked."""
    program = """
    import signal
    stop = False

    def work():
        while not stop:
            books.credits.deduct("ada", 1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    ends = []
    for _ in range(FORKS):
        child = os.fork()
        if child == 0:
            signal.alarm(20)
            accounting.open(os.environ["BOOKS"]).close()
            os._exit(0)
        ends.append(os.waitpid(child, 0)[1])
    stop = True
    for thread in threads:
        thread.join()
    print(sum(end != 0 for end in ends), "of", len(ends), "hung")
    print(1_000_000 - books.credits.balance("ada").total_credits)
    """
    hung, deducted = run(program.replace("FORKS", str(FORKS)), url, within=600).splitlines()
    assert hung == f"0 of {FORKS} hung"
    say(f"{FORKS} forks beside 4 threads, which made {deducted} calls")


# Ada's account is in a transaction of another thread while the program calls, and interrupted
# while that call waits; what the call is refused for comes after the interrupt.
WAITING = """
import signal
held = threading.Event()

def hold():
    with books.transaction() as tx:
        tx.credits.deduct("ada", 1)
        held.set()
        interrupted.wait()
        time.sleep(0.2)

def interrupt():
    caller = threading.main_thread().ident
    # What calls the library; a machine at work on something else may take long to come to it.
    while sys._current_frames()[caller].f_code.co_name not in ("deduct", "charge"):
        time.sleep(0.01)
    time.sleep(0.2)
    os.kill(os.getpid(), signal.SIGINT)
    interrupted.set()

interrupted = threading.Event()
threading.Thread(target=hold).start()
held.wait()
threading.Thread(target=interrupt).start()
"""


def test_ctrl_c_during_a_call_that_is_refused_is_not_lost(url: str) -> None:
    program = """
try:
    books.credits.deduct("ada", 2_000_000)
except BaseException as error:
    print(type(error).__name__)
"""
    assert run(WAITING + program, url) == "KeyboardInterrupt\n"


def test_ctrl_c_during_a_command_that_is_refused_ends_it_with_130(url: str) -> None:
    program = """
from accounting.cli import main
sys.argv = ["accounting", "-d", os.environ["BOOKS"], *"credits charge ada s o 2000000".split()]
sys.stderr = sys.stdout
try:
    main()
except SystemExit as end:
    print(end.code)
"""
    assert run("import accounting.cli\n" + WAITING + program, url) == (
        "error: interrupted [interrupted]\n130\n"
    )


# A proxy before the server, in threads of the same interpreter: a call that waits for the server
# with the interpreter's lock in hand would wait for ever, and the program be ended as too slow.
PROXY = """
import gc, socket
from urllib.parse import urlsplit

server = urlsplit(os.environ["BOOKS"])
listener = socket.create_server(("127.0.0.1", 0))

def forward(source, target):
    while some := source.recv(65_536):
        target.sendall(some)
    target.shutdown(socket.SHUT_WR)

def serve():
    while True:
        ours, _ = listener.accept()
        theirs = socket.create_connection((server.hostname, server.port))
        for pair in ((ours, theirs), (theirs, ours)):
            threading.Thread(target=forward, args=pair, daemon=True).start()

threading.Thread(target=serve, daemon=True).start()
place = server.netloc.replace(f":{server.port}", f":{listener.getsockname()[1]}")
via = accounting.open(server._replace(netloc=place).geturl())
tx = via.transaction()
tx.credits.deduct("ada", 1)
"""

ENDINGS = {
    "commit": "tx.commit()",
    "rollback": "tx.rollback()",
    "destruction of the transaction": "del tx; gc.collect()",
    "destruction of the books": "tx.commit(); del tx, via; gc.collect()",
    "close": "tx.commit(); via.close()",
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_ends_lets_other_threads_go_on(server_url: str, ending: str) -> None:
    program = f"{PROXY}{ENDINGS[ending]}\nprint(books.credits.balance('ada').total_credits)\n"
    left = 1_000_000 - ("commit" in ENDINGS[ending])
    assert finish(start(program, server_url), within=20) == f"{left}\n"
