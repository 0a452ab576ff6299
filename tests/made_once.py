"""What the program makes once a start, kept from one test to the next: a test has an application of its own.

Compiled statements and the builders of addresses were a third of a page's test; nothing of them belongs to a database.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule

_compiled: dict[type, LRUCache[Any, Any]] = defaultdict(lambda: LRUCache(5000))
_builder = Rule._compile_builder


def keep() -> None:
    """From here on every engine of a kind shares compiled statements, and addresses are compiled when first built."""
    Engine._compiled_cache = property(_of_its_kind, lambda self, cache: None)  # type: ignore[assignment]
    # A compiled statement is found by its dialect too; all of a class are of one server, so they are as good as one.
    DefaultDialect.__eq__ = lambda self, other: type(self) is type(other)  # type: ignore[method-assign]
    DefaultDialect.__hash__ = lambda self: hash(type(self))  # type: ignore[method-assign]
    Rule._compile_builder = _builder_when_needed  # type: ignore[method-assign]


def _of_its_kind(engine: Engine) -> LRUCache[Any, Any]:
    return _compiled[type(engine.dialect)]


def _builder_when_needed(self: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
    made: list[Callable[..., tuple[str, str]]] = []

    def build(rule: Rule, **values: Any) -> tuple[str, str]:
        if not made:
            made.append(_builder(self, append_unknown))
        return made[0](rule, **values)

    return build
