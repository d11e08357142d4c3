"""What a flag is, what is asked of it, and what it says. Plain values, as the doors and the store hand them in.

A value is a JSON value as `strict_json.parse` reads it. Where a value may be missing, that is `ABSENT`, since ``None``
is a value of its own: JSON's null. Nothing here is checked; evaluation copes with whatever it is given.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Any, Final, Literal, NamedTuple, TypeAlias

JsonValue: TypeAlias = Any
"""``None``, a bool, int, float or str, or a list or dict of such."""


class Absence(Enum):
    """The type of `ABSENT`."""

    ABSENT = "absent"


ABSENT: Final = Absence.ABSENT
"""No value was given. Compare with ``is``."""

MaybeJson: TypeAlias = JsonValue | Literal[Absence.ABSENT]
"""A JSON value, or `ABSENT`."""


class FlagKind(StrEnum):
    """Which values a flag has. The values are names of the contract."""

    BOOLEAN = "boolean"
    STRING = "string"
    NUMBER = "number"
    JSON = "json"


class Operator(StrEnum):
    """How a condition compares. The values are the names that we write; `operators.operator_of` knows all others."""

    EQUALS = "equals"
    NOT_EQUALS = "not_equals"
    IN = "in"
    NOT_IN = "not_in"
    CONTAINS = "contains"
    NOT_CONTAINS = "not_contains"
    STARTS_WITH = "starts_with"
    ENDS_WITH = "ends_with"
    GREATER_THAN = "gt"
    AT_LEAST = "gte"
    LESS_THAN = "lt"
    AT_MOST = "lte"
    IS_TRUE = "is_true"
    IS_FALSE = "is_false"
    EXISTS = "exists"
    NOT_EXISTS = "not_exists"


class Join(StrEnum):
    """How many of a rule's conditions must hold. A rule without conditions matches everybody, either way."""

    ALL = "all"
    ANY = "any"


class Reason(StrEnum):
    """Why an evaluation says what it says. The values are those of FlagBridge's contract."""

    TEST_OVERRIDE = "TEST_OVERRIDE"
    FLAG_DISABLED = "FLAG_DISABLED"
    TARGETING_RULE_MATCH = "TARGETING_RULE_MATCH"
    PERCENTAGE_ROLLOUT = "PERCENTAGE_ROLLOUT"
    PERCENTAGE_ROLLOUT_EXCLUDED = "PERCENTAGE_ROLLOUT_EXCLUDED"
    FLAG_ENABLED = "FLAG_ENABLED"
    FLAG_NOT_FOUND = "FLAG_NOT_FOUND"


@dataclass(frozen=True, slots=True)
class Variant:
    """A named value of a flag.

    Without a ``value`` it stands for its key in a string flag, and for what the flag serves in others. ``weight`` is
    its share among the weights of all variants, on any scale; without one, or with none above 0, it has no share.
    Weights choose where no text of the environment or of the flag names a variant: see `serving`.
    """

    key: str
    value: MaybeJson = ABSENT
    weight: float | None = None


@dataclass(frozen=True, slots=True)
class Flag:
    """A flag of a project, the same in all environments.

    ``default`` is served where the flag is off, and where it is on and its environment has no value. Without one a
    boolean flag serves true where it is on and false where it is off, and others serve ``""``, 0 or null.
    """

    key: str
    kind: FlagKind = FlagKind.BOOLEAN
    default: MaybeJson = ABSENT
    variants: Sequence[Variant] = ()


@dataclass(frozen=True, slots=True)
class Condition:
    """A test of one attribute of the context.

    ``attribute`` is its name; a name with dots that is not there as such is a path into objects. ``operator`` is a name
    of `Operator` or a synonym of one; a condition with an unknown one never holds. ``value`` is what it compares with:
    for ``in`` and ``not_in`` a list, or a text that holds one in JSON; for the last four operators nothing.
    """

    attribute: str
    operator: str
    value: MaybeJson = ABSENT


@dataclass(frozen=True, slots=True)
class Rule:
    """Whom a flag serves something else, and what.

    Rules are asked in the order of ``priority``, lower first, then as they stand; the first active one that matches
    decides. ``value`` is what it serves: false turns the flag off, true (as `ABSENT`) on, a text is a variant (or the
    value itself, where no variant has that name), anything else the value itself. ``variant`` names one beside it.
    """

    id: str
    conditions: Sequence[Condition] = ()
    join: Join = Join.ALL
    value: MaybeJson = ABSENT
    variant: str | None = None
    priority: int = 0
    active: bool = True
    name: str = ""


@dataclass(frozen=True, slots=True)
class FlagState:
    """How a flag stands in one environment.

    ``value`` goes before the flag's default. ``rollout_percentage`` is from 0 (nobody) to 100 (everybody); ``None`` is
    no rollout. A flag without a state in an environment is disabled there.
    """

    enabled: bool = False
    value: MaybeJson = ABSENT
    rollout_percentage: int | None = None
    rules: Sequence[Rule] = ()


@dataclass(frozen=True, slots=True)
class Context:
    """For whom a flag is evaluated. Make it with `context.context_of`, which finds the user.

    ``attributes`` holds the user under every name it may have in a rule. ``user_id`` is what rollouts and weights go
    by, empty when there is none.
    """

    attributes: Mapping[str, JsonValue]
    user_id: str = ""


class Evaluation(NamedTuple):
    """What a flag says for a context. (A tuple, since one is made for each override, and so it is made quickly.)

    ``value`` is `ABSENT` only for a flag that does not exist. ``variant`` is ``None`` where no variant is served, as in
    a boolean flag without any. ``rule_id`` is given with TARGETING_RULE_MATCH alone, ``would_have_been`` with
    TEST_OVERRIDE alone: what would be said without.
    ``user_missing``: a rollout that is for some left them out, and there is no user who might be in it.
    """

    flag_key: str
    enabled: bool
    value: MaybeJson
    reason: Reason
    variant: str | None = None
    rule_id: str | None = None
    would_have_been: "Evaluation | None" = None
    user_missing: bool = False
