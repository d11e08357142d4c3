"""Where the product is not met exactly, and the user's way around it."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Deviation:
    """One of them: what it is about, what the product does, what happens here, and what to do about it."""

    subject: str
    product: str
    here: str
    instead: str


DEVIATIONS: Final = (
    Deviation(
        "Patterns of `$regex`",
        "They are those of Python's `re`: lookaround and references back work, `\\Z` ends a text, `$` also "
        "stands before a line feed at the end, and `\\d`, `\\w`, `\\s` and `\\b` know all of Unicode.",
        "They are those of RE2, which take time in proportion to the text. What RE2 has not is a 422 when the "
        "stub is made; `$` stands at the end alone, and `\\d`, `\\w`, `\\s` and `\\b` know ASCII.",
        "Use `$and` and `$not` in place of lookaround, `\\z` for `\\Z`, `\\pL` and `\\pN` for letters and digits "
        "of any script.",
    ),
    Deviation(
        "Cases of letters in `$ignore_case`",
        "Both texts are compared in lower case.",
        "They are compared by Unicode's case folding, so that `ß` is also `ss`.",
        "Use `$eq` where that matters.",
    ),
    Deviation(
        "True and false beside numbers",
        "`true` is equal to 1 and `false` to 0, and they are compared, and are odd or even, as these.",
        "They are no numbers.",
        "Ask for `true` or `false`.",
    ),
    Deviation(
        "What `$gt`, `$gte`, `$lt`, `$lte` and `$between` compare with",
        "Lists can be compared with lists.",
        "They take a number or a text; anything else is a 422 when the stub is made.",
        "Compare single elements: `$contains_exactly` with criteria in it.",
    ),
    Deviation(
        "Elements of objects, and characters in their places",
        "`$contains` and `$contains_exactly` see the keys of an object, and `$contains_exactly` puts criteria "
        "to the characters of a text.",
        "Only lists and texts have elements, and of a text `$contains_exactly` takes single characters alone.",
        "Use `$key_values` for keys, and `$regex` for characters.",
    ),
    Deviation(
        "A criterion that cannot be put to a value",
        "The call ends with 500, and is not recorded.",
        "It does not hold, so that a `$not` around it does.",
        "Add a criterion that holds for values of the right kind alone.",
    ),
    Deviation(
        "Wrong criteria, and headers, statuses and URLs that cannot be sent",
        "The stub is made or its making ends with 500, and each call of it fails.",
        "A 422 when the stub is made. Numbers, true and false as values of headers are sent as JSON writes them.",
        "Correct what the answer names.",
    ),
    Deviation(
        "Headers of the connection, of the length and of the date in an answer",
        "A stub can send its own.",
        "They are the server's own: those of a stub are left out.",
        "None is needed.",
    ),
    Deviation(
        "Values of headers",
        "They are Latin-1.",
        "They are visible ASCII, with spaces and tabs between; anything else is a 422.",
        "Encode them, as `%C3%A9`.",
    ),
    Deviation(
        "Bodies that are not UTF-8",
        "They are compared as bytes, and break the list of requests.",
        "They are equal to no text and have no length, so that only `$neq` and `$not` hold for them. They are "
        "shown with U+FFFD in place of what is no character.",
        "Match the request by its other parts.",
    ),
    Deviation(
        "JSON that a number cannot be read from",
        "`NaN` and `Infinity` are read as numbers.",
        "They are no JSON: a body with them fits no `$json`, and a call with them is a 422.",
        "Send null, or a text.",
    ),
    Deviation(
        "Sizes and times",
        "There are no limits.",
        "A delay is at most 120 s, a timeout counts up to 600 s, the body of a stub has at most 1 MiB, a text "
        "to compare with at most 64 KiB, criteria stand at most 24 deep in each other, and criteria on bodies "
        "see at most 1 MiB of them unless the server is set up otherwise.",
        "Make a mock over REST, whose body is a file of the environment.",
    ),
    Deviation(
        "Ids in the file of stubs",
        "Any text will do, also one that is there twice.",
        "An id is there once, and has at most 64 letters, digits, `_` or `-`, or 45 bytes of other text.",
        "Shorten it.",
    ),
)
"""Those that follow from how stubs are translated."""
