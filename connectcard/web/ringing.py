"""Waking the worker from a page."""

from functools import partial

from flask import g

from connectcard.database import after_commit
from connectcard.jobs.queue import ring


def ring_afterwards() -> None:
    """Wake the worker once everything is stored; a lost bell costs delay only. Inside `transaction()`."""
    after_commit(partial(ring, g.church.id))
