"""What is sealed opens where it was sealed and nowhere else."""

from uuid import UUID, uuid4

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text

from connectcard.cards.models import Card, Submission
from connectcard.churches.tenancy import church_scope
from connectcard.crypto import CannotOpen, Keyring, keyring, new_secret, sealed_attributes
from connectcard.database import Base, db, transaction

OLD, NEW, OTHER = b"o" * 32, b"n" * 32, b"x" * 32
PLACE = "submission.prayer|church|row"
words = st.text(st.characters(exclude_categories=["Cs"]))


@given(words, words)
def test_what_is_sealed_opens_again(plain: str, place: str) -> None:
    ring = Keyring([NEW])
    assert ring.open(ring.seal(plain, place), place) == plain


@given(words, st.integers(0), st.integers(1, 255))
def test_a_single_changed_bit_anywhere_does_not_open(plain: str, where: int, change: int) -> None:
    ring = Keyring([NEW])
    envelope = bytearray(ring.seal(plain, PLACE))
    envelope[where % len(envelope)] ^= change
    with pytest.raises(CannotOpen):
        ring.open(bytes(envelope), PLACE)


@given(st.binary(max_size=60))
def test_bytes_that_were_never_sealed_do_not_open(envelope: bytes) -> None:
    with pytest.raises(CannotOpen):
        Keyring([NEW]).open(envelope, PLACE)


@given(words, st.integers(0, 32))
def test_a_cut_envelope_does_not_open(plain: str, kept: int) -> None:
    ring = Keyring([NEW])
    with pytest.raises(CannotOpen):
        ring.open(ring.seal(plain, PLACE)[:kept], PLACE)


@given(words, words, words)
def test_what_is_bound_to_one_place_does_not_open_at_another(plain: str, here: str, there: str) -> None:
    ring = Keyring([NEW])
    if here != there:
        with pytest.raises(CannotOpen):
            ring.open(ring.seal(plain, here), there)


def test_the_same_words_never_look_the_same_twice() -> None:
    ring = Keyring([NEW])
    assert len({ring.seal("Please pray for Leo.", PLACE) for _ in range(50)}) == 50


def test_a_new_key_seals_and_the_old_one_still_opens() -> None:
    before, after = Keyring([OLD]), Keyring([NEW, OLD])
    envelope = before.seal("Please pray for Leo.", PLACE)
    assert after.open(envelope, PLACE) == "Please pray for Leo."
    assert not after.is_current(envelope)
    assert after.is_current(after.seal("x", PLACE))
    with pytest.raises(CannotOpen, match="not in ENCRYPTION_KEYS; add that key back"):
        Keyring([OTHER]).open(envelope, PLACE)


def test_the_error_says_which_column_and_never_what_is_in_it() -> None:
    envelope = Keyring([OLD]).seal("Please pray for Leo.", PLACE)
    for ring in (Keyring([OTHER]), Keyring([OLD])):
        with pytest.raises(CannotOpen) as complaint:
            ring.open(envelope, "submission.prayer|church|other row")
        assert "submission.prayer" in str(complaint.value)
        assert "Leo" not in str(complaint.value)


def test_secrets_are_long_and_never_the_same() -> None:
    made = {new_secret() for _ in range(100)}
    assert len(made) == 100
    assert {len(secret) for secret in made} == {64}


# In the database.


def with_a_prayer(church_id: UUID, prayer: str = "Please pray for Leo.") -> UUID:
    with church_scope(church_id), transaction() as session:
        card = Card(slug=f"welcome-{uuid4().hex[:6]}", title="Welcome")
        session.add(card)
        session.flush()
        submission = Submission(card_id=card.id, submission_key=uuid4(), answers_hash="0" * 64, first_name="Ana", answers={})
        submission.prayer = prayer
        session.add(submission)
        return submission.id


def prayer_of(church_id: UUID, submission_id: UUID) -> str | None:
    with church_scope(church_id):
        return db.session.scalars(select(Submission).where(Submission.id == submission_id)).one().prayer


def test_a_prayer_is_not_readable_in_the_database(any_database: str, app: Flask, grace: UUID) -> None:
    submission_id = with_a_prayer(grace)
    with church_scope(grace):
        stored = db.session.scalars(select(Submission.prayer_sealed)).one()
    assert stored is not None
    assert b"Leo" not in stored
    assert prayer_of(grace, submission_id) == "Please pray for Leo."


def test_a_prayer_moved_to_another_card_does_not_open(app: Flask, grace: UUID) -> None:
    first, second = with_a_prayer(grace), with_a_prayer(grace, "Another one.")
    with church_scope(grace), transaction() as session:
        one, other = session.get_one(Submission, first), session.get_one(Submission, second)
        one.prayer_sealed = other.prayer_sealed
    with pytest.raises(CannotOpen):
        prayer_of(grace, first)


def test_a_prayer_moved_to_another_column_does_not_open(app: Flask, grace: UUID) -> None:
    submission_id = with_a_prayer(grace)
    with church_scope(grace), transaction() as session:
        submission = session.get_one(Submission, submission_id)
        submission.family_sealed = submission.prayer_sealed
        with pytest.raises(CannotOpen):
            _ = submission.family


def test_a_prayer_moved_to_the_neighbour_does_not_open(app: Flask, grace: UUID, neighbour: UUID) -> None:
    ours, theirs = with_a_prayer(grace), with_a_prayer(neighbour)
    with db.engine.begin() as connection:
        move = "update submission set prayer_sealed = (select prayer_sealed from submission where id = :ours) where id = :theirs"
        connection.execute(text(move), {"ours": ours.hex, "theirs": theirs.hex})
    with pytest.raises(CannotOpen):
        prayer_of(neighbour, theirs)


def test_resealing_changes_the_key_and_nothing_else(app: Flask, grace: UUID) -> None:
    submission_id = with_a_prayer(grace)
    app.extensions["keyring"] = Keyring([NEW, b"k" * 32])
    with church_scope(grace), transaction() as session:
        row = session.get_one(Submission, submission_id)
        assert [sealed.reseal(row) for sealed in sealed_attributes(Submission)] == [True, False]
        assert [sealed.reseal(row) for sealed in sealed_attributes(Submission)] == [False, False]
    app.extensions["keyring"] = Keyring([NEW])
    assert prayer_of(grace, submission_id) == "Please pray for Leo."


def test_no_prayer_and_an_empty_prayer_are_both_nothing(app: Flask, grace: UUID) -> None:
    submission_id = with_a_prayer(grace, "")
    with church_scope(grace):
        assert db.session.get_one(Submission, submission_id).prayer_sealed is None


def test_every_sealed_column_is_reached_by_the_rotation(app: Flask) -> None:
    for mapper in Base.registry.mappers:
        columns = {column.key for column in mapper.columns if column.key.endswith("_sealed")}
        assert {sealed.column for sealed in sealed_attributes(mapper.class_)} == columns, mapper.class_


def test_the_application_uses_the_keys_of_its_settings(app: Flask) -> None:
    assert keyring().open(Keyring([b"k" * 32]).seal("x", "y"), "y") == "x"
