"""Reading a whole template: text, what is printed, and blocks within blocks."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Final, NamedTuple

from understudy_server.core.templating import nodes
from understudy_server.core.templating.expressions import (
    read_call_arguments,
    read_expression,
    read_expression_or_tuple,
    read_filters,
    read_operand,
)
from understudy_server.core.templating.faults import BadTemplate, Misplaced
from understudy_server.core.templating.nodes import Body, Expression, Parameter, Statement
from understudy_server.core.templating.scanning import Kind, Piece, Scanner
from understudy_server.core.templating.tokens import Tokens

BLOCKS_MAX: Final = 25
"""Blocks within blocks, at most."""

RESERVED: Final = frozenset({"and", "or", "not", "in", "is", "if", "else"})
_ELSEWHERE: Final = frozenset({"include", "import", "from", "extends", "block"})


class Parsed(NamedTuple):
    """A template that was read. ``bound`` are the names that it gives values to, ``tokens`` how many it was made of."""

    body: Body
    bound: frozenset[str]
    tokens: int


def parse(source: str, without: frozenset[str] = frozenset()) -> Parsed:
    """Read a template, of a language ``without`` some tags. Raises BadTemplate."""
    scanner = Scanner(source)
    parser = _Parser(scanner.pieces(), without)
    return Parsed(parser.whole(), frozenset(parser.bound), scanner.tokens)


class _Parser:
    def __init__(self, pieces: Iterator[Piece], without: frozenset[str]) -> None:
        self._pieces = pieces
        self._without = without
        self._depth = 0
        self._sought: list[tuple[str, ...]] = []
        """The words that go on with each open block, or end it."""
        self._loops = 0
        self.bound: set[str] = set()
        self._blocks: Mapping[str, Callable[[Tokens, int], Statement]] = {
            "if": self._if,
            "for": self._for,
            "set": self._set,
            "with": self._with,
            "macro": self._macro,
            "call": self._call,
            "filter": self._filter,
            "do": self._do,
            "break": partial(self._leave, is_break=True),
            "continue": partial(self._leave, is_break=False),
        }

    def whole(self) -> Body:
        body, ended_by, _ = self._body(())
        if ended_by:
            raise AssertionError(ended_by)
        return body

    def _body(self, ends: tuple[str, ...], begun: int = 0) -> tuple[Body, str, Tokens]:
        """Read up to one of the tags that end it. Returns that tag's word and tokens."""
        self._depth += 1
        if self._depth > BLOCKS_MAX:
            raise BadTemplate("blocks are nested too deeply", begun)
        if ends:
            self._sought.append(ends)
        found: list[Statement] = []
        for piece in self._pieces:
            if not piece.opening:
                found.append(nodes.Text(piece.text))
                continue
            tokens = Tokens(piece.tokens)
            if piece.opening == "{{":
                found.append(_print(tokens, piece))
                continue
            word = tokens.expect_name()
            if word in ends:
                self._depth -= 1
                self._sought.pop()
                return tuple(found), word, tokens
            found.append(self._statement(word, tokens, piece.line))
        if ends:
            (end,) = [word for word in ends if word.startswith("end")]
            raise self._misplaced(f"a block has no {end}", begun)
        return tuple(found), "", Tokens(())

    def _inner(self, end: str, begun: int) -> Body:
        body, _, tokens = self._body((end,), begun)
        tokens.take_name(*self.bound)
        tokens.expect_end()
        return body

    def _statement(self, word: str, tokens: Tokens, line: int) -> Statement:
        read = self._blocks.get(word)
        if read is not None and word not in self._without:
            return read(tokens, line)
        if word in _ELSEWHERE:
            raise BadTemplate(f"{word} is not possible: a template stands alone", line)
        if word.startswith("end") or word in ("else", "elif"):
            raise self._misplaced(f"{word} is out of place", line, word)
        raise self._misplaced(f"there is no tag {word!r}", line, word)

    def _misplaced(self, message: str, line: int, word: str = "") -> Misplaced:
        return Misplaced(message, line, word, tuple(self._sought))

    def _bind(self, name: str, line: int) -> str:
        if name in RESERVED:
            raise BadTemplate(f"{name!r} cannot be given a value", line)
        self.bound.add(name)
        return name

    def _targets(self, tokens: Tokens, line: int) -> tuple[str, ...]:
        """Read names between commas, perhaps in brackets."""
        bracketed = tokens.take_sign("(") is not None
        names = [self._bind(tokens.expect_name(), line)]
        while tokens.take_sign(","):
            names.append(self._bind(tokens.expect_name(), line))
        if bracketed:
            tokens.expect_sign(")")
        return tuple(names)

    def _if(self, tokens: Tokens, line: int) -> Statement:
        cases: list[tuple[Expression, Body]] = []
        otherwise: Body = ()
        word = "if"
        while word in ("if", "elif"):
            test = read_expression(tokens)
            tokens.expect_end()
            body, word, tokens = self._body(("elif", "else", "endif"), line)
            cases.append((test, body))
        tokens.expect_end()
        if word == "else":
            otherwise = self._inner("endif", line)
        return nodes.If(tuple(cases), otherwise, line)

    def _for(self, tokens: Tokens, line: int) -> Statement:
        targets = self._targets(tokens, line)
        self.bound.add("loop")
        tokens.expect_word("in")
        over = read_operand(tokens)
        only = read_operand(tokens) if tokens.take_name("if") else None
        if tokens.is_name("recursive"):
            raise BadTemplate("a loop cannot be recursive; a macro can", line)
        tokens.expect_end()
        self._loops += 1
        body, word, tokens = self._body(("endfor", "else"), line)
        self._loops -= 1
        tokens.expect_end()
        otherwise = self._inner("endfor", line) if word == "else" else ()
        return nodes.For(targets, over, only, body, otherwise, line)

    def _set(self, tokens: Tokens, line: int) -> Statement:
        names = [self._set_target(tokens, line)]
        while tokens.take_sign(","):
            names.append(self._set_target(tokens, line))
        if tokens.take_sign("="):
            value = read_expression_or_tuple(tokens)
            tokens.expect_end()
            return nodes.Set(tuple(names), value, line)
        filters = read_filters(tokens)
        tokens.expect_end()
        if len(names) > 1:
            raise BadTemplate("a block sets one name", line)
        return nodes.SetBlock(names[0], filters, self._inner("endset", line), line)

    def _set_target(self, tokens: Tokens, line: int) -> str:
        name = tokens.expect_name()
        if tokens.take_sign("."):
            return f"{name}.{tokens.expect_name()}"
        return self._bind(name, line)

    def _with(self, tokens: Tokens, line: int) -> Statement:
        values: list[tuple[str, Expression]] = []
        while tokens.next.kind is not Kind.END:
            if values:
                tokens.expect_sign(",")
            name = self._bind(tokens.expect_name(), line)
            tokens.expect_sign("=")
            values.append((name, read_expression(tokens)))
        tokens.expect_end()
        return nodes.With(tuple(values), self._inner("endwith", line), line)

    def _macro(self, tokens: Tokens, line: int) -> Statement:
        name = self._bind(tokens.expect_name(), line)
        parameters = self._parameters(tokens, line)
        tokens.expect_end()
        return nodes.Macro(name, parameters, self._alone("endmacro", line), line)

    def _alone(self, end: str, line: int) -> Body:
        """Read a body that runs by itself: a loop around it is none of its own."""
        self.bound.add("caller")
        loops, self._loops = self._loops, 0
        body = self._inner(end, line)
        self._loops = loops
        return body

    def _parameters(self, tokens: Tokens, line: int) -> tuple[Parameter, ...]:
        tokens.expect_sign("(")
        parameters: list[Parameter] = []
        while not tokens.take_sign(")"):
            if parameters:
                tokens.expect_sign(",")
            name = self._bind(tokens.expect_name(), line)
            if name in [parameter.name for parameter in parameters]:
                raise BadTemplate(f"{name} is there twice", line)
            default = read_expression(tokens) if tokens.take_sign("=") else None
            if default is None and parameters and parameters[-1].default is not None:
                raise BadTemplate(f"{name} needs a default, as the one before it has", line)
            parameters.append(Parameter(name, default))
        return tuple(parameters)

    def _call(self, tokens: Tokens, line: int) -> Statement:
        parameters = self._parameters(tokens, line) if tokens.is_sign("(") else ()
        call = read_expression(tokens)
        tokens.expect_end()
        if not isinstance(call, nodes.Call):
            raise BadTemplate("call needs a call of a macro", line)
        return nodes.CallBlock(call, parameters, self._alone("endcall", line), line)

    def _filter(self, tokens: Tokens, line: int) -> Statement:
        first = tokens.expect_name()
        arguments = read_call_arguments(tokens) if tokens.is_sign("(") else nodes.Arguments()
        filters = (nodes.Filter(None, first, arguments, line), *read_filters(tokens))
        tokens.expect_end()
        return nodes.FilterBlock(filters, self._inner("endfilter", line), line)

    def _do(self, tokens: Tokens, line: int) -> Statement:
        value = read_expression(tokens)
        tokens.expect_end()
        return nodes.Do(value, line)

    def _leave(self, tokens: Tokens, line: int, *, is_break: bool) -> Statement:
        tokens.expect_end()
        if not self._loops:
            raise BadTemplate(f"{'break' if is_break else 'continue'} is not in a loop", line)
        return nodes.Leave(is_break)


def _print(tokens: Tokens, piece: Piece) -> Statement:
    value = read_expression_or_tuple(tokens)
    tokens.expect_end()
    return nodes.Print(value, piece.line)
