"""How two names stand to each other: the same, perhaps the same, or different, always with words that staff read."""

from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz.distance import DamerauLevenshtein

from connectcard.people import short_names
from connectcard.people.plain_letters import plain_words, words_of
from connectcard.people.scripts import is_plain, may_be_written

YES, EITHER, PERHAPS, NO, UNKNOWN = "yes", "either", "perhaps", "no", "unknown"

_PARTICLES = """
van von der den de del della dela delas di da das do dos du des la las le les lo los el al ul ten ter te zu zum zur af av bin ibn bint abu
y e und et and i
"""
_SUFFIXES = {
    **dict.fromkeys(("jr", "junior"), "Jr."),
    **dict.fromkeys(("sr", "senior"), "Sr."),
    **dict.fromkeys(("ii", "2nd"), "II"),
    **dict.fromkeys(("iii", "3rd"), "III"),
    **dict.fromkeys(("iv", "4th"), "IV"),
    # Brazil: the son, the grandson.
    "filho": "Filho",
    "neto": "Neto",
}
_SHORTEST_TYPO, _LONG_NAME = 3, 8


@dataclass(frozen=True)
class Likeness:
    """How two names stand to each other. `words` says why, where they are not simply equal; EITHER is a short name that others have too."""

    grade: str
    words: str = ""

    @property
    def good(self) -> bool:
        return self.grade == YES


def suffix_of(*names: str | None) -> str:
    """Jr., Sr., II, III or IV, wherever it stands in these names; "" for none."""
    lasts = (plain_words(name) for name in names)
    return next((_SUFFIXES[words[-1]] for words in lasts if words and words[-1] in _SUFFIXES), "")


def without_suffix(words: tuple[str, ...]) -> tuple[str, ...]:
    return words[:-1] if len(words) > 1 and words[-1] in _SUFFIXES else words


@lru_cache(maxsize=8192)
def first_names(one: str, other: str) -> Likeness:
    """Hold two first names against each other."""
    a, b = (without_suffix(words_of(name)) for name in (one, other))
    if not a or not b:
        return Likeness(UNKNOWN)
    if _written_alike("".join(a), "".join(b)):
        return Likeness(YES, _other_letters("".join(a), "".join(b)))
    first = _first_words(a[0], b[0])
    if first.grade == NO:
        return _by_another_name(a, b)
    if len(a) > 1 and len(b) > 1 and not _second_names_agree(a[1], b[1]):
        return Likeness(NO, "Another second name")
    return first


def _first_words(a: str, b: str) -> Likeness:
    if _written_alike(a, b):
        return Likeness(YES, _other_letters(a, b))
    if len(a) == 1 or len(b) == 1:
        return Likeness(PERHAPS, "Only the first letter of the first name") if a[0] == b[0] else Likeness(NO)
    kind = short_names.alike(*(plain_words(name)[0] if plain_words(name) else name for name in (a, b)))
    if kind == short_names.SAME:
        return Likeness(YES, "Another form of the same first name")
    if kind == short_names.OWN:
        return Likeness(EITHER, "Short for the first name, and a name of its own")
    if kind == short_names.EITHER:
        return Likeness(EITHER, "Short for a man's and for a woman's first name")
    if kind == short_names.PERHAPS:
        return Likeness(PERHAPS, "Perhaps another form of the first name")
    return Likeness(PERHAPS, "First name differs by a letter or two") if mistyped(a, b) else Likeness(NO)


def _second_names_agree(a: str, b: str) -> bool:
    return _written_alike(a, b) or (1 in (len(a), len(b)) and a[0] == b[0]) or short_names.alike(a, b) == short_names.SAME


def _by_another_name(a: tuple[str, ...], b: tuple[str, ...]) -> Likeness:
    """John Paul may go by Paul, or sign as JP."""
    initials = {"".join(word[0] for word in words) for words in (a, b) if len(words) > 1}
    if initials & {"".join(a), "".join(b)}:
        return Likeness(PERHAPS, "The first letters of the first names")
    goes_by = (len(a) == 1 and a[0] in b[1:]) or (len(b) == 1 and b[0] in a[1:])
    return Likeness(PERHAPS, "The second of two first names") if goes_by else Likeness(NO)


@lru_cache(maxsize=8192)
def last_names(one: str, other: str) -> Likeness:
    """Hold two last names against each other; a suffix is not part of them."""
    a, b = (without_suffix(words_of(name)) for name in (one, other))
    if not a or not b:
        return Likeness(UNKNOWN)
    if _written_alike("".join(a), "".join(b)):
        return Likeness(YES, _other_letters("".join(a), "".join(b)))
    bare_a, bare_b = _without_particles(a), _without_particles(b)
    if _same_words(bare_a, bare_b):
        return Likeness(YES, "Same last name, written differently")
    if _is_part(bare_a, bare_b) or _is_part(bare_b, bare_a):
        return Likeness(YES, "A part of the double last name")
    if any(_written_alike(x, y) and len(x) > 1 for x in bare_a for y in bare_b):
        return Likeness(PERHAPS, "One half of a double last name agrees")
    if 1 in (len("".join(a)), len("".join(b))) and a[0][0] == b[0][0]:
        return Likeness(PERHAPS, "Only the first letter of the last name")
    return Likeness(PERHAPS, "Last name differs by a letter or two") if mistyped("".join(bare_a), "".join(bare_b)) else Likeness(NO)


def _without_particles(words: tuple[str, ...]) -> tuple[str, ...]:
    words = tuple("st" if word == "saint" else word for word in words)
    return tuple(word for word in words if word not in _particles()) or words


@lru_cache(maxsize=1)
def _particles() -> frozenset[str]:
    return frozenset(_PARTICLES.split())


def _same_words(a: tuple[str, ...], b: tuple[str, ...]) -> bool:
    """The same words in any order, or the same letters with other spaces."""
    if _written_alike("".join(a), "".join(b)) or _umlauts_folded("".join(a)) == _umlauts_folded("".join(b)):
        return True
    return (
        len(a) == len(b) and all(any(_written_alike(x, y) for y in b) for x in a) and all(any(_written_alike(x, y) for y in a) for x in b)
    )


def _is_part(short: tuple[str, ...], long: tuple[str, ...]) -> bool:
    if len(short) >= len(long) or any(len(word) < 3 and is_plain(word) for word in short):
        return False
    return all(any(_written_alike(x, y) or _umlauts_folded(x) == _umlauts_folded(y) for y in long) for x in short)


def _umlauts_folded(word: str) -> str:
    """Mueller and Muller are two ways to write Müller; done to family names only, since Michael is not Michal."""
    plain = "".join(plain_words(word))
    return plain.replace("ae", "a").replace("oe", "o").replace("ue", "u")


def _written_alike(a: str, b: str) -> bool:
    """Equal, or one of them is a way to write the other in plain letters."""
    if a == b:
        return True
    if is_plain(a) and is_plain(b):
        return False
    plain_a, plain_b = "".join(plain_words(a)), "".join(plain_words(b))
    if plain_a == plain_b:
        return True
    return (not is_plain(a) and may_be_written(a, plain_b)) or (not is_plain(b) and may_be_written(b, plain_a))


def _other_letters(a: str, b: str) -> str:
    return "" if is_plain(a) == is_plain(b) else "Written in other letters"


def mistyped(a: str, b: str) -> bool:
    """A letter wrong, missing, too much or swapped; in long names two."""
    a, b = "".join(plain_words(a)), "".join(plain_words(b))
    if a == b or min(len(a), len(b)) < _SHORTEST_TYPO:
        return False
    return DamerauLevenshtein.distance(a, b, score_cutoff=2) <= (2 if min(len(a), len(b)) >= _LONG_NAME else 1)
