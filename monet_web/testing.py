"""`monet test`: the one command for people and CI. Every check runs, even after one that failed."""

import os
import subprocess
import sys
from dataclasses import dataclass

from monet_web.config import CHECKOUT


@dataclass(frozen=True, slots=True)
class Step:
    """One check: what its heading says, and the arguments to this Python."""

    name: str
    arguments: tuple[str, ...]


LINT = Step("ruff check", ("-m", "ruff", "check", "."))
FORMAT = Step("ruff format --check", ("-m", "ruff", "format", "--check", "."))
TYPES = Step("mypy", ("-m", "mypy"))
# Called by name and not by the script beside Python: scripts break when the checkout is moved.
IMPORTS = Step(
    "lint-imports",
    ("-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"),
)

# Its tests go on where the one before ended, so no two processes may share them.
_IN_ORDER = "tests/browser/test_journals_journey.py"
JOURNEY = Step("pytest, in order", ("-m", "pytest", _IN_ORDER))


def steps(arguments: list[str]) -> tuple[Step, ...]:
    """Nothing typed: everything; `--quick`: lint and the quick tests; anything else: pytest alone with it."""
    if not arguments:
        return (LINT, FORMAT, TYPES, IMPORTS, _tests(f"--ignore={_IN_ORDER}"), JOURNEY)
    if arguments == ["--quick"]:
        return (LINT, _tests("-m", "not slow"))
    return (_tests(*(each for each in arguments if each != "--quick")),)


def run(arguments: list[str]) -> int:
    """Run the steps in the checkout, each under its heading; 0 when all passed, else 1."""
    failed = []
    for step in steps(arguments):
        print(f"\n== {step.name}", flush=True)
        # PYTHONPATH as `./monet` set it: the checks must see the same package wherever they are started.
        environ = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
        ended = subprocess.run([sys.executable, *step.arguments], cwd=CHECKOUT, env=environ, check=False)
        if ended.returncode:
            failed.append(step.name)
    print(f"\n{'Failed: ' + ', '.join(failed) if failed else 'All checks passed.'}", flush=True)
    return 1 if failed else 0


def _tests(*arguments: str) -> Step:
    typed = set(arguments)
    # Processes of their own make one named test slower, and -s, --pdb and the like impossible.
    own_processes = ("-n", "auto") if typed <= {"-m", "not slow", f"--ignore={_IN_ORDER}"} else ()
    return Step("pytest", ("-m", "pytest", *own_processes, *arguments))
