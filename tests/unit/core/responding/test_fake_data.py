"""Made-up data: of its form, and the same for the same seed, with this release and the next."""

import re
import uuid
from random import Random

import pytest
from understudy_server.core.responding.fake_data import COUNT_MAX, FAKES, fake

FORMS = {
    "uuid": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "uuid_digit": "[0-9a-f]{32}",
    "ulid": "[0-7][0-9A-HJKMNP-TV-Z]{25}",
    "nanoid": "[A-Za-z0-9_-]{21}",
    "name": "[A-Z][a-z]+ [A-Z][a-z]+",
    "full_name": "[A-Z][a-z]+ [A-Z][a-z]+",
    "first_name": "[A-Z][a-z]+",
    "first_name_female": "[A-Z][a-z]+",
    "first_name_male": "[A-Z][a-z]+",
    "last_name": "[A-Z][a-z]+",
    "gender": "female|male|non-binary",
    "username": r"[a-z]+\.[a-z]+\d{1,2}",
    "password": ".{12}",
    "email": r"[a-z]+\.[a-z]+\d+@example\.(com|net|org)",
    "phone": r"\+1-\d{3}-555-01\d\d",
    "phone_number": r"\+1-\d{3}-555-01\d\d",
    "job": "[A-Z][A-Za-z ]+",
    "job_title": "[A-Z][A-Za-z ]+",
    "jwt": r"eyJ[\w-]+\.[\w-]+\.[\w-]+",
    "address": r"\d+ [A-Za-z ]+, [A-Za-z ]+, [A-Z]{2} \d{5}",
    "street_address": r"\d+ [A-Za-z ]+",
    "street_name": "[A-Z][a-z]+ [A-Z][a-z]+",
    "city": "[A-Z][A-Za-z ]+",
    "state": "[A-Z][A-Za-z ]+",
    "state_abbr": "[A-Z]{2}",
    "zip": r"\d{5}",
    "zip_code": r"\d{5}",
    "postcode": r"\d{5}",
    "country": "[A-Z][A-Za-z ]+",
    "country_code": "[A-Z]{2}",
    "latitude": r"-?\d{1,2}\.\d+",
    "longitude": r"-?\d{1,3}\.\d+",
    "time_zone": r"[A-Z]\w+/[A-Z]\w+",
    "language": "[A-Z][a-z]+",
    "language_code": "[a-z]{2}",
    "company": "[A-Z].+",
    "company_name": "[A-Z].+",
    "product_name": "[A-Z][a-z]+ [A-Z][a-z]+",
    "price": r"\d{1,4}\.\d{1,2}",
    "amount": r"\d{1,4}\.\d{1,2}",
    "currency": "[A-Z]{3}",
    "credit_card_number": r"4\d{15}",
    "cc_number": r"4\d{15}",
    "iban": r"DE\d{20}",
    "bic": "[A-Z]{6}[A-Z0-9]{2}",
    "ean13": r"\d{13}",
    "word": "[a-z]+",
    "words": "[a-z]+ [a-z]+ [a-z]+",
    "sentence": r"[A-Z][a-z]+( [a-z]+)+\.",
    "paragraph": r"([A-Z][a-z]+( [a-z]+)+\. ?){3,5}",
    "slug": "[a-z]+-[a-z]+-[a-z]+",
    "color": "[a-z]+",
    "hex_color": "#[0-9a-f]{6}",
    "url": r"https://[a-z]+\.example\.(com|net|org)/[a-z]+",
    "domain_name": r"[a-z]+\.example\.(com|net|org)",
    "ipv4": r"\d+\.\d+\.\d+\.\d+",
    "ipv6": "2001:db8(:[0-9a-f]{1,4}){6}",
    "private_ip": r"10\.\d+\.\d+\.\d+",
    "port": r"\d{4,5}",
    "mac_address": "02(:[0-9a-f]{2}){5}",
    "user_agent": r"Mozilla/5\.0 .+",
    "mime_type": "[a-z]+/.+",
    "file_name": r"[a-z]+-[a-z]+\.[a-z0-9]+",
    "date": r"\d{4}-\d\d-\d\d",
    "date_iso": r"\d{4}-\d\d-\d\d",
    "time": r"\d\d:\d\d:\d\d",
    "datetime_iso": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
    "date_time_iso": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
    "timestamp": r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d",
    "unix_time": r"\d+",
    "year": r"(19|20)\d\d",
    "month_name": "[A-Z][a-z]+",
    "day_of_week": "[A-Z][a-z]+day",
    "century": "[XIV]+",
    "positive_int": r"[1-9]\d*",
    "int_between": r"\d{1,3}",
    "int_range": r"\d{1,3}",
    "float64": r"0\.\d+(e-\d+)?",
    "float_range": r"0\.\d+(e-\d+)?",
    "bool": "True|False",
    "digit": r"\d",
    "hex_token": "[0-9a-f]{32}",
}


def test_every_kind_has_a_form() -> None:
    assert set(FORMS) == set(FAKES)


@pytest.mark.parametrize("name", FAKES)
def test_a_kind_has_its_form_and_follows_from_the_seed(name: str) -> None:
    made = FAKES[name]
    for seed in range(200):
        value = str(made(Random(seed)))
        assert re.fullmatch(FORMS[name], value), value
        assert value == str(made(Random(seed)))


def test_a_seed_makes_the_same_data_with_every_release() -> None:
    rng = Random(42)
    made = [
        str(FAKES[name](rng)) for name in ("name", "email", "address", "company", "uuid", "datetime_iso", "sentence")
    ]
    assert made == [
        "Pablo Diaz",
        "aria.li32@example.com",
        "2287 Sycamore Avenue, Salisbury, WV 71983",
        "Rivera, Barros and Banerjee",
        "815ef6d1-3b8f-4a18-b7f8-a88b17fc695a",
        "2010-12-20T06:09:38Z",
        "Part door several region.",
    ]


def test_checksums_are_right() -> None:
    for seed in range(100):
        rng = Random(seed)
        card, code, iban = (str(FAKES[name](rng)) for name in ("credit_card_number", "ean13", "iban"))
        doubled = [int(digit) * (2 - place % 2) for place, digit in enumerate(card)]
        assert sum(digit - 9 if digit > 9 else digit for digit in doubled) % 10 == 0
        assert sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(code)) % 10 == 0
        assert int(iban[4:] + "1314" + iban[2:4]) % 97 == 1
        assert uuid.UUID(str(FAKES["uuid"](rng))).version == 4


@pytest.mark.parametrize(
    ("spelled", "name"),
    [
        ("FirstName", "first_name"),
        ("firstName", "first_name"),
        ("UUIDDigit", "uuid_digit"),
        ("DateTimeISO", "date_time_iso"),
        ("IPv4", "ipv4"),
        ("CCNumber", "cc_number"),
        ("Float64", "float64"),
    ],
)
def test_a_kind_is_found_however_its_name_is_spelled(spelled: str, name: str) -> None:
    assert fake(spelled) is FAKES[name]


def test_an_unknown_kind_is_none() -> None:
    assert fake("nope") is None


@pytest.mark.parametrize("name", ["password", "words", "nanoid", "hex_token", "sentence", "paragraph"])
def test_only_so_much_is_made_at_once(name: str) -> None:
    with pytest.raises(ValueError, match=str(COUNT_MAX)):
        FAKES[name](Random(1), COUNT_MAX + 1)
