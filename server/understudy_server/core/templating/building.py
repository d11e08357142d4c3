# ruff: noqa: ARG001, ARG005 - every expression is a function of the run, whether it looks at it or not
"""Expressions, made into functions of a run.

What a step of the machine is elsewhere is a part of the template here: whoever runs a body pays for all of its parts at
once (`statements.py`), and each function pays for what depends on the values it meets.
"""

import inspect
from collections.abc import Callable
from typing import Any, TypeAlias

from understudy_server.core.templating import nodes
from understudy_server.core.templating.checks import TESTS, is_defined, is_undefined
from understudy_server.core.templating.faults import BadTemplate, Fault
from understudy_server.core.templating.language import Language, Shortcut
from understudy_server.core.templating.methods import method_of
from understudy_server.core.templating.nodes import Arguments, Expression
from understudy_server.core.templating.operations import BINARY, COMPARISONS, sliced
from understudy_server.core.templating.running import Run, Scope
from understudy_server.core.templating.standard import STANDARD
from understudy_server.core.templating.values import (
    MISSING,
    Callee,
    Lookup,
    Undefined,
    attribute,
    kind_of,
    number,
    truth,
)

Evaluate: TypeAlias = Callable[[Run], Any]
Given: TypeAlias = Callable[[Run], tuple[list[Any], dict[str, Any]]]

_ERRORS = (ValueError, ArithmeticError, OverflowError, TypeError)


class Builder:
    """Makes functions of expressions. ``bound`` are the names that the template gives values to."""

    def __init__(self, language: Language, bound: frozenset[str]) -> None:
        self._language = language
        self._bound = bound
        self.cost = 0
        """Steps of all that was made since it was last set to 0."""
        self.needs: set[tuple[str, ...]] = set()
        """The paths of names that are asked for."""
        self._makers: dict[type, Callable[[Any], Evaluate]] = {
            nodes.Constant: self._constant,
            nodes.Name: self._name,
            nodes.Attribute: self._attribute,
            nodes.Item: self._item,
            nodes.Slice: self._slice,
            nodes.Call: self._call,
            nodes.Filter: self._filter,
            nodes.Test: self._test,
            nodes.Not: self._not,
            nodes.Sign: self._sign,
            nodes.Binary: self._binary,
            nodes.Compare: self._compare,
            nodes.Either: self._either,
            nodes.Choice: self._choice,
            nodes.Sequence: self._sequence,
            nodes.Mapping: self._mapping,
        }

    def with_names(self, names: set[str]) -> "Builder":
        """The same, for a part of the template that knows more names."""
        other = Builder(self._language, self._bound | names)
        other.needs = self.needs
        return other

    def make(self, expression: Expression) -> Evaluate:
        """Make a function that evaluates an expression. Raises BadTemplate."""
        self.cost += 1
        return self._makers[type(expression)](expression)

    def _constant(self, node: nodes.Constant) -> Evaluate:
        value = node.value
        return lambda run: value

    def _name(self, node: nodes.Name) -> Evaluate:
        self.needs.add((node.name,))
        return self._named(node.name)

    def _named(self, name: str) -> Evaluate:
        root = self._language.roots.get(name) or self._function(name)
        if name not in self._bound:
            return root

        def look(run: Run) -> Any:
            scope: Scope | None = run.scope
            while scope is not None:
                if name in scope.values:
                    return scope.values[name]
                scope = scope.around
            return root(run)

        return look

    def _function(self, name: str) -> Evaluate:
        function = self._language.functions.get(name) or STANDARD.get(name)
        value: Any = Callee(name, function) if function else self._language.wording.name(name)
        return lambda run: value

    def _attribute(self, node: nodes.Attribute) -> Evaluate:
        path = _path_of(node)
        described = ".".join(path) if path else f"{node.name!r} of a value"
        if shortened := self.shortcut(node):
            shortcut, missing = shortened

            def cut(run: Run) -> Any:
                found = shortcut(run)
                return missing if found is MISSING else found

            return cut
        # A part of a path that is on record already needs no record of its own.
        of = self._quietly(node.of) if path and path[0] not in self._bound else self.make(node.of)
        name, line, part = node.name, node.line, self._language.wording.part

        def get(run: Run) -> Any:
            value = of(run)
            if type(value) is dict:
                found = value.get(name, MISSING)
                return found if found is not MISSING else part(value, name, described)
            try:
                return attribute(value, name, described, part)
            except Fault as fault:
                raise _at(fault, line) from None

        return get

    def shortcut(self, node: Expression) -> tuple[Shortcut, Undefined] | None:
        """The shortcut to the end of a path, and what is there when it leads to ``MISSING``. Raises BadTemplate."""
        if not isinstance(node, nodes.Attribute | nodes.Item):
            return None
        path = _path_of(node)
        if path is None or path[0] in self._bound:
            return None
        self.needs.add(path)
        try:
            shortcut = self._language.shortcut(path)
        except ValueError as error:
            raise BadTemplate(str(error), node.line) from error
        return (shortcut, Undefined(".".join(path))) if shortcut else None

    def _quietly(self, node: Expression) -> Evaluate:
        before = set(self.needs)
        made = self.make(node)
        self.needs = before
        return made

    def _item(self, node: nodes.Item) -> Evaluate:
        if isinstance(node.index, nodes.Constant) and isinstance(node.index.value, str):
            return self._attribute(nodes.Attribute(node.of, node.index.value, node.line))
        of, index, line, part = self.make(node.of), self.make(node.index), node.line, self._language.wording.part

        def get(run: Run) -> Any:
            value, key = of(run), index(run)
            try:
                if isinstance(key, Undefined):
                    raise key.fault()
                return attribute(value, key, "", part)
            except Fault as fault:
                raise _at(fault, line) from None

        return get

    def _slice(self, node: nodes.Slice) -> Evaluate:
        of, line = self.make(node.of), node.line
        bounds = [self.make(bound) if bound is not None else _none for bound in (node.start, node.stop, node.step)]
        start, stop, step = bounds
        return _guarded(lambda run: sliced(run, of(run), start(run), stop(run), step(run)), line)

    def _call(self, node: nodes.Call) -> Evaluate:
        function = node.function
        if isinstance(function, nodes.Attribute):
            return self._method(node, function)
        if isinstance(function, nodes.Name) and function.name not in self._bound:
            known = self._language.functions.get(function.name) or STANDARD.get(function.name)
            if known is not None:
                self.needs.add((f"{function.name}()",))
                _check_arguments(known, function.name, node.arguments, node.line, before=1)
                given = self._given(node.arguments)
                return _guarded(_applied(known, given), node.line)
        made, given, line = self.make(function), self._given(node.arguments), node.line

        def call(run: Run) -> Any:
            return _callable(made(run))(run, *(got := given(run))[0], **got[1])

        return _guarded(call, line)

    def _method(self, node: nodes.Call, function: nodes.Attribute) -> Evaluate:
        path = _path_of(function)
        if path and path[0] not in self._bound:
            self.needs.add((*path[:-1], f"{path[-1]}()"))
            if len(path) == 2 and path[0] in self._language.modules:
                return self._module(node, *path)
        of = self._quietly(function.of) if path and path[0] not in self._bound else self.make(function.of)
        given, name, lacks = self._given(node.arguments), function.name, self._language.wording.function

        def call(run: Run) -> Any:
            value = of(run)
            if isinstance(value, Lookup | dict):
                held = attribute(value, name)
                if isinstance(held, Callee):
                    return held.function(run, *(got := given(run))[0], **got[1])
            method = method_of(value, name)
            if method is None:
                if isinstance(value, Undefined):
                    raise value.fault()
                raise lacks(value, name)
            return method(run, value, *(got := given(run))[0], **got[1])

        return _guarded(call, node.line)

    def _module(self, node: nodes.Call, module: str, name: str) -> Evaluate:
        function = self._language.modules[module](name)
        if function is None:
            raise BadTemplate(f"there is no function {module}.{name}", node.line)
        _check_arguments(function, f"{module}.{name}", node.arguments, node.line, before=1)
        return _guarded(_applied(function, self._given(node.arguments)), node.line)

    def _given(self, arguments: Arguments) -> Given:
        positional = [self.make(argument) for argument in arguments.positional]
        named = [(name, self.make(argument)) for name, argument in arguments.named]
        if not named:
            return lambda run: ([argument(run) for argument in positional], {})
        return lambda run: ([argument(run) for argument in positional], {name: made(run) for name, made in named})

    def _filter(self, node: nodes.Filter) -> Evaluate:
        if node.of is None:
            raise AssertionError("a filter of a block is made by `filter_of`")
        apply, of = self.filter_of(node), self.make(node.of)
        return lambda run: apply(run, of(run))

    def filter_of(self, node: nodes.Filter) -> Callable[[Run, Any], Any]:
        """Make a function that puts a value through a filter. Raises BadTemplate."""
        function = self._language.filter_named(node.name)
        if node.name in self._language.filters:
            self.needs.add((f"|{node.name}",))
        if function is None:
            raise BadTemplate(f"there is no filter {node.name!r}", node.line)
        _check_arguments(function, f"the filter {node.name}", node.arguments, node.line, before=2)
        given, line = self._given(node.arguments), node.line
        self.cost += 2
        takes_nothing = node.name in ("default", "d")

        def apply(run: Run, value: Any) -> Any:
            try:
                if isinstance(value, Undefined) and not takes_nothing:
                    raise value.fault()
                positional, named = given(run)
                return function(run, value, *positional, **named)
            except Fault as fault:
                raise _at(fault, line) from None
            except _ERRORS as error:
                raise Fault(_said(error), line) from error

        return apply

    def _test(self, node: nodes.Test) -> Evaluate:
        function = TESTS.get(node.name)
        if function is None:
            raise BadTemplate(f"there is no test {node.name!r}", node.line)
        _check_arguments(function, f"the test {node.name}", node.arguments, node.line, before=2)
        of, given = self.make(node.of), self._given(node.arguments)
        takes_nothing = function in (is_defined, is_undefined)

        def test(run: Run) -> Any:
            value = of(run)
            if isinstance(value, Undefined) and not takes_nothing:
                raise value.fault()
            return function(run, value, *given(run)[0])

        return _guarded(test, node.line)

    def _not(self, node: nodes.Not) -> Evaluate:
        of = self.make(node.of)
        return _guarded(lambda run: not truth(of(run)), node.line)

    def _sign(self, node: nodes.Sign) -> Evaluate:
        of = self.make(node.of)
        if node.sign == "-":
            return _guarded(lambda run: -number(of(run)), node.line)
        return _guarded(lambda run: +number(of(run)), node.line)

    def _binary(self, node: nodes.Binary) -> Evaluate:
        calculate, left, right = BINARY[node.sign], self.make(node.left), self.make(node.right)
        self.cost += 2
        return _guarded(lambda run: calculate(run, left(run), right(run)), node.line)

    def _compare(self, node: nodes.Compare) -> Evaluate:
        first = self.make(node.first)
        others = [(COMPARISONS[sign], self.make(other)) for sign, other in node.others]
        self.cost += 2 * len(others)

        def compare(run: Run) -> bool:
            left = first(run)
            for holds, other in others:
                right = other(run)
                if not holds(run, left, right):
                    return False
                left = right
            return True

        return _guarded(compare, node.line)

    def _either(self, node: nodes.Either) -> Evaluate:
        left, right = self.make(node.left), self.make(node.right)
        if node.is_and:

            def both(run: Run) -> Any:
                return right(run) if truth(value := left(run)) else value

            return _guarded(both, node.line)

        def either(run: Run) -> Any:
            return value if truth(value := left(run)) else right(run)

        return _guarded(either, node.line)

    def _choice(self, node: nodes.Choice) -> Evaluate:
        test, yes = self.make(node.test), self.make(node.yes)
        no = self.make(node.no) if node.no is not None else _nothing
        return _guarded(lambda run: yes(run) if truth(test(run)) else no(run), node.line)

    def _sequence(self, node: nodes.Sequence) -> Evaluate:
        items = [self.make(item) for item in node.items]
        if node.is_tuple:
            return lambda run: tuple([item(run) for item in items])
        return lambda run: [item(run) for item in items]

    def _mapping(self, node: nodes.Mapping) -> Evaluate:
        items = [(self.make(key), self.make(value)) for key, value in node.items]

        def mapping(run: Run) -> dict[Any, Any]:
            found = {}
            for key, value in items:
                name = key(run)
                if not isinstance(name, str | int | float | None):
                    raise name.fault() if isinstance(name, Undefined) else Fault(f"{kind_of(name)} cannot be a key")
                found[name] = value(run)
            return found

        return _guarded(mapping, node.line)


def _none(run: Run) -> None:
    return None


def _nothing(run: Run) -> str:
    return ""


def _applied(function: Callable[..., Any], given: Given) -> Evaluate:
    def call(run: Run) -> Any:
        positional, named = given(run)
        return function(run, *positional, **named)

    return call


def _callable(value: Any) -> Callable[..., Any]:
    if isinstance(value, Callee):
        return value.function
    raise value.fault() if isinstance(value, Undefined) else Fault(f"{kind_of(value)} is not a function")


def _guarded(evaluate: Evaluate, line: int) -> Evaluate:
    """Say where it was, should it fail."""

    def guarded(run: Run) -> Any:
        try:
            return evaluate(run)
        except Fault as fault:
            raise _at(fault, line) from None
        except _ERRORS as error:
            raise Fault(_said(error), line) from error

    return guarded


def _at(fault: Fault, line: int) -> Fault:
    fault.line = fault.line or line
    return fault


def _said(error: BaseException) -> str:
    match error:
        case ZeroDivisionError():
            return "nothing can be divided by 0"
        case OverflowError():
            return "a number grows too large"
        case TypeError():
            return "it was given what it cannot take"
        case _:
            return "it was given a value that it cannot take"


def _path_of(node: Expression) -> tuple[str, ...] | None:
    """The names of ``a.b.c`` (or ``a["b"].c``); ``None`` for anything else."""
    names: list[str] = []
    while not isinstance(node, nodes.Name):
        if isinstance(node, nodes.Attribute):
            names.append(node.name)
            node = node.of
        elif (
            isinstance(node, nodes.Item)
            and isinstance(node.index, nodes.Constant)
            and isinstance(node.index.value, str)
        ):
            names.append(node.index.value)
            node = node.of
        else:
            return None
    return (node.name, *reversed(names))


def _check_arguments(function: Callable[..., Any], name: str, given: Arguments, line: int, before: int) -> None:
    """Refuse arguments that the function cannot take. Raises BadTemplate."""
    try:
        inspect.signature(function).bind(
            *([None] * (before + len(given.positional))), **dict.fromkeys([name for name, _ in given.named])
        )
    except TypeError as error:
        raise BadTemplate(f"{name} takes other arguments: {error}", line) from error
