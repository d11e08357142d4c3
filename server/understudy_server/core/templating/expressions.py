"""Reading expressions. As in Jinja ``~`` binds tighter than ``+``, and filters tightest."""

from typing import Final

from understudy_server.core.templating import nodes
from understudy_server.core.templating.faults import BadTemplate
from understudy_server.core.templating.nodes import Arguments, Expression
from understudy_server.core.templating.scanning import Kind
from understudy_server.core.templating.tokens import Tokens

DEPTH_MAX: Final = 40
"""Brackets within brackets, at most."""

LINKS_MAX: Final = 200
"""Operators, filters or calls one behind the other, at most."""

_LEVELS: Final = (("+", "-"), ("~",), ("*", "/", "//", "%"), ("**",))
_COMPARISONS: Final = ("==", "!=", "<", "<=", ">", ">=")
_CLOSING: Final = (")", "]", "}", ",", ":")
# What may follow a test without being its argument.
_NO_ARGUMENTS: Final = ("and", "or", "else", "is", "if", "not", "in")


def read_expression(tokens: Tokens) -> Expression:
    """Read one expression. Raises BadTemplate."""
    return _Reader(tokens).expression()


def read_expression_or_tuple(tokens: Tokens) -> Expression:
    """Read an expression, or several between commas. Raises BadTemplate."""
    reader = _Reader(tokens)
    first = reader.expression()
    if not tokens.is_sign(","):
        return first
    items = [first]
    while tokens.take_sign(","):
        if tokens.next.kind is Kind.END:
            break
        items.append(reader.expression())
    return nodes.Sequence(tuple(items), is_tuple=True)


def read_operand(tokens: Tokens) -> Expression:
    """Read an expression without a choice (``if``) at its end: a loop's own ``if`` may follow. Raises BadTemplate."""
    return _Reader(tokens).either()


def read_filters(tokens: Tokens) -> tuple[nodes.Filter, ...]:
    """Read filters, each behind its ``|``, for what a block makes. Raises BadTemplate."""
    return _Reader(tokens).filters()


def read_call_arguments(tokens: Tokens) -> Arguments:
    """Read what stands between brackets. Raises BadTemplate."""
    return _Reader(tokens).arguments()


class _Reader:
    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self._depth = 0

    def expression(self) -> Expression:
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise BadTemplate("brackets are nested too deeply", self._tokens.line)
        found = self._operand()
        line = self._tokens.line
        if self._tokens.take_name("if"):
            test = self.either()
            no = self.expression() if self._tokens.take_name("else") else None
            found = nodes.Choice(test, found, no, line)
        self._depth -= 1
        return found

    def _operand(self) -> Expression:
        """What stands before ``if``: mostly a value with filters, and nothing else."""
        token = self._tokens.next
        if token.kind is Kind.SIGN and token.value in "+-":
            return self.either()
        if token.kind is Kind.NAME and token.value == "not":
            return self.either()
        first = self._filtered(self._postfixed(self._primary()))
        token = self._tokens.next
        ends = token.kind is Kind.END or (token.kind is Kind.SIGN and token.value in _CLOSING)
        return first if ends else self.either(first)

    def either(self, first: Expression | None = None, *, is_and: bool = False) -> Expression:
        word = "and" if is_and else "or"
        left = self._negation(first) if is_and else self.either(first, is_and=True)
        links = 0
        while self._tokens.is_name(word):
            links = self._link(links)
            line = self._tokens.take().line
            right = self._negation() if is_and else self.either(is_and=True)
            left = nodes.Either(is_and, left, right, line)
        return left

    def _negation(self, first: Expression | None = None) -> Expression:
        if first is not None:
            return self._comparison(first)
        count, line = 0, self._tokens.line
        while self._tokens.take_name("not"):
            count = self._link(count)
        found = self._comparison()
        for _ in range(count):
            found = nodes.Not(found, line)
        return found

    def _comparison(self, given: Expression | None = None) -> Expression:
        first, line = self._binary(0, given), self._tokens.line
        others: list[tuple[str, Expression]] = []
        while sign := self._comparison_sign():
            self._link(len(others))
            others.append((sign, self._binary(0)))
        return nodes.Compare(first, tuple(others), line) if others else first

    def _comparison_sign(self) -> str | None:
        tokens = self._tokens
        if sign := tokens.take_sign(*_COMPARISONS) or tokens.take_name("in"):
            return sign
        if tokens.take_name("not"):
            tokens.expect_word("in")
            return "not in"
        return None

    def _binary(self, level: int, first: Expression | None = None) -> Expression:
        if level == len(_LEVELS):
            return first if first is not None else self._signed()
        left = self._binary(level + 1, first)
        links = 0
        while self._tokens.is_sign(*_LEVELS[level]):
            links = self._link(links)
            token = self._tokens.take()
            left = nodes.Binary(token.value, left, self._binary(level + 1), token.line)
        return left

    def _signed(self) -> Expression:
        signs: list[tuple[str, int]] = []
        while self._tokens.is_sign("-", "+"):
            self._link(len(signs))
            token = self._tokens.take()
            signs.append((token.value, token.line))
        found = self._postfixed(self._primary())
        for sign, line in reversed(signs):
            found = nodes.Sign(sign, found, line)
        return self._filtered(found)

    def _primary(self) -> Expression:
        tokens = self._tokens
        token = tokens.next
        if token.kind is Kind.CONSTANT:
            return self._constant()
        if token.kind is Kind.NAME:
            tokens.take()
            return nodes.Name(token.value, token.line)
        if tokens.take_sign("("):
            return self._bracketed()
        if tokens.take_sign("["):
            return nodes.Sequence(self._items("]"), is_tuple=False)
        if tokens.take_sign("{"):
            return self._mapping(token.line)
        raise tokens.misplaced("a value")

    def _constant(self) -> Expression:
        value = self._tokens.take().value
        if isinstance(value, str):
            # Texts one behind the other are one, as in Jinja.
            parts = [value]
            while self._tokens.next.kind is Kind.CONSTANT and isinstance(self._tokens.next.value, str):
                parts.append(self._tokens.take().value)
            value = "".join(parts)
        return nodes.Constant(value)

    def _bracketed(self) -> Expression:
        if self._tokens.take_sign(")"):
            return nodes.Sequence((), is_tuple=True)
        first = self.expression()
        if self._tokens.take_sign(")"):
            return first
        self._tokens.expect_sign(",")
        return nodes.Sequence((first, *self._items(")")), is_tuple=True)

    def _items(self, closing: str) -> tuple[Expression, ...]:
        items: list[Expression] = []
        while not self._tokens.take_sign(closing):
            if items:
                self._tokens.expect_sign(",")
                if self._tokens.take_sign(closing):
                    break
            items.append(self.expression())
        return tuple(items)

    def _mapping(self, line: int) -> Expression:
        items: list[tuple[Expression, Expression]] = []
        while not self._tokens.take_sign("}"):
            if items:
                self._tokens.expect_sign(",")
                if self._tokens.take_sign("}"):
                    break
            key = self.expression()
            self._tokens.expect_sign(":")
            items.append((key, self.expression()))
        return nodes.Mapping(tuple(items), line)

    def _postfixed(self, of: Expression) -> Expression:
        tokens, links = self._tokens, 0
        while tokens.is_sign(".", "[", "("):
            links = self._link(links)
            token = tokens.next
            if token.value == "(":
                of = nodes.Call(of, self.arguments(), token.line)
            elif tokens.take_sign("["):
                of = self._subscript(of, token.line)
            else:
                tokens.take()
                of = self._attribute(of, token.line)
        return of

    def _attribute(self, of: Expression, line: int) -> Expression:
        token = self._tokens.next
        if token.kind is Kind.CONSTANT and type(token.value) is int:
            self._tokens.take()
            return nodes.Item(of, nodes.Constant(token.value), line)
        if token.kind is Kind.CONSTANT and isinstance(token.value, bool | None):
            raise self._tokens.misplaced("a name")
        return nodes.Attribute(of, self._tokens.expect_name(), line)

    def _subscript(self, of: Expression, line: int) -> Expression:
        tokens = self._tokens
        parts: list[Expression | None] = [None]
        while not tokens.take_sign("]"):
            if tokens.take_sign(":"):
                parts.append(None)
            elif parts[-1] is None:
                parts[-1] = self.expression()
            else:
                raise tokens.misplaced("']'")
        if len(parts) == 1:
            if parts[0] is None:
                raise BadTemplate("there is nothing between [ and ]", line)
            return nodes.Item(of, parts[0], line)
        if len(parts) > 3:
            raise BadTemplate("a slice has at most two colons", line)
        start, stop, step = [*parts, None][:3]
        return nodes.Slice(of, start, stop, step, line)

    def arguments(self) -> Arguments:
        tokens = self._tokens
        tokens.expect_sign("(")
        positional: list[Expression] = []
        named: list[tuple[str, Expression]] = []
        while not tokens.take_sign(")"):
            if positional or named:
                tokens.expect_sign(",")
                if tokens.take_sign(")"):
                    break
            if tokens.is_sign("*", "**"):
                raise BadTemplate("arguments cannot be spread with *", tokens.line)
            found = self.expression()
            if isinstance(found, nodes.Name) and tokens.take_sign("="):
                if found.name in dict(named):
                    raise BadTemplate(f"{found.name} is given twice", found.line)
                named.append((found.name, self.expression()))
            elif named:
                raise BadTemplate("an argument without a name follows one with a name", tokens.line)
            else:
                positional.append(found)
        return Arguments(tuple(positional), tuple(named))

    def _filtered(self, of: Expression) -> Expression:
        tokens, links = self._tokens, 0
        while True:
            if tokens.is_sign("|"):
                links = self._link(links)
                of = self._filter(of)
            elif tokens.is_name("is"):
                links = self._link(links)
                of = self._test(of)
            elif isinstance(of, nodes.Filter | nodes.Test) and tokens.is_sign(".", "[", "("):
                raise tokens.misplaced("a filter, or brackets around what is before,")
            else:
                return of

    def _filter(self, of: Expression | None) -> nodes.Filter:
        line = self._tokens.take().line
        name = self._tokens.expect_name()
        arguments = self.arguments() if self._tokens.is_sign("(") else Arguments()
        return nodes.Filter(of, name, arguments, line)

    def filters(self) -> tuple[nodes.Filter, ...]:
        found: list[nodes.Filter] = []
        while self._tokens.is_sign("|"):
            self._link(len(found))
            found.append(self._filter(None))
        return tuple(found)

    def _test(self, of: Expression) -> Expression:
        tokens = self._tokens
        line = tokens.take().line
        negated = tokens.take_name("not") is not None
        name = self._test_name()
        if tokens.is_sign("("):
            arguments = self.arguments()
        elif self._argument_follows():
            arguments = Arguments((self._postfixed(self._primary()),))
        else:
            arguments = Arguments()
        found: Expression = nodes.Test(of, name, arguments, line)
        return nodes.Not(found, line) if negated else found

    def _test_name(self) -> str:
        token = self._tokens.next
        if token.kind is Kind.CONSTANT and isinstance(token.value, bool | None):
            self._tokens.take()
            return str(token.value).lower()
        if token.kind is Kind.NAME and token.value == "in":
            self._tokens.take()
            return "in"
        return self._tokens.expect_name()

    def _argument_follows(self) -> bool:
        tokens = self._tokens
        if tokens.next.kind is Kind.NAME:
            return not tokens.is_name(*_NO_ARGUMENTS)
        return tokens.next.kind is Kind.CONSTANT or tokens.is_sign("[", "{")

    def _link(self, links: int) -> int:
        if links >= LINKS_MAX:
            raise BadTemplate(f"more than {LINKS_MAX} operations follow one another", self._tokens.line)
        return links + 1
