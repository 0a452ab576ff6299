"""Worker processes as a test handles them: started, paused, stopped, killed, and always gone at the end."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import Self, cast

from tests.faults import worker_process
from tests.faults.worker_process import Said, Task

_PATIENCE = 60.0  # seconds; the machine may be busy with other tests

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload([worker_process.__name__])


class Worker:
    """A process that is ready for its task and waits for `go`."""

    def __init__(self, task: Task) -> None:
        self.pipe, theirs = _CONTEXT.Pipe()
        self._process = _CONTEXT.Process(target=worker_process.work, args=(theirs, task), daemon=True)
        self.troubles: list[str] = []
        self._process.start()
        theirs.close()
        self.wait_for("ready")

    def go(self) -> None:
        """Begin; after `paused`, go on."""
        self.pipe.send("go")

    def wait_for(self, *kinds: str) -> Said:
        """The next message of one of these kinds; `gone` when the process ended without another word."""
        deadline = time.monotonic() + _PATIENCE
        while self.pipe.poll(max(0.0, deadline - time.monotonic())):
            said = self.hear()
            if said.kind in kinds:
                return said
            assert said.kind != "gone", f"{said.text}, while {kinds} was waited for; {self.troubles}"
        raise AssertionError(f"the worker did not say {kinds} within {_PATIENCE:.0f} s; {self.troubles}")

    def hear(self) -> Said:
        """Its next message, which is there."""
        try:
            said: Said = self.pipe.recv()
        except (EOFError, ConnectionResetError):
            self._process.join(_PATIENCE)
            said = Said("gone", f"exit code {self._process.exitcode}")
        if said.kind == "trouble":
            self.troubles.append(said.text)
        return said

    def end(self) -> Said:
        """Wait for its end. It must have told what came of it."""
        said = self.wait_for("ended")
        self._process.join(_PATIENCE)
        assert self._process.exitcode == 0
        return said

    def signal(self, number: signal.Signals) -> None:
        assert self._process.pid is not None
        os.kill(self._process.pid, number)

    def kill(self) -> None:
        """kill -9, and wait until the process is no more."""
        self.signal(signal.SIGKILL)
        self._process.join(_PATIENCE)
        assert self._process.exitcode == -signal.SIGKILL

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.exitcode is None:
            with suppress(ProcessLookupError):
                self.signal(signal.SIGKILL)
            self._process.join(_PATIENCE)
        self.pipe.close()


def first_to_say(workers: Collection[Worker], *kinds: str) -> tuple[Worker, Said]:
    """The next message of one of these kinds that one of several processes has, the others going on meanwhile."""
    deadline = time.monotonic() + _PATIENCE
    of_pipe = {worker.pipe: worker for worker in workers}
    while ready := wait(list(of_pipe), timeout=max(0.0, deadline - time.monotonic())):
        for pipe in ready:
            worker = of_pipe[cast(Connection, pipe)]
            said = worker.hear()
            if said.kind in kinds:
                return worker, said
            assert said.kind != "gone", f"{said.text}, while {kinds} was waited for; {worker.troubles}"
    raise AssertionError(f"nobody said {kinds} within {_PATIENCE:.0f} s; {[worker.troubles for worker in workers]}")


def until(condition: Callable[[], bool], what: str) -> None:
    """Poll until it holds."""
    deadline = time.monotonic() + _PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"waited {_PATIENCE:.0f} s in vain: {what}"
        time.sleep(0.01)
