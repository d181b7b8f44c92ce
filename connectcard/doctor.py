"""Looks at an installation the way a person would who is asked why it does not work."""

from collections.abc import Iterator
from dataclasses import dataclass

import redis
import requests
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import current_app
from sqlalchemy import Connection, func, select, text
from sqlalchemy.exc import DBAPIError

from connectcard import create_app
from connectcard.churches.models import Church
from connectcard.config import Config
from connectcard.connections.incidents import MOST_CHURCHES, churches_tried_once_more, churches_turned_away
from connectcard.database import db
from connectcard.errors import ConfigError
from connectcard.extensions import bell
from connectcard.jobs import restores

CONNECT_SECONDS, ANSWER_SECONDS = 3, 10


@dataclass(frozen=True)
class Finding:
    """One thing looked at; `words` say how it is and, where it is wrong, how to mend it."""

    about: str
    ok: bool
    words: str


def examine() -> Iterator[Finding]:
    """Every finding, settings first; without settings there is nothing else to look at."""
    try:
        config = Config.from_environment()
    except ConfigError as error:
        yield Finding("settings", False, str(error))
        return
    yield Finding("settings", True, f"complete; connectcard is at {config.public_url}")
    with create_app(config).app_context():
        database = examine_database()
        yield database
        yield from (_backup(), _sign_ins()) if database.ok else ()
        yield from (_redis(), _planning_center(config))


def examine_database() -> Finding:
    """Whether the database can be used. Inside an application context."""
    try:
        with db.engine.connect() as connection:
            return _look_into(connection)
    except DBAPIError as error:
        return Finding("database", False, f"it cannot be reached ({_short(error)}). Does the server run, and is DATABASE_URL right?")
    finally:
        db.engine.dispose()


def _look_into(connection: Connection) -> Finding:
    if connection.dialect.name == "postgresql" and _may_see_everything(connection):
        role = "the role in DATABASE_URL is a superuser or has BYPASSRLS, so PostgreSQL would not keep the churches apart"
        return Finding("database", False, f"{role}. Give connectcard a role of its own, as the README says.")
    scripts = ScriptDirectory(current_app.extensions["migrate"].directory)
    head, present = scripts.get_current_head(), MigrationContext.configure(connection).get_current_revision()
    if present != head:
        known = present is None or present in {script.revision for script in scripts.walk_revisions()}
        advice = "run connectcard db upgrade" if known else "start the newer connectcard, which brought it there"
        return Finding("database", False, f"it is at migration {present or 'none'}, this connectcard needs {head}: {advice}")
    return Finding("database", True, f"{connection.dialect.name}, at migration {head}")


def _may_see_everything(connection: Connection) -> bool:
    role = "select rolsuper or rolbypassrls from pg_roles where rolname = current_user"
    return bool(connection.execute(text(role)).scalar())


def _backup() -> Finding:
    """Whether the database was put back from a backup, as far as it was said or Redis remembers a later hour."""
    restored_at = db.session.scalar(select(func.max(Church.restored_at)))
    if restores.went_back():
        words = "the database stands at an earlier hour than Redis remembers, so it was put back from a backup: run connectcard restored"
        return Finding("backup", False, words)
    if restored_at is None:
        return Finding("backup", True, "this database was never put back from one, as far as anybody said")
    words = f"put back from a backup on {restored_at:%Y-%m-%d at %H:%M} UTC; cards look in Planning Center before they write"
    return Finding("backup", True, f"{words}. Look at Connection of each church: it may have to connect again")


def _sign_ins() -> Finding:
    """Whether Planning Center turned so many churches away that it is not believed."""
    count = churches_turned_away()
    if count > MOST_CHURCHES:
        words = f"Planning Center called those of {count} churches dead within ten minutes; they are kept and tried again"
        return Finding("sign-ins", False, f"{words}. Look at Planning Center's status page and tell its support")
    if awaited := churches_tried_once_more():
        words = f"Planning Center did not renew that of {'one church' if awaited == 1 else f'{awaited} churches'}"
        return Finding("sign-ins", True, f"{words}; it is tried once more before an owner has to connect again")
    return Finding("sign-ins", True, "Planning Center takes them")


def _redis() -> Finding:
    try:
        bell.redis.ping()
    except redis.RedisError as error:
        advice = "Cards still come in and are still sent, a few seconds later. Does the server run, and is REDIS_URL right?"
        return Finding("redis", False, f"it cannot be reached ({type(error).__name__}). {advice}")
    return Finding("redis", True, "it answers")


def _planning_center(config: Config) -> Finding:
    try:
        answer = requests.get(
            f"{config.pco_base_url}/people/v2",
            auth=config.personal_access_token,
            headers={"User-Agent": f"connectcard doctor ({config.public_url})"},
            timeout=(CONNECT_SECONDS, ANSWER_SECONDS),
            allow_redirects=False,
        )
    except requests.RequestException as error:
        advice = "Is this machine on the internet, and is PCO_BASE_URL right?"
        return Finding("Planning Center", False, f"{config.pco_base_url} cannot be reached ({type(error).__name__}). {advice}")
    return _judge(answer.status_code, config)


def _judge(status: int, config: Config) -> Finding:
    where = config.pco_base_url
    if status == requests.codes.ok or (status == requests.codes.unauthorized and not config.personal_access_token):
        return Finding("Planning Center", True, f"{where} answers")
    if status in (requests.codes.unauthorized, requests.codes.forbidden) and config.personal_access_token:
        advice = "make a new personal access token there and put it into PCO_APP_ID and PCO_SECRET"
        return Finding("Planning Center", False, f"{where} refuses the personal access token ({status}): {advice}")
    return Finding("Planning Center", False, f"{where} answers with status {status}; try again later, and check PCO_BASE_URL")


def _short(error: DBAPIError) -> str:
    """The class of what the driver said; its words may hold the host, the user or the password."""
    return type(error.orig).__name__
