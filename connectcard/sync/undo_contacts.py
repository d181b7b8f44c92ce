"""Taking back what a push changed or removed of contacts: written there, found again after a lost answer, and kept here.

A contact that was removed there is made again under another id. Here what staff wrote stays, and waits to be sent again.
"""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from connectcard.churches.queries import get_church
from connectcard.database import db, end_reading
from connectcard.people import contact_edits
from connectcard.people.contacts import PRIMARY, compared, content_of
from connectcard.people.operations import marking_key
from connectcard.planning_center import Client, Record
from connectcard.planning_center.errors import Gone, Merged
from connectcard.planning_center.resources import people
from connectcard.sync import undo_plans
from connectcard.sync.mappings import PEOPLE
from connectcard.sync.mappings.people import read_part
from connectcard.sync.models import SyncItem, SyncStep
from connectcard.sync.push_contact_plans import INSTEAD
from connectcard.sync.push_contact_writes import RESOURCES, TYPES
from connectcard.sync.push_person_writes import subject_of
from connectcard.sync.steps import Made, NoLonger, Step

KINDS = (undo_plans.RESTORE_CONTACT, undo_plans.PUT_BACK_CONTACT)


def send(step: Step, client: Client) -> Made:
    body = step.body
    resource = RESOURCES[body["contact"]]
    if step.kind == undo_plans.PUT_BACK_CONTACT:
        told = {name: value for name, value in body["attributes"].items() if value is not None}
        told |= {PRIMARY: told.get(PRIMARY) is True and not _another_is_primary(body, client)}
        return Made.of(client.create(resource, told, parent_id=body["person"]))
    if "instead_of" in body:
        client.update(resource, body["instead_of"], {PRIMARY: True})
    else:
        client.update(resource, body["record"], body["attributes"])
    return Made(body["record"])


def find(step: Step, client: Client) -> Made | None:
    """Whether it is as it was before; raises NoLonger where somebody touched it since, or the person is gone."""
    rows = _contacts_now(step.body, client)
    if step.kind == undo_plans.PUT_BACK_CONTACT:
        return _put_back(step.body, rows)
    record, again = rows.get(step.body["record"]), rows.get(step.body.get("instead_of") or step.body["record"])
    if record is None or again is None:
        raise NoLonger(undo_plans.GONE)
    before = {PRIMARY: True} if "instead_of" in step.body else step.body["attributes"]
    if _shows(again, before):
        return Made(step.body["record"])
    if not _shows(record, {name: step.body["after"].get(name) for name in step.body["attributes"]}):
        raise NoLonger(undo_plans.CHANGED)
    return None


def _another_is_primary(body: Mapping[str, Any], client: Client) -> bool:
    """Whether staff made another one the primary one since the removal; asked anew just before it is put back."""
    primary = next((row.id for row in _contacts_now(body, client).values() if row[PRIMARY] is True), None)
    return primary not in (None, body["after"].get(INSTEAD))


def _contacts_now(body: Mapping[str, Any], client: Client) -> dict[str, Record]:
    """This person's own contacts of the kind, by their ids."""
    try:
        person = client.get(people.PERSON, body["person"], include=PEOPLE.include)
    except Merged as error:
        raise NoLonger(undo_plans.MERGED) from error
    except Gone as error:
        raise NoLonger(undo_plans.PERSON_GONE) from error
    return {row.id: row for row in person.included_of(TYPES[body["contact"]])}


def _put_back(body: Mapping[str, Any], rows: Mapping[str, Record]) -> Made | None:
    country = get_church().country_code or "US"
    end_reading()
    same = [row for row in rows.values() if compared(content_of(read_part(row, country))) == body["was"]]
    return Made(same[0].id, same[0]) if same else None


def _shows(row: Record, attributes: Mapping[str, Any]) -> bool:
    return all((row[name] or None) == (value or None) for name, value in attributes.items())


def keep_here(step: Step, made: Made, item: SyncItem, member_name: str) -> None:
    """Inside `transaction()`: what staff wrote stays here and waits to be sent again."""
    body, person, key = step.body, subject_of(item), marking_key()
    kind = body["contact"]
    if "instead_of" in body:
        contact_edits.primary_is_unsent(person, kind, body["record"], body["instead_of"], member_name, key)
        return
    written = body["attributes"].get("address") or body["attributes"].get("number")
    theirs = {**body["was"], **({"display": written or body["was"]["value"]} if "value" in body["was"] else {})}
    if step.kind == undo_plans.PUT_BACK_CONTACT:
        theirs[PRIMARY] = made.record is not None and made.record[PRIMARY] is True
        if body["attributes"].get(PRIMARY) and not theirs[PRIMARY]:
            _say_that_it_is_not_primary(step)
        contact_edits.is_back(person, kind, made.remote_id, theirs, member_name, key)
    else:
        contact_edits.is_unsent(person, kind, body["record"], body.get("content"), theirs, member_name, key)


def _say_that_it_is_not_primary(step: Step) -> None:
    row = db.session.scalars(select(SyncStep).where(SyncStep.id == step.id)).one()
    row.body = json.dumps({**step.body, "result": undo_plans.NOT_PRIMARY})
