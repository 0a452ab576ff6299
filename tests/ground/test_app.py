"""The application: strict headers, secure cookies, and health told in sentences."""

import os
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask, request, session
from rq import Worker

from monet_web import embedded, queues
from monet_web.app import create_app
from monet_web.blueprints.access import open_to_everybody
from monet_web.blueprints.health import views
from monet_web.config import Config
from monet_web.migrate import upgrade
from monet_web.scheduler import PersistentScheduler


@pytest.fixture
def config(tmp_path: Path) -> Config:
    config = Config.from_environment({"MONET_HOME": str(tmp_path)})
    upgrade(config.database_url)
    return config


def app_with_a_page(config: Config) -> Flask:
    app = create_app(config)

    @app.get("/page")
    @open_to_everybody
    def page() -> str:
        session["seen"] = "yes"
        return f"{request.remote_addr} {request.scheme} {request.host}"

    return app


def test_every_answer_carries_the_security_headers(config: Config) -> None:
    client = app_with_a_page(config).test_client()
    for path in ("/page", "/healthz", "/nowhere"):
        headers = client.get(path).headers
        assert headers["Content-Security-Policy"] == (
            "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
        )
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"


def test_static_files_carry_them_too_and_their_versions_are_kept_for_long(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monet_web.app.STATIC", tmp_path)
    (tmp_path / "monet.css").write_text("body {}")
    (tmp_path / "htmx-2.0.11.min.js").write_text("//")
    client = create_app(config).test_client()
    for name, kept in (
        ("monet.css", "max-age=300, public"),
        ("htmx-2.0.11.min.js", "max-age=315360000, public, immutable"),
    ):
        with client.get(f"/static/{name}") as answer:
            assert answer.status_code == 200
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Content-Security-Policy"].startswith("default-src 'self'")
            assert answer.headers["Cache-Control"] == kept
            assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize(("url", "is_secure"), [("https://monet.test", True), ("http://monet.test", False)])
def test_the_session_cookie_is_secure_unless_people_type_http(config: Config, url: str, is_secure: bool) -> None:
    cookie = app_with_a_page(replace(config, url=url)).test_client().get("/page").headers["Set-Cookie"]
    assert ("; Secure" in cookie) is is_secure
    assert "; HttpOnly" in cookie
    assert "; SameSite=Lax" in cookie


@pytest.mark.parametrize(
    ("proxies", "seen"),
    [(0, "127.0.0.1 http localhost"), (1, "10.0.0.9 https monet.test"), (2, "203.0.113.7 https monet.test")],
)
def test_only_as_many_proxies_are_believed_as_were_named(config: Config, proxies: int, seen: str) -> None:
    headers = {
        "X-Forwarded-For": "203.0.113.7, 10.0.0.9",
        "X-Forwarded-Proto": "https, https",
        "X-Forwarded-Host": "monet.test, monet.test",
    }
    answer = app_with_a_page(replace(config, proxies=proxies)).test_client().get("/page", headers=headers)
    assert answer.text == seen


def test_a_change_without_a_csrf_token_is_refused(config: Config) -> None:
    app = create_app(config)

    @app.post("/change")
    @open_to_everybody
    def change() -> str:
        return "changed"

    assert app.test_client().post("/change").status_code == 400


def test_alive_asks_nobody(config: Config, tmp_path: Path) -> None:
    broken = replace(
        config, database_url=f"sqlite:///{tmp_path}/no/such/folder/x.sqlite3", redis_url="redis://127.0.0.1:1"
    )
    answer = create_app(broken).test_client().get("/healthz")
    assert answer.status_code == 200
    assert answer.json == {"ok": True, "web": "The web process answers."}
    assert "Set-Cookie" not in answer.headers


def test_not_ready_without_a_database_and_redis(config: Config, tmp_path: Path) -> None:
    broken = replace(
        config, database_url=f"sqlite:///{tmp_path}/no/such/folder/x.sqlite3", redis_url="redis://127.0.0.1:1"
    )
    answer = create_app(broken).test_client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json == {
        "ok": False,
        "database": "The database does not answer.",
        "redis": "Redis does not answer.",
        "worker": "Redis does not answer.",
        "ticker": "Redis does not answer.",
        "scheduler": "Redis does not answer.",
    }


def test_not_ready_where_no_redis_was_named(config: Config) -> None:
    answer = create_app(config).test_client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json is not None
    assert answer.json["database"] == "The database answers."
    assert "REDIS_URL is not set" in answer.json["worker"]


def test_ready_once_a_worker_and_a_scheduler_live(config: Config) -> None:
    with embedded.valkey(config.home) as url, queues.connect(url) as redis:
        client = create_app(replace(config, redis_url=url)).test_client()
        answer = client.get("/readyz")
        assert answer.status_code == 503
        assert answer.json == {
            "ok": False,
            "database": "The database answers.",
            "redis": "Redis answers.",
            "worker": "No worker is alive: nothing is imported until one is started.",
            "ticker": "No ticker is alive: while a worker imports, nobody looks at the timetable.",
            "scheduler": "No scheduler is alive: the timetable stands still until one is started.",
        }
        worker = Worker(["default"], connection=redis)
        worker.register_birth()
        scheduler = PersistentScheduler(connection=redis, interval=5)
        scheduler.register_birth()
        assert client.get("/readyz").status_code == 503  # both are needed
        ticker = Worker([queues.TIMETABLE], connection=redis)
        ticker.register_birth()
        answer = client.get("/readyz")
        assert answer.status_code == 200
        assert answer.json == {
            "ok": True,
            "database": "The database answers.",
            "redis": "Redis answers.",
            "worker": "1 worker is alive.",
            "ticker": "The ticker is alive.",
            "scheduler": "The scheduler is alive.",
        }
        scheduler.register_death()
        redis.hset(worker.key, "last_heartbeat", "2020-01-01T00:00:00.000000Z")
        assert client.get("/readyz").status_code == 503
        assert not views.worker_sign(redis).lives
        assert views.ticker_sign(redis).lives
        assert not views.scheduler_sign(redis).lives


def test_a_scheduler_that_redis_forgot_shows_itself_again(config: Config) -> None:
    with embedded.valkey(config.home) as url, queues.connect(url) as redis:
        scheduler = PersistentScheduler(connection=redis, interval=5)
        scheduler.register_birth()
        redis.delete(scheduler.key)
        scheduler.heartbeat()
        assert views.scheduler_sign(redis).lives
        assert 0 < redis.ttl(scheduler.key) <= 15


def test_the_limiter_counts_on_a_unix_socket(config: Config) -> None:
    with embedded.valkey(config.home) as url:
        app = create_app(replace(config, redis_url=url))
        from monet_web.extensions import limiter

        @app.get("/guess")
        @limiter.limit("2 per minute")
        @open_to_everybody
        def guess() -> str:
            return "wrong"

        client = app.test_client()
        assert [client.get("/guess").status_code for _ in range(3)] == [200, 200, 429]
        with queues.connect(url) as redis:
            assert any(b"guess" in key for key in redis.keys("*"))


def test_the_limiter_still_counts_when_redis_died(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monet_web.extensions.limiter._storage_dead", False)  # put back for the tests after this one
    with embedded.valkey(config.home) as url, queues.connect(url) as redis:
        app = create_app(replace(config, redis_url=url))
        from monet_web.extensions import limiter

        @app.get("/guess")
        @limiter.limit("2 per minute")
        @open_to_everybody
        def guess() -> str:
            return "wrong"

        os.kill(int(redis.info("server")["process_id"]), signal.SIGKILL)
        while embedded.answers(config.home):
            time.sleep(0.01)
        client = app.test_client()
        assert [client.get("/guess").status_code for _ in range(3)] == [200, 200, 429]
