"""The environment becomes a whole Config, or the start is refused with what to type."""

import json
import multiprocessing
import re
import stat
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from monet_web.config import CHECKOUT, VARIABLES, Config, ConfigError, require_redis

SECRET = "s" * 40
ONE_KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
OTHER_KEY = "YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXphYmNkZWY="
SERVER = {
    "DATABASE_URL": "postgres://monet:hunter2@db/monet",
    "SECRET_KEY": SECRET,
    "MONET_ENCRYPTION_KEYS": f"{ONE_KEY}, {OTHER_KEY}",
}


def refused(environ: dict[str, str]) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        Config.from_environment(environ)
    return caught.value


def test_nothing_set_means_sqlite_and_keys_in_monet_home(tmp_path: Path) -> None:
    home = tmp_path / "home"
    config = Config.from_environment({"MONET_HOME": str(home)})
    assert config.database_url == f"sqlite:///{home}/monet.sqlite3"
    assert config.is_embedded_database
    assert config.redis_url is None
    assert config.url == "http://127.0.0.1:8000"
    assert config.log == "text"
    assert not config.has_secure_cookies
    assert not config.allow_private_addresses
    assert config.proxies == 0
    assert len(config.secret_key) >= 32
    Fernet(config.encryption_keys[0])
    assert stat.S_IMODE((home / "keys").stat().st_mode) == 0o600
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert [path.name for path in home.iterdir()] == ["keys"]


def test_the_keys_are_made_once(tmp_path: Path) -> None:
    environ = {"MONET_HOME": str(tmp_path)}
    first, second = Config.from_environment(environ), Config.from_environment(environ)
    assert first == second


def keys_made_by_a_process(home: str) -> tuple[str, tuple[str, ...]]:
    config = Config.from_environment({"MONET_HOME": home})
    return config.secret_key, config.encryption_keys


def test_processes_that_start_at_once_agree_on_the_keys(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        for round_number in range(10):
            home = str(tmp_path / f"home-{round_number}")
            assert len(set(pool.map(keys_made_by_a_process, [home] * 8, chunksize=1))) == 1


@pytest.mark.parametrize(
    "content", ["", "{}", "not json", '{"secret_key": "short", "encryption_keys": ["x"]}', "[1, 2]"]
)
def test_a_damaged_key_file_is_never_replaced(tmp_path: Path, content: str) -> None:
    (tmp_path / "keys").write_text(content)
    error = refused({"MONET_HOME": str(tmp_path)})
    assert str(tmp_path / "keys") in error.message
    assert "copy" in error.fix
    assert (tmp_path / "keys").read_text() == content


def test_typed_keys_go_before_the_made_ones(tmp_path: Path) -> None:
    config = Config.from_environment({"MONET_HOME": str(tmp_path), "SECRET_KEY": SECRET})
    assert config.secret_key == SECRET
    made = json.loads((tmp_path / "keys").read_text())
    assert config.encryption_keys == tuple(made["encryption_keys"])


def test_a_server_takes_everything_from_the_environment() -> None:
    config = Config.from_environment({**SERVER, "REDIS_URL": "redis://cache:6379/1", "MONET_PROXIES": "2"})
    assert config.database_url == "postgresql+psycopg://monet:hunter2@db/monet"
    assert not config.is_embedded_database
    assert config.redis_url == "redis://cache:6379/1"
    assert config.encryption_keys == (ONE_KEY, OTHER_KEY)
    assert config.proxies == 2
    assert config.log == "json"
    assert config.url is None
    assert config.has_secure_cookies


def test_an_empty_value_counts_as_unset(tmp_path: Path) -> None:
    empty = dict.fromkeys((variable.name for variable in VARIABLES), "  ")
    config = Config.from_environment({**empty, "MONET_HOME": str(tmp_path)})
    assert config == Config.from_environment({"MONET_HOME": str(tmp_path)})


def test_the_home_does_not_depend_on_the_users_home() -> None:
    assert Config.from_environment(SERVER).home == CHECKOUT / ".monet"


@pytest.mark.parametrize("missing", ["SECRET_KEY", "MONET_ENCRYPTION_KEYS"])
@pytest.mark.parametrize("how", ["absent", "empty"])
def test_a_server_without_its_keys_does_not_start(missing: str, how: str) -> None:
    environ = {**SERVER, missing: "  "} if how == "empty" else {k: v for k, v in SERVER.items() if k != missing}
    error = refused(environ)
    assert missing in error.message
    assert "python3 -c" in error.fix


@pytest.mark.parametrize(
    ("name", "value", "typed"),
    [
        ("DATABASE_URL", "mysql://root:hunter2@db/monet", "DATABASE_URL=postgresql://"),
        ("DATABASE_URL", "hunter2", "DATABASE_URL=postgresql://"),
        ("REDIS_URL", "cache:6379:hunter2", "REDIS_URL=redis://"),
        ("SECRET_KEY", "hunter2", "python3 -c"),
        ("MONET_ENCRYPTION_KEYS", f"{ONE_KEY},hunter2", "python3 -c"),
        ("MONET_ENCRYPTION_KEYS", ",", "python3 -c"),
        ("MONET_URL", "monet.example.com", "MONET_URL=https://"),
        ("MONET_URL", "ftp://monet.example.com", "MONET_URL=https://"),
        ("MONET_URL", "https://monet.example.com/shop", "MONET_URL=https://"),
        ("MONET_URL", "https://monet.example.com:port", "MONET_URL=https://"),
        ("MONET_URL", "https://[::1", "MONET_URL=https://"),
        ("MONET_ALLOW_PRIVATE_ADDRESSES", "yes", "MONET_ALLOW_PRIVATE_ADDRESSES=1"),
        ("MONET_PROXIES", "-1", "MONET_PROXIES=1"),
        ("MONET_PROXIES", "²", "MONET_PROXIES=1"),
        ("MONET_PROXIES", "11", "MONET_PROXIES=1"),
        ("MONET_LOG", "xml", "MONET_LOG=json"),
    ],
)
def test_a_malformed_value_names_its_variable_and_what_to_type(name: str, value: str, typed: str) -> None:
    error = refused({**SERVER, name: value})
    assert name in error.message
    assert typed in error.fix
    assert "hunter2" not in str(error)


def test_an_unwritable_home_says_what_to_type(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    error = refused({"MONET_HOME": str(tmp_path / "file" / "home")})
    assert "can't be made" in error.message
    assert "MONET_HOME=" in error.fix


def test_a_slash_at_the_end_of_the_url_is_taken_off() -> None:
    assert Config.from_environment({**SERVER, "MONET_URL": "http://shop.test:81/"}).url == "http://shop.test:81"


@pytest.mark.parametrize(("url", "secure"), [("https://monet.example.com", True), ("http://10.0.0.5", False)])
def test_cookies_are_secure_unless_people_type_http(url: str, secure: bool) -> None:
    assert Config.from_environment({**SERVER, "MONET_URL": url}).has_secure_cookies is secure


def test_no_secret_shows_in_the_repr() -> None:
    config = Config.from_environment({**SERVER, "REDIS_URL": "redis://:hunter2@cache:6379"})
    for secret in ("hunter2", SECRET, ONE_KEY, OTHER_KEY):
        assert secret not in repr(config)


def test_a_process_that_needs_redis_says_so() -> None:
    with pytest.raises(ConfigError, match="REDIS_URL is not set"):
        require_redis(Config.from_environment(SERVER))


def test_doctor_can_list_every_variable() -> None:
    source = (CHECKOUT / "monet_web" / "config.py").read_text()
    read = set(re.findall(r'typed(?:\.get\(|, )"([A-Z_]+)"', source))
    assert {variable.name for variable in VARIABLES} == read


MAIL = {
    "MONET_SMTP_URL": "smtp://monet:hunter2@mail.example.com:587",
    "MONET_MAIL_FROM": "monet@example.com",
    "MONET_MAIL_TO": "ona@example.com, jonas@example.com",
    "MONET_ALERT_WEBHOOK": "https://hooks.example.com/hunter2",
}


def test_where_notices_go_is_read_and_kept_out_of_the_repr() -> None:
    config = Config.from_environment({**SERVER, **MAIL})
    assert (config.smtp_url, config.alert_webhook) == (MAIL["MONET_SMTP_URL"], MAIL["MONET_ALERT_WEBHOOK"])
    assert (config.mail_from, config.mail_to) == ("monet@example.com", ("ona@example.com", "jonas@example.com"))
    assert "hunter2" not in repr(config)


@pytest.mark.parametrize(
    ("name", "typed", "fix"),
    [
        ("MONET_SMTP_URL", "mail:hunter2", "smtp://user:password@host:587"),
        ("MONET_SMTP_URL", "smtp://u:hunter2@host:99999", "smtp://user:password@host:587"),
        ("MONET_SMTP_URL", "", "smtp://user:password@host:587"),
        ("MONET_MAIL_FROM", "", "MONET_MAIL_FROM=monet@example.com"),
        ("MONET_MAIL_TO", "ona@example.com; jonas", "MONET_MAIL_TO=ona@example.com"),
        ("MONET_MAIL_TO", ",", "MONET_MAIL_TO=ona@example.com"),
        ("MONET_ALERT_WEBHOOK", "http://hunter2.example.com", "MONET_ALERT_WEBHOOK=https://host/path"),
    ],
)
def test_a_way_for_notices_that_cant_work_says_what_to_type(name: str, typed: str, fix: str) -> None:
    error = refused({**SERVER, **MAIL, name: typed})
    assert fix in error.fix
    assert "hunter2" not in str(error)
