"""Who a pulled person is, what becomes of values that were changed here, and that children's names are kept sealed."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from connectcard.churches.tenancy import church_scope
from connectcard.clock import now
from connectcard.database import db, transaction
from connectcard.people import conflicts, ownership
from connectcard.people.families import find_family, take_in_families
from connectcard.people.groups import find_group, membership_in, take_in_groups, take_in_memberships
from connectcard.people.identity import base_email
from connectcard.people.marks import value_mark
from connectcard.people.matching import Candidate
from connectcard.people.models import EMAIL, MEMBER, PHONE, Conflict, Contact, FamilyMember, GroupMembership, Identity, Person
from connectcard.people.operations import edit_person, forget_person, marking_key, remember_person, set_identity
from connectcard.people.ownership import reconcile
from connectcard.people.pulled import (
    PulledAddress,
    PulledArea,
    PulledContact,
    PulledFamily,
    PulledGroup,
    PulledMember,
    PulledMembership,
    PulledPerson,
    Tally,
)
from connectcard.people.taking_in import take_in_people

BORN = date(1990, 5, 1)
EARLIER = datetime(2026, 11, 20, tzinfo=UTC)
MAIL = "ana.lopez@gmail.com"


def contact(value: str, kind: str = EMAIL) -> PulledContact:
    return PulledContact(kind, value.lower(), value, "Home", True, f"c{value}")


def pulled(remote_id: str = "7", first: str = "Ana", last: str = "Lopez", *, email: str = MAIL, **more: Any) -> PulledPerson:
    identity = Identity(first, last, nickname=more.pop("nickname", ""), birthdate=more.pop("born", BORN))
    return PulledPerson(remote_id, identity, contacts=(contact(email),) if email else (), **more)


def take_in(church_id: UUID, *people: PulledPerson) -> Tally:
    with church_scope(church_id), transaction():
        return take_in_people(people, now())


def one_of_ours(church_id: UUID, first: str, last: str, *, email: str = "", born: date | None = None, child: bool = False) -> UUID:
    """Somebody whom staff put in here and who is not in Planning Center yet."""
    with church_scope(church_id), transaction() as session:
        person = Person()
        set_identity(person, Identity(first, last, birthdate=born), child=child, key=marking_key())
        if email:
            person.contacts.append(Contact(kind=EMAIL, value=email, mailbox=base_email(email), display=email, added_here_at=now()))
        session.add(person)
        return person.id


def remote_ids(church_id: UUID) -> dict[UUID, str | None]:
    with church_scope(church_id):
        return {row.id: row.remote_id for row in db.session.execute(select(Person.id, Person.remote_id))}


def person_of(church_id: UUID, remote_id: str = "7") -> Person:
    with church_scope(church_id):
        return db.session.scalars(select(Person).where(Person.remote_id == remote_id)).one()


@pytest.mark.parametrize(
    ("first", "last", "email", "born", "same"),
    [
        ("Ana", "Lopez", MAIL, None, True),
        ("Ana", "Lopez", "", BORN, True),
        ("Ana Maria", "Lopez", MAIL, None, True),
        ("Ben", "Lopez", MAIL, None, False),
        ("Ana", "Lopez", "", date(1991, 5, 1), False),
        ("Ana", "Lopez", "other@gmail.com", None, False),
        ("Ben", "Lopez", "", BORN, False),
    ],
    ids=["e-mail and name", "name and birthdate", "a second name", "a spouse's e-mail", "another birthdate", "the name", "the birthdate"],
)  # fmt: skip
def test_whose_a_pulled_person_is(grace: UUID, first: str, last: str, email: str, born: date | None, same: bool) -> None:
    ours = one_of_ours(grace, first, last, email=email, born=born)
    take_in(grace, pulled())
    found = remote_ids(grace)
    assert found[ours] == ("7" if same else None)
    assert len(found) == (1 if same else 2)


def test_two_of_ours_who_fit_stay_as_they_are(grace: UUID) -> None:
    ours = {one_of_ours(grace, "Ana", "Lopez", email=MAIL), one_of_ours(grace, "Ana", "Lopez", email=MAIL)}
    take_in(grace, pulled())
    assert [remote_id for person_id, remote_id in remote_ids(grace).items() if person_id in ours] == [None, None]


def test_what_we_know_of_somebody_who_turns_out_to_be_there_is_not_lost(any_database: str, grace: UUID) -> None:
    one_of_ours(grace, "Ana", "Lopez", email=MAIL, born=BORN)
    with church_scope(grace), transaction() as session:
        session.scalars(select(Person)).one().membership = "Member"
    told = pulled(born=None, membership="Visitor")
    assert (take_in(grace, told).conflicts, take_in(grace, told).conflicts) == (1, 0)
    person = person_of(grace)
    assert (person.birthdate, person.membership, sorted(person.edits or {})) == (BORN, "Member", ["birthdate", "membership"])
    with church_scope(grace):
        assert [one.field for one in db.session.scalars(select(Conflict))] == ["membership"]


def test_a_child_is_found_by_name_and_birthdate_although_both_are_sealed(grace: UUID) -> None:
    leo = one_of_ours(grace, "Leo", "Lopez", born=date(2019, 2, 3), child=True)
    take_in(grace, pulled("9", "Leo", email="", born=date(2019, 2, 3), child=True))
    assert remote_ids(grace) == {leo: "9"}


def test_a_childs_name_and_birthdate_stand_nowhere_in_the_open(any_database: str, grace: UUID) -> None:
    take_in(grace, pulled("9", "Leopold", "Quist", email="", born=date(2019, 2, 3), child=True))
    with church_scope(grace):
        row = db.session.execute(select(*(getattr(Person, column.key) for column in Person.__mapper__.columns))).one()
    assert not any(part in str(row) for part in ("Leopold", "leopold", "Quist", "quist", "2019"))
    assert person_of(grace, "9").identity == Identity("Leopold", "Quist", birthdate=date(2019, 2, 3))


def test_a_child_who_grows_up_is_opened_and_the_other_way_round(any_database: str, grace: UUID) -> None:
    for child in (True, False, True):
        take_in(grace, pulled(child=child))
        person = person_of(grace)
        assert (person.first_name, person.child) == (("", True) if child else ("Ana", False))
        assert person.name == "Ana Lopez"


def test_taking_in_the_same_again_changes_nothing(any_database: str, grace: UUID) -> None:
    assert (take_in(grace, pulled()).created, take_in(grace, pulled()).skipped) == (1, 1)
    later = take_in(grace, pulled(updated_at=datetime(2026, 11, 20, tzinfo=UTC)))
    assert (later.updated, later.skipped) == (0, 1)
    assert person_of(grace).remote_updated_at == datetime(2026, 11, 20, tzinfo=UTC)


def test_an_older_answer_that_comes_late_changes_nothing(grace: UUID) -> None:
    take_in(grace, pulled(nickname="New", updated_at=datetime(2026, 11, 20, 12, tzinfo=UTC)))
    take_in(grace, pulled(nickname="Old", updated_at=datetime(2026, 11, 20, 11, tzinfo=UTC)))
    assert person_of(grace).nickname == "New"


def test_contacts_come_and_go_and_what_was_added_here_stays(any_database: str, grace: UUID) -> None:
    phone = contact("+15125550177", PHONE)
    take_in(grace, PulledPerson("7", Identity("Ana", "Lopez"), contacts=(contact(MAIL), phone), addresses=(PulledAddress("1 Oak Ave"),)))
    with church_scope(grace), transaction() as session:
        person = session.scalars(select(Person)).one()
        person.contacts.append(Contact(kind=EMAIL, value="here@gmail.com", mailbox="here@gmail.com", added_here_at=now()))
    take_in(grace, PulledPerson("7", Identity("Ana", "Lopez"), contacts=(phone,), addresses=()))
    with church_scope(grace):
        person = db.session.scalars(select(Person)).one()
        assert {one.value for one in person.contacts} == {"here@gmail.com", "+15125550177"}
        assert person.addresses == []


def test_contacts_that_are_not_told_stay(grace: UUID) -> None:
    take_in(grace, pulled())
    take_in(grace, PulledPerson("7", Identity("Ana", "Lopez", nickname="Annie")))
    assert [one.value for one in person_of(grace).contacts] == [MAIL]


def edited(church_id: UUID, **values: Any) -> None:
    with church_scope(church_id), transaction() as session:
        edit_person(session.scalars(select(Person)).one(), values, "Sam Hill")


def test_what_was_changed_here_alone_stays(any_database: str, grace: UUID) -> None:
    take_in(grace, pulled())
    edited(grace, last_name="Garcia")
    assert take_in(grace, pulled(nickname="Annie")).conflicts == 0
    person = person_of(grace)
    assert (person.last_name, person.nickname) == ("Garcia", "Annie")
    assert list(person.edits or {}) == ["last_name"]


def test_what_was_changed_on_both_sides_waits_and_is_settled_when_both_agree(any_database: str, grace: UUID) -> None:
    take_in(grace, pulled())
    edited(grace, birthdate=date(1990, 5, 2))
    assert take_in(grace, pulled(born=date(1990, 5, 3))).conflicts == 1
    assert take_in(grace, pulled(born=date(1990, 5, 4))).conflicts == 0
    assert person_of(grace).birthdate == date(1990, 5, 2)
    take_in(grace, pulled(born=date(1990, 5, 2)))
    with church_scope(grace):
        assert db.session.scalar(select(func.count(Conflict.id)).where(Conflict.decided_at.is_(None))) == 0
    assert person_of(grace).edits is None


def test_a_card_that_looks_at_somebody_does_not_bring_back_what_was_changed_here(grace: UUID) -> None:
    take_in(grace, pulled(nickname="Annie"))
    edited(grace, last_name="Garcia")
    with church_scope(grace), transaction():
        remember_person(Candidate("7", "Ana Maria", "Lopez", nickname="Annie", emails=frozenset({MAIL})))
    take_in(grace, pulled(first="Ana Maria", nickname="Annie"))
    person = person_of(grace)
    assert (person.first_name, person.last_name, list(person.edits or {})) == ("Ana Maria", "Garcia", ["last_name"])


def test_a_card_that_looks_at_somebody_leaves_a_field_of_ours_alone(grace: UUID) -> None:
    take_in(grace, pulled(nickname="Annie"))
    with church_scope(grace), transaction():
        ownership.choose_owner("person.nickname", "here", "Sam Hill")
        remember_person(Candidate("7", "Ana", "Lopez", nickname="Anita"))
    assert person_of(grace).nickname == "Annie"


def test_what_a_lagging_search_showed_a_card_does_not_stay(any_database: str, grace: UUID) -> None:
    told = pulled(nickname="Annie", updated_at=datetime(2026, 11, 20, tzinfo=UTC))
    take_in(grace, told)
    with church_scope(grace), transaction():
        remember_person(Candidate("7", "Ana", "Smith", emails=frozenset({"before@gmail.com"})))
    take_in(grace, told)
    person = person_of(grace)
    assert (person.name, [one.value for one in person.contacts]) == ("Annie Lopez", [MAIL])


def test_a_field_of_ours_is_left_alone(grace: UUID) -> None:
    take_in(grace, pulled(nickname="Annie"))
    with church_scope(grace), transaction():
        ownership.choose_owner("person.nickname", "here", "Sam Hill")
    assert take_in(grace, pulled(nickname="Anita")).conflicts == 0
    assert person_of(grace).nickname == "Annie"


VALUES = st.sampled_from(["", "Ana", "Ann", "Anna"])


@given(before=VALUES, ours=VALUES, theirs=VALUES)
def test_no_value_is_lost_between_two_sides(before: str, ours: str, theirs: str) -> None:
    """Whatever either side did since both had `before`: the result is the one change there is, or both are kept for staff."""
    edits = {"nickname": {"at": "2026-11-20T12:00:00+00:00", "by": "Sam", "base": value_mark("k", before)}} if ours != before else None
    found = reconcile("person", {"nickname": ours}, {"nickname": theirs}, edits, {}, "k")
    changed = {ours, theirs} - {before}
    if len(changed) == 2:
        assert [(one.ours, one.theirs) for one in found.conflicts] == [(ours, theirs)]
        assert found.values["nickname"] == ours
    elif edits and theirs != before and ours != theirs:
        assert found.conflicts
    else:
        assert found.conflicts == []
        assert found.values["nickname"] == (changed.pop() if changed else before)


@pytest.mark.parametrize("kept", [None, "9"], ids=["deleted", "merged"])
def test_about_somebody_who_is_gone_nothing_waits_until_they_are_back(any_database: str, grace: UUID, kept: str | None) -> None:
    take_in(grace, pulled())
    edited(grace, nickname="Annie")
    take_in(grace, pulled(nickname="Anita"), pulled("9", "Ana Maria", email=""))
    waiting = []
    for happens in (lambda: None, lambda: forget_person("7", kept), lambda: take_in_people([pulled(nickname="Anita")], now())):
        with church_scope(grace):
            with transaction():
                happens()
            waiting.append((conflicts.count(), [one.ours for one in conflicts.open_conflicts()]))
    assert waiting == [(1, ["Annie"]), (0, []), (1, ["Annie"])]


def test_somebody_merged_into_one_whom_we_do_not_know_stays_in_their_family_and_group(any_database: str, grace: UUID) -> None:
    take_in(grace, pulled("7", updated_at=datetime(2026, 11, 20, tzinfo=UTC)))
    in_the_lopez_family_and_the_alpha_group(grace, "7", "8")
    with church_scope(grace), transaction():
        forget_person("7", "9")
    assert places(grace) == {("family", "9"), ("family", "8"), ("group", "9"), ("group", "8")}
    take_in(grace, pulled("9", "Anna", updated_at=datetime(2026, 11, 19, tzinfo=UTC)))
    in_the_lopez_family_and_the_alpha_group(grace, "9", "8")
    assert (person_of(grace, "9").first_name, person_of(grace, "7").merged_into, len(remote_ids(grace))) == ("Anna", "9", 2)
    assert places(grace) == {("family", "9"), ("family", "8"), ("group", "9"), ("group", "8")}


def test_somebody_merged_into_one_of_the_same_family_whom_we_do_not_know(any_database: str, grace: UUID) -> None:
    take_in(grace, pulled("7"))
    in_the_lopez_family_and_the_alpha_group(grace, "7", "9")
    with church_scope(grace), transaction():
        forget_person("7", "9")
    take_in(grace, pulled("9"))
    in_the_lopez_family_and_the_alpha_group(grace, "9")
    assert places(grace) == {("family", "9"), ("group", "9")}


def before_it(church_id: UUID, happened: Callable[[], None], *answers: Callable[[datetime], Tally]) -> None:
    """Planning Center is asked, something is taken in, and only then the answers are stored that were on their way."""
    asked_at = now()
    with church_scope(church_id):
        with transaction():
            happened()
        with transaction():
            for answer in answers:
                answer(asked_at)


@pytest.mark.parametrize("kept", [None, "8", "9"], ids=["deleted", "merged", "merged into one whom we do not know"])
@pytest.mark.parametrize("since", [None, EARLIER], ids=["no time of change", "changed before"])
def test_an_answer_from_before_somebody_went_does_not_bring_them_back(grace: UUID, kept: str | None, since: datetime | None) -> None:
    take_in(grace, pulled(updated_at=EARLIER), pulled("8", "Ben", email=""))
    before_it(grace, lambda: forget_person("7", kept), lambda at: take_in_people([pulled(nickname="Annie", updated_at=since)], at))
    assert (person_of(grace).gone_at is not None, person_of(grace).merged_into) == (True, kept)
    take_in(grace, pulled())
    assert (person_of(grace).gone_at, person_of(grace).merged_into) == (None, None)


def test_somebody_who_went_and_changed_since_is_back(grace: UUID) -> None:
    take_in(grace, pulled(updated_at=EARLIER))
    back = pulled(updated_at=now() + timedelta(minutes=1))
    before_it(grace, lambda: forget_person("7"), lambda at: take_in_people([back], at))
    assert person_of(grace).gone_at is None


def test_an_answer_from_before_a_contact_was_read_does_not_undo_it(grace: UUID) -> None:
    take_in(grace, pulled(updated_at=EARLIER))
    read = pulled(email="ana.garcia@gmail.com", updated_at=EARLIER)
    before_it(grace, lambda: take_in_people([read], now()) and None, lambda at: take_in_people([pulled(updated_at=EARLIER)], at))
    assert [one.value for one in person_of(grace).contacts] == ["ana.garcia@gmail.com"]
    later = pulled(email="ana.ruiz@gmail.com", updated_at=EARLIER + timedelta(days=1))
    before_it(grace, lambda: take_in_people([read], now()) and None, lambda at: take_in_people([later], at))
    assert [one.value for one in person_of(grace).contacts] == ["ana.ruiz@gmail.com"]


def test_an_answer_from_before_a_family_or_group_went_does_not_bring_it_back(grace: UUID) -> None:
    in_the_lopez_family_and_the_alpha_group(grace, "7", "8")
    family, group = PulledFamily("4", "Lopez", "7", members=(PulledMember("7"),)), PulledGroup("5", "Beta", PulledArea("3", "Small groups"))

    def went() -> None:
        for row in (find_family("4"), find_group("5")):
            assert row is not None
            row.gone_at = now()

    before_it(grace, went, lambda at: take_in_families([family], at), lambda at: take_in_groups([group], at))
    with church_scope(grace):
        found = find_family("4"), find_group("5")
        assert [row is not None and row.gone_at is not None for row in found] == [True, True]


def test_an_answer_from_before_a_group_was_read_does_not_undo_it(grace: UUID) -> None:
    small_groups = PulledArea("3", "Small groups")
    named = {name: PulledGroup("5", name, small_groups) for name in ("Alpha", "Beta")}

    def told(name: str) -> Callable[[datetime], Tally]:
        return lambda at: take_in_groups([named[name]], at)

    before_it(grace, lambda: told("Alpha")(now()) and None)
    before_it(grace, lambda: told("Beta")(now()) and None, told("Alpha"))
    with church_scope(grace):
        group = find_group("5")
        assert group is not None
        assert group.name == "Beta"
    before_it(grace, lambda: None, told("Alpha"))
    with church_scope(grace):
        group = find_group("5")
        assert group is not None
        assert group.name == "Alpha"


def test_an_answer_from_before_the_members_of_a_group_were_read_does_not_undo_it(grace: UUID) -> None:
    in_the_lopez_family_and_the_alpha_group(grace, "7")

    def members(*of: str) -> Callable[[datetime], Tally]:
        def read(at: datetime) -> Tally:
            group = find_group("5")
            assert group is not None
            return take_in_memberships(group, [PulledMembership(f"m{one}", one, MEMBER) for one in of], at)

        return read

    before_it(grace, lambda: members("7", "8")(now()) and None, members("7"))
    assert {place for place in places(grace) if place[0] == "group"} == {("group", "7"), ("group", "8")}
    before_it(grace, lambda: None, members("7"))
    assert {place for place in places(grace) if place[0] == "group"} == {("group", "7")}


def test_an_answer_from_before_somebody_joined_a_group_does_not_put_them_out(grace: UUID) -> None:
    in_the_lopez_family_and_the_alpha_group(grace, "7", "8")

    def joined() -> None:
        ninth = membership_in("5", "9")
        assert ninth is not None
        ninth.person_remote_id, ninth.remote_id, ninth.joined_at = "9", "m9", now()

    def members(at: datetime) -> Tally:
        group = find_group("5")
        assert group is not None
        return take_in_memberships(group, [PulledMembership("m7", "7", MEMBER)], at)

    before_it(grace, joined, members)
    assert {place for place in places(grace) if place[0] == "group"} == {("group", "7"), ("group", "9")}
    before_it(grace, lambda: None, members)
    assert {place for place in places(grace) if place[0] == "group"} == {("group", "7")}


def in_the_lopez_family_and_the_alpha_group(church_id: UUID, *people: str) -> None:
    """Both read from Planning Center with these people in them."""
    members = tuple(PulledMember(remote_id) for remote_id in people)
    with church_scope(church_id), transaction():
        take_in_families([PulledFamily("4", "Lopez", people[0], members=members)], now())
        take_in_groups([PulledGroup("5", "Alpha", PulledArea("3", "Small groups"))], now())
        group = find_group("5")
        assert group is not None
        take_in_memberships(group, [PulledMembership(f"m{remote_id}", remote_id, MEMBER) for remote_id in people], now())


def places(church_id: UUID) -> set[tuple[str, str | None]]:
    """Who is in the family and in the group."""
    with church_scope(church_id):
        family = db.session.scalars(select(FamilyMember.person_remote_id).where(FamilyMember.gone_at.is_(None)))
        group = db.session.scalars(select(GroupMembership.person_remote_id).where(GroupMembership.gone_at.is_(None)))
        return {("family", one) for one in family} | {("group", one) for one in group}


def test_the_church_next_door_is_another_directory(grace: UUID, neighbour: UUID) -> None:
    ours = one_of_ours(neighbour, "Ana", "Lopez", email=MAIL)
    take_in(grace, pulled())
    assert remote_ids(neighbour) == {ours: None}
    take_in(neighbour, pulled())
    assert remote_ids(neighbour) == {ours: "7"}
    assert len(remote_ids(grace)) == 1
