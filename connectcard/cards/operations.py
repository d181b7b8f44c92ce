"""What is done with cards: a church's first one is made, and what a visitor sends is stored exactly once."""

import hashlib
import hmac
import json
from dataclasses import dataclass
from functools import cache
from uuid import UUID, uuid4, uuid5

from flask import current_app
from sqlalchemy import Executable, select
from sqlalchemy.dialects import postgresql, sqlite

from connectcard.cards import fields
from connectcard.cards.fields import Answers, Form, Groups
from connectcard.cards.models import QUARANTINED, RECEIVED, Card, Submission
from connectcard.cards.queries import search_text
from connectcard.churches.models import Church
from connectcard.database import db
from connectcard.errors import AnswersRefused

SENT_AGAIN = "Sent again with other answers"

DEFAULT_SLUG = "welcome"
DEFAULT_QUESTIONS = {"heard": True, "address": False, "prayer": False, "family": True, "text_me": True, "group": False}
DEFAULT_INTERESTS = [
    {"key": "small_groups", "label": "Small groups", "label_es": "Grupos pequeños"},
    {"key": "kids", "label": "Kids", "label_es": "Niños"},
    {"key": "youth", "label": "Youth", "label_es": "Jóvenes"},
    {"key": "serving", "label": "Serving", "label_es": "Servir"},
    {"key": "baptism", "label": "Baptism", "label_es": "Bautismo"},
    {"key": "pastor", "label": "Talking with a pastor", "label_es": "Hablar con un pastor"},
]
DEFAULT_SOURCES = [
    {"key": "friend", "label": "Friend or family", "label_es": "Amigos o familia"},
    {"key": "website", "label": "Website", "label_es": "Sitio web"},
    {"key": "social", "label": "Social media", "label_es": "Redes sociales"},
    {"key": "drove_by", "label": "Drove by", "label_es": "Pasé por aquí"},
    {"key": "event", "label": "Event", "label_es": "Evento"},
    {"key": "other", "label": "Another way", "label_es": "Otra forma"},
]
DEFAULT_CONSENT = {
    "en": "{church} keeps this to follow up with you.\n\n"
    "Only our staff and the volunteers who welcome new people see your card. We use it to say hello, to answer what you ask for, and to "
    "keep our own list of people. We never sell it or share it with anyone else.\n\n"
    "To see, change or remove what we keep, ask anyone on our team.",
    "es": "{church} guarda estos datos para ponerse en contacto con usted.\n\n"
    "Solo nuestro personal y los voluntarios que reciben a las personas nuevas ven su tarjeta. La usamos para saludarle, para responder a "
    "lo que nos pide y para mantener nuestra propia lista de personas. Nunca la vendemos ni la compartimos con nadie más.\n\n"
    "Para ver, cambiar o borrar lo que guardamos, hable con cualquier persona de nuestro equipo.",
}


@dataclass(frozen=True)
class Receipt:
    """What the visitor's page needs to know about a card that is stored."""

    submission_id: UUID
    first_name: str
    state: str


def ensure_default_card(church: Church) -> Card:
    """The church's first card, made when it is not there yet. In the church's scope, inside `transaction()`."""
    card = db.session.scalar(select(Card).where(Card.slug == DEFAULT_SLUG))
    if card is not None:
        return card
    card = Card(
        slug=DEFAULT_SLUG,
        title="Welcome card",
        questions=dict(DEFAULT_QUESTIONS),
        interests=list(DEFAULT_INTERESTS),
        sources=list(DEFAULT_SOURCES),
        consent_wording=dict(DEFAULT_CONSENT),
    )
    db.session.add(card)
    db.session.flush()
    return card


def submit_card(
    card: Card, form: Form, *, language: str, came_from: str, suspicion: str | None = None, groups: Groups | None = None
) -> Receipt:
    """Store what a visitor sent, once for each submission key; raises AnswersRefused and stores nothing when answers need mending.

    The same form sent again gives the first receipt again. Other answers under a used key are kept too, quarantined: nobody is
    thanked for a card that we dropped. A `suspicion` quarantines the card with that reason. `groups` are those of the church that the
    form names, by their ids. Inside `transaction()`.
    """
    answers = fields.read(form, card, groups)
    if problems := fields.check(answers, card):
        raise AnswersRefused(problems)
    submission = _filled_in(card, _submission_key(form), answers)
    submission.language, submission.came_from = language, came_from
    submission.consent_wording, submission.consent_version = consent(card, language), card.consent_version
    if suspicion:
        submission.state, submission.state_reason = QUARANTINED, suspicion
    return _stored_once(submission)


def consent(card: Card, language: str) -> str:
    """The consent wording in a language, with the church's name in it; English where the church has none in that language."""
    wording = card.consent_wording.get(language) or card.consent_wording.get("en", "")
    return wording.replace("{church}", card.church.name)


def _submission_key(form: Form) -> UUID:
    """The key made with the form; a missing or damaged one is replaced, since the card counts more than the key."""
    try:
        return UUID(fields.Posted(form).line("submission_key"))
    except ValueError:
        return uuid4()


def _filled_in(card: Card, key: UUID, answers: Answers) -> Submission:
    submission = Submission(
        id=_id_under(key, card),
        card_id=card.id,
        submission_key=key,
        answers_hash=_hash(key, card, answers),
        state=RECEIVED,
        **{name: answers[name] for name in ("first_name", "last_name", "email", "phone")},
        answers=_open_part(answers),
        search_text=search_text(answers),
    )
    submission.prayer = answers["prayer"]
    submission.family = json.dumps(answers["family"], ensure_ascii=False) if answers["family"] else None
    return submission


def _id_under(key: UUID, card: Card) -> UUID:
    """The id follows from the key: a card that is sent again after the database was put back is the same card as before."""
    return uuid5(card.church_id, str(key))


def _open_part(answers: Answers) -> Answers:
    """What may stand in the open: of the prayer and the family only that there is one."""
    given = {name: answer for name, answer in answers.items() if answer and name not in ("prayer", "prayer_audience", "family")}
    if answers["prayer"]:
        given |= {"has_prayer": True, "prayer_audience": answers["prayer_audience"] or fields.PASTORS}
    if answers["family"]:
        given["has_family"] = True
    return given


def _hash(key: UUID, card: Card, answers: Answers) -> str:
    """Tells answers apart without telling them: keyed, since a prayer's words could be guessed from a plain hash."""
    text = json.dumps([str(card.id), _as_sent(answers)], sort_keys=True)
    return hmac.new(current_app.config["SECRET_KEY"].encode() + key.bytes, text.encode(), hashlib.sha256).hexdigest()


def _as_sent(answers: Answers) -> Answers:
    """The answers without what we know of a group ourselves: that it was closed since makes no other card of the same one."""
    group = answers["group"] and {"group": answers["group"]["id"]}
    return {name: answer for name, answer in answers.items() if name != "group"} | (group or {})


def _stored_once(submission: Submission) -> Receipt:
    if _inserted(submission):
        return Receipt(submission.id, submission.first_name, submission.state)
    earlier = _stored_under(submission.submission_key)
    if earlier.answers_hash == submission.answers_hash:
        return Receipt(earlier.id, earlier.first_name, earlier.state)
    return _stored_beside(submission)


def _stored_beside(submission: Submission) -> Receipt:
    """Keep other answers under a used key; the key made of both lets these answers, sent again, find their own row."""
    submission.submission_key = uuid5(submission.submission_key, submission.answers_hash)
    submission.id = uuid5(submission.id, submission.answers_hash)
    submission.state, submission.state_reason = QUARANTINED, SENT_AGAIN
    _inserted(submission)
    stored = _stored_under(submission.submission_key)
    return Receipt(stored.id, stored.first_name, stored.state)


def _inserted(submission: Submission) -> bool:
    """Insert unless the key is taken: one statement, so that two at once cannot both believe they are the first."""
    columns = Submission.__table__.columns.keys()
    values = {name: getattr(submission, name) for name in columns if getattr(submission, name) is not None}
    return db.session.connection().execute(_insert_unless_taken(db.engine.dialect.name), values).first() is not None


@cache
def _insert_unless_taken(dialect: str) -> Executable:
    """Made once and run on the connection: through the session the same insert takes three times as long."""
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    statement = insert(Submission.__table__).on_conflict_do_nothing()  # type: ignore[arg-type]
    # The row itself says whether it went in: on PostgreSQL the row count of an insert is not to be had.
    return statement.returning(Submission.__table__.columns["id"])


def _stored_under(key: UUID) -> Submission:
    return db.session.scalars(select(Submission).where(Submission.submission_key == key)).one()
