"""A practice Planning Center with many churches, in a process of its own.

python -m tests.benchmarks.many_churches <port> <churches> <file for the tokens>: writes one JSON line for each church, its
organization, an access token of its administrator and the personal access token, then serves until SIGTERM.
"""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.serving import make_server

from connectcard.simulator import PRACTICE_CLIENT_ID, create_simulator, oauth, practice
from connectcard.simulator.server import Quietly
from connectcard.simulator.state import the

PEOPLE = 12


def church(place: int) -> practice.Church:
    """A church like the first practice church, with a name of its own."""
    return replace(practice.CHURCHES[0], name=f"Church {place + 1}", subdomain=f"church{place + 1}")


def keys(app: Flask) -> list[dict[str, Any]]:
    """What is needed to speak for each church."""
    simulator = the(app)
    with simulator.store.transaction():
        return [key(simulator, place, organization.id) for place, organization in enumerate(simulator.store.organizations())]


def key(simulator: Any, place: int, organization: int) -> dict[str, Any]:
    owner = simulator.store.all("Person", organization)[0].id
    access = oauth.issue(simulator, "access", (place, organization, owner, "openid people"), 7200, {"client_id": PRACTICE_CLIENT_ID})
    return {"organization": str(organization), "access_token": access, "application": practice.personal_access_token(1, place)}


def main(port: int, churches: int, tokens: Path) -> None:
    practice.CHURCHES = tuple(church(place) for place in range(churches))
    app = create_simulator(people=PEOPLE)
    tokens.write_text("\n".join(json.dumps(one) for one in keys(app)))
    make_server("127.0.0.1", port, app, threaded=True, request_handler=Quietly).serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
