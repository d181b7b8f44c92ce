"""Puts the simulator together."""

from pathlib import Path

from flask import Flask, Response

from connectcard.simulator import api, control, oauth, pages, uploads
from connectcard.simulator.gateway import BIGGEST_BODY, Gateway
from connectcard.simulator.state import Simulator

PAGE_POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'"


def create_simulator(*, state_file: Path | None = None, seed: int = 1, people: int = 50) -> Flask:
    """A practice Planning Center. Without a `state_file` it forgets everything at its end; `seed` and `people` count only when new."""
    app = Flask("connectcard.simulator", template_folder="templates", static_folder="static", static_url_path="/assets")
    app.config["MAX_CONTENT_LENGTH"] = BIGGEST_BODY
    app.url_map.merge_slashes = False
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.extensions["simulator"] = simulator = Simulator(state_file, seed, people)
    for part in (oauth, control, uploads, api, pages):
        app.register_blueprint(part.pages)
    app.after_request(with_page_policy)
    app.wsgi_app = Gateway(app, simulator)  # type: ignore[method-assign]
    return app


def with_page_policy(response: Response) -> Response:
    if response.mimetype == "text/html":
        response.headers.setdefault("Content-Security-Policy", PAGE_POLICY)
    return response
