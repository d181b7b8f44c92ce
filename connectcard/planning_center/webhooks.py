"""What Planning Center delivers when something changed: whether it is genuine, and what it says.

A delivery is signed with the secret of its subscription: `X-PCO-Webhooks-Authenticity` is the HMAC-SHA256 of the raw body in lower
case hex. Nothing in it is signed with a time, so whoever takes deliveries remembers their ids. They come twice, late and in any
order: a delivery is a reason to look, not a truth.
"""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from connectcard.planning_center.documents import Malformed, Record, read_page, read_record

AUTHENTICITY = "X-PCO-Webhooks-Authenticity"


@dataclass(frozen=True)
class Delivery:
    """One event: its id (the same when it is delivered again), its name, the attempt, whose it is, and the record it is about.

    Of a destroyed thing the record holds little more than type and id. Deliveries from before July 2022 do not say whose they are.
    """

    id: str
    name: str
    attempt: int
    organization_id: str | None
    record: Record


def is_genuine(body: bytes, authenticity: str | None, secrets: Iterable[str]) -> bool:
    """Whether one of the secrets signed these very bytes; it takes as long whichever it was."""
    given = (authenticity or "").encode()
    matching = [hmac.compare_digest(signature(body, secret).encode(), given) for secret in secrets]
    return any(matching)


def signature(body: bytes, secret: str) -> str:
    """What Planning Center writes into `X-PCO-Webhooks-Authenticity`."""
    return hmac.new(secret.encode(), body, sha256).hexdigest()


def read_deliveries(body: bytes) -> list[Delivery]:
    """The events in the body of one delivery, normally one. Raises Malformed. Ask `is_genuine` first."""
    return [_delivery(envelope) for envelope in read_page(body).records]


def _delivery(envelope: Record) -> Delivery:
    name, payload, attempt = envelope["name"], envelope["payload"], envelope["attempt"]
    if not isinstance(name, str) or not isinstance(payload, str):
        raise Malformed("not an event with a name and a payload")
    organizations = envelope.related("organization")
    return Delivery(
        id=envelope.id,
        name=name,
        attempt=attempt if isinstance(attempt, int) else 1,
        organization_id=organizations[0].id if organizations else None,
        record=read_record(payload),
    )
