"""Who is this? Values in, a decision with its reasons out.

The ladder: 1 our own link -> same; 2 e-mail or phone and a compatible name on exactly one person -> same; 3 e-mail or phone
alone -> unclear (a spouse, a child); 4 the name alone -> unclear, never automatic; 5 two people fit -> unclear; 6 nobody -> new.
A first name without a last name is enough with an e-mail that one person has, never with a phone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from connectcard.people.identity import base_email, same_first_name, same_last_name

SAME, NEW, UNCLEAR = "same", "new", "unclear"
YES, NO, UNKNOWN = "yes", "no", "unknown"


@dataclass(frozen=True)
class Visitor:
    """Who left the card. Contacts are normalised (identity); `linked` is the person this card reached before."""

    first_name: str
    last_name: str = ""
    email: str = ""
    phone: str = ""
    linked: str | None = None


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

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


@dataclass(frozen=True)
class Reason:
    """One point of a comparison in words for staff; `agrees` is yes, no or unknown."""

    agrees: str
    words: str


@dataclass(frozen=True)
class Comparison:
    """One candidate held against the visitor."""

    candidate: Candidate
    first_name: bool
    last_name: bool
    email: bool
    phone: bool
    reasons: tuple[Reason, ...] = field(compare=False, default=())

    @property
    def contact(self) -> bool:
        return self.email or self.phone


@dataclass(frozen=True)
class Decision:
    """What matching says: the kind, the person if it is somebody, one sentence why, and who was looked at."""

    kind: str
    words: str
    person: Candidate | None = None
    compared: tuple[Comparison, ...] = ()


def decide(visitor: Visitor, candidates: Sequence[Candidate]) -> Decision:
    """Say who the visitor is; never guesses where two people fit or only a name or only a contact agrees."""
    compared = tuple(compare(visitor, candidate) for candidate in candidates)
    linked = [row.candidate for row in compared if row.candidate.remote_id == visitor.linked]
    if linked:
        return Decision(SAME, "This card reached this person before.", linked[0], compared)
    relevant = tuple(row for row in compared if row.contact or (row.first_name and row.last_name))
    fitting = [row for row in relevant if _fits(visitor, row, relevant)]
    if len(fitting) == 1:
        return Decision(SAME, _why_same(visitor, fitting[0]), fitting[0].candidate, relevant)
    if relevant:
        return Decision(UNCLEAR, _why_unclear(relevant, len(fitting)), None, relevant)
    return Decision(NEW, "Nobody in Planning Center has this name, email or mobile number.")


def compare(visitor: Visitor, candidate: Candidate) -> Comparison:
    """Hold one candidate against the visitor, point by point."""
    first = any(same_first_name(visitor.first_name, name) for name in (candidate.first_name, candidate.given_name, candidate.nickname))
    last = same_last_name(visitor.last_name, candidate.last_name)
    email = bool(visitor.email) and base_email(visitor.email) in {base_email(address) for address in candidate.emails}
    phone = bool(visitor.phone) and visitor.phone in candidate.phones
    return Comparison(candidate, first, last, email, phone, _reasons(visitor, candidate, first, last, email, phone))


def _fits(visitor: Visitor, row: Comparison, relevant: Sequence[Comparison]) -> bool:
    if not row.first_name or not row.contact:
        return False
    if visitor.last_name:
        return row.last_name
    return row.email and sum(other.email for other in relevant) == 1


def _why_same(visitor: Visitor, row: Comparison) -> str:
    contact = " and ".join(word for word, agrees in (("email", row.email), ("mobile number", row.phone)) if agrees)
    name = "first name" if not visitor.last_name else "name"
    return f"Same {name} and same {contact} as {row.candidate.name}."


def _why_unclear(relevant: Sequence[Comparison], fitting: int) -> str:
    if fitting > 1:
        return f"{fitting} people in Planning Center fit this card."
    sharing = [row for row in relevant if row.contact]
    if len(sharing) > 1:
        return "Several people share this email or mobile number."
    if sharing:
        contact = "email" if sharing[0].email else "mobile number"
        return f"Same {contact} as {sharing[0].candidate.name}, but another name. It may be somebody of the same household."
    if len(relevant) > 1:
        return f"{len(relevant)} people have this name, but other contact details."
    return f"Same name as {relevant[0].candidate.name}, but no email or mobile number in common."


def _reasons(visitor: Visitor, candidate: Candidate, first: bool, last: bool, email: bool, phone: bool) -> tuple[Reason, ...]:
    return (
        _reason("first name", visitor.first_name, first, candidate.first_name),
        _reason("last name", visitor.last_name, last, candidate.last_name),
        _reason("email", visitor.email, email, ", ".join(sorted(candidate.emails))),
        _reason("mobile number", visitor.phone, phone, ", ".join(sorted(candidate.phones))),
    )


def _reason(what: str, ours: str, agrees: bool, theirs: str) -> Reason:
    if not ours:
        return Reason(UNKNOWN, f"{what.capitalize()} not on the card")
    if agrees:
        return Reason(YES, f"Same {what}: {theirs if 'name' in what else ours}")
    if not theirs:
        return Reason(UNKNOWN, f"No {what} in Planning Center")
    return Reason(NO, f"{what.capitalize()} differs: theirs is {theirs}")
