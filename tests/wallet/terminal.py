"""Somebody at a terminal. Commands run in this process, through the same entry point as the installed program.

terminal = Terminal(services.data / "wallet", environment)
terminal.json("list")                      # what it prints; it must end with 0
terminal.error("show", "00")               # the code of its error; it must not end with 0
"""

import contextlib
import fcntl
import io
import json
import os
import pty
import subprocess
import sys
import termios
from pathlib import Path
from typing import Any
from unittest.mock import patch

from wallet.cli import main

PROGRAM = Path(sys.executable).with_name("intyga-wallet")


class Terminal:
    """Runs `intyga-wallet` on one data directory; nobody is there to answer questions unless `said` holds answers."""

    def __init__(self, data: Path, environment: dict[str, str]) -> None:
        self.data = data
        self.environment = environment

    def run(self, *arguments: str, said: str | None = None, **environment: str) -> "subprocess.CompletedProcess[str]":
        """Run a command. `said` are the lines that a person writes at a terminal, when one is there."""
        command = ["intyga-wallet", *arguments, "--data", str(self.data)]
        stdout, stderr, status = io.StringIO(), io.StringIO(), 0
        with (
            patch.dict(os.environ, self.environment | environment, clear=True),
            patch.object(sys, "argv", command),
            patch.object(sys, "stdin", _Keyboard(said)),
            contextlib.redirect_stdout(stdout),
            contextlib.redirect_stderr(stderr),
        ):
            try:
                main()
            except SystemExit as end:
                status = end.code if isinstance(end.code, int) else 1
        return subprocess.CompletedProcess(command, status, stdout.getvalue(), stderr.getvalue())

    def run_installed(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run the installed program, in a process of its own."""
        return subprocess.run(
            [PROGRAM, *arguments, "--data", str(self.data)],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            env=self.environment,
            timeout=120,
            check=False,
        )

    def pressed_at_the_question(self, question: str, key: str, *arguments: str) -> int | None:
        """Run the installed program at a terminal of its own and press a key when it asks; its exit status, None when
        it does not end within half a minute."""
        ours, theirs = pty.openpty()
        try:
            process = subprocess.Popen(
                [PROGRAM, *arguments, "--data", str(self.data)],
                stdin=theirs,
                stdout=theirs,
                stderr=theirs,
                env=self.environment,
                start_new_session=True,
                preexec_fn=lambda: fcntl.ioctl(theirs, termios.TIOCSCTTY, 0),
            )
            os.close(theirs)
            written = ""
            while question not in written:
                written += os.read(ours, 4096).decode(errors="replace")
            os.write(ours, key.encode())
            try:
                return process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                return None
        finally:
            os.close(ours)

    def json(self, *arguments: str) -> Any:
        """What a command prints as JSON; it must end with 0."""
        done = self.run(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def error(self, *arguments: str) -> str:
        """The error of a command that must not end with 0."""
        done = self.run(*arguments, "--json")
        assert done.returncode != 0, done.stdout
        code: str = json.loads(done.stderr.strip().splitlines()[-1])["error"]
        return code


class _Keyboard(io.StringIO):
    """Standard input: a terminal when somebody says something, else nobody."""

    def __init__(self, said: str | None) -> None:
        super().__init__(said or "")
        self._is_there = said is not None

    def isatty(self) -> bool:
        """Whether a person is there."""
        return self._is_there
