"""When are two names, e-mail addresses or phone numbers the same? Pure answers, the same on both sides of every comparison."""

import re
from functools import lru_cache

import phonenumbers
from anyascii import anyascii
from nicknames import NickNamer

_APART = re.compile(r"[^a-z0-9]+")
_SUFFIXES = {"jr", "sr", "ii", "iii", "iv"}


def normalised_email(address: str | None) -> str:
    """The address as it is compared: trimmed and case-folded; "" for none."""
    return (address or "").strip().casefold()


def base_email(address: str | None) -> str:
    """The mailbox behind plus-addressing: ana+church@gmail.com is read by ana@gmail.com."""
    local, at, domain = normalised_email(address).rpartition("@")
    return f"{local.split('+', 1)[0]}{at}{domain}"


def e164(number: str | None, country_code: str) -> str:
    """A phone number as +15125550177, read with the church's country; "" where it is no possible number."""
    try:
        parsed = phonenumbers.parse(number or "", country_code or None)
    except phonenumbers.NumberParseException:
        return ""
    # A number without its area code is possible locally only, and no key to anybody.
    if phonenumbers.is_possible_number_with_reason(parsed) != phonenumbers.ValidationResult.IS_POSSIBLE:
        return ""
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def normalised_name(name: str | None) -> str:
    """A name as it is compared: in plain letters, lower case, single spaces ("José  María" -> "jose maria")."""
    return _APART.sub(" ", anyascii(name or "").lower().replace("'", "").replace("’", "")).strip()


def name_key(first_name: str | None, last_name: str | None) -> str:
    """First and last name as one key for look-ups."""
    return f"{normalised_name(first_name)}|{_without_suffix(normalised_name(last_name))}"


def same_first_name(one: str | None, other: str | None) -> bool:
    """Whether two first names may be one person's: equal, a middle name more, or a nickname (Bill, William)."""
    a, b = normalised_name(one), normalised_name(other)
    if not a or not b:
        return False
    return a == b or a.replace(" ", "") == b.replace(" ", "") or _same_word(a.split()[0], b.split()[0])


def same_last_name(one: str | None, other: str | None) -> bool:
    """Whether two last names agree: equal, or one of them a part of the other's double name (Lopez, Lopez-Garcia)."""
    a, b = (_without_suffix(normalised_name(name)) for name in (one, other))
    if not a or not b:
        return False
    return a.replace(" ", "") == b.replace(" ", "") or _is_part(a.split(), b.split()) or _is_part(b.split(), a.split())


def _is_part(short: list[str], double: list[str]) -> bool:
    return len(short) == 1 and len(double) == 2 and short[0] in double and len(short[0]) > 2


def _without_suffix(name: str) -> str:
    words = name.split()
    return " ".join(words[:-1]) if len(words) > 1 and words[-1] in _SUFFIXES else name


@lru_cache(maxsize=1)
def _nicknames() -> NickNamer:
    return NickNamer()


@lru_cache(maxsize=4096)
def _same_word(a: str, b: str) -> bool:
    return a == b or a in _nicknames().nicknames_of(b) or b in _nicknames().nicknames_of(a)
