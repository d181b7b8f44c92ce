"""Puts the rooms together into one Flask application."""

from importlib import import_module
from pathlib import Path

from flask import Flask

from connectcard import database, web
from connectcard.config import Config
from connectcard.crypto import Keyring
from connectcard.database import db
from connectcard.extensions import babel, bell, csrf, htmx, limiter, migrate

ROOT = Path(__file__).resolve().parent.parent


def build(config: Config | None = None) -> Flask:
    config = config or Config.from_environment()
    app = Flask("connectcard", template_folder=str(ROOT / "templates"), static_folder=str(ROOT / "static"))
    app.config.update(config.flask())
    app.extensions["keyring"] = Keyring(config.encryption_keys)
    _bind_extensions(app)
    web.init_app(app)
    return app


def _bind_extensions(app: Flask) -> None:
    import_models()
    database.init_app(app)
    migrate.init_app(app, db, directory=str(ROOT / "migrations"), render_as_batch=True)
    bell.init_app(app)
    csrf.init_app(app)
    limiter.init_app(app)
    htmx.init_app(app)
    babel.init_app(app, locale_selector=web.chosen_language)


def import_models() -> None:
    """Make every table known before a migration or a query looks for it."""
    for room in ("cards", "churches", "connections", "jobs", "people", "sync"):
        import_module(f"connectcard.{room}.models")
    import_module("connectcard.sync.webhook_models")
    import_module("connectcard.sync.mirror_models")
    import_module("connectcard.sync.cursors")
    import_module("connectcard.sync.pull_shift")
    import_module("connectcard.sync.truth")
    import_module("connectcard.people.edit_models")
