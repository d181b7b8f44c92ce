"""Every word of the card is there in every language that it offers."""

from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

from connectcard.web.capture import LANGUAGES

ROOT = Path(__file__).resolve().parents[2]
TRANSLATED = [language for language in LANGUAGES if language != "en"]


def said() -> set[str]:
    """The words in the code and the templates of the card."""
    with (ROOT / "babel.cfg").open() as described:
        methods, options = parse_mapping_cfg(described)
    keywords = {"_": None, "gettext": None, "lazy_gettext": None}
    return {str(found[2]) for found in extract_from_dir(ROOT, methods, options, keywords)}


def catalog(language: str) -> Catalog:
    with (ROOT / "connectcard/translations" / language / "LC_MESSAGES/messages.po").open("rb") as po:
        return read_po(po, locale=language)


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_word_is_translated_and_none_is_left_over(language: str) -> None:
    translated = {str(message.id) for message in catalog(language) if message.id and message.string and not message.fuzzy}
    assert translated == said()


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_asks_for_the_same_values(language: str) -> None:
    assert [error for message in catalog(language) for error in message.check()] == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_what_is_shown_is_what_was_translated(language: str) -> None:
    with (ROOT / "connectcard/translations" / language / "LC_MESSAGES/messages.mo").open("rb") as mo:
        compiled = {str(message.id): message.string for message in read_mo(mo) if message.id}
    assert compiled == {str(message.id): message.string for message in catalog(language) if message.id}
