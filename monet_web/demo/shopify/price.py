"""What a question costs in points, and the bucket they are taken from.

The price is a model: an object costs one point, money nothing, and a list of n costs its item times floor(2 ln n), the
law that the known prices of real questions lie near. Shopify's own published formula gives several times as much.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
)

MOST_OF_ONE: Final = 1000
_FREE: Final = frozenset({"MoneyBag", "MoneyV2", "PageInfo"})


@dataclass(frozen=True, slots=True)
class Plan:
    """Points in a full bucket, and points a second."""

    name: str
    most: float
    restored: float


STANDARD: Final = Plan("Grow", 2000, 100)
BASIC: Final = Plan("Basic", 2000, 100)
PLUS: Final = Plan("Plus", 20_000, 1000)


class Bucket:
    """A shop's points. `clock` gives seconds."""

    def __init__(self, plan: Plan, clock: Callable[[], float]) -> None:
        self.plan = plan
        self._clock = clock
        self._points = plan.most
        self._at = clock()
        self._lock = threading.Lock()

    def take(self, price: float) -> bool:
        """False when there are too few, and then nothing is taken."""
        with self._lock:
            self._refill()
            if price > self._points:
                return False
            self._points -= price
            return True

    def give_back(self, points: float) -> None:
        with self._lock:
            self._points = min(self.plan.most, self._points + points)

    def status(self) -> dict[str, float]:
        """`throttleStatus`."""
        with self._lock:
            self._refill()
            return {
                "maximumAvailable": self.plan.most,
                "currentlyAvailable": math.floor(self._points),
                "restoreRate": self.plan.restored,
            }

    def _refill(self) -> None:
        now = self._clock()
        self._points = min(self.plan.most, self._points + (now - self._at) * self.plan.restored)
        self._at = now


def requested(schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any]) -> int:
    """The price of the document's operation with these variables."""
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    operation = next(node for node in document.definitions if isinstance(node, OperationDefinitionNode))
    query = schema.query_type
    assert query is not None  # noqa: S101 - every schema has one
    return _Counter(schema, fragments, variables).of(operation.selection_set, query)


class _Counter:
    def __init__(
        self, schema: GraphQLSchema, fragments: Mapping[str, FragmentDefinitionNode], variables: Mapping[str, Any]
    ) -> None:
        self._schema = schema
        self._fragments = fragments
        self._variables = variables

    def of(self, selection: SelectionSetNode | None, parent: Any) -> int:
        price = 0
        for node in selection.selections if selection else ():
            if not self._is_included(node):
                continue
            if isinstance(node, FragmentSpreadNode):
                fragment = self._fragments[node.name.value]
                price += self.of(fragment.selection_set, self._schema.type_map[fragment.type_condition.name.value])
            elif isinstance(node, InlineFragmentNode):
                inner = self._schema.type_map[node.type_condition.name.value] if node.type_condition else parent
                price += self.of(node.selection_set, inner)
            elif isinstance(node, FieldNode) and not node.name.value.startswith("__"):
                price += self._field(node, parent)
        return price

    def _field(self, node: FieldNode, parent: Any) -> int:
        kind = parent.fields[node.name.value].type
        named = get_named_type(kind)
        if not isinstance(named, (GraphQLObjectType, GraphQLInterfaceType, GraphQLUnionType)):
            return 0
        inner = self.of(node.selection_set, named)
        first = self._first(node)
        if named.name.endswith("Connection"):
            return 2 + inner * first  # `nodes` inside has no number of its own, and counts one item
        if isinstance(get_nullable_type(kind), GraphQLList):
            return (1 + inner) * first
        return inner if named.name in _FREE else 1 + inner

    def _first(self, node: FieldNode) -> int:
        for argument in node.arguments or ():
            if argument.name.value in ("first", "last"):
                given = argument.value
                number = int(given.value) if isinstance(given, IntValueNode) else None
                if isinstance(given, VariableNode):
                    number = self._variables.get(given.name.value)
                return max(1, math.floor(2 * math.log(number))) if isinstance(number, int) and number > 1 else 1
        return 1

    def _is_included(self, node: Any) -> bool:
        for directive in node.directives or ():
            given = directive.arguments[0].value
            is_true = self._variables.get(given.name.value) if isinstance(given, VariableNode) else given.value
            if (directive.name.value == "include") != bool(is_true):
                return False
        return True
