"""Made-up data: names, places, numbers and the like, drawn from a source of chance, so that a seed repeats them.

Nothing here depends on the day, on the machine, or on a library's lists. Names of people and addresses are no one's;
domains are those kept for examples (RFC 2606), and telephone numbers those kept for fiction.
"""

import base64
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final

from understudy_server.core.responding import fake_words as words

COUNT_MAX: Final = 200
"""Words, characters or sentences that may be asked for at once."""

_DIGITS = "0123456789"
_HEX = "0123456789abcdef"
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_LETTERS_AND_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ" + _LETTERS + _DIGITS
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_DOMAINS = ("example.com", "example.net", "example.org")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECONDS_MAX = 1_767_225_600
"""Times are before 2026, so that they are past."""


def characters(rng: Random, alphabet: str, count: int) -> str:
    """So many of an alphabet's characters. Raises ValueError for more than `COUNT_MAX`."""
    return "".join([rng.choice(alphabet) for _ in range(_bounded(count))])


def uuid(rng: Random) -> str:
    """A UUID of version 4."""
    digits = f"{(rng.getrandbits(128) & ~(0xF000 << 64) & ~(0xC000 << 48)) | (4 << 76) | (8 << 60):032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _bounded(count: int) -> int:
    if not 0 <= count <= COUNT_MAX:
        raise ValueError(f"0 to {COUNT_MAX}")
    return int(count)


def _first_name(rng: Random) -> str:
    return rng.choice(words.FIRST_NAMES)


def _last_name(rng: Random) -> str:
    return rng.choice(words.LAST_NAMES)


def _name(rng: Random) -> str:
    return f"{_first_name(rng)} {_last_name(rng)}"


def _username(rng: Random) -> str:
    return f"{_first_name(rng)}.{_last_name(rng)}{rng.randint(1, 99)}".lower()


def _password(rng: Random, length: int = 12) -> str:
    return characters(rng, _LETTERS_AND_DIGITS + "!#$%&*+-?@", length)


def _email(rng: Random) -> str:
    return f"{_username(rng)}@{rng.choice(_DOMAINS)}"


def _phone(rng: Random) -> str:
    return f"+1-{rng.randint(201, 989)}-555-01{rng.randint(0, 99):02d}"


def _job(rng: Random) -> str:
    job = rng.choice(words.JOBS)
    return f"{rng.choice(words.JOB_LEVELS)} {job}" if rng.random() < 0.5 else job


def _jwt(rng: Random) -> str:
    issued = _unix_time(rng)
    claims = {"sub": uuid(rng), "name": _name(rng), "iat": issued, "exp": issued + 3600}
    parts = [json.dumps(part, separators=(",", ":")).encode() for part in ({"alg": "HS256", "typ": "JWT"}, claims)]
    parts.append(rng.randbytes(32))
    return ".".join([base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts])


def _street_name(rng: Random) -> str:
    return f"{rng.choice(words.STREETS)} {rng.choice(words.STREET_KINDS)}"


def _street_address(rng: Random) -> str:
    return f"{rng.randint(1, 9999)} {_street_name(rng)}"


def _zip(rng: Random) -> str:
    return f"{rng.randint(501, 99950):05d}"


def _address(rng: Random) -> str:
    return f"{_street_address(rng)}, {rng.choice(words.CITIES)}, {rng.choice(words.STATES)[1]} {_zip(rng)}"


def _latitude(rng: Random) -> float:
    return round(rng.uniform(-90, 90), 6)


def _longitude(rng: Random) -> float:
    return round(rng.uniform(-180, 180), 6)


def _company(rng: Random) -> str:
    if rng.random() < 0.3:
        return f"{_last_name(rng)}, {_last_name(rng)} and {_last_name(rng)}"
    return f"{_last_name(rng)} {rng.choice(words.COMPANY_KINDS)}"


def _product(rng: Random) -> str:
    return f"{rng.choice(words.PRODUCT_QUALITIES)} {rng.choice(words.PRODUCTS)}"


def _price(rng: Random, least: float = 1, greatest: float = 1000) -> float:
    return round(rng.uniform(_number(least), _number(greatest)), 2)


def _number(value: Any) -> float:
    return float(value)


def _credit_card(rng: Random) -> str:
    digits = "4" + characters(rng, _DIGITS, 14)
    # Luhn's sum: every second digit doubled, from the right.
    total = sum([int(digit) if place % 2 else sum(divmod(2 * int(digit), 10)) for place, digit in enumerate(digits)])
    return digits + str(-total % 10)


def _ean13(rng: Random) -> str:
    digits = characters(rng, _DIGITS, 12)
    total = sum([int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits)])
    return digits + str(-total % 10)


def _iban(rng: Random) -> str:
    account = characters(rng, _DIGITS, 18)
    # "DE00" at the end, letters as numbers: ISO 13616.
    check = 98 - int(account + "131400") % 97
    return f"DE{check:02d}{account}"


def _bic(rng: Random) -> str:
    letters = characters(rng, _LETTERS, 4).upper()
    return f"{letters}{rng.choice(words.COUNTRIES)[1]}{characters(rng, _LETTERS_AND_DIGITS.upper(), 2)}"


def _words(rng: Random, count: int = 3) -> str:
    return " ".join([rng.choice(words.WORDS) for _ in range(_bounded(count))])


def _sentence(rng: Random, count: int = 0) -> str:
    return f"{_words(rng, count or rng.randint(4, 9)).capitalize()}."


def _paragraph(rng: Random, count: int = 0) -> str:
    return " ".join([_sentence(rng) for _ in range(min(_bounded(count), 20) or rng.randint(3, 5))])


def _slug(rng: Random) -> str:
    return _words(rng, 3).replace(" ", "-")


def _hex_color(rng: Random) -> str:
    return f"#{rng.getrandbits(24):06x}"


def _domain(rng: Random) -> str:
    return f"{rng.choice(words.WORDS)}.{rng.choice(_DOMAINS)}"


def _url(rng: Random) -> str:
    return f"https://{_domain(rng)}/{rng.choice(words.WORDS)}"


def _ipv4(rng: Random) -> str:
    return f"{rng.randint(11, 126)}.{rng.randint(0, 255)}.{rng.randint(0, 255)}.{rng.randint(1, 254)}"


def _private_ip(rng: Random) -> str:
    return f"10.{rng.randint(0, 255)}.{rng.randint(0, 255)}.{rng.randint(1, 254)}"


def _ipv6(rng: Random) -> str:
    return "2001:db8:" + ":".join([f"{rng.getrandbits(16):x}" for _ in range(6)])


def _mac(rng: Random) -> str:
    # Locally administered, so that it is nobody's.
    return ":".join(["02", *[f"{rng.getrandbits(8):02x}" for _ in range(5)]])


def _unix_time(rng: Random) -> int:
    return rng.randrange(_SECONDS_MAX)


def _moment(rng: Random) -> datetime:
    return _EPOCH + timedelta(seconds=_unix_time(rng))


def _int_between(rng: Random, least: int = 0, greatest: int = 100) -> int:
    return rng.randint(int(least), int(greatest))


def _float_range(rng: Random, least: float = 0, greatest: float = 1) -> float:
    return rng.uniform(_number(least), _number(greatest))


def _hex_token(rng: Random, length: int = 32) -> str:
    return characters(rng, _HEX, length)


def _file_name(rng: Random) -> str:
    return f"{rng.choice(words.WORDS)}-{rng.choice(words.WORDS)}.{rng.choice(words.FILE_ENDINGS)}"


FAKES: Final[Mapping[str, Callable[..., Any]]] = {
    # Identity
    "uuid": uuid,
    "uuid_digit": lambda rng: uuid(rng).replace("-", ""),
    "ulid": lambda rng: rng.choice("01234567") + characters(rng, _CROCKFORD, 25),
    "nanoid": lambda rng, length=21: characters(rng, _LETTERS_AND_DIGITS + "_-", length),
    "first_name": _first_name,
    "first_name_female": lambda rng: rng.choice(words.FIRST_NAMES_FEMALE),
    "first_name_male": lambda rng: rng.choice(words.FIRST_NAMES_MALE),
    "last_name": _last_name,
    "name": _name,
    "full_name": _name,
    "gender": lambda rng: rng.choice(("female", "male", "non-binary")),
    "username": _username,
    "password": _password,
    "email": _email,
    "phone": _phone,
    "phone_number": _phone,
    "job_title": _job,
    "job": _job,
    "jwt": _jwt,
    # Place
    "address": _address,
    "street_address": _street_address,
    "street_name": _street_name,
    "city": lambda rng: rng.choice(words.CITIES),
    "state": lambda rng: rng.choice(words.STATES)[0],
    "state_abbr": lambda rng: rng.choice(words.STATES)[1],
    "zip": _zip,
    "zip_code": _zip,
    "postcode": _zip,
    "country": lambda rng: rng.choice(words.COUNTRIES)[0],
    "country_code": lambda rng: rng.choice(words.COUNTRIES)[1],
    "latitude": _latitude,
    "longitude": _longitude,
    "time_zone": lambda rng: rng.choice(words.TIME_ZONES),
    "language": lambda rng: rng.choice(words.LANGUAGES)[0],
    "language_code": lambda rng: rng.choice(words.LANGUAGES)[1],
    # Business
    "company": _company,
    "company_name": _company,
    "product_name": _product,
    "price": _price,
    "amount": _price,
    "currency": lambda rng: rng.choice(words.CURRENCIES),
    "credit_card_number": _credit_card,
    "cc_number": _credit_card,
    "iban": _iban,
    "bic": _bic,
    "ean13": _ean13,
    # Text
    "word": lambda rng: rng.choice(words.WORDS),
    "words": _words,
    "sentence": _sentence,
    "paragraph": _paragraph,
    "slug": _slug,
    "color": lambda rng: rng.choice(words.COLORS),
    "hex_color": _hex_color,
    # Net
    "url": _url,
    "domain_name": _domain,
    "ipv4": _ipv4,
    "ipv6": _ipv6,
    "private_ip": _private_ip,
    "port": lambda rng: rng.randint(1024, 65535),
    "mac_address": _mac,
    "user_agent": lambda rng: rng.choice(words.USER_AGENTS),
    "mime_type": lambda rng: rng.choice(words.MIME_TYPES),
    "file_name": _file_name,
    # Time
    "date": lambda rng: f"{_moment(rng):%Y-%m-%d}",
    "date_iso": lambda rng: f"{_moment(rng):%Y-%m-%d}",
    "time": lambda rng: f"{_moment(rng):%H:%M:%S}",
    "datetime_iso": lambda rng: f"{_moment(rng):%Y-%m-%dT%H:%M:%SZ}",
    "date_time_iso": lambda rng: f"{_moment(rng):%Y-%m-%dT%H:%M:%SZ}",
    "timestamp": lambda rng: f"{_moment(rng):%Y-%m-%d %H:%M:%S}",
    "unix_time": _unix_time,
    "year": lambda rng: _moment(rng).year,
    "month_name": lambda rng: rng.choice(words.MONTHS),
    "day_of_week": lambda rng: rng.choice(words.DAYS),
    "century": lambda rng: rng.choice(("XV", "XVI", "XVII", "XVIII", "XIX", "XX", "XXI")),
    # Numbers
    "positive_int": lambda rng: rng.randint(1, 2**31 - 1),
    "int_between": _int_between,
    "int_range": _int_between,
    "float64": lambda rng: rng.random(),
    "float_range": _float_range,
    "bool": lambda rng: rng.random() < 0.5,
    "digit": lambda rng: rng.randint(0, 9),
    "hex_token": _hex_token,
}
"""What can be made up, by name. A source of chance comes first; wrong arguments raise TypeError or ValueError."""

_BY_LETTERS = {name.replace("_", ""): function for name, function in FAKES.items()}


def fake(name: str) -> Callable[..., Any] | None:
    """Find what makes something up; ``None``: nothing does. ``first_name`` and ``FirstName`` are the same."""
    return FAKES.get(name) or _BY_LETTERS.get(name.replace("_", "").lower())
