"""`monet test`: everything by default, every step runs, and one failure is a failure."""

import pytest

from monet_web import testing
from monet_web.testing import Step


def names(arguments: list[str]) -> list[str]:
    return [step.name for step in testing.steps(arguments)]


def test_without_arguments_everything_is_checked() -> None:
    assert names([]) == ["ruff check", "ruff format --check", "mypy", "lint-imports", "pytest", "pytest, in order"]
    most, in_order = testing.steps([])[-2:]
    journey = "tests/browser/test_journals_journey.py"
    assert most.arguments == ("-m", "pytest", "-n", "auto", f"--ignore={journey}")
    assert in_order.arguments == ("-m", "pytest", journey)


def test_quick_leaves_the_slow_out() -> None:
    assert names(["--quick"]) == ["ruff check", "pytest"]
    assert testing.steps(["--quick"])[-1].arguments == (
        "-m",
        "pytest",
        "-n",
        "auto",
        "-m",
        "not slow",
    )


def test_what_is_typed_goes_to_pytest_alone() -> None:
    (step,) = testing.steps(["tests/ground", "-x", "--pdb"])
    assert step.arguments == ("-m", "pytest", "tests/ground", "-x", "--pdb")


def test_every_step_runs_and_one_failure_is_a_failure(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    broken, whole = Step("first", ("-c", "raise SystemExit(5)")), Step("second", ("-c", "print('ran')"))
    monkeypatch.setattr(testing, "steps", lambda _arguments: (broken, whole))
    assert testing.run([]) == 1
    assert capfd.readouterr().out == "\n== first\n\n== second\nran\n\nFailed: first\n"
    monkeypatch.setattr(testing, "steps", lambda _arguments: (whole,))
    assert testing.run([]) == 0
