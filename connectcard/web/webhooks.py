"""The door for Planning Center's deliveries, and the page about them."""

from functools import partial

from flask import Blueprint, request

from connectcard.database import after_commit, transaction
from connectcard.jobs.queue import ring
from connectcard.planning_center.webhooks import AUTHENTICITY
from connectcard.sync import inbox
from connectcard.sync.inbox import NotGenuine, NotOurs
from connectcard.web.access import told_church

blueprint = Blueprint("webhooks", __name__)

MOST_BYTES = 1024 * 1024
EVENT_NAME = "X-PCO-Webhooks-Name"


@blueprint.post("/webhooks/planning-center/<key>")
def receive(key: str) -> tuple[str, int]:
    """Take a delivery and answer at once; a worker looks at it later. Its signature is its only permission.

    Never 410, which would end the subscription, and never a redirect. An answer that is not of the 200s is tried again for days.
    """
    request.max_content_length = MOST_BYTES
    body = request.get_data(cache=False)
    with told_church(key) as church_id:
        try:
            deliveries = inbox.opened(body, request.headers.get(AUTHENTICITY), request.headers.get(EVENT_NAME))
        except (NotGenuine, NotOurs) as refused:
            with transaction():
                inbox.note_refusal(refused)
            return str(refused), 401 if isinstance(refused, NotGenuine) else 403
        with transaction():
            inbox.keep(deliveries)
            after_commit(partial(ring, church_id))
    return "kept", 200
