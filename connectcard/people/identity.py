"""When are two e-mail addresses, phone numbers or names the same? Pure answers, the same on both sides of every comparison."""

import re
from functools import lru_cache
from itertools import product

import phonenumbers

from connectcard.people.names import EITHER, YES, first_names, last_names, without_suffix
from connectcard.people.plain_letters import plain_words, words_of
from connectcard.people.short_names import forms_of

# One mailbox under two domains, and the only one that is known to leave out the dots.
_GMAIL = ("gmail.com", "googlemail.com")
# Addresses of an office or of nobody: whoever writes them is not told apart by them.
_ROLES = """
info office admin administration contact hello mail email church secretary reception frontdesk team staff support sales service billing
accounts
webmaster postmaster noreply donotreply pastor pastors youth kids worship prayer welcome connect buero büro sekretariat pfarramt kontakt
kirche
gemeinde iglesia contacto oficina secretaria igreja contato eglise accueil contatti none noemail nomail nobody na unknown test example
"""
_SHORTEST_LOCAL, _SURELY_WHOLE = 7, 9
LONGEST_NAME_KEY = 400
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa", "æ": "ae"})


def normalised_email(address: str | None) -> str:
    """The address as it is compared: trimmed and case-folded; "" for none."""
    return (address or "").strip().casefold()


def without_plus(address: str | None) -> str:
    """The address behind plus-addressing: ana+church@gmail.com is read at ana@gmail.com."""
    local, at, domain = normalised_email(address).rpartition("@")
    return f"{local.split('+', 1)[0] or local}{at}{domain}"


def base_email(address: str | None) -> str:
    """The mailbox behind an address: without plus-addressing everywhere, without dots at Gmail, which does not see them."""
    local, at, domain = without_plus(address).rpartition("@")
    return f"{local.replace('.', '')}@gmail.com" if domain in _GMAIL else f"{local}{at}{domain}"


def is_role_address(address: str) -> bool:
    """Whether an address belongs to an office or to nobody (info@, office@, noemail@)."""
    local = without_plus(address).partition("@")[0]
    return re.sub(r"[._-]", "", local) in _roles()


@lru_cache(maxsize=1)
def _roles() -> frozenset[str]:
    return frozenset(_ROLES.split())


def names_its_owner(address: str, first_name: str) -> bool:
    """Whether an address carries this first name: chris.doyle@gmail.com is a Chris's."""
    local = words_of(re.sub(r"\d", " ", without_plus(address).partition("@")[0]))
    name = "".join(plain_words(first_name))
    return len(name) > 1 and name in local


def e164(number: str | None, country_code: str) -> str:
    """A phone number as +15125550177, read with the church's country; "" where it is no possible number."""
    text = (number or "").strip()
    found = _possible(text, country_code)
    # 00 for + is written all over the world, also where another prefix is dialled.
    return found or (_possible(f"+{text[2:].lstrip()}", country_code) if text.startswith("00") else "")


@lru_cache(maxsize=8192)
def _possible(number: str, country_code: str) -> str:
    try:
        parsed = phonenumbers.parse(number, country_code or None)
    except phonenumbers.NumberParseException:
        return ""
    # A number without its area code is possible locally only, and no key to anybody.
    if phonenumbers.is_possible_number_with_reason(parsed) != phonenumbers.ValidationResult.IS_POSSIBLE:
        return ""
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def in_writing(number: str) -> str:
    """+15125550177 as people write it, +1 512-555-0177; what has no country stays as it is."""
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def same_number(one: str, other: str) -> bool:
    """Whether two numbers are one: equal, or one of them is stored without its country and all the rest agrees."""
    return bool(one) and (one == other or _ends_alike(one, other, _SURELY_WHOLE))


def perhaps_same_number(one: str, other: str) -> bool:
    """Whether they agree as far as they go: one lacks its area code, or the countries differ."""
    if not one or not other:
        return False
    return _ends_alike(one, other, _SHORTEST_LOCAL) or (_national(one) == _national(other) != "")


def _ends_alike(one: str, other: str, at_least: int) -> bool:
    if one.startswith("+") == other.startswith("+"):
        return False
    whole, short = (_digits(one), _digits(other)) if one.startswith("+") else (_digits(other), _digits(one))
    rest = short.lstrip("0")
    return len(rest) >= at_least and whole.endswith(rest)


def _national(number: str) -> str:
    try:
        return phonenumbers.national_significant_number(phonenumbers.parse(number, None))
    except phonenumbers.NumberParseException:
        return ""


def _digits(number: str) -> str:
    return "".join(letter for letter in number if letter in "0123456789")


def normalised_name(name: str | None) -> str:
    """A name as it is compared: in plain letters, lower case, single spaces ("José  María" -> "jose maria")."""
    return " ".join(plain_words(name))


def name_key(first_name: str | None, last_name: str | None) -> str:
    """First and last name as one key for look-ups, without accents, spaces and suffix; one Chinese letter is up to six of it."""
    return f"{''.join(plain_words(first_name))}|{''.join(without_suffix(plain_words(last_name)))}"[:LONGEST_NAME_KEY]


@lru_cache(maxsize=4096)
def name_keys(first_name: str, last_name: str) -> frozenset[str]:
    """Every key under which this visitor may be known: nicknames, Müller and Mueller, first and last name swapped."""
    firsts = plain_words(first_name)
    if not firsts:
        return frozenset()
    lasts = {"".join(without_suffix(plain_words(last_name))), "".join(plain_words((last_name or "").lower().translate(_UMLAUTS)))}
    lasts |= {last.replace("ue", "u").replace("oe", "o").replace("ae", "a") for last in lasts}
    forms = {"".join(firsts), "".join(plain_words(first_name.lower().translate(_UMLAUTS))), firsts[0], *forms_of(firsts[0])}
    swapped = {name_key(last_name, first_name)} if last_name else set()
    return frozenset(f"{first}|{last}"[:LONGEST_NAME_KEY] for first, last in product(forms, lasts)) | swapped


def same_first_name(one: str | None, other: str | None) -> bool:
    """Whether two first names may be one person's: equal, a second name more, a nickname (Bill, William), another script."""
    return first_names(one or "", other or "").grade in (YES, EITHER)


def same_last_name(one: str | None, other: str | None) -> bool:
    """Whether two last names agree: equal, written differently, or a part of the other's double name (Lopez, Lopez-Garcia)."""
    return last_names(one or "", other or "").grade == YES
