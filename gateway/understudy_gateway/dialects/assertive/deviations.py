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
        "Templates",
        "They are Jinja2, all of it, and may take as long as they like.",
        "These are not there: the tags `block`, `extends`, `include`, `import`, `from`, `print` and `autoescape`, and "
        "`recursive` loops; the filters `pprint`, `urlize` and `xmlattr`, and `random` in `map`; the tests `escaped`, "
        "`filter` and `test`, and signs such as `==` as names of tests; `cycler`, `joiner` and `lipsum`. Texts have "
        "the methods `capitalize`, `count`, `endswith`, `find`, `isalnum`, `isalpha`, `isdigit`, `islower`, "
        "`isnumeric`, `isspace`, `isupper`, `join`, `ljust`, `lower`, `lstrip`, `removeprefix`, `removesuffix`, "
        "`replace`, `rfind`, `rjust`, `rstrip`, `split`, `splitlines`, `startswith`, `strip`, `title`, `upper` and "
        "`zfill`, lists `count` and `index`, objects `get`, `items`, `keys` and `values`, and there are no others, "
        "such as `format`, `encode` or `append`. No value is marked as safe. An answer may take 35 000 steps and 1 "
        "MiB. What is said of one that fails is what Jinja says of undefined names, attributes, filters and tests and "
        "of tags out of place, and of anything else in our own words.",
        "Write the template out, and look for `TEMPLATE_RENDER_ERROR` in place of the detail.",
    ),
    Deviation(
        "Numbers, true and false as bodies",
        "The answer has no body.",
        "It is sent as JSON.",
        "None is needed.",
    ),
    Deviation(
        "A number as `times`",
        "It is a 422.",
        "So many calls there must be, as the product's client promises.",
        "None is needed.",
    ),
    Deviation(
        "Sizes and times",
        "There are no limits.",
        "A delay is at most 120 s, and a timeout counts up to 600 s. The body of a stub has at most 1 MiB, its path "
        "2048 characters, its action 64 headers or 1000 events, whose `id` and `event` have at most 1024 characters; a "
        "text to compare with has at most 64 KiB, and criteria stand at most 24 deep in each other. A scope has at "
        "most 1000 stubs, and a name of at most 200 characters. More of any is a 422. A scope lives until it is "
        "deleted, or for a year. Criteria on bodies see at most 1 MiB of them.",
        "Make a mock over REST, whose body is a file of the environment, and set `proxy_match_body_bytes_max`.",
    ),
    Deviation(
        "What counts towards `max_calls`",
        "Each call that fits the stub, also one that another stub answers.",
        "Each call that the stub answers.",
        "None is needed.",
    ),
    Deviation(
        "When a call that a stub passes on is on record",
        "Before its delay, and before it is passed on.",
        "With its answer: until the target has answered, no list and no assertion has it.",
        "Ask once the call has its answer.",
    ),
    Deviation(
        "Calls that are not on record any more",
        "All calls are kept, whole, until a restart.",
        "Of each body 256 KiB are kept, and of each scope as many calls as the quotas of the journal say. An assertion "
        "that what is missing could decide is neither true nor false, but a 500 that says so.",
        "Set `proxy_captured_bytes_max`, `journal_session_entries_max` and `journal_session_bytes_max`.",
    ),
    Deviation(
        "Names of scopes",
        "Any name that no scope has can be taken.",
        "A session that is found by its key has its name, too: then it is a 409 that says so.",
        "Take another name.",
    ),
    Deviation(
        "Calls that a browser makes for a page of another site",
        "They are taken: any page that somebody looks at can make stubs.",
        "They are a 403: those whose `Origin` is not the host that they ask, or whose `Sec-Fetch-Site` is "
        "`cross-site`. Links to the pages can be followed.",
        "Call from the test, or from the server that the page is from.",
    ),
    Deviation(
        "Ids in the file of stubs",
        "Any text will do, also one that is there twice.",
        "An id is there once, and has at most 64 letters, digits, `_` or `-`, or 45 bytes of other text.",
        "Shorten it.",
    ),
)
"""All of them, as `docs/dialects/assertive.md` lists them."""


def listed() -> str:
    """Write them for the documentation, in Markdown."""
    return "\n\n".join([_written(each) for each in DEVIATIONS]) + "\n"


def _written(each: Deviation) -> str:
    parts = {"The product": each.product, "Here": each.here, "Instead": each.instead}
    return f"### {each.subject}\n\n" + "\n".join([f"- {name}: {text}" for name, text in parts.items()])
