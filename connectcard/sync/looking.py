"""Reading from Planning Center: who might this be, and how do they stand there now? Never writes.

`search_*` is fuzzy and lags, so its rows are candidates that matching checks again (reference: Planning Center People, 3.2).
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta
from typing import Any

from connectcard.people.identity import base_email, e164, normalised_email, normalised_name, same_first_name, same_last_name, without_plus
from connectcard.people.matching import SAME, UNCLEAR, UNKNOWN, YES, Candidate, Comparison, Decision, Visitor, compare, merged
from connectcard.people.scripts import is_latin
from connectcard.planning_center import Client, Record
from connectcard.planning_center.errors import Gone, Merged
from connectcard.planning_center.resources import people
from connectcard.sync.families import WantedMember
from connectcard.sync.mappings import fitting
from connectcard.sync.plans import FieldValue, PersonNow

CONTACTS = ("emails", "phone_numbers", "name_suffix")
CONTACT_RECORDS = (("emails", "Email"), ("phone_numbers", "PhoneNumber"), ("addresses", "Address"))
EVERYTHING = (*CONTACTS, "addresses", "field_data")
# More people than this on one address is an office or a typo; staff decide anyway.
MOST_SHARING = 5
ANYTHING = "search_name_or_email_or_phone_number"
LONGEST_MERGE_CHAIN = 10
# Planning Center's clock and ours may differ by so much.
CLOCKS_DIFFER = timedelta(minutes=5)
MADE_BEFORE = "This card made this person before our database was put back from a backup."
MARKED_OTHERWISE = "The mark of this card stands on somebody with another name. It may be this visitor, renamed since."


def candidates_in_planning_center(visitor: Visitor, country_code: str, client: Client) -> list[Candidate]:
    """Everybody there who might share the visitor's e-mail, phone or name: three reads for a visitor whom nobody knows."""
    found: dict[str, Candidate] = {}
    for candidate in (
        *_by_email(visitor, country_code, client),
        *_by_phone(visitor, country_code, client),
        *_by_name(visitor, country_code, client),
    ):
        found[candidate.remote_id] = merged(found.get(candidate.remote_id), candidate)
    return list(found.values())


def _by_email(visitor: Visitor, country_code: str, client: Client) -> Iterable[Candidate]:
    if not visitor.email:
        return
    addresses = dict.fromkeys((visitor.email, without_plus(visitor.email)))
    rows = [row for address in addresses for row in client.list(people.EMAIL, where={"address": address}).records]
    matching = [row for row in rows if base_email(row["address"]) == base_email(visitor.email)]
    owners = dict.fromkeys(ref.id for row in matching for ref in row.related("person"))
    for remote_id in list(owners)[:MOST_SHARING]:
        person = find_person_now(remote_id, country_code, client, include=CONTACTS)
        if person is not None:
            yield person.candidate


def _by_phone(visitor: Visitor, country_code: str, client: Client) -> Iterable[Candidate]:
    if visitor.phone:
        yield from _search({"search_phone_number_e164": visitor.phone}, country_code, client)


def _by_name(visitor: Visitor, country_code: str, client: Client) -> Iterable[Candidate]:
    if not (visitor.first_name and visitor.last_name):
        return
    for name in _ways_to_write(f"{visitor.first_name} {visitor.last_name}"):
        yield from _search({"search_name": name}, country_code, client)


def _ways_to_write(name: str) -> list[str]:
    """A name as it was written and, where it is in another script, in plain letters: the church may keep it either way."""
    return [name] if is_latin(name) else [name, normalised_name(name).title()]


def people_called(text: str, country_code: str, client: Client) -> list[Candidate]:
    """Whom Planning Center finds for a name, an e-mail address or a number that staff typed."""
    found = [one for words in _ways_to_write(text) for one in _search({ANYTHING: words}, country_code, client)]
    return list({candidate.remote_id: candidate for candidate in found}.values())


def _search(where: dict[str, str], country_code: str, client: Client) -> Iterable[Candidate]:
    page = client.list(people.PERSON, where=where, include=CONTACTS, per_page=25)
    return [person_now(record, country_code).candidate for record in page.records]


class Namesakes:
    """Who else in Planning Center has the name of one of a family.

    A spouse is searched for like a visitor. Children are looked for among everybody of their last name, read once for all of them,
    since no address that is asked for holds a child's name.
    """

    def __init__(self, visitor: str | None, at_home: Collection[str], country_code: str, client: Client) -> None:
        """The visitor does not count, nor does who is `at_home`, unless somebody of the name was merged into them."""
        self._visitor, self._at_home, self._country_code, self._client = visitor, at_home, country_code, client
        self._of_last_name: dict[str, list[Record]] = {}

    def of(self, member: WantedMember, ours: Collection[str]) -> tuple[Comparison, ...]:
        """Whoever else has this name, or had it before they were merged; `ours` are people of our own to look at too: search lags,
        and says nothing of whom somebody was merged into."""
        if not member.last_name:
            return ()
        found = {record.id: record for record in (self._called(member.last_name) if member.child else self._searched(member))}
        read = {remote_id: find_person_record(remote_id, self._client) for remote_id in ours if remote_id not in found}
        there = {remote_id: record for remote_id, record in {**found, **read}.items() if record and record.id != self._visitor}
        named = {one.id: one for remote_id, one in there.items() if one.id != remote_id or self._is_namesake(member, one)}
        visitor = Visitor(member.first_name, member.last_name, child=member.child)
        return tuple(compare(visitor, person_now(one, self._country_code).candidate) for one in named.values())

    def _is_namesake(self, member: WantedMember, record: Record) -> bool:
        is_made_now = str(record["remote_id"]) == str(member.remote_id_token)
        return record.id not in self._at_home and _is_called(member, record) and not is_made_now

    def _searched(self, member: WantedMember) -> Sequence[Record]:
        names = _ways_to_write(f"{member.first_name} {member.last_name}")
        pages = [self._client.list(people.PERSON, where={"search_name": name}, include=CONTACTS, per_page=25) for name in names]
        return [record for page in pages for record in page.records]

    def _called(self, last_name: str) -> list[Record]:
        if last_name not in self._of_last_name:
            written = _ways_to_write(last_name)
            self._of_last_name[last_name] = [
                one for name in written for one in self._client.iterate(people.PERSON, where={"last_name": name}, include=CONTACTS)
            ]
        return self._of_last_name[last_name]


def _is_called(member: WantedMember, record: Record) -> bool:
    first = any(same_first_name(member.first_name, record[name]) for name in ("first_name", "nickname", "given_name"))
    return first and same_last_name(member.last_name, record["last_name"])


def find_made_before(visitor: Visitor, remote_id_token: int, country_code: str, client: Client) -> Decision | None:
    """Who carries the mark of this card already, made by rows of ours that are lost; None for nobody.

    Under another name it is asked about: staff may have mended it, or the number is the church's own.
    """
    records = client.list(people.PERSON, where={"remote_id": str(remote_id_token)}, include=CONTACTS).records
    # The filter is checked again here: Planning Center ignores what it does not know.
    found = [person_now(one, country_code).candidate for one in records if str(one["remote_id"]) == str(remote_id_token)]
    compared = tuple(compare(visitor, candidate) for candidate in found)
    if len(found) == 1 and compared[0].first_name and compared[0].last.grade in (YES, UNKNOWN):
        return Decision(SAME, MADE_BEFORE, found[0], compared)
    return Decision(UNCLEAR, MARKED_OTHERWISE, None, compared) if found else None


def find_person_now(remote_id: str, country_code: str, client: Client, include: tuple[str, ...] = EVERYTHING) -> PersonNow | None:
    """A person as they stand there; None where they are gone. A merged person is answered under the id that was kept."""
    record = find_person_record(remote_id, client, include)
    return person_now(record, country_code) if record else None


def find_person_record(remote_id: str, client: Client, include: tuple[str, ...] = ()) -> Record | None:
    """The same as Planning Center answers them."""
    for _ in range(LONGEST_MERGE_CHAIN):
        try:
            return client.get(people.PERSON, remote_id, include=include)
        except Merged as moved:
            remote_id = moved.kept_id
        except Gone:
            return None
    return None


def person_now(record: Record, country_code: str) -> PersonNow:
    """A Person record with its included contacts, addresses and field data as a value."""
    text: dict[str, Any] = {name: fitting(record[name], 200) for name in ("first_name", "last_name", "given_name", "nickname")}
    candidate = Candidate(
        remote_id=record.id,
        emails=frozenset(normalised_email(fitting(row["address"], 254))[:254] for row in _included(record, "emails", "Email")),
        phones=frozenset(_phone(row, country_code) for row in _included(record, "phone_numbers", "PhoneNumber")),
        inactive=record["status"] == "inactive",
        child=record["child"] is True,
        name_suffix=next((str(row["value"] or "") for row in _included(record, "name_suffix", "NameSuffix")), ""),
        **text,
    )
    return PersonNow(
        candidate=candidate,
        attributes=person_attributes(record),
        addresses=tuple(dict(row.attributes) for row in _included(record, "addresses", "Address")),
        fields=tuple(_field_value(row) for row in _included(record, "field_data", "FieldDatum")),
        contacts=tuple(row for relationship, kind in CONTACT_RECORDS for row in _included(record, relationship, kind)),
    )


def _included(record: Record, relationship: str, kind: str) -> list[Record]:
    ids = {ref.id for ref in record.related(relationship)}
    return [row for row in record.included_of(kind) if row.id in ids]


def person_attributes(record: Record) -> dict[str, Any]:
    """The attributes of a person, the campus among them."""
    return dict(record.attributes) | _primary_campus(record)


def _primary_campus(record: Record) -> dict[str, str]:
    campus = next((ref.id for ref in record.related("primary_campus")), None)
    return {"primary_campus_id": campus} if campus else {}


def _phone(row: Record, country_code: str) -> str:
    number = fitting(row["number"], 254)
    return fitting(row["e164"], 254) or e164(number, fitting(row["country_code"], 2) or country_code) or number


def _field_value(row: Record) -> FieldValue:
    definition = next((ref.id for ref in row.related("field_definition")), "")
    return FieldValue(definition, str(row["value"] or ""), row.id)
