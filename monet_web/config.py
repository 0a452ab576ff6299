"""Environment → frozen `Config`: read once at the start of a process, which refuses to start half-set."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast, get_args
from urllib.parse import urlsplit

from cryptography.fernet import Fernet

from monet_web.keys import Keys, KeysDamaged, keys_at

CHECKOUT = Path(__file__).resolve().parent.parent
DEFAULT_URL = "http://127.0.0.1:8000"
MAKE_SIGNING_KEY = """python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"""
MAKE_ENCRYPTION_KEY = """python3 -c 'import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())'"""

_E_MAIL = re.compile(r"[^\s@,<>\"]+@[^\s@,<>\"]+", re.ASCII)

LogFormat = Literal["json", "text"]


class ConfigError(Exception):
    """The environment can't be worked with. `message`: what is wrong, `fix`: what to type; sentences."""

    def __init__(self, message: str, *, fix: str) -> None:
        super().__init__(f"{message} {fix}")
        self.message = message
        self.fix = fix


@dataclass(frozen=True, slots=True)
class Variable:
    """One environment variable, as `monet doctor` lists it."""

    name: str
    meaning: str
    default: str
    is_secret: bool = False


VARIABLES: tuple[Variable, ...] = (
    Variable(
        "DATABASE_URL",
        "The PostgreSQL database: postgresql://user:password@host/name.",
        "SQLite in MONET_HOME",
        is_secret=True,
    ),
    Variable(
        "REDIS_URL",
        "The Redis or Valkey server: redis://, rediss:// or unix://.",
        "`monet run` starts one of its own",
        is_secret=True,
    ),
    Variable(
        "SECRET_KEY",
        "Signs sessions and links; at least 32 characters. Required with DATABASE_URL.",
        "made in MONET_HOME/keys",
        is_secret=True,
    ),
    Variable(
        "MONET_ENCRYPTION_KEYS",
        "Fernet keys, separated by commas: the first seals the stores' secrets, all open them. "
        "Required with DATABASE_URL.",
        "made in MONET_HOME/keys",
        is_secret=True,
    ),
    Variable(
        "MONET_URL",
        "The address people type, for links and cookies: https://monet.example.com.",
        f"{DEFAULT_URL}; none with DATABASE_URL",
    ),
    Variable("MONET_HOME", "The folder of the embedded database, its keys and its Redis.", ".monet in the checkout"),
    Variable(
        "MONET_ALLOW_PRIVATE_ADDRESSES",
        "1 lets a store's address lead into the own network; 0 does not.",
        "0",
    ),
    Variable("MONET_PROXIES", "How many trusted reverse proxies stand before the web process.", "0"),
    Variable(
        "MONET_LOG",
        "json: one JSON object a line; text: for reading at a terminal.",
        "text; json with DATABASE_URL",
    ),
    Variable(
        "MONET_SMTP_URL",
        "The mail server for notices: smtp://user:password@host:587 or smtps://user:password@host.",
        "no e-mails",
        is_secret=True,
    ),
    Variable("MONET_MAIL_FROM", "The sender of notices: monet@example.com.", "none; required with MONET_SMTP_URL"),
    Variable("MONET_MAIL_TO", "Who gets notices, separated by commas.", "none; required with MONET_SMTP_URL"),
    Variable(
        "MONET_ALERT_WEBHOOK",
        "An https address that is posted JSON when an integration has failed for an hour.",
        "none",
        is_secret=True,
    ),
)


@dataclass(frozen=True, slots=True)
class Config:
    """What a process knows of its surroundings. Its repr shows no secret."""

    database_url: str = field(repr=False)
    is_embedded_database: bool
    redis_url: str | None = field(repr=False)  # None: no Redis was named, `monet run` starts the embedded one
    secret_key: str = field(repr=False)
    encryption_keys: tuple[str, ...] = field(repr=False)  # the first seals, all open
    home: Path
    url: str | None = None  # without a slash at its end; None: links in this installation can't be absolute
    allow_private_addresses: bool = False
    proxies: int = 0
    log: LogFormat = "text"
    smtp_url: str | None = field(default=None, repr=False)  # None: no e-mails
    mail_from: str = ""
    mail_to: tuple[str, ...] = ()
    alert_webhook: str | None = field(default=None, repr=False)

    @property
    def has_secure_cookies(self) -> bool:
        """False only where people type http:// themselves, because a secure cookie would never come back."""
        return self.url is None or not self.url.startswith("http://")

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "Config":
        """Read the variables; an empty one counts as unset.

        Without DATABASE_URL this makes MONET_HOME and its keys.
        Raises ConfigError for a value that can't be used or for one that is missing.
        """
        typed = {name: value.strip() for name, value in environ.items() if value.strip()}
        home = _home(typed)
        database_url = typed.get("DATABASE_URL")
        is_embedded = database_url is None
        smtp_url, mail_from, mail_to = _mail(typed)
        keys = _embedded_keys(typed, home=home) if is_embedded else _typed_keys(typed)
        return cls(
            database_url=f"sqlite:///{home / 'monet.sqlite3'}" if database_url is None else _database_url(database_url),
            is_embedded_database=is_embedded,
            redis_url=_redis_url(typed),
            secret_key=keys.secret_key,
            encryption_keys=keys.encryption_keys,
            home=home,
            url=_url(typed, default=DEFAULT_URL if is_embedded else None),
            allow_private_addresses=_switch(typed, "MONET_ALLOW_PRIVATE_ADDRESSES"),
            proxies=_proxies(typed),
            log=_log(typed, default="text" if is_embedded else "json"),
            smtp_url=smtp_url,
            mail_from=mail_from,
            mail_to=mail_to,
            alert_webhook=_webhook(typed),
        )


def require_redis(config: Config) -> str:
    """The Redis URL for a process that can't live without one. Raises ConfigError when none is set."""
    if config.redis_url is None:
        raise ConfigError(
            "REDIS_URL is not set, and this process takes its work from Redis.",
            fix="Type REDIS_URL=redis://HOST:6379/0, or start everything with `./monet run`.",
        )
    return config.redis_url


def _home(typed: Mapping[str, str]) -> Path:
    # Not under HOME by default: containers and services often have none.
    written = typed.get("MONET_HOME")
    if written is None:
        return CHECKOUT / ".monet"
    try:
        return Path(written).expanduser().absolute()
    except RuntimeError:
        raise ConfigError(
            f"MONET_HOME is {written!r}, but there is no home folder to put for the ~.",
            fix="Type the whole path: MONET_HOME=/var/lib/monet.",
        ) from None


def _database_url(written: str) -> str:
    scheme, separator, rest = written.partition("://")
    if separator and scheme in {"postgres", "postgresql", "postgresql+psycopg"}:
        return f"postgresql+psycopg://{rest}"
    if separator and scheme == "sqlite":
        return written
    # The value may hold a password, so the message must not repeat it.
    raise ConfigError(
        "DATABASE_URL is not the address of a PostgreSQL database.",
        fix="Type DATABASE_URL=postgresql://user:password@host/name, or leave it out to use SQLite.",
    )


def _redis_url(typed: Mapping[str, str]) -> str | None:
    written = typed.get("REDIS_URL")
    if written is not None and not written.startswith(("redis://", "rediss://", "unix://")):
        raise ConfigError(
            "REDIS_URL is not the address of a Redis server.",
            fix="Type REDIS_URL=redis://HOST:6379/0, or leave it out: `./monet run` starts one of its own.",
        )
    return written


def _typed_keys(typed: Mapping[str, str]) -> Keys:
    # Nothing is made up here: one machine's keys would lock the others out of the secrets.
    secret_key, encryption_keys = _secret_key(typed), _encryption_keys(typed)
    if secret_key is None:
        raise ConfigError(
            "DATABASE_URL is set, but SECRET_KEY is not.",
            fix=f"Make one with {MAKE_SIGNING_KEY} and give every process the same.",
        )
    if encryption_keys is None:
        raise ConfigError(
            "DATABASE_URL is set, but MONET_ENCRYPTION_KEYS is not.",
            fix=f"Make one with {MAKE_ENCRYPTION_KEY}, give every process the same, and keep a copy: "
            "without it the stores' secrets can't be opened.",
        )
    return Keys(secret_key=secret_key, encryption_keys=encryption_keys)


def _embedded_keys(typed: Mapping[str, str], *, home: Path) -> Keys:
    secret_key, encryption_keys = _secret_key(typed), _encryption_keys(typed)
    if secret_key is not None and encryption_keys is not None:
        _make_home(home)
        return Keys(secret_key=secret_key, encryption_keys=encryption_keys)
    _make_home(home)
    try:
        made = keys_at(home / "keys")
    except KeysDamaged as error:
        raise ConfigError(
            f"{home / 'keys'} can't be used: {error}.",
            fix="Bring back your copy of that file; without it the stores' secrets must be typed again.",
        ) from error
    except OSError as error:
        raise ConfigError(
            f"The keys in {home / 'keys'} can't be read or made: {error.strerror}.",
            fix="Let this user read and write that folder, or name another: MONET_HOME=/path/to/folder.",
        ) from error
    return Keys(secret_key=secret_key or made.secret_key, encryption_keys=encryption_keys or made.encryption_keys)


def _make_home(home: Path) -> None:
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"The folder {home} can't be made: {error.strerror}.",
            fix="Name one where this user may write: MONET_HOME=/path/to/folder.",
        ) from error
    if not os.access(home, os.W_OK | os.X_OK):
        raise ConfigError(
            f"This user may not write in {home}.",
            fix="Name a folder where it may: MONET_HOME=/path/to/folder.",
        )


def _secret_key(typed: Mapping[str, str]) -> str | None:
    written = typed.get("SECRET_KEY")
    if written is not None and len(written) < 32:
        raise ConfigError(
            f"SECRET_KEY has {len(written)} characters, which can be guessed; it needs at least 32.",
            fix=f"Make one with {MAKE_SIGNING_KEY}.",
        )
    return written


def _encryption_keys(typed: Mapping[str, str]) -> tuple[str, ...] | None:
    written = typed.get("MONET_ENCRYPTION_KEYS")
    if written is None:
        return None
    keys = tuple(key.strip() for key in written.split(",") if key.strip())
    for position, key in enumerate(keys, start=1):
        if not is_encryption_key(key):
            raise ConfigError(
                f"Key number {position} in MONET_ENCRYPTION_KEYS is not a Fernet key "
                "(32 bytes in URL-safe base 64, 44 characters).",
                fix=f"Make one with {MAKE_ENCRYPTION_KEY}; commas between several, the newest first.",
            )
    if not keys:
        raise ConfigError("MONET_ENCRYPTION_KEYS holds only commas.", fix=f"Make a key with {MAKE_ENCRYPTION_KEY}.")
    return keys


def is_encryption_key(text: str) -> bool:
    """True for a Fernet key: 32 bytes in URL-safe base 64."""
    try:
        Fernet(text)
    except ValueError:
        return False
    return True


def _url(typed: Mapping[str, str], *, default: str | None) -> str | None:
    written = typed.get("MONET_URL")
    if written is None:
        return default
    error = ConfigError(
        f"MONET_URL is {written!r}, which is not the address of a site.",
        fix="Type scheme and host, nothing after them: MONET_URL=https://monet.example.com.",
    )
    try:
        parts = urlsplit(written)
        has_port_or_none = parts.port is None or parts.port > 0
    except ValueError:
        raise error from None
    is_site = parts.scheme in {"http", "https"} and parts.hostname and has_port_or_none
    if not is_site or parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc:
        raise error
    return f"{parts.scheme}://{parts.netloc}"


def _switch(typed: Mapping[str, str], name: str) -> bool:
    written = typed.get(name, "0")
    if written not in {"0", "1"}:
        raise ConfigError(f"{name} is {written!r}.", fix=f"Type {name}=1 for yes or {name}=0 for no.")
    return written == "1"


def _proxies(typed: Mapping[str, str]) -> int:
    written = typed.get("MONET_PROXIES", "0")
    # Only ASCII digits: int() would take "²" for a crash and "1_0" for ten.
    if not (written.isascii() and written.isdigit()) or int(written) > 10:
        raise ConfigError(
            f"MONET_PROXIES is {written!r}, but it counts the trusted proxies before the web process.",
            fix="Type a whole number from 0 to 10: MONET_PROXIES=1 behind one reverse proxy, 0 without.",
        )
    return int(written)


def _log(typed: Mapping[str, str], *, default: LogFormat) -> LogFormat:
    written = typed.get("MONET_LOG", default)
    if written not in get_args(LogFormat):
        raise ConfigError(f"MONET_LOG is {written!r}.", fix="Type MONET_LOG=json or MONET_LOG=text.")
    return cast(LogFormat, written)


def _mail(typed: Mapping[str, str]) -> tuple[str | None, str, tuple[str, ...]]:
    server, sender = typed.get("MONET_SMTP_URL"), typed.get("MONET_MAIL_FROM", "")
    receivers = tuple(one.strip() for one in typed.get("MONET_MAIL_TO", "").split(",") if one.strip())
    if server is None and not sender and not receivers:
        return None, "", ()
    if server is None or not _is_address(server, {"smtp", "smtps"}):
        # The value may hold a password, so the message must not repeat it.
        raise ConfigError(
            "MONET_SMTP_URL is not the address of a mail server.",
            fix="Type MONET_SMTP_URL=smtp://user:password@host:587 or smtps://user:password@host; "
            "in user and password type %40 for @, %3A for : and %2F for /.",
        )
    for name, addresses, example in (
        ("MONET_MAIL_FROM", (sender,), "monet@example.com"),
        ("MONET_MAIL_TO", receivers or ("",), "ona@example.com,jonas@example.com"),
    ):
        for address in addresses:
            if not _E_MAIL.fullmatch(address):
                raise ConfigError(
                    f"{name} has {address!r}, which is not an e-mail address.", fix=f"Type {name}={example}."
                )
    return server, sender, receivers


def _webhook(typed: Mapping[str, str]) -> str | None:
    written = typed.get("MONET_ALERT_WEBHOOK")
    if written is not None and not _is_address(written, {"https"}):
        raise ConfigError(
            "MONET_ALERT_WEBHOOK is not an https address.",
            fix="Type MONET_ALERT_WEBHOOK=https://host/path, or leave it out.",
        )
    return written


def _is_address(written: str, schemes: set[str]) -> bool:
    try:
        parts = urlsplit(written)
        has_port_or_none = parts.port is None or parts.port > 0
    except ValueError:
        return False
    return parts.scheme in schemes and bool(parts.hostname) and has_port_or_none and not re.search(r"\s", written)
