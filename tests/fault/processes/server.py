"""A PostgreSQL server of a test's own, to be killed, starved and started again."""

import os
import pathlib
import random
import shutil
import signal
import subprocess
import tempfile

import harness

PROGRAMS = pathlib.Path("/usr/lib/postgresql")  # where Debian keeps them, off the PATH


def _bin() -> pathlib.Path:
    newest = sorted(PROGRAMS.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    found = newest[-1] if newest else shutil.which("initdb")
    if not found:
        raise harness.Skip("PostgreSQL's initdb was not found")
    return pathlib.Path(found).parent


def as_postgresql(*command: str) -> list[str]:
    """PostgreSQL refuses to run as root: there, its commands run as the user postgres."""
    if os.geteuid() != 0:
        return list(command)
    if shutil.which("runuser"):
        return ["runuser", "-u", "postgres", "--", *command]
    return ["su", "postgres", "-s", "/bin/sh", "-c", 'exec "$0" "$@"', "--", *command]


def give_to_postgresql(path: pathlib.Path) -> None:
    if os.geteuid() == 0:
        shutil.chown(path, "postgres")


class Server:
    """Not started yet. Stopped, and its directory removed, with the stack that it is on."""

    def __init__(self, stack: harness.Stack, *initdb_options: str) -> None:
        self._bin = _bin()
        # Short, because a Unix socket's path is limited to about 100 bytes.
        self.directory = pathlib.Path(
            stack.enter_context(
                # Children of a postmaster that was killed may outlive it for a moment.
                tempfile.TemporaryDirectory(prefix="accounting.", ignore_cleanup_errors=True)
            )
        )
        give_to_postgresql(self.directory)
        self._data = self.directory / "data"
        self._settings: list[str] = []
        self._port = 0
        stack.callback(self.stop)
        self._run(
            "initdb",
            *("--username=accounting", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"),
            *("--no-sync", *initdb_options),
        )

    def _run(self, program: str, *options: str) -> subprocess.CompletedProcess[str]:
        done = self._try(program, *options)
        harness.check(done.returncode == 0, f"{program}: {done.stdout}{done.stderr}")
        return done

    def _try(self, program: str, *options: str) -> subprocess.CompletedProcess[str]:
        command = as_postgresql(str(self._bin / program), f"--pgdata={self._data}", *options)
        # Into files: a server that is started would keep a pipe open.
        with tempfile.TemporaryFile("w+") as output:
            code = subprocess.run(
                command, cwd=self.directory, stdout=output, stderr=output, check=False
            ).returncode
            output.seek(0)
            return subprocess.CompletedProcess(command, code, output.read(), "")

    def set_up(self, *settings: str) -> None:
        """Starts it for the first time, at a port of its own, with settings `name=value`."""
        self._settings = list(settings)
        for _ in range(10):
            # Whether a port is free shows only when the server takes it.
            self._port = random.SystemRandom().randrange(20_000, 32_000)
            if self.try_to_start():
                return
        raise AssertionError(f"the server does not start:\n{self.log()}")

    def try_to_start(self) -> bool:
        options = [f"-p {self._port}", "-c listen_addresses=127.0.0.1"]
        options.append(f"-c unix_socket_directories={self.directory}")
        options += [f"-c {setting}" for setting in self._settings]
        log = self.directory / "server.log"
        return (
            self._try(
                "pg_ctl",
                *("start", "--wait", "--silent", f"--log={log}"),
                "--options=" + " ".join(options),
            ).returncode
            == 0
        )

    def start_again(self, seconds: float = 60) -> float:
        """Tries until it runs, because what is left of the one before may be in the way."""
        return harness.wait_for(self.try_to_start, f"the server is back:\n{self.log()}", seconds)

    def pid(self) -> int:
        return int((self._data / "postmaster.pid").read_text().splitlines()[0])

    def kill(self) -> None:
        """The postmaster only: its children are to find out by themselves."""
        os.kill(self.pid(), signal.SIGKILL)

    def runs(self) -> bool:
        return self._try("pg_ctl", "status").returncode == 0

    def stop(self) -> None:
        if not (self._data / "postmaster.pid").exists():
            return
        self._try("pg_ctl", "stop", "--wait", "--silent", "--mode=immediate")

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://accounting@127.0.0.1:{self._port}/{database}"

    def log(self) -> str:
        path = self.directory / "server.log"
        return path.read_text(errors="replace")[-3_000:] if path.exists() else ""

    def count_in_log(self, words: str) -> int:
        path = self.directory / "server.log"
        return path.read_text(errors="replace").count(words) if path.exists() else 0
