"""Who is this? Values in, a decision with its reasons out.

The ladder: 1 our own link -> same; 2 e-mail or phone and a compatible name on exactly one person -> same; 3 e-mail or phone
alone -> unclear (a spouse, a child, a changed name); 4 the name alone -> unclear, never automatic; 5 two people fit -> unclear;
6 nobody -> new. A first name without a last name is enough with an e-mail that one person has, never with a phone.

What holds a link back even on rung 2: a suffix on one side only (father and son), a short name that others have too, a child where an
adult signed, an inactive person, and anybody else there who might be meant as well.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from connectcard.people.identity import (
    base_email,
    in_writing,
    is_role_address,
    names_its_owner,
    normalised_name,
    perhaps_same_number,
    same_number,
)
from connectcard.people.names import EITHER, NO, PERHAPS, Likeness, first_names, last_names, mistyped, suffix_of
from connectcard.people.names import UNKNOWN as NOT_KNOWN

SAME, NEW, UNCLEAR = "same", "new", "unclear"
YES, UNKNOWN = "yes", "unknown"
__all__ = ["NEW", "NO", "SAME", "UNCLEAR", "UNKNOWN", "YES", "Candidate", "Comparison", "Decision", "Reason", "Visitor", "decide", "merged"]


@dataclass(frozen=True)
class Visitor:
    """Who left the card. Contacts are normalised (identity); `linked` is the person this card reached before."""

    first_name: str
    last_name: str = ""
    email: str = ""
    phone: str = ""
    linked: str | None = None
    child: bool = False

    @property
    def suffix(self) -> str:
        return suffix_of(self.last_name, self.first_name)


@dataclass(frozen=True)
class Candidate:
    """A person of the church who might be the visitor; contacts are normalised."""

    remote_id: str
    first_name: str = ""
    last_name: str = ""
    given_name: str = ""
    nickname: str = ""
    emails: frozenset[str] = frozenset()
    phones: frozenset[str] = frozenset()
    inactive: bool = False
    child: bool = False
    name_suffix: str = ""

    @property
    def name(self) -> str:
        return " ".join(part for part in (self.first_name, self.last_name, self.name_suffix) if part)

    @property
    def suffix(self) -> str:
        return suffix_of(f"- {self.name_suffix}", self.last_name, self.first_name)


@dataclass(frozen=True)
class Reason:
    """One point of a comparison in words for staff; `agrees` is yes, no or unknown."""

    agrees: str
    words: str


@dataclass(frozen=True)
class Comparison:
    """One candidate held against the visitor. `first` and `last` say how the names stand to each other, also where they are swapped."""

    candidate: Candidate
    first: Likeness
    last: Likeness
    email: bool
    phone: bool
    role_email: bool = False
    swapped: bool = False
    reasons: tuple[Reason, ...] = field(compare=False, default=())

    @property
    def contact(self) -> bool:
        return self.email or self.phone

    @property
    def first_name(self) -> bool:
        return self.first.good or self.first.grade == EITHER

    @property
    def last_name(self) -> bool:
        return self.last.good

    @property
    def name(self) -> bool:
        return self.first_name and self.last_name


@dataclass(frozen=True)
class Decision:
    """What matching says: the kind, the person if it is somebody, one sentence why, and who was looked at."""

    kind: str
    words: str
    person: Candidate | None = None
    compared: tuple[Comparison, ...] = ()


def decide(visitor: Visitor, candidates: Iterable[Candidate]) -> Decision:
    """Say who the visitor is; never guesses where two people fit or only a name or only a contact agrees."""
    compared = tuple(compare(visitor, candidate) for candidate in _each_once(candidates))
    linked = [row.candidate for row in compared if row.candidate.remote_id == visitor.linked]
    if linked:
        return Decision(SAME, "This card reached this person before.", linked[0], compared)
    relevant = tuple(sorted((row for row in compared if _matters(visitor, row)), key=_nearest_first))
    meant = [row for row in relevant if _may_be_meant(visitor, row, relevant)]
    fitting = [row for row in meant if not _held_back(visitor, row)]
    if len(fitting) == 1 and not _rivals(visitor, fitting[0], relevant, meant):
        return Decision(SAME, _why_same(visitor, fitting[0]), fitting[0].candidate, relevant)
    if relevant:
        return Decision(UNCLEAR, _why_unclear(visitor, relevant, meant), None, relevant)
    return Decision(NEW, "Nobody in Planning Center has this name, email or mobile number.")


def _each_once(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Search may name a person twice, and a merged person comes back under the id that was kept."""
    people: dict[str, Candidate] = {}
    for candidate in candidates:
        people[candidate.remote_id] = merged(people.get(candidate.remote_id), candidate)
    return list(people.values())


def merged(one: Candidate | None, other: Candidate) -> Candidate:
    """Two sights of one person as one: the names of the later, the contacts of both."""
    if one is None:
        return other
    named = {
        name: getattr(other, name) or getattr(one, name) for name in ("first_name", "last_name", "given_name", "nickname", "name_suffix")
    }
    return replace(other, emails=one.emails | other.emails, phones=one.phones | other.phones, child=one.child or other.child, **named)


# One candidate held against the visitor.


def compare(visitor: Visitor, candidate: Candidate) -> Comparison:
    """Hold one candidate against the visitor, point by point."""
    first, last, swapped = _names(visitor, candidate)
    shares = bool(visitor.email) and base_email(visitor.email) in {base_email(address) for address in candidate.emails}
    role = shares and is_role_address(visitor.email)
    phone = any(same_number(visitor.phone, number) for number in candidate.phones)
    row = Comparison(candidate, first, last, shares and not role, phone, role, swapped)
    return replace(row, reasons=tuple(_reasons(visitor, row)))


def _names(visitor: Visitor, candidate: Candidate) -> tuple[Likeness, Likeness, bool]:
    named = tuple(dict.fromkeys(filter(None, (candidate.first_name, candidate.given_name, candidate.nickname))))
    first = _best(first_names(visitor.first_name, name) for name in named)
    last = last_names(visitor.last_name, candidate.last_name)
    if not (first.good and last.good) and visitor.last_name and candidate.last_name:
        crossed = _best(first_names(visitor.last_name, name) for name in named)
        other = last_names(visitor.first_name, candidate.last_name)
        if crossed.good and other.good:
            return crossed, other, True
    return first, last, False


_GRADES = ("yes", EITHER, PERHAPS, NO, NOT_KNOWN)


def _best(found: Iterable[Likeness]) -> Likeness:
    return min(found, key=lambda likeness: _GRADES.index(likeness.grade), default=Likeness(NOT_KNOWN))


def _matters(visitor: Visitor, row: Comparison) -> bool:
    """Whether staff would want to see this person: a shared contact, or the whole name."""
    if row.contact or row.name:
        return True
    if row.role_email and row.first_name and row.last.grade != NO:
        return True
    like = (row.first_name and row.last.grade != NO) or (row.last_name and row.first.grade != NO)
    return like and _nearly_shares(visitor, row)


def _nearly_shares(visitor: Visitor, row: Comparison) -> bool:
    near_number = any(perhaps_same_number(visitor.phone, number) for number in row.candidate.phones)
    return near_number or any(_nearly(visitor.email, address) for address in row.candidate.emails)


def _nearest_first(row: Comparison) -> tuple[bool, bool, bool, str]:
    return (not (row.name and row.contact), not row.contact, not row.name, row.candidate.remote_id)


# Who fits.


def _may_be_meant(visitor: Visitor, row: Comparison, relevant: Sequence[Comparison]) -> bool:
    """Name and contact agree; where one side has no last name, the first name and an e-mail that nobody else has."""
    if not (row.first_name and row.contact):
        return False
    if visitor.last_name and row.candidate.last_name:
        return row.last_name
    return row.email and sum(other.email for other in relevant) == 1


def _held_back(visitor: Visitor, row: Comparison) -> str:
    """What keeps a person who fits from being linked without a question, in words; "" for nothing."""
    return next((words for holds, words in _HOLDS if holds(visitor, row)), "")


def _suffixes_differ(visitor: Visitor, row: Comparison) -> bool:
    return visitor.suffix != row.candidate.suffix


def _either(visitor: Visitor, row: Comparison) -> bool:
    """Chris may be Christina or her husband, Jack may be John's son, unless the address that they share is a Chris's or a Jack's."""
    return row.first.grade == EITHER and not (row.email and names_its_owner(visitor.email, visitor.first_name))


def _child_for_adult(visitor: Visitor, row: Comparison) -> bool:
    return row.candidate.child and not visitor.child


def _adult_for_child(visitor: Visitor, row: Comparison) -> bool:
    return visitor.child and not row.candidate.child


def _inactive(_visitor: Visitor, row: Comparison) -> bool:
    return row.candidate.inactive


_HOLDS: tuple[tuple[Callable[[Visitor, Comparison], bool], str], ...] = (
    (_suffixes_differ, "It may be father and son: Jr., Sr. or a number differs."),
    (_child_for_adult, "That person is a child; a parent of the same name may have signed."),
    (_adult_for_child, "That person is not marked as a child; it may be a parent of the same name."),
    (_either, "The first name may be short for that one, or somebody else's in the same family."),
    (_inactive, "That person is inactive. If they are back, make them active in Planning Center."),
)


def _rivals(visitor: Visitor, fitting: Comparison, relevant: Sequence[Comparison], meant: Sequence[Comparison]) -> list[Comparison]:
    """Who else may be meant: people who were held back, and where only a nickname fits, whoever else it may be short for."""
    held_back = [row for row in meant if row is not fitting and _may_be_meant_still(visitor, row)]
    if not fitting.first.words:
        return held_back
    same_house = (row for row in relevant if row is not fitting and row.contact and row.last_name)
    return held_back + [
        row for row in same_house if row.first.grade == PERHAPS or _begin_alike(visitor.first_name, row.candidate.first_name)
    ]


def _begin_alike(one: str, other: str) -> bool:
    return normalised_name(one)[:3] == normalised_name(other)[:3]


def _may_be_meant_still(visitor: Visitor, row: Comparison) -> bool:
    """Not an inactive double of the one who fits, and not the other one of Jr. and Sr."""
    if _suffixes_differ(visitor, row):
        return not visitor.suffix
    return not row.candidate.inactive


# In words.


def _why_same(visitor: Visitor, row: Comparison) -> str:
    contact = " and ".join(word for word, agrees in (("email", row.email), ("mobile number", row.phone)) if agrees)
    name = "name" if row.last_name else "first name"
    how = next(
        (likeness.words for likeness in (row.first, row.last) if likeness.words), "First and last name are swapped" if row.swapped else ""
    )
    return f"Same {name} and same {contact} as {row.candidate.name}{f' ({_small(how)})' if how else ''}."


def _why_unclear(visitor: Visitor, relevant: Sequence[Comparison], meant: Sequence[Comparison]) -> str:
    if len(meant) > 1:
        return f"{len(meant)} people in Planning Center fit this card."
    if meant:
        held_back = _held_back(visitor, meant[0]) or "Others there have nearly the same name."
        return f"Same name and same {_contact(meant[0])} as {meant[0].candidate.name}. {held_back}"
    sharing = [row for row in relevant if row.contact]
    if len(sharing) > 1:
        return "Several people share this email or mobile number."
    if sharing:
        return _why_sharing(visitor, sharing[0])
    if len(relevant) > 1:
        return f"{len(relevant)} people have this name, but other contact details."
    return _why_name_only(visitor, relevant[0])


def _contact(row: Comparison) -> str:
    return "email" if row.email else "mobile number"


def _why_sharing(visitor: Visitor, row: Comparison) -> str:
    contact, name = _contact(row), row.candidate.name
    if row.first_name and row.last.grade in (NO, PERHAPS):
        mistyped_last = row.last.grade == PERHAPS
        guess = f"{row.last.words}." if mistyped_last else "It may be a changed name, for instance after a wedding."
        return f"Same first name and same {contact} as {name}, but another last name. {guess}"
    if row.first.grade == PERHAPS and (row.last_name or not visitor.last_name):
        return f"Same {contact} as {name}. {row.first.words}; it may be the same person, or somebody of the same household."
    if row.first_name and not visitor.last_name:
        return f"Same first name and same {contact} as {name}. The card has no last name, so it may be somebody else."
    return f"Same {contact} as {name}, but another name. It may be somebody of the same household."


def _why_name_only(visitor: Visitor, row: Comparison) -> str:
    name = row.candidate.name
    if row.role_email:
        return f"Same name as {name}. {visitor.email} is an address for several people, so it does not say who this is."
    if _nearly_shares(visitor, row):
        like = "Same name" if row.name else "Nearly the same name"
        return f"{like} as {name}, and nearly the same contact details. Something may be mistyped."
    if not (row.candidate.emails or row.candidate.phones):
        return f"Same name as {name}, who has no email and no mobile number in Planning Center."
    return f"Same name as {name}, but no email or mobile number in common."


def _nearly(one: str, other: str) -> bool:
    return bool(one) and bool(other) and mistyped(one, other)


def _small(words: str) -> str:
    return words[:1].lower() + words[1:]


def _reasons(visitor: Visitor, row: Comparison) -> Iterable[Reason]:
    candidate = row.candidate
    yield _name_reason("first name", visitor.first_name, row.first, _shown_first_name(candidate))
    yield _name_reason("last name", visitor.last_name, row.last, candidate.last_name)
    yield _email_reason(visitor, row)
    yield _phone_reason(visitor, row)
    if row.swapped:
        yield Reason(UNKNOWN, "First and last name are swapped")
    if _suffixes_differ(visitor, row):
        yield Reason(NO, f"{visitor.suffix or 'No Jr. or Sr.'} on the card, {candidate.suffix or 'no Jr. or Sr.'} in Planning Center")
    if candidate.child != visitor.child:
        yield Reason(NO, "A child in Planning Center" if candidate.child else "Not marked as a child in Planning Center")
    if candidate.inactive:
        yield Reason(NO, "Inactive in Planning Center")


def _shown_first_name(candidate: Candidate) -> str:
    others = [name for name in (candidate.nickname, candidate.given_name) if name and name != candidate.first_name]
    return f"{candidate.first_name} ({', '.join(others)})" if others else candidate.first_name


def _name_reason(what: str, ours: str, likeness: Likeness, theirs: str) -> Reason:
    if not ours:
        return Reason(UNKNOWN, f"{what.capitalize()} not on the card")
    if likeness.good:
        return Reason(YES, f"Same {what}: {theirs}{f' ({_small(likeness.words)})' if likeness.words else ''}")
    if not theirs:
        return Reason(UNKNOWN, f"No {what} in Planning Center")
    if likeness.words and likeness.grade == EITHER:
        return Reason(YES, f"{likeness.words}: {theirs}")
    if likeness.words:
        return Reason(UNKNOWN if likeness.grade != NO else NO, f"{likeness.words}: theirs is {theirs}")
    return Reason(NO, f"{what.capitalize()} differs: theirs is {theirs}")


def _email_reason(visitor: Visitor, row: Comparison) -> Reason:
    theirs = sorted(row.candidate.emails)
    if visitor.email and (row.email or row.role_email):
        as_theirs = next(address for address in theirs if base_email(address) == base_email(visitor.email))
        same_mailbox = "" if as_theirs == visitor.email else f" (theirs is {as_theirs}, the same mailbox)"
        if row.role_email:
            return Reason(UNKNOWN, f"Both have {visitor.email}, an address for several people")
        return Reason(YES, f"Same email: {visitor.email}{same_mailbox}")
    nearly = next((address for address in theirs if _nearly(visitor.email, address)), None)
    if nearly:
        return Reason(UNKNOWN, f"Email differs by a letter or two: theirs is {nearly}")
    return _contact_reason("email", visitor.email, theirs)


def _phone_reason(visitor: Visitor, row: Comparison) -> Reason:
    theirs = sorted(row.candidate.phones)
    if row.phone:
        return Reason(YES, f"Same mobile number: {in_writing(visitor.phone)}")
    near = next((number for number in theirs if perhaps_same_number(visitor.phone, number)), None)
    if near:
        return Reason(UNKNOWN, f"Mobile number agrees as far as it goes: theirs is {in_writing(near)}")
    return _contact_reason("mobile number", visitor.phone, [in_writing(number) for number in theirs])


def _contact_reason(what: str, ours: str, theirs: Sequence[str]) -> Reason:
    if not ours:
        return Reason(UNKNOWN, f"{what.capitalize()} not on the card")
    if not theirs:
        return Reason(UNKNOWN, f"No {what} in Planning Center")
    return Reason(NO, f"{what.capitalize()} differs: theirs is {', '.join(theirs)}")
