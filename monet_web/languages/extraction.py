"""A method of pybabel (babel.cfg): the English that services, domain and connectors say, as templates with {names}.

The inner rooms know no language: they raise and keep plain English, f-strings included. A string counts as said when
it holds words: not a docstring, not the text of a log, not a fault of a programmer.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import IO, Any

from monet_web.languages.catalog import SAID

_LITHUANIAN = re.compile("[ąčęėįšųūž]")
_WORD = re.compile(r"[^\W\d_]{2,}")
# Paths, patterns, SQL, GraphQL, names of fields: nobody is told those.
_NOISE = re.compile(
    r"""\n | \\ | :: | [<>]= | \*\* | /\{ | [a-z]:\{ | [a-z]At\b | [a-z]_[a-z]+[ ][a-z]+_
      | \b(?:SELECT|FROM|PRAGMA)\b | ^query[ ] | ^https?: | ^[a-z_]+= | ^[\w ]*\(?% | ^[\W\d]*$
      | ^[\w.-]+/[\w./ -]*$""",
    re.VERBOSE,
)
_FAULTS = frozenset(
    {"ValueError", "TypeError", "LookupError", "KeyError", "RuntimeError", "AssertionError", "NotImplementedError"}
)
# Sentences and General hold both languages already.
_PLUMBING = frozenset(
    {
        "text",
        "compile",
        "sub",
        "match",
        "search",
        "split",
        "getLogger",
        "literal_column",
        "index",
        "Sentences",
        "General",
    }
)
# What is declared with a label and a help, of which either may be one word.
_DECLARED = frozenset({"Setting", "Parameter"})
_NAMELESS = frozenset({"self", "str", "len", "join", "strip", "lower", "upper", "format", "sorted", "name_of", "int"})


def said(
    fileobj: IO[bytes], keywords: Any, comment_tags: Any, options: Any
) -> Iterator[tuple[int, str, Any, list[str]]]:
    """What one file says, as pybabel wants it: (line, "pgettext", (context, template), comments)."""
    del keywords, comment_tags  # pybabel gives them to every method
    for line, template in templates(ast.parse(fileobj.read()), even_short=options.get("even_short") == "yes"):
        yield line, "pgettext", (SAID, template), []


def marked(
    fileobj: IO[bytes], keywords: Any, comment_tags: Any, options: Any
) -> Iterator[tuple[int, str, Any, list[str]]]:
    """What the pages' own code marks with `_()` and its like. Babel's method misses what stands within an f-string."""
    del comment_tags, options
    for node in ast.walk(ast.parse(fileobj.read())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            texts = tuple(each.value for each in node.args if isinstance(each, ast.Constant))
            if name in keywords and texts and all(isinstance(text, str) for text in texts):
                yield node.lineno, name, texts if len(texts) > 1 else texts[0], []


def templates(tree: ast.AST, *, even_short: bool = False) -> Iterator[tuple[int, str]]:
    """(line, template) of each string that is said, in the order of the file; `even_short`: also of one word."""
    unsaid, labels = set(_unsaid(tree)), set(_labels(tree))
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant | ast.JoinedStr) or id(node) in unsaid:
            continue
        template = _template(node)
        if _WORD.search(template) and (even_short or id(node) in labels or _speaks(template)):
            yield node.lineno, template.strip()


def _speaks(template: str) -> bool:
    bare = re.sub(r"\{\w*\}", " ", template)
    if _NOISE.search(template) or " " not in template.strip():
        return False
    words = _WORD.findall(bare)
    if len(words) == 1:
        return template[:1].isupper() and "{" in template
    return len(words) >= 2 and not bare.isupper()


def _template(node: ast.Constant | ast.JoinedStr) -> str:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    used: dict[str, int] = {}
    parts = []
    for part in node.values:
        if isinstance(part, ast.FormattedValue):
            parts.append("{" + _name(part.value, used) + "}")
        elif isinstance(part, ast.Constant):
            parts.append(str(part.value))
    return "".join(parts)


def _name(expression: ast.AST, used: dict[str, int]) -> str:
    """What the value of a placeholder is called: the last name in its expression, with a number when it comes again."""
    names = [each for each in _names(expression) if each not in _NAMELESS]
    name = names[-1].strip("_") if names else "x"
    used[name] = used.get(name, 0) + 1
    return name if used[name] == 1 else f"{name}{used[name]}"


def _names(expression: ast.AST) -> Iterator[str]:
    for node in ast.walk(expression):
        if isinstance(node, ast.Name):
            yield node.id.lower()
        elif isinstance(node, ast.Attribute):
            yield node.attr.lower()


def _labels(tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _DECLARED:
            yield from (id(each) for each in node.args[1:3])


def _unsaid(tree: ast.AST) -> Iterator[int]:
    """The strings that nobody is told."""
    for node in ast.walk(tree):
        match node:
            case ast.Module(body=body) | ast.ClassDef(body=body) if body and isinstance(body[0], ast.Expr):
                yield id(body[0].value)
            case ast.FunctionDef(name="__repr__"):
                yield from _within(node)
            case ast.FunctionDef(body=body) | ast.AsyncFunctionDef(body=body) if isinstance(body[0], ast.Expr):
                yield id(body[0].value)
            case ast.Raise(exc=ast.Call(func=ast.Name(id=name))) if name in _FAULTS:
                yield from _within(node)
            case ast.Call(func=ast.Attribute(value=ast.Name(id="log"))):
                yield from _within(node)
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in _PLUMBING:
                yield from (id(each) for each in node.args)
            case ast.JoinedStr(values=values):
                yield from (id(part) for part in values if isinstance(part, ast.Constant))
            case ast.Dict(values=values) if any(_is_pair(each) for each in values):
                for each in values:
                    yield from _within(each)
            case ast.Tuple() if _is_pair(node):
                yield from _within(node)
            case ast.AnnAssign():
                yield from _within(node.annotation)
            case _:
                pass


def _is_pair(node: ast.AST) -> bool:
    """A sentence in both languages, side by side: (English, Lithuanian)."""
    match node:
        case ast.Tuple(elts=[ast.Constant(value=str()), ast.Constant(value=str(second))]):
            return _LITHUANIAN.search(second) is not None
        case _:
            return False


def _within(node: ast.AST) -> Iterator[int]:
    return (id(each) for each in ast.walk(node))
