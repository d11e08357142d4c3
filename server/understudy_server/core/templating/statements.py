# ruff: noqa: ARG001, ARG002, ARG005 - the signatures are those that templates see
"""Bodies, made into functions that print into a list of texts."""

from collections.abc import Callable, Iterable
from itertools import groupby
from typing import Any, Final, TypeAlias

from understudy_server.core.templating import nodes
from understudy_server.core.templating.building import Builder, Evaluate
from understudy_server.core.templating.faults import Fault
from understudy_server.core.templating.nodes import Body
from understudy_server.core.templating.running import MACROS_MAX, Run, Scope
from understudy_server.core.templating.values import (
    MISSING,
    Callee,
    Lookup,
    Namespace,
    Undefined,
    items_of,
    kind_of,
    text_of,
    truth,
)

Print: TypeAlias = Callable[[Run, list[str]], None]
"""Runs a statement, and puts what it prints at the end of the list."""

_LOOP_STEPS: Final = 8
_MACRO_STEPS: Final = 20


class _Left(Exception):
    """A loop is left, or its turn is."""

    def __init__(self, *, is_break: bool) -> None:
        super().__init__()
        self.is_break = is_break


_BREAK, _CONTINUE = _Left(is_break=True), _Left(is_break=False)


class Loop(Lookup):
    """What a loop knows of itself."""

    __slots__ = ("_index", "_items")

    def __init__(self, items: list[Any]) -> None:
        self._items = items
        self._index = -1

    def turn(self) -> None:
        """Go on to the next item."""
        self._index += 1

    def keys(self) -> Iterable[str]:
        return "index", "index0", "revindex", "revindex0", "first", "last", "length"

    def find(self, key: str) -> Any:
        index, length = self._index, len(self._items)
        match key:
            case "index":
                return index + 1
            case "index0":
                return index
            case "revindex":
                return length - index
            case "revindex0":
                return length - index - 1
            case "first":
                return index == 0
            case "last":
                return index == length - 1
            case "length":
                return length
            case "previtem":
                return self._items[index - 1] if index else MISSING
            case "nextitem":
                return self._items[index + 1] if index + 1 < length else MISSING
            case "cycle":
                return Callee("loop.cycle", self._cycle)
            case _:
                return MISSING

    def _cycle(self, run: Run, *values: Any) -> Any:
        if not values:
            raise Fault("loop.cycle needs something to go through")
        return values[self._index % len(values)]


class Statements:
    """Makes functions of bodies. Each that runs a body pays for its parts first."""

    def __init__(self, builder: Builder) -> None:
        self._builder = builder
        self._makers: dict[type, Callable[[Any], Print]] = {
            nodes.If: self._if,
            nodes.For: self._for,
            nodes.Set: self._set,
            nodes.SetBlock: self._set_block,
            nodes.With: self._with,
            nodes.Macro: self._macro,
            nodes.CallBlock: self._call_block,
            nodes.FilterBlock: self._filter_block,
            nodes.Do: self._do,
            nodes.Leave: self._leave,
        }

    def body(self, body: Body) -> Print:
        """Make a function that runs a body. Raises BadTemplate."""
        before, self._builder.cost = self._builder.cost, len(body)
        parts: list[Print] = []
        for flat, statements in groupby(body, lambda statement: isinstance(statement, nodes.Text | nodes.Print)):
            if flat:
                parts.append(self._flat(list(statements)))
            else:
                parts += [self._makers[type(statement)](statement) for statement in statements]
        cost, self._builder.cost = self._builder.cost, before
        if len(parts) == 1:
            only = parts[0]

            def run_one(run: Run, out: list[str]) -> None:
                run.take(cost)
                only(run, out)

            return run_one

        def run_body(run: Run, out: list[str]) -> None:
            run.take(cost)
            for part in parts:
                part(run, out)

        return run_body

    def _flat(self, body: list[Any]) -> Print:
        """Text and values one behind the other: what most templates are, and all of it."""
        texts = sum([len(each.text) for each in body if isinstance(each, nodes.Text)])
        parts: list[tuple[str, Evaluate | None, Undefined | None, int]] = [
            (each.text, None, None, 0) if isinstance(each, nodes.Text) else ("", *self._printable(each.of), each.line)
            for each in body
        ]

        def put(run: Run, out: list[str]) -> None:
            printed = texts
            for text, of, missing, line in parts:
                if of is None:
                    out.append(text)
                    continue
                value = of(run)
                if type(value) is not str:
                    value = _printed(run, missing if value is MISSING else value, line)
                printed += len(value)
                out.append(value)
            run.room -= printed
            if run.room < 0:
                run.print_room(0)

        return put

    def _printable(self, node: nodes.Expression) -> tuple[Evaluate, Undefined | None]:
        """Make a function of what is printed; with an Undefined it may return ``MISSING``, and that is meant."""
        return self._builder.shortcut(node) or (self._builder.make(node), None)

    def _if(self, node: nodes.If) -> Print:
        cases = [(self._builder.make(test), self.body(body)) for test, body in node.cases]
        otherwise = self.body(node.otherwise)
        line = node.line

        def choose(run: Run, out: list[str]) -> None:
            for test, body in cases:
                value = test(run)
                if value is True or (value is not False and _truth(value, line)):
                    return body(run, out)
            return otherwise(run, out)

        return choose

    def _for(self, node: nodes.For) -> Print:
        over = self._builder.make(node.over)
        only = self._builder.make(node.only) if node.only is not None else None
        body = self.body(node.body)
        otherwise = self.body(node.otherwise)
        targets, line = node.targets, node.line

        def repeat(run: Run, out: list[str]) -> None:
            around = run.scope
            items = _guard(line, items_of, run, over(run))
            try:
                if only is not None:
                    items = [item for item in items if _passes(run, around, targets, item, only, line)]
                loop = Loop(items)
                for item in items:
                    run.take(_LOOP_STEPS)
                    loop.turn()
                    run.scope = Scope({**_unpacked(targets, item, line), "loop": loop}, around)
                    try:
                        body(run, out)
                    except _Left as left:
                        if left.is_break:
                            break
            finally:
                run.scope = around
            if not items:
                otherwise(run, out)

        return repeat

    def _set(self, node: nodes.Set) -> Print:
        value, targets, line = self._builder.make(node.value), node.targets, node.line

        def put(run: Run, out: list[str]) -> None:
            for name, item in _unpacked(targets, value(run), line).items():
                _assign(run, name, item, line)

        return put

    def _set_block(self, node: nodes.SetBlock) -> Print:
        made, name, line = self._captured(node.body, node.filters), node.target, node.line
        return lambda run, out: _assign(run, name, made(run), line)

    def _captured(self, body: Body, filters: tuple[nodes.Filter, ...]) -> Evaluate:
        """What a body prints, as a value, put through filters."""
        inner = self.body(body)
        applied = [self._builder.filter_of(each) for each in filters]

        def capture(run: Run) -> Any:
            value: Any = _capture(run, inner)
            for apply in applied:
                value = apply(run, value)
            return value

        return capture

    def _with(self, node: nodes.With) -> Print:
        values = [(name, self._builder.make(value)) for name, value in node.values]
        body = self.body(node.body)

        def inside(run: Run, out: list[str]) -> None:
            around = run.scope
            run.scope = Scope({name: value(run) for name, value in values}, around)
            try:
                body(run, out)
            finally:
                run.scope = around

        return inside

    def _macro(self, node: nodes.Macro) -> Print:
        made, name = self._callee(node.name, node.parameters, node.body, node.line), node.name

        def define(run: Run, out: list[str]) -> None:
            run.scope.values[name] = made(run)

        return define

    def _callee(self, name: str, parameters: tuple[nodes.Parameter, ...], body: Body, line: int) -> Evaluate:
        """Make a function that makes a macro of the scope that it is run in."""
        wanted = [
            (each.name, self._builder.make(each.default) if each.default is not None else None) for each in parameters
        ]
        inner = self.body(body)

        def define(run: Run) -> Callee:
            scope = run.scope

            def call(run: Run, *positional: Any, **named: Any) -> str:
                run.take(_MACRO_STEPS)
                if run.depth >= MACROS_MAX:
                    raise Fault(f"{name} calls itself too deeply", line)
                before, run.depth = run.scope, run.depth + 1
                run.scope = Scope({"caller": named.pop("caller")} if "caller" in named else {}, scope)
                try:
                    _fill(run, name, wanted, positional, named)
                    return _capture(run, inner)
                finally:
                    run.scope, run.depth = before, run.depth - 1

            return Callee(name, call)

        return define

    def _call_block(self, node: nodes.CallBlock) -> Print:
        caller = self._callee("caller", node.parameters, node.body, node.line)
        name = nodes.Name(" caller", node.line)
        # The body is given to the macro under a name that no template can write.
        arguments = nodes.Arguments(node.call.arguments.positional, (*node.call.arguments.named, ("caller", name)))
        made = self._with_caller(nodes.Call(node.call.function, arguments, node.line))

        def put(run: Run, out: list[str]) -> None:
            around = run.scope
            run.scope = Scope({" caller": caller(run)}, around)
            try:
                value = _printed(run, made(run), node.line)
            finally:
                run.scope = around
            run.print_room(len(value))
            out.append(value)

        return put

    def _with_caller(self, call: nodes.Call) -> Evaluate:
        return self._builder.with_names({" caller"}).make(call)

    def _filter_block(self, node: nodes.FilterBlock) -> Print:
        made, line = self._captured(node.body, node.filters), node.line

        def put(run: Run, out: list[str]) -> None:
            value = _printed(run, made(run), line)
            run.print_room(len(value))
            out.append(value)

        return put

    def _do(self, node: nodes.Do) -> Print:
        of = self._builder.make(node.of)

        def do(run: Run, out: list[str]) -> None:
            of(run)

        return do

    def _leave(self, node: nodes.Leave) -> Print:
        left = _BREAK if node.is_break else _CONTINUE

        def leave(run: Run, out: list[str]) -> None:
            raise left

        return leave


def _capture(run: Run, body: Print) -> str:
    room, printed = run.room, []  # type: tuple[int, list[str]]
    body(run, printed)
    text = "".join(printed)
    run.take_for_text(len(text))
    run.room = room
    return text


def _printed(run: Run, value: Any, line: int) -> str:
    return str(_guard(line, text_of, run, value))


def _truth(value: Any, line: int) -> bool:
    return bool(_guard(line, lambda _, given: truth(given), None, value))


def _guard(line: int, function: Callable[[Any, Any], Any], run: Any, value: Any) -> Any:
    try:
        return function(run, value)
    except Fault as fault:
        fault.line = fault.line or line
        raise


def _passes(run: Run, around: Scope, targets: tuple[str, ...], item: Any, only: Evaluate, line: int) -> bool:
    run.take(_LOOP_STEPS)
    run.scope = Scope(_unpacked(targets, item, line), around)
    return _truth(only(run), line)


def _unpacked(targets: tuple[str, ...], value: Any, line: int) -> dict[str, Any]:
    if len(targets) == 1:
        return {targets[0]: value}
    if isinstance(value, Undefined):
        raise value.fault()
    if not isinstance(value, list | tuple) or len(value) != len(targets):
        raise Fault(f"{kind_of(value)} is not {len(targets)} values", line)
    return dict(zip(targets, value, strict=True))


def _assign(run: Run, name: str, value: Any, line: int) -> None:
    if "." not in name:
        run.scope.values[name] = value
        return
    holder, _, key = name.partition(".")
    scope: Scope | None = run.scope
    while scope is not None and holder not in scope.values:
        scope = scope.around
    namespace = scope.values[holder] if scope is not None else None
    if not isinstance(namespace, Namespace):
        raise Fault(f"{holder} is not a namespace", line)
    run.take(1)
    namespace.values[key] = value


def _fill(
    run: Run,
    name: str,
    wanted: list[tuple[str, Evaluate | None]],
    positional: tuple[Any, ...],
    named: dict[str, Any],
) -> None:
    """Give a macro's parameters their values, in its own scope."""
    if len(positional) > len(wanted):
        raise Fault(f"{name} takes {len(wanted)} arguments")
    values = run.scope.values
    for place, (parameter, default) in enumerate(wanted):
        if place < len(positional):
            if parameter in named:
                raise Fault(f"{name} is given {parameter} twice")
            values[parameter] = positional[place]
        elif parameter in named:
            values[parameter] = named.pop(parameter)
        elif default is not None:
            values[parameter] = default(run)
        else:
            values[parameter] = Undefined(parameter)
    if named:
        raise Fault(f"{name} has no parameter {next(iter(named))}")
