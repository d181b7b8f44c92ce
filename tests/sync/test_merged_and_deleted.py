"""People who were merged or deleted in Planning Center while cards belong to them, found while looking, planning and writing."""

from typing import Any
from uuid import UUID

import pytest
import requests

from connectcard.churches.tenancy import church_scope
from connectcard.database import db, transaction
from connectcard.people.models import Person
from connectcard.sync.cards_in_sync import get_card
from connectcard.sync.decisions import decide_by_hand, retry
from connectcard.sync.histories import history
from connectcard.sync.models import SyncItem
from tests.sync.conftest import GraceChurch

MERGED = "This person was merged with another one in Planning Center; the card belongs to the one that was kept"
DELETED = "This person was deleted in Planning Center"


def mina(church: GraceChurch) -> tuple[UUID, dict[str, Any]]:
    """Wilhelmina's first card has arrived; the card and the person."""
    card = church.card("Wilhelmina", "Quist", "mina.quist@gmail.com")
    church.work_until_done(church.press_sync())
    [person] = church.practice.named("Wilhelmina", "Quist")
    return card, person


def somebody(church: GraceChurch, place: int = 0) -> str:
    """Somebody of the church whom no card concerns; the first people of the practice church are its staff, who hold the tokens."""
    return str([person for person in church.practice.people() if person["last_name"] != "Quist"][-1 - place]["id"])


def merge(church: GraceChurch, keep: str, remove: str) -> None:
    church.practice.post("merge", {"keep": keep, "remove": remove})


def delete(church: GraceChurch, person: str) -> None:
    assert requests.delete(f"{church.practice.url}/_simulator/people/{person}", timeout=30).ok


def words(church: GraceChurch, card: UUID) -> list[str]:
    with church_scope(church.church_id):
        return [event.words for event in history(get_card(card))]


def directory(church: GraceChurch) -> set[str]:
    with church_scope(church.church_id):
        return set(db.session.scalars(db.select(Person.remote_id).where(Person.gone_at.is_(None))))


def again(church: GraceChurch, card: UUID) -> None:
    """Staff take up a card that came to rest and send it once more."""
    with church_scope(church.church_id), transaction():
        item = item_of(card)
        item.state = "failed"
        number = retry(item, "Sam Hill").number
    church.work_until_done(number)


def item_of(card: UUID) -> SyncItem:
    return db.session.scalars(db.select(SyncItem).where(SyncItem.submission_id == card)).one()


def test_a_merge_found_while_looking_moves_the_link_of_the_earlier_card_and_the_directory(grace_church: GraceChurch) -> None:
    first, person = mina(grace_church)
    kept = somebody(grace_church)
    merge(grace_church, kept, person["id"])
    grace_church.card("Mina", "Quist", "mina.quist@gmail.com")
    grace_church.work_until_done(grace_church.press_sync())
    assert grace_church.item(first).person_remote_id == kept
    assert words(grace_church, first).count(MERGED) == 1
    assert person["id"] not in directory(grace_church)
    assert grace_church.practice.named("Wilhelmina", "Quist") == []


def test_a_merge_found_while_planning_is_followed_through_a_chain(grace_church: GraceChurch) -> None:
    card, person = mina(grace_church)
    between, kept = somebody(grace_church, 0), somebody(grace_church, 1)
    merge(grace_church, between, person["id"])
    merge(grace_church, kept, between)
    again(grace_church, card)
    assert (grace_church.item(card).state, grace_church.item(card).person_remote_id) == ("synced", kept)
    assert words(grace_church, card).count(MERGED) == 1
    assert directory(grace_church) == {kept}


def test_a_merge_found_while_writing_is_followed(grace_church: GraceChurch) -> None:
    card, person = mina(grace_church)
    kept = somebody(grace_church)
    more = grace_church.card("Wilhelmina", "Quist", "mina.quist@gmail.com", "(217) 555-0123")
    number = grace_church.press_sync()
    grace_church.practice.fault("POST", "/people/v2/people/*/phone_numbers", "status_503")
    grace_church.work()
    assert grace_church.item(more).planned_at is not None
    merge(grace_church, kept, person["id"])
    grace_church.work_until_done(number)
    assert [grace_church.item(one).person_remote_id for one in (card, more)] == [kept, kept]
    assert [words(grace_church, one).count(MERGED) for one in (card, more)] == [1, 1]
    [now] = [person for person in grace_church.practice.people() if person["id"] == kept]
    assert "+12175550123" in [phone["e164"] for phone in now["phone_numbers"]]


def test_a_person_deleted_before_the_next_look_is_asked_about_and_never_silently_made_again(grace_church: GraceChurch) -> None:
    card, person = mina(grace_church)
    delete(grace_church, person["id"])
    for _ in range(2):
        again(grace_church, card)
        item = grace_church.item(card)
        assert (item.state, "deleted in Planning Center" in (item.reason or "")) == ("review", True)
        assert "Someone new" in (item.reason or "")
    assert DELETED in words(grace_church, card)
    assert grace_church.practice.named("Wilhelmina", "Quist") == []


def test_staff_may_add_a_deleted_person_again(grace_church: GraceChurch) -> None:
    card, person = mina(grace_church)
    delete(grace_church, person["id"])
    again(grace_church, card)
    with church_scope(grace_church.church_id), transaction():
        number = decide_by_hand(item_of(card), "new", None, "Sam Hill").number
    assert grace_church.work_until_done(number).created == 1
    [made] = grace_church.practice.named("Wilhelmina", "Quist")
    assert grace_church.item(card).person_remote_id == made["id"]
    assert [email["address"] for email in made["emails"]] == ["mina.quist@gmail.com"]


def test_a_person_deleted_while_the_card_is_being_written_goes_to_review(grace_church: GraceChurch) -> None:
    _, person = mina(grace_church)
    more = grace_church.card("Wilhelmina", "Quist", "mina.quist@gmail.com", "(217) 555-0123")
    number = grace_church.press_sync()
    grace_church.practice.fault("POST", "/people/v2/people/*/phone_numbers", "status_503")
    grace_church.work()
    delete(grace_church, person["id"])
    assert grace_church.work_until_done(number).needs_you == 1
    assert DELETED in words(grace_church, more)
    assert grace_church.practice.named("Wilhelmina", "Quist") == []


def test_somebody_deleted_whom_only_the_directory_knows_is_forgotten(grace_church: GraceChurch) -> None:
    first, person = mina(grace_church)
    delete(grace_church, person["id"])
    second = grace_church.card("Mina", "Quist", "mina.quist@gmail.com")
    assert grace_church.work_until_done(grace_church.press_sync()).created == 1
    assert person["id"] not in directory(grace_church)
    assert DELETED in words(grace_church, first)
    assert DELETED not in words(grace_church, second)


def test_the_neighbours_links_stay(grace_church: GraceChurch, neighbour_church: GraceChurch) -> None:
    card, person = mina(grace_church)
    neighbour_card = neighbour_church.card("Wilhelmina", "Quist", "mina.quist@gmail.com")
    neighbour_church.press_sync()
    with church_scope(neighbour_church.church_id), transaction():
        item_of(neighbour_card).person_remote_id = person["id"]
    merge(grace_church, somebody(grace_church), person["id"])
    again(grace_church, card)
    assert neighbour_church.item(neighbour_card).person_remote_id == person["id"]
    assert neighbour_church.item(neighbour_card).moves is None


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("Wilhelmina", "Quist", "", "(217) 555-0123"), ("Wilhelmina", "Quist", "", "217.555.0123")),
        (("Wilhelmina", "Quist", "", "(217) 555-0123"), ("Wilhelmina", "Quist", "mina@gmail.com", "+1 217 555 0123")),
        (("William", "Quist", "quist@gmail.com", ""), ("Bill", "Quist", "quist@gmail.com", "")),
        (("William", "Quist", "quist+one@gmail.com", ""), ("William", "Quist", "quist+two@gmail.com", "")),
        (("William", "Quist", "q.uist@gmail.com", ""), ("William", "Quist", "quist@gmail.com", "")),
        (("Jürgen", "Quist", "quist@gmail.com", ""), ("Juergen", "Quist", "quist@gmail.com", "")),
        (("Сергей", "Quist", "quist@gmail.com", ""), ("Sergey", "Quist", "quist@gmail.com", "")),
    ],
)
def test_two_cards_of_one_person_become_one_though_search_lags(grace_church: GraceChurch, first: Any, second: Any) -> None:
    grace_church.practice.post("settings", {"search_lag_s": 120})
    before = len(grace_church.practice.people())
    for card in (first, second):
        grace_church.card(*card)
    run = grace_church.work_until_done(grace_church.press_sync())
    assert (run.created, run.updated + run.skipped, run.needs_you, run.failed) == (1, 1, 0, 0)
    assert len(grace_church.practice.people()) == before + 1


def test_a_nickname_with_other_contacts_is_asked_about_though_search_lags(grace_church: GraceChurch) -> None:
    grace_church.practice.post("settings", {"search_lag_s": 120})
    grace_church.card("William", "Quist", "william.quist@gmail.com")
    grace_church.card("Bill", "Quist", "", "(217) 555-0123")
    run = grace_church.work_until_done(grace_church.press_sync())
    assert (run.created, run.needs_you) == (1, 1)
