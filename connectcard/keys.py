"""Key rotation: everything sealed is sealed anew with the first of ENCRYPTION_KEYS, a few rows at a time."""

from collections import Counter
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from flask import current_app
from sqlalchemy import Select, select

from connectcard.churches.models import Church
from connectcard.churches.tenancy import ChurchOwned, church_scope, every_church
from connectcard.crypto import key_id, keyring, sealed_attributes
from connectcard.database import Base, db, transaction

ROWS_AT_ONCE = 200


def rotate() -> Counter[str]:
    """Reseal every sealed value of every church; returns how many values each key had sealed before, by the key's id.

    It may run while connectcard works, be broken off and started again. Every process must know the new key already.
    """
    found: Counter[str] = Counter()
    for church_id in _church_ids():
        with church_scope(church_id):
            for model in _sealed_models():
                found += _reseal_table(model, church_id)
    return found


def report(found: Counter[str]) -> Iterator[str]:
    """What the rotation found and what may be taken out of the settings now."""
    first, *others = (key_id(key).hex() for key in current_app.config["CONNECTCARD"].encryption_keys)
    for key, count in sorted(found.items()):
        yield f"{count} sealed with key {key}" + ("" if key == first else f", now sealed with {first}")
    yield f"All {found.total()} sealed values need key {first} only, the first of ENCRYPTION_KEYS."
    for key in others:
        yield f"Key {key} can be taken out of ENCRYPTION_KEYS once no backup is kept that was made before today."


def _church_ids() -> list[UUID]:
    with every_church():
        return list(db.session.scalars(select(Church.id).order_by(Church.id)))


def _sealed_models() -> list[type[Any]]:
    models = [mapper.class_ for mapper in Base.registry.mappers if sealed_attributes(mapper.class_)]
    return sorted(models, key=lambda model: model.__name__)


def _reseal_table(model: type[Any], church_id: UUID) -> Counter[str]:
    found: Counter[str] = Counter()
    last: UUID | None = None
    while True:
        with transaction() as session:
            rows = session.scalars(_next_rows(model, church_id, last)).all()
            found.update(key for row in rows for key in _reseal_row(row))
        if not rows:
            return found
        last = rows[-1].id


def _next_rows(model: type[Any], church_id: UUID, last: UUID | None) -> Select[Any]:
    """Locked, since a token that is refreshed meanwhile must not be overwritten with the one before it."""
    mine = model.church_id == church_id if issubclass(model, ChurchOwned) else model.id == church_id
    rows = select(model).where(mine).order_by(model.id).limit(ROWS_AT_ONCE).with_for_update()
    return rows if last is None else rows.where(model.id > last)


def _reseal_row(row: Any) -> Iterator[str]:
    for sealed in sealed_attributes(type(row)):
        envelope = getattr(row, sealed.column)
        if envelope is not None:
            yield keyring().key_of(envelope)
            sealed.reseal(row)
