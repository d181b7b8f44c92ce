"""A library about Planning Center; it knows nothing of connectcard.

The catalogue in `resources` says what there is, a `Client` reads and writes it, and `errors` says what to do when it cannot.
"""

from connectcard.planning_center.auth import BasicAuth, BearerAuth
from connectcard.planning_center.client import Client
from connectcard.planning_center.documents import Page, Record, Ref
from connectcard.planning_center.paging import Position, Step
from connectcard.planning_center.transport import Timeouts

__all__ = ["BasicAuth", "BearerAuth", "Client", "Page", "Position", "Record", "Ref", "Step", "Timeouts"]
