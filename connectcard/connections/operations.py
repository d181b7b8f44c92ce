"""Connecting a church to Planning Center, ending that, and reading what a card can be sent to."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from threading import Event
from typing import Any, cast
from uuid import UUID

from flask import current_app
from sqlalchemy import select

from connectcard.churches.models import Church
from connectcard.clock import now
from connectcard.config import Config
from connectcard.connections.aside import writing_aside
from connectcard.connections.clients import client_for, refuse_another_origin
from connectcard.connections.form_fields import what_it_takes
from connectcard.connections.models import (
    CONNECTED,
    DISCONNECTED,
    NO_ACCESS,
    NO_SCOPE,
    OAUTH,
    OK,
    PERSONAL_ACCESS_TOKEN,
    RECONNECT,
    Connection,
    RemoteChoice,
)
from connectcard.connections.queries import find_connection
from connectcard.connections.tokens import keep_tokens, revoke
from connectcard.connections.words import in_words
from connectcard.database import db, end_reading
from connectcard.errors import ChangeRefused, ConnectionMissing
from connectcard.planning_center import Client, Record
from connectcard.planning_center.errors import PlanningCenterError, ProductUnavailable, ReconnectNeeded, ScopeMissing
from connectcard.planning_center.oauth import Tokens
from connectcard.planning_center.resources import people

ANOTHER_ORGANIZATION = (
    "The personal access token in the settings is of another organization in Planning Center than this church. "
    "Set PCO_APP_ID and PCO_SECRET to one of this church's, and connect again. Nothing was sent there."
)
REFUSED_WORDS = "Planning Center does not take the personal access token. Make a new one, set PCO_APP_ID and PCO_SECRET, and connect again."


# Connecting. Inside the caller's `transaction()`.


def connect(
    church: Church, tokens: Mapping[str, Any], *, organization_id: str, authorised_by: str, authorised_remote_id: str | None = None
) -> Connection:
    """Keep the tokens of a consent as the church's. `tokens` is the token endpoint's answer; whoever gave it is `authorised_by`.

    Connecting again keeps everything else. Raises ChangeRefused for another organization, ConnectionMissing for another origin.
    """
    connection = _connection_of(church, organization_id)
    connection.kind = OAUTH
    keep_tokens(connection, Tokens.from_answer(tokens), now())
    return _connected(connection, authorised_by, authorised_remote_id)


def connect_with_personal_access_token(
    church: Church, *, organization_id: str, authorised_by: str, authorised_remote_id: str | None = None
) -> Connection:
    """Use the personal access token of the settings for the one church of this installation; nothing of it is stored."""
    if cast("Config", current_app.config["CONNECTCARD"]).personal_access_token is None:
        raise ConnectionMissing("PCO_APP_ID and PCO_SECRET are not set, so there is no personal access token to connect with.")
    connection = _connection_of(church, organization_id)
    _forget_tokens(connection)
    connection.kind, connection.state = PERSONAL_ACCESS_TOKEN, CONNECTED
    return _connected(connection, authorised_by, authorised_remote_id)


def _connection_of(church: Church, organization_id: str) -> Connection:
    refuse_another_origin(church.origin)
    if organization_id != church.organization_id:
        raise ChangeRefused(
            f"This sign-in is for another organization in Planning Center than {church.name}. "
            f"Sign in there as somebody of {church.name}, and connect again."
        )
    connection = find_connection()
    if connection is None:
        connection = Connection(church_id=church.id, origin=church.origin, organization_id=church.organization_id, version=0)
        db.session.add(connection)
    return connection


def _connected(connection: Connection, authorised_by: str, authorised_remote_id: str | None) -> Connection:
    connection.authorised_by, connection.authorised_remote_id = authorised_by, authorised_remote_id
    connection.connected_at = connection.checked_at = now()
    connection.state_reason, connection.blocked_until, connection.products = None, None, {}
    db.session.flush()
    return connection


def mark_reconnect(connection: Connection, reason: str) -> None:
    """The church has to connect again; its cards wait. Inside `transaction()`; a connection that was ended stays ended."""
    if connection.state == CONNECTED:
        connection.state, connection.state_reason = RECONNECT, reason[:300]
        db.session.flush()


def why_not_served(connection: Connection, stopping: Event | None = None) -> str | None:
    """Why a worker that begins may send nothing for this church, in words; None where it may. Outside of any transaction.

    Once for each process it is asked whose a personal access token is: the settings may have been given another organization's since
    the church was connected, and then it has to connect again. While Planning Center does not answer that, the church waits.
    Raises ConnectionMissing.
    """
    seen: set[UUID] = current_app.extensions.setdefault("own_tokens_seen", set())
    if connection.state != CONNECTED or connection.kind != PERSONAL_ACCESS_TOKEN or connection.id in seen:
        return None
    client, connection_id, own = client_for(connection, stopping=stopping), connection.id, connection.organization_id
    end_reading()
    try:
        found = client.get(people.ORGANIZATION).id
    except PlanningCenterError as error:
        note_visit(connection_id, error)
        # Who may not see People can send no card either, and that is said of each card.
        return None if isinstance(error, ProductUnavailable | ScopeMissing) else in_words(error)
    if found != own:
        with writing_aside() as session:
            mark_reconnect(session.scalars(select(Connection).where(Connection.id == connection_id)).one(), ANOTHER_ORGANIZATION)
        return ANOTHER_ORGANIZATION
    seen.add(connection_id)
    return None


def want_choices(connection: Connection) -> None:
    """Ask a worker to read the choices anew. Inside `transaction()`; the caller rings."""
    connection.choices_wanted_at = now()
    db.session.flush()


# Ending. Outside of any transaction, since Planning Center is spoken to.


def disconnect(connection: Connection) -> bool:
    """Forget the church's tokens and give them back to Planning Center; what was read and mapped stays.

    From the commit on nothing is sent any more. False where Planning Center did not confirm that the tokens are withdrawn: they are
    forgotten here all the same, and an administrator can withdraw them there, under "Connected apps".
    """
    connection_id = connection.id
    end_reading()
    with writing_aside() as session:
        row = session.scalars(select(Connection).where(Connection.id == connection_id).with_for_update()).one()
        held = {"refresh_token": row.refresh_token, "access_token": row.access_token}
        _forget_tokens(row)
        row.state, row.state_reason = DISCONNECTED, None
    return revoke(held)


def _forget_tokens(row: Connection) -> None:
    row.access_token = row.refresh_token = row.expires_at = row.refresh_claimed_until = row.second_try_at = None
    row.version += 1


_STANDING = ((ScopeMissing, NO_SCOPE), (ProductUnavailable, NO_ACCESS), (type(None), OK))


def standing_after(error: PlanningCenterError | None) -> str | None:
    """How a product stands after a visit to it that ended so; None where that says nothing about the product."""
    return next((word for kind, word in _STANDING if isinstance(error, kind)), None)


def note_visit(connection_id: UUID, error: PlanningCenterError | None) -> None:
    """Keep what a visit to People showed: when it was, whether the product is open, and whether the token is refused."""
    with writing_aside() as session:
        row = session.scalars(select(Connection).where(Connection.id == connection_id)).one()
        # Of an OAuth grant only the token endpoint knows that it is dead; `tokens` has marked it then.
        if isinstance(error, ReconnectNeeded) and row.kind == PERSONAL_ACCESS_TOKEN:
            mark_reconnect(row, REFUSED_WORDS)
        standing = standing_after(error)
        if standing is not None:
            row.products = {**row.products, people.PRODUCT: standing}
        if error is None:
            row.checked_at = now()


# Choices: what a card field can be sent to.


@dataclass(frozen=True)
class _Choice:
    """One row of `remote_choice` as it should be."""

    kind: str
    remote_id: str
    name: str
    position: int
    parent_remote_id: str | None
    detail: dict[str, Any]


def read_choices(connection: Connection, stopping: Event | None = None, form: str | None = None) -> None:
    """Read everything that a card field can be sent to, and keep it in one transaction. For the worker, outside of any transaction.

    Of the church's forms the names are read, of the one named by `form` its fields too. A failure is kept as `choices_problem`, in
    words; what was read before stays. Broken off by `stopping`, it stays wanted.
    """
    client, connection_id, began_at = client_for(connection, stopping=stopping), connection.id, now()
    end_reading()
    try:
        found = [*_choices(client), *_forms(client, form)]
    except PlanningCenterError as error:
        if stopping is not None and stopping.is_set():
            return
        note_visit(connection_id, error)
        with writing_aside() as session:
            row = session.scalars(select(Connection).where(Connection.id == connection_id)).one()
            row.choices_problem, row.choices_wanted_at = in_words(error)[:300], None
        return
    note_visit(connection_id, None)
    _keep_choices(connection_id, found, began_at)


def _choices(client: Client) -> Iterator[_Choice]:
    for position, campus in enumerate(client.iterate(people.CAMPUS, order="name")):
        yield _choice("campus", campus, campus["name"], position)
    for position, membership in enumerate(client.iterate(people.MEMBERSHIP_TYPE, order="sequence")):
        yield _choice("membership_type", membership, membership["value"], position)
    yield from _fields(client)
    for position, category in enumerate(client.iterate(people.NOTE_CATEGORY, order="name", filter="view_creatable")):
        yield _choice("note_category", category, category["name"], position)
    for position, workflow in enumerate(client.iterate(people.WORKFLOW, order="name", filter="not_archived")):
        # A card on a workflow without steps is refused.
        if not workflow["deleted_at"] and not workflow["archived_at"] and workflow["total_steps_count"] != 0:
            yield _choice("workflow", workflow, workflow["name"], position)


def _fields(client: Client) -> Iterator[_Choice]:
    for definition in client.iterate(people.FIELD_DEFINITION, include=("field_options", "tab"), order="sequence"):
        if definition["deleted_at"]:
            continue
        tab = next((one["name"] for one in definition.included_of("Tab")), None)
        detail = {"data_type": definition["data_type"], "tab": tab}
        yield _choice("field_definition", definition, definition["name"], definition["sequence"], detail=detail)
        for option in definition.included_of("FieldOption"):
            yield _choice("field_option", option, option["value"], option["sequence"], parent=definition.id)


def _forms(client: Client, wanted: str | None) -> Iterator[_Choice]:
    """The forms that take submissions, and the fields of the wanted one."""
    for position, form in enumerate(client.iterate(people.FORM, order="name", filter="not_archived")):
        if form["active"]:
            yield _choice("form", form, form["name"], position, detail={"can_manage": bool(form["can_manage"])})
        if form["active"] and form.id == wanted:
            yield from _form_fields(client, form.id)


def _form_fields(client: Client, form: str) -> Iterator[_Choice]:
    custom_fields = {one.id: one["data_type"] for one in client.iterate(people.FIELD_DEFINITION) if not one["deleted_at"]}
    for field in client.iterate(people.FORM_FIELD, parent_id=form, include=("options",), order="sequence"):
        options = [one for one in field.included_of("FormFieldOption") if field.id in {ref.id for ref in one.related("form_field")}]
        takes = what_it_takes(field, custom_fields, has_options=bool(options))
        detail = {"data_type": takes.data_type, "why_not": takes.why_not, "required": bool(field["required"])}
        yield _choice("form_field", field, field["label"], field["sequence"], parent=form, detail=detail)
        for option in options:
            yield _choice("form_field_option", option, option["label"], option["sequence"], parent=field.id)


def _choice(kind: str, record: Record, name: Any, position: Any, *, parent: str | None = None, detail: Any = None) -> _Choice:
    place = position if isinstance(position, int) and abs(position) < 2**31 else 0
    return _Choice(kind, record.id[:40], str(name or "")[:300], place, parent, detail or {})


def _keep_choices(connection_id: UUID, found: list[_Choice], began_at: datetime) -> None:
    with writing_aside() as session:
        rows = {(row.kind, row.remote_id): row for row in session.scalars(select(RemoteChoice))}
        for choice in found:
            row = rows.pop((choice.kind, choice.remote_id), None)
            if row is None:
                row = RemoteChoice(kind=choice.kind, remote_id=choice.remote_id)
                session.add(row)
            row.name, row.position, row.parent_remote_id, row.detail = choice.name, choice.position, choice.parent_remote_id, choice.detail
        for vanished in rows.values():
            session.delete(vanished)
        connection = session.scalars(select(Connection).where(Connection.id == connection_id)).one()
        # The moment it began: what was asked for meanwhile is read once more.
        connection.choices_read_at, connection.choices_problem = began_at, None
