"""A session beside the caller's: tokens and limits are kept while the caller holds rows of its own that must stay as they are."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import current_app
from sqlalchemy.orm import Session

from connectcard.database import db, transaction


@contextmanager
def reading_aside() -> Iterator[Session]:
    """Reads in a session of its own, in the church's open scope; gives its database connection back at the end."""
    # A context of its own: Flask-SQLAlchemy keeps one session for each of them, and removes it with the context.
    with current_app._get_current_object().app_context():  # type: ignore[attr-defined]
        yield db.session()


@contextmanager
def writing_aside() -> Iterator[Session]:
    """One short transaction in a session of its own. Refused while the caller has a transaction open."""
    with current_app._get_current_object().app_context(), transaction() as session:  # type: ignore[attr-defined]
        yield session
