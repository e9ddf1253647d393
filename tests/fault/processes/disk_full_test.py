#!/usr/bin/env python3
"""A full disk: typed errors, books that balance, and work that goes on when there is space again.

Small disks are tmpfs, which root alone can mount.
"""

import os
import pathlib
import subprocess
import time
import typing

import harness
import server

NO_SPACE = "no space left"
MEGABYTE = 1 << 20


class SmallDisk:
    """A tmpfs; unmounted with the stack that it is on."""

    def __init__(self, stack: harness.Stack, path: pathlib.Path, megabytes: int) -> None:
        if os.geteuid() != 0:
            raise harness.Skip("only root can mount a small disk")
        self.path = path
        self.path.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=700", "tmpfs", str(path)]
        done = subprocess.run(mount, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise harness.Skip(f"no small disk can be mounted: {done.stderr.strip()}")
        stack.callback(subprocess.run, ["umount", "--lazy", str(path)], check=False)
        server.give_to_postgresql(path)

    def fill_up_to(self, left: int) -> None:
        """Leaves that many bytes free at most, with a file in the way until there is space."""
        found = os.statvfs(self.path)
        # Unbuffered, as much is written as others at work meanwhile leave room for.
        with (self.path / "ballast").open("wb", buffering=0) as file:
            file.write(bytes(max(1, found.f_bavail * found.f_bsize - left)))

    def make_space(self) -> None:
        (self.path / "ballast").unlink()

    def grow(self, megabytes: int) -> None:
        remount = ["mount", "-o", f"remount,size={megabytes}m", str(self.path)]
        subprocess.run(remount, check=True)


class Failures:
    """The words of the errors that workers logged."""

    def __init__(self, arena: harness.Arena) -> None:
        self._arena = arena
        self.no_space = 0
        self.others: set[str] = set()

    def read(self) -> None:
        for line in self._arena.new_lines():
            words = line.split(maxsplit=2)
            if words[0] in ("failed", "unknown"):
                full = words[0] == "failed" and NO_SPACE in words[2]
                self.no_space += full
                if not full:
                    self.others.add(words[2])

    def seen(self, count: int) -> typing.Callable[[], bool]:
        def enough() -> bool:
            self.read()
            return self.no_space >= count

        return enough


def play_over_the_end(
    arena: harness.Arena, workers: list[harness.Worker], make_space: typing.Callable[[], None]
) -> Failures:
    """Lets workers run into the end of the disk, with typed errors alone, and out of it again."""
    failures = Failures(arena)
    harness.wait_for(failures.seen(20), "the disk is full", 180)
    # The books can be read, and balance, while they can hardly be written to.
    harness.Worker(arena.stack, "watch", arena.url, seconds=0).finish()
    failures.read()
    make_space()
    arena.wait_for_work(workers, 20)
    harness.check(not failures.others, f"errors of another kind: {failures.others}")
    return failures


def sqlite_file_on_a_full_disk(stack: harness.Stack) -> None:
    path = harness.sqlite_file(stack)
    disk = SmallDisk(stack, path.parent / "disk", 2)
    arena = harness.Arena(stack, harness.sqlite_url(disk.path / path.name), accounts=3)
    workers = [arena.start(threads=2) for _ in range(2)]
    # A smaller disk than SQLite's log wants: it is moved into the file at 4 MB.
    failures = play_over_the_end(arena, workers, lambda: disk.grow(32))
    played = harness.sum_of([worker.stop() for worker in workers])
    audit = arena.audit()
    harness.say(f"SQLite: no_space={failures.no_space} {played}; audit: {audit}")


def tables_on_a_full_disk(stack: harness.Stack) -> None:
    """Only what the tables need is short; the write-ahead log has all the space it wants."""
    cluster = server.Server(stack)
    disk = SmallDisk(stack, cluster.directory / "tables", 24)
    cluster.set_up()
    harness.sql(cluster.url(), f"CREATE TABLESPACE small LOCATION '{disk.path}'")
    harness.sql(cluster.url(), "CREATE DATABASE books TABLESPACE small")
    arena = harness.Arena(stack, cluster.url("books"), accounts=3)
    workers = [arena.start(threads=4)]
    arena.wait_for_work(workers, 5)
    disk.fill_up_to(MEGABYTE // 4)
    failures = play_over_the_end(arena, workers, disk.make_space)
    played = harness.sum_of([worker.stop() for worker in workers])
    audit = arena.audit()
    panics = cluster.count_in_log("PANIC")
    harness.say(
        f"PostgreSQL's tables: no_space={failures.no_space} panics={panics} {played}; "
        f"audit: {audit}"
    )
    harness.check(panics == 0, "the server crashed")


def log_on_a_full_disk(stack: harness.Stack) -> None:
    """Without space for its write-ahead log the server crashes, and cannot recover either."""
    log_directory = harness.temporary_directory(stack)
    server.give_to_postgresql(log_directory)
    disk = SmallDisk(stack, log_directory / "disk", 24)
    cluster = server.Server(stack, f"--waldir={disk.path}/wal", "--wal-segsize=1")
    cluster.set_up("wal_recycle=off", "checkpoint_timeout=1h")
    arena = harness.Arena(stack, cluster.url(), accounts=3)
    workers = [arena.start(threads=4)]
    arena.wait_for_work(workers, 5)
    # What has been laid out in advance would last for thousands of calls.
    harness.sql(cluster.url(), "SELECT pg_logical_emit_message(false, 'f', repeat('x', 4000000))")
    disk.fill_up_to(0)
    harness.wait_for(lambda: cluster.count_in_log("PANIC") > 0, "the log is full", 180)
    time.sleep(harness.dice.uniform(0.5, 1))
    workers[0].check_alive()
    disk.make_space()
    # It may have given up, or be recovering by itself.
    if not cluster.runs():
        cluster.start_again()
    silence = arena.wait_for_work(workers, 20)
    played = harness.sum_of([worker.stop() for worker in workers])
    audit = arena.audit()
    panics = cluster.count_in_log("PANIC")
    harness.say(
        f"PostgreSQL's log: panics={panics} silence_ms={1_000 * silence:.0f} {played}; "
        f"audit: {audit}"
    )
    harness.check(played["retries"] > 0, "no call met the crash")
    harness.check(played["failed"] + played["unknown"] == 0, "a call failed for good")


if __name__ == "__main__":
    harness.main(sqlite_file_on_a_full_disk, tables_on_a_full_disk, log_on_a_full_disk)
