"""Files: uploaded first, at an address of their own, then named by their id where a person or a field is to have them.

The host is another one at Planning Center (`upload.planningcenteronline.com`); the path is the same. An id is good for an hour.
"""

import hashlib
from uuid import uuid4

from flask import Blueprint, Response, request

from connectcard.simulator.answers import Refusal, missing_parameter, not_routed, plain_json
from connectcard.simulator.callers import recognise
from connectcard.simulator.moments import stamp
from connectcard.simulator.state import the
from connectcard.simulator.store import Row

GOOD_FOR = 3600
pages = Blueprint("uploads", __name__)


@pages.errorhandler(Refusal)
def say_refusal(refusal: Refusal) -> Response:
    return refusal.response()


@pages.route("/v2/files", methods=["GET", "POST", "PATCH", "PUT", "DELETE"])
def upload() -> Response:
    if request.method != "POST":
        raise not_routed()
    seconds = the().moments.seconds()
    with the().store.transaction():
        caller = recognise(the().store, request.authorization, seconds)
        sent = request.files.get("file")
        if sent is None:
            raise missing_parameter("file")
        content = sent.read()
        told = {
            "md5": hashlib.md5(content, usedforsecurity=False).hexdigest(), "expires_at": stamp(seconds + GOOD_FOR),
            "source_ip": request.remote_addr, "name": sent.filename, "content_type": sent.mimetype, "file_size": len(content),
        }  # fmt: skip
        word = f"us3-{uuid4()}"
        now = stamp(seconds)
        the().store.add(Row("File", caller.organization, told | {"id": word}, created_at=now, updated_at=now))
    return plain_json({"data": [{"type": "File", "id": word, "attributes": told}]}, 201)
