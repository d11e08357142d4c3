"""The examples of RFC 9535 (JSONPath): every selector of its tables, the document, and what it selects.

Where the RFC allows several orders, the one that follows the document is given.
"""

from typing import Any, Final, NamedTuple


class Example(NamedTuple):
    """A path, a document, and the values that it selects in it, in order."""

    section: str
    path: str
    document: Any
    values: list[Any]


class Comparison(NamedTuple):
    """A comparison in a filter, and whether it holds for the document `COMPARED`."""

    text: str
    holds: bool


_BOOKS: Final[list[Any]] = [
    {"category": "reference", "author": "Nigel Rees", "title": "Sayings of the Century", "price": 8.95},
    {"category": "fiction", "author": "Evelyn Waugh", "title": "Sword of Honour", "price": 12.99},
    {
        "category": "fiction",
        "author": "Herman Melville",
        "title": "Moby Dick",
        "isbn": "0-553-21311-3",
        "price": 8.99,
    },
    {
        "category": "fiction",
        "author": "J. R. R. Tolkien",
        "title": "The Lord of the Rings",
        "isbn": "0-395-19395-8",
        "price": 22.99,
    },
]
_BICYCLE: Final = {"color": "red", "price": 399}
_STORE: Final = {"store": {"book": _BOOKS, "bicycle": _BICYCLE}}

_EVERYTHING_IN_STORE: Final = [
    _STORE["store"],
    _BOOKS,
    _BICYCLE,
    *_BOOKS,
    *[value for book in _BOOKS for value in book.values()],
    "red",
    399,
]

_LETTERS: Final = ["a", "b", "c", "d", "e", "f", "g"]
_QUOTES: Final = {"o": {"j j": {"k.k": 3}}, "'": {"@": 2}}
_WILD: Final = {"o": {"j": 1, "k": 2}, "a": [5, 3]}
_OBJECTS: Final[list[Any]] = [{"b": "j"}, {"b": "k"}, {"b": {}}, {"b": "kilo"}]
_FILTERED: Final = {
    "a": [3, 5, 1, 2, 4, 6, *_OBJECTS],
    "o": {"p": 1, "q": 2, "r": 3, "s": 5, "t": {"u": 6}},
    "e": "f",
}
_NESTED: Final = {"o": {"j": 1, "k": 2}, "a": [5, 3, [{"j": 4}, {"k": 6}]]}
_NULLS: Final[dict[str, Any]] = {"a": None, "b": [None], "c": [{}], "null": 1}

EXAMPLES: Final = [
    Example("1.5", "$.store.book[*].author", _STORE, [book["author"] for book in _BOOKS]),
    Example("1.5", "$..author", _STORE, [book["author"] for book in _BOOKS]),
    Example("1.5", "$.store.*", _STORE, [_BOOKS, _BICYCLE]),
    Example("1.5", "$.store..price", _STORE, [8.95, 12.99, 8.99, 22.99, 399]),
    Example("1.5", "$..book[2]", _STORE, [_BOOKS[2]]),
    Example("1.5", "$..book[2].author", _STORE, ["Herman Melville"]),
    Example("1.5", "$..book[2].publisher", _STORE, []),
    Example("1.5", "$..book[-1]", _STORE, [_BOOKS[3]]),
    Example("1.5", "$..book[0,1]", _STORE, _BOOKS[:2]),
    Example("1.5", "$..book[:2]", _STORE, _BOOKS[:2]),
    Example("1.5", "$..book[?@.isbn]", _STORE, _BOOKS[2:]),
    Example("1.5", "$..book[?@.price<10]", _STORE, [_BOOKS[0], _BOOKS[2]]),
    Example("1.5", "$..*", _STORE, _EVERYTHING_IN_STORE),
    Example("2.2.3", "$", {"k": "v"}, [{"k": "v"}]),
    Example("2.3.1.3", "$.o['j j']", _QUOTES, [{"k.k": 3}]),
    Example("2.3.1.3", "$.o['j j']['k.k']", _QUOTES, [3]),
    Example("2.3.1.3", '$.o["j j"]["k.k"]', _QUOTES, [3]),
    Example("2.3.1.3", '$["\'"]["@"]', _QUOTES, [2]),
    Example("2.3.2.3", "$[*]", _WILD, [{"j": 1, "k": 2}, [5, 3]]),
    Example("2.3.2.3", "$.o[*]", _WILD, [1, 2]),
    Example("2.3.2.3", "$.o[*, *]", _WILD, [1, 2, 1, 2]),
    Example("2.3.2.3", "$.a[*]", _WILD, [5, 3]),
    Example("2.3.3.3", "$[1]", ["a", "b"], ["b"]),
    Example("2.3.3.3", "$[-2]", ["a", "b"], ["a"]),
    Example("2.3.4.3", "$[1:3]", _LETTERS, ["b", "c"]),
    Example("2.3.4.3", "$[5:]", _LETTERS, ["f", "g"]),
    Example("2.3.4.3", "$[1:5:2]", _LETTERS, ["b", "d"]),
    Example("2.3.4.3", "$[5:1:-2]", _LETTERS, ["f", "d"]),
    Example("2.3.4.3", "$[::-1]", _LETTERS, ["g", "f", "e", "d", "c", "b", "a"]),
    Example("2.3.5.3", "$.a[?@.b == 'kilo']", _FILTERED, [{"b": "kilo"}]),
    Example("2.3.5.3", "$.a[?(@.b == 'kilo')]", _FILTERED, [{"b": "kilo"}]),
    Example("2.3.5.3", "$.a[?@>3.5]", _FILTERED, [5, 4, 6]),
    Example("2.3.5.3", "$.a[?@.b]", _FILTERED, _OBJECTS),
    Example("2.3.5.3", "$[?@.*]", _FILTERED, [_FILTERED["a"], _FILTERED["o"]]),
    Example("2.3.5.3", "$[?@[?@.b]]", _FILTERED, [_FILTERED["a"]]),
    Example("2.3.5.3", "$.o[?@<3, ?@<3]", _FILTERED, [1, 2, 1, 2]),
    Example("2.3.5.3", '$.a[?@<2 || @.b == "k"]', _FILTERED, [1, {"b": "k"}]),
    Example("2.3.5.3", '$.a[?match(@.b, "[jk]")]', _FILTERED, [{"b": "j"}, {"b": "k"}]),
    Example("2.3.5.3", '$.a[?search(@.b, "[jk]")]', _FILTERED, [{"b": "j"}, {"b": "k"}, {"b": "kilo"}]),
    Example("2.3.5.3", "$.o[?@>1 && @<4]", _FILTERED, [2, 3]),
    Example("2.3.5.3", "$.o[?@.u || @.x]", _FILTERED, [{"u": 6}]),
    Example("2.3.5.3", "$.a[?@.b == $.x]", _FILTERED, [3, 5, 1, 2, 4, 6]),
    Example("2.3.5.3", "$.a[?@ == @]", _FILTERED, [3, 5, 1, 2, 4, 6, *_OBJECTS]),
    Example("2.5.1.3", "$[0, 3]", _LETTERS, ["a", "d"]),
    Example("2.5.1.3", "$[0:2, 5]", _LETTERS, ["a", "b", "f"]),
    Example("2.5.1.3", "$[0, 0]", _LETTERS, ["a", "a"]),
    Example("2.5.2.3", "$..j", _NESTED, [1, 4]),
    Example("2.5.2.3", "$..[0]", _NESTED, [5, {"j": 4}]),
    Example(
        "2.5.2.3",
        "$..[*]",
        _NESTED,
        [_NESTED["o"], _NESTED["a"], 1, 2, 5, 3, [{"j": 4}, {"k": 6}], {"j": 4}, {"k": 6}, 4, 6],
    ),
    Example(
        "2.5.2.3",
        "$..*",
        _NESTED,
        [_NESTED["o"], _NESTED["a"], 1, 2, 5, 3, [{"j": 4}, {"k": 6}], {"j": 4}, {"k": 6}, 4, 6],
    ),
    Example("2.5.2.3", "$..o", _NESTED, [{"j": 1, "k": 2}]),
    Example("2.5.2.3", "$.o..[*, *]", _NESTED, [1, 2, 1, 2]),
    Example("2.5.2.3", "$.a..[0, 1]", _NESTED, [5, 3, {"j": 4}, {"k": 6}]),
    Example("2.6.1", "$.a", _NULLS, [None]),
    Example("2.6.1", "$.a[0]", _NULLS, []),
    Example("2.6.1", "$.a.d", _NULLS, []),
    Example("2.6.1", "$.b[0]", _NULLS, [None]),
    Example("2.6.1", "$.b[*]", _NULLS, [None]),
    Example("2.6.1", "$.b[?@]", _NULLS, [None]),
    Example("2.6.1", "$.b[?@==null]", _NULLS, [None]),
    Example("2.6.1", "$.c[?@.d==null]", _NULLS, []),
    Example("2.6.1", "$.null", _NULLS, [1]),
]

COMPARED: Final = {"obj": {"x": "y"}, "arr": [2, 3]}
"""The document of the comparisons in section 2.3.5.3."""

COMPARISONS: Final = [
    Comparison("$.absent1 == $.absent2", holds=True),
    Comparison("$.absent1 <= $.absent2", holds=True),
    Comparison("$.absent == 'g'", holds=False),
    Comparison("$.absent1 != $.absent2", holds=False),
    Comparison("$.absent != 'g'", holds=True),
    Comparison("1 <= 2", holds=True),
    Comparison("1 > 2", holds=False),
    Comparison("13 == '13'", holds=False),
    Comparison("'a' <= 'b'", holds=True),
    Comparison("'a' > 'b'", holds=False),
    Comparison("$.obj == $.arr", holds=False),
    Comparison("$.obj != $.arr", holds=True),
    Comparison("$.obj == $.obj", holds=True),
    Comparison("$.obj != $.obj", holds=False),
    Comparison("$.arr == $.arr", holds=True),
    Comparison("$.arr != $.arr", holds=False),
    Comparison("$.obj == 17", holds=False),
    Comparison("$.obj != 17", holds=True),
    Comparison("$.obj <= $.arr", holds=False),
    Comparison("$.obj < $.arr", holds=False),
    Comparison("$.obj <= $.obj", holds=True),
    Comparison("$.arr <= $.arr", holds=True),
    Comparison("1 <= $.arr", holds=False),
    Comparison("1 >= $.arr", holds=False),
    Comparison("1 > $.arr", holds=False),
    Comparison("1 < $.arr", holds=False),
    Comparison("true <= true", holds=True),
    Comparison("true > true", holds=False),
]

WELL_TYPED: Final = [
    "$[?length(@) < 3]",
    "$[?count(@.*) == 1]",
    "$[?match(@.timezone, 'Europe/.*')]",
    '$[?value(@..color) == "red"]',
    "$[?length(@.authors) >= 5]",
    "$[?count(@.*.author) >= 5]",
    '$[?match(@.date, "1974-05-..")]',
    '$[?search(@.author, "[BR]ob")]',
]
"""Filters with functions that section 2.4 gives as examples."""

NOT_WELL_TYPED: Final = [
    "$[?length(@.*) < 3]",
    "$[?count(1) == 1]",
    "$[?match(@.timezone, 'Europe/.*') == true]",
    "$[?value(@..color)]",
]
"""Filters that section 2.4.3 calls not well-typed. Those of functions that it makes up are refused in any case."""
