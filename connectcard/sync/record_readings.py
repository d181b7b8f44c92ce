"""One record of the directory read again from Planning Center: its page was opened or refreshed, or a truth check found it to differ."""

from connectcard.clock import now
from connectcard.connections.models import OK
from connectcard.database import transaction
from connectcard.people.models import FAMILY, GROUP, PERSON
from connectcard.planning_center import Client
from connectcard.planning_center.errors import Blocked, NotSent, PlanningCenterError, RateLimited, Unavailable
from connectcard.sync import readings
from connectcard.sync.mirror_models import RemoteReading
from connectcard.sync.refreshing import REFRESH

PRODUCTS = {PERSON: "people", FAMILY: "people", GROUP: "groups"}
KEYS = {f"directory/{kind}": kind for kind in PRODUCTS}


def key_of(kind: str) -> str:
    return f"directory/{kind}"


def find_reading(kind: str, remote_id: str | None) -> RemoteReading | None:
    """How the reading of one record stands; None where nobody asked, or where it is ours alone."""
    return readings.find_reading(key_of(kind), remote_id) if remote_id else None


def want(kind: str, remote_id: str | None) -> None:
    """Ask a worker to read it. Inside `transaction()`; the caller rings. A record that is ours alone has nothing to be read."""
    if remote_id:
        readings.want(key_of(kind), remote_id)


def read(key: str, remote_id: str, client: Client) -> None:
    """Read it and take it in as a pull does; for the worker, in the church's scope."""
    kind, began_at = KEYS[key], now()
    try:
        REFRESH[kind](remote_id, client)
    except (RateLimited, Unavailable, NotSent, Blocked) as error:
        readings.put_off(key, remote_id, PRODUCTS[kind], error)
    except PlanningCenterError as error:
        readings.give_up(key, remote_id, PRODUCTS[kind], error)
    else:
        with transaction():
            readings.settle(key, remote_id, OK, began_at)
