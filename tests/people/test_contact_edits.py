"""Staff change, remove and add contacts here: what a pull shows afterwards, what waits, and what both sides changed."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectcard.churches.tenancy import church_scope
from connectcard.clock import now
from connectcard.database import db, transaction
from connectcard.errors import ChangeRefused, NotFound
from connectcard.people import conflicts, contact_changes, contact_edits
from connectcard.people.contact_edits import edits_of, is_added, is_written, primary_is_written, their_content
from connectcard.people.contact_pulls import over
from connectcard.people.contacts import ADDRESS, PRIMARY, content_of, email_content, mark_of, phone_content
from connectcard.people.edit_models import ContactEdit
from connectcard.people.matching import Candidate
from connectcard.people.models import EMAIL, PHONE, Conflict, Identity, Person
from connectcard.people.operations import forget_person, marking_key, remember_person
from connectcard.people.pulled import PulledAddress, PulledContact, PulledPerson, Tally
from connectcard.people.taking_in import take_in_people

OLD, NEW, OTHER = "ana.lopez@gmail.com", "ana@lopez.family", "lopez.ana@outlook.com"
HOME = PulledAddress(
    "12 Elm Street", city="Austin", state="TX", zip="78701", country_code="US", location="Home", primary=True, remote_id="31"
)
AT = datetime(2026, 11, 20, 12, tzinfo=UTC)


def an_email(value: str, remote_id: str, *, primary: bool = False, location: str = "Home") -> PulledContact:
    return PulledContact(EMAIL, value, value, location, primary, remote_id, AT)


def ana(*contacts: PulledContact, addresses: tuple[PulledAddress, ...] = (HOME,), **more: Any) -> PulledPerson:
    return PulledPerson("7", Identity("Ana", "Lopez"), contacts=contacts, addresses=addresses, **more)


FIRST, SECOND = an_email(OLD, "11", primary=True), an_email(OTHER, "12", location="Work")
AS_IT_WAS = ana(FIRST, SECOND)


class AnaHere:
    """Ana as the directory of a church has her, and what its staff and Planning Center do."""

    def __init__(self, church_id: UUID) -> None:
        self.church_id = church_id
        self.shows(AS_IT_WAS)

    def shows(self, *people: PulledPerson) -> Tally:
        """Planning Center shows these people to a pull."""
        with church_scope(self.church_id), transaction():
            return take_in_people(people, now())

    def person(self) -> Person:
        return db.session.scalars(db.select(Person).where(Person.remote_id == "7")).one()

    def staff(self, change: Any, kind: str, *given: Any) -> Any:
        """Sam changes something."""
        with church_scope(self.church_id), transaction():
            return change(self.person(), kind, *given, "Sam Hill")

    def change(self, remote_id: str, value: str, location: str = "Home") -> Any:
        return self.staff(contact_changes.change_contact, EMAIL, remote_id, email_content(value, location))

    def remove(self, remote_id: str, kind: str = EMAIL) -> Any:
        return self.staff(contact_changes.remove_contact, kind, remote_id)

    def emails(self) -> dict[str | None, tuple[str, bool]]:
        with church_scope(self.church_id):
            return {one.remote_id: (one.value, one.primary) for one in self.person().contacts if one.kind == EMAIL}

    def streets(self) -> list[str]:
        with church_scope(self.church_id):
            return [one.street for one in self.person().addresses]

    def waiting(self) -> list[tuple[str, str, bool]]:
        with church_scope(self.church_id):
            return [(edit.kind, edit.remote_id, edit.ours is None) for edit in edits_of(self.person())]

    def asked(self) -> list[tuple[str, str, str]]:
        with church_scope(self.church_id):
            return [(one.field, one.ours, one.theirs) for one in conflicts.of_subject(self.person().id)]

    def decide(self, decide: Any) -> None:
        with church_scope(self.church_id), transaction():
            (one,) = db.session.scalars(db.select(Conflict).where(Conflict.decided_at.is_(None)))
            decide(one, "Sam Hill")


@pytest.fixture
def here(grace: UUID) -> AnaHere:
    return AnaHere(grace)


# One side.


@pytest.mark.usefixtures("any_database")
def test_what_was_changed_here_alone_stays_and_waits(here: AnaHere) -> None:
    assert here.change("11", NEW)
    assert here.shows(replace(AS_IT_WAS, gender="Female")).conflicts == 0
    assert here.emails() == {"11": (NEW, True), "12": (OTHER, False)}
    assert here.waiting() == [(EMAIL, "11", False)]
    with church_scope(here.church_id):
        (edit,) = edits_of(here.person())
        assert (edit.changed_by, contact_edits.opened(edit.theirs)) == ("Sam Hill", their_content(FIRST))


@pytest.mark.usefixtures("any_database")
def test_what_was_removed_here_stays_away_although_a_pull_shows_it(here: AnaHere) -> None:
    here.remove("12")
    here.remove("31", ADDRESS)
    assert here.shows(replace(AS_IT_WAS, gender="Female")).conflicts == 0
    assert (list(here.emails()), here.streets()) == (["11"], [])
    assert here.waiting() == [(EMAIL, "12", True), (ADDRESS, "31", True)]


def test_a_card_that_looks_at_somebody_does_not_bring_back_what_was_changed_here(here: AnaHere) -> None:
    here.change("11", NEW)
    here.remove("12")
    with church_scope(here.church_id), transaction():
        remember_person(Candidate("7", "Ana", "Lopez", emails=frozenset({OLD, OTHER})))
    assert here.emails() == {"11": (NEW, True)}


def test_what_changed_there_alone_changes_here(here: AnaHere) -> None:
    here.change("11", NEW)
    here.shows(ana(FIRST, replace(SECOND, value="other@gmail.com", display="other@gmail.com")))
    assert here.emails() == {"11": (NEW, True), "12": ("other@gmail.com", False)}
    assert here.asked() == []


def test_changed_back_here_waits_for_nothing(here: AnaHere) -> None:
    here.change("11", NEW)
    here.change("11", OLD)
    assert here.waiting() == []


def test_taken_back_stands_as_it_does_there(here: AnaHere) -> None:
    here.change("11", NEW)
    here.remove("12")
    for remote_id in ("11", "12"):
        here.staff(contact_changes.take_back, EMAIL, remote_id)
    assert (here.waiting(), here.emails()) == ([], {"11": (OLD, True), "12": (OTHER, False)})


# Both sides.


@pytest.mark.usefixtures("any_database")
def test_changed_on_both_sides_waits_for_staff_with_both_values_and_times(here: AnaHere) -> None:
    here.change("11", NEW)
    later = replace(FIRST, value="ana@work.org", display="ana@work.org", updated_at=datetime(2026, 11, 21, tzinfo=UTC))
    assert here.shows(ana(later, SECOND)).conflicts == 1
    assert here.asked() == [("Email", f"{NEW} (home)", "ana@work.org (home)")]
    assert here.emails()["11"] == (NEW, True)
    with church_scope(here.church_id):
        one = db.session.scalars(db.select(Conflict)).one()
        assert (one.theirs_at, one.ours_by) == (datetime(2026, 11, 21, tzinfo=UTC), "Sam Hill")
    with pytest.raises(ChangeRefused):
        here.change("11", "third@gmail.com")


CHANGED_THERE = ana(replace(FIRST, value="ana@work.org", display="ana@work.org"), SECOND)


def test_ours_is_kept_and_waits_without_being_asked_again(here: AnaHere) -> None:
    here.change("11", NEW)
    here.shows(CHANGED_THERE)
    here.decide(conflicts.keep_ours)
    assert here.shows(replace(CHANGED_THERE, gender="Female")).conflicts == 0
    assert (here.asked(), here.waiting(), here.emails()["11"]) == ([], [(EMAIL, "11", False)], (NEW, True))


def test_theirs_is_taken_and_nothing_waits(here: AnaHere) -> None:
    here.change("11", NEW)
    here.shows(CHANGED_THERE)
    here.decide(conflicts.take_theirs)
    assert (here.waiting(), here.emails()["11"]) == ([], ("ana@work.org", True))


@pytest.mark.parametrize("change_back", [CHANGED_THERE, ana(replace(FIRST, value=NEW, display=NEW), SECOND), AS_IT_WAS])
def test_a_question_that_answered_itself_is_asked_no_more(here: AnaHere, change_back: PulledPerson) -> None:
    here.change("11", NEW)
    here.shows(CHANGED_THERE)
    here.shows(replace(change_back, gender="Female"))
    assert len(here.asked()) == (1 if change_back is CHANGED_THERE else 0)
    assert here.emails()["11"] == (NEW, True)


@pytest.mark.usefixtures("any_database")
def test_changed_here_and_removed_there_goes_there_again_as_a_new_one_or_goes(here: AnaHere) -> None:
    for decide, left in ((conflicts.keep_ours, {None: (NEW, True), "12": (OTHER, False)}), (conflicts.take_theirs, {"12": (OTHER, True)})):
        here.shows(AS_IT_WAS)
        here.change("11", NEW)
        assert here.shows(ana(SECOND)).conflicts == 1
        assert here.asked() == [("Email", f"{NEW} (home)", "Removed")]
        here.decide(decide)
        assert here.waiting() == []
        assert {key: value for key, (value, _) in here.emails().items()} == {key: value for key, (value, _) in left.items()}
        with church_scope(here.church_id), transaction() as session:
            for row in [one for one in here.person().contacts if one.remote_id is None]:
                assert row.added_here_at
                session.delete(row)


def test_removed_here_and_changed_there_is_asked_too(here: AnaHere) -> None:
    for decide, left in ((conflicts.keep_ours, []), (conflicts.take_theirs, ["ana@work.org"])):
        here.shows(AS_IT_WAS)
        here.remove("11")
        assert here.shows(CHANGED_THERE).conflicts == 1
        assert here.asked() == [("Email", "Removed", "ana@work.org (home)")]
        here.decide(decide)
        assert [value for value, _ in here.emails().values() if value != OTHER] == left
        assert here.waiting() == ([(EMAIL, "11", True)] if decide is conflicts.keep_ours else [])
        with church_scope(here.church_id), transaction() as session:
            session.execute(db.delete(ContactEdit).where(ContactEdit.person_id == here.person().id))


def test_both_removed_it_or_gave_it_the_same_value_is_settled_by_itself(here: AnaHere) -> None:
    here.remove("12")
    here.change("11", "+Ana.Lopez@LOPEZ.family".lower())
    assert here.shows(ana(replace(FIRST, value="+ana.lopez@lopez.family", display="+Ana.Lopez@lopez.family"))).conflicts == 0
    assert (here.waiting(), here.asked()) == ([], [])


def test_addresses_and_numbers_are_asked_about_alike(here: AnaHere) -> None:
    number = PulledContact(PHONE, "+15125550177", "(512) 555-0177", "Mobile", True, "21")
    here.shows(ana(FIRST, number))
    here.staff(contact_changes.change_contact, PHONE, "21", phone_content("512 555 0188", "Mobile", "US"))
    with church_scope(here.church_id):
        moved = {**content_of(here.person().addresses[0]), "street": "1 Oak Avenue"}
    here.staff(contact_changes.change_contact, ADDRESS, "31", moved)
    there = replace(number, value="+15125550199", display="512-555-0199"), replace(HOME, zip="78702")
    assert here.shows(ana(FIRST, there[0], addresses=(there[1],))).conflicts == 2
    assert sorted(here.asked()) == [
        ("Address", "1 Oak Avenue, Austin TX 78701, US (home)", "12 Elm Street, Austin TX 78702, US (home)"),
        ("Phone number", "512 555 0188 (mobile)", "512-555-0199 (mobile)"),
    ]


# The primary one.


def test_another_primary_one_waits_and_is_asked_about_when_there_it_is_a_third(here: AnaHere) -> None:
    third = an_email("third@gmail.com", "13")
    here.shows(ana(FIRST, SECOND, third))
    here.staff(contact_changes.make_primary, EMAIL, "12")
    assert here.shows(ana(FIRST, SECOND, third, gender="Female")).conflicts == 0
    assert [key for key, (_, primary) in here.emails().items() if primary] == ["12"]
    assert here.shows(ana(replace(FIRST, primary=False), SECOND, replace(third, primary=True))).conflicts == 1
    assert here.asked() == [("Primary email", f"{OTHER} (work)", "third@gmail.com (home)")]
    here.decide(conflicts.take_theirs)
    assert [key for key, (_, primary) in here.emails().items() if primary] == ["13"]


def test_a_change_of_one_is_no_question_about_which_is_primary(here: AnaHere) -> None:
    here.staff(contact_changes.make_primary, EMAIL, "12")
    assert here.shows(CHANGED_THERE).conflicts == 0
    assert here.emails() == {"11": ("ana@work.org", False), "12": (OTHER, True)}
    assert here.waiting() == [(EMAIL, PRIMARY, False)]


# What was added here.


def test_an_added_one_is_there_once_and_what_was_removed_comes_back_by_adding_it(here: AnaHere) -> None:
    here.staff(contact_changes.add_contact, EMAIL, email_content(NEW, "Home"))
    with pytest.raises(ChangeRefused):
        here.staff(contact_changes.add_contact, EMAIL, email_content(NEW.upper(), "Work"))
    here.remove("12")
    here.staff(contact_changes.add_contact, EMAIL, email_content(OTHER, "Home"))
    assert here.emails() == {"11": (OLD, True), "12": (OTHER, False), None: (NEW, False)}
    assert here.waiting() == [(EMAIL, "12", False)]


def test_two_contacts_never_say_the_same(here: AnaHere) -> None:
    with pytest.raises(ChangeRefused):
        here.change("11", OTHER)
    here.change("11", NEW)
    assert here.shows(ana(FIRST, SECOND, an_email(NEW, "13"))).conflicts == 0
    assert sorted(value for value, _ in here.emails().values()) == sorted([NEW, OTHER])
    assert here.waiting() == [(EMAIL, "11", False)]


def test_what_is_not_there_any_more_cannot_be_changed(here: AnaHere) -> None:
    here.shows(ana(FIRST))
    with pytest.raises(NotFound):
        here.change("12", NEW)


# What was sent.


def test_what_arrived_waits_no_more_and_what_was_changed_again_meanwhile_does(here: AnaHere) -> None:
    sent = email_content(NEW, "Home")
    for again in (False, True):
        here.change("11", NEW)
        if again:
            here.change("11", "third@gmail.com")
        with church_scope(here.church_id), transaction():
            is_written(here.person(), EMAIL, "11", sent, sent, marking_key())
        assert here.waiting() == ([(EMAIL, "11", False)] if again else [])
        there = ana(replace(FIRST, value=NEW, display=NEW), SECOND)
        assert here.shows(replace(there, gender=str(again))).conflicts == 0
    assert here.emails()["11"] == ("third@gmail.com", True)


def test_what_a_pull_brings_before_we_know_its_id_stands_here_once(here: AnaHere) -> None:
    street = {"street": "7 Oak Ave", "city": "Austin", "state": "TX", "zip": "78701", "country_code": "US", "location": "Home"}
    here.staff(contact_changes.add_contact, ADDRESS, street)
    there = PulledAddress(**street, primary=True, remote_id="32")
    here.shows(ana(FIRST, SECOND, addresses=(replace(HOME, primary=False), there)))
    with church_scope(here.church_id), transaction():
        person = here.person()
        added = next(one for one in person.addresses if one.added_here_at)
        is_added(person, added, "32")
    with church_scope(here.church_id):
        shown = [(one.remote_id, one.street, one.primary, one.added_here_at) for one in here.person().addresses]
    assert sorted(shown) == [("31", "12 Elm Street", False, None), ("32", "7 Oak Ave", True, None)]


def test_taken_back_while_it_was_on_its_way_it_goes_back(here: AnaHere) -> None:
    here.change("11", NEW)
    here.remove("12")
    for remote_id in ("11", "12"):
        here.staff(contact_changes.take_back, EMAIL, remote_id)
    with church_scope(here.church_id), transaction():
        is_written(here.person(), EMAIL, "11", email_content(NEW, "Home"), email_content(NEW, "Home"), marking_key())
        is_written(here.person(), EMAIL, "12", None, None, marking_key())
    assert here.waiting() == [(EMAIL, "11", False)]
    assert here.emails() == {"11": (OLD, True), None: (OTHER, False)}


def test_the_primary_one_arrived(here: AnaHere) -> None:
    here.staff(contact_changes.make_primary, EMAIL, "12")
    with church_scope(here.church_id), transaction():
        primary_is_written(here.person(), EMAIL, "12", marking_key())
    assert here.waiting() == []


# Merged people, and every way that two sides can go.


def test_what_waits_goes_over_to_whom_somebody_was_merged_into(here: AnaHere) -> None:
    here.change("11", NEW)
    kept = PulledPerson("8", Identity("Anna", "Lopez"), contacts=(), addresses=())
    here.shows(kept)
    with church_scope(here.church_id), transaction():
        forget_person("7", "8")
    here.shows(replace(kept, contacts=(FIRST,)))
    with church_scope(here.church_id):
        anna = db.session.scalars(db.select(Person).where(Person.remote_id == "8")).one()
        assert [(one.value, one.remote_id) for one in anna.contacts] == [(NEW, "11")]
        assert [edit.remote_id for edit in edits_of(anna)] == ["11"]


VALUES = st.sampled_from([None, OLD, NEW, OTHER])


@given(ours=VALUES, theirs=VALUES, said=st.booleans())
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_no_contact_is_lost_between_two_sides(ours: str | None, theirs: str | None, said: bool) -> None:
    """Whatever either side did since both had OLD: the one change there is stands, or both are kept for staff."""
    edit = ContactEdit(person_id=None, kind=EMAIL, remote_id="11", changed_by="Sam", changed_at=AT, church_id=UUID(int=1))
    edit.base = mark_of(content_of(FIRST), "key")
    kept = {"ours": None if ours is None else email_content(ours, "Home")}
    contacts = None if not said else () if theirs is None else (an_email(theirs, "11"),)
    one = PulledPerson("7", Identity("Ana"), contacts=contacts)
    found = _over(one, edit, kept["ours"])
    shown = [part.value for part in found.parts if isinstance(part, PulledContact)]
    if not said:
        assert (shown, found.settled, found.two_sided) == ([], [], [])
    elif ours == theirs:
        assert (shown, found.settled) == ([] if ours is None else [ours], [edit])
    else:
        assert shown == ([] if ours is None else [ours])
        assert bool(found.two_sided) is (theirs != OLD)


def _over(one: PulledPerson, edit: ContactEdit, ours: Any) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("connectcard.people.contact_pulls.opened", lambda _text: ours)
        return over(one, [edit], "key")


def test_the_church_next_door_is_not_touched(here: AnaHere, neighbour: UUID) -> None:
    next_door = AnaHere(neighbour)
    here.change("11", NEW)
    here.remove("12")
    here.shows(CHANGED_THERE)
    assert (next_door.emails(), next_door.waiting(), next_door.asked()) == ({"11": (OLD, True), "12": (OTHER, False)}, [], [])
