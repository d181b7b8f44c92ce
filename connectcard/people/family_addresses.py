"""A family lives where its primary contact does, unless its address was changed here or is ours."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from connectcard.database import db
from connectcard.people import ownership
from connectcard.people.bulk import chunks
from connectcard.people.contacts import STREET
from connectcard.people.models import HERE, Family


def move_families(addresses: Mapping[str, Sequence[Any]]) -> None:
    """Have the families whose primary contacts these people are, by their ids there, live at their addresses."""
    for some in chunks(list(addresses)):
        led_by_them = select(Family).where(Family.primary_contact_remote_id.in_(some), Family.gone_at.is_(None))
        for family in db.session.scalars(led_by_them):
            set_family_address(family, best_address(addresses[family.primary_contact_remote_id or ""]))


def best_address(addresses: Sequence[Any]) -> Any | None:
    """The primary address, else the first."""
    return next((one for one in addresses if one.primary), addresses[0] if addresses else None)


def set_family_address(family: Family, address: Any | None) -> None:
    if "address" not in (family.edits or {}) and ownership.owners()["family.address"] != HERE:
        for name in STREET:
            setattr(family, name, getattr(address, name) if address else "")
