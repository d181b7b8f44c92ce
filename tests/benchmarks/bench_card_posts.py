"""Card POSTs a second, beside the least that Flask and SQLAlchemy could do and beside bare WSGI, in the same run.

Run it with `make bench`. It prints figures and asserts only that every card was kept; how fast is for a person to judge.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
import requests
from sqlalchemy import func, select

from connectcard import create_app
from connectcard.application import ROOT
from connectcard.cards.models import Submission
from connectcard.cards.operations import ensure_default_card
from connectcard.churches.queries import get_church
from connectcard.churches.tenancy import church_scope, every_church
from connectcard.database import db, transaction
from tests.benchmarks.load import CONNECTIONS, Figures, post_cards
from tests.conftest import make_config, open_a_church, running
from tests.installation import Installation, Program
from tests.servers import PostgresqlServer, free_port

pytestmark = pytest.mark.benchmark

SECONDS = int(os.environ.get("BENCH_SECONDS", "8"))
SIMPLE = "submission_key=KEY&first_name=Ana&last_name=Lopez&email=ana.N%40gmail.com&phone=512-555-0177"


@contextmanager
def under_gunicorn(name: str, application: str, directory: Path, settings: dict[str, str], port: int) -> Iterator[str]:
    """The application as it is shipped: gunicorn with two workers of four threads; gives its address."""
    served = ["--bind", f"127.0.0.1:{port}", "--no-control-socket", "--worker-class", "gthread", "--workers", "2", "--threads", "4"]
    make_tables = f"from {application.removesuffix(':create()').replace(':', ' import ')} import create; create()"
    subprocess.run([sys.executable, "-c", make_tables], cwd=ROOT, env=os.environ | settings, check=True)
    program = Program(name, [sys.executable, "-m", "gunicorn", application, *served], directory / f"{name}.log", settings, port)
    program.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        program.stop()


def measured(url: str, body: str) -> Figures:
    post_cards(url, body, 2)
    return post_cards(url, body, SECONDS)


@pytest.fixture
def database_url(any_database: str, request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(f"{any_database}_url"))


def card_body(card_url: str) -> str:
    """What a browser sends for a filled-in card, with the token of a form that was really fetched."""
    page = requests.get(card_url, timeout=60).text
    token = re.search(r'name="form_token"[^>]*value="([^"]*)"', page)
    return f"{SIMPLE}&visit=first_time&interests=kids&heard=friend&form_token={quote(token[1]) if token else ''}"


@contextmanager
def connectcard(directory: Path, database_url: str) -> Iterator[str]:
    """Web and Redis as shipped, and one church with its card; gives the card's address."""
    with running(create_app(make_config(database_url))):
        church_id = open_a_church("grace", "1001")
        with church_scope(church_id), transaction():
            ensure_default_card(get_church())
    installation = Installation(directory, database_url)
    programs = (installation.redis, installation.web)
    try:
        for program in programs:
            program.start()
        yield f"{installation.url}/c/grace/welcome"
    finally:
        for program in reversed(programs):
            program.stop()


def cards_kept(database_url: str) -> int:
    with running(create_app(make_config(database_url))), every_church():
        return db.session.scalar(select(func.count(Submission.id))) or 0


def test_card_posts_a_second(
    any_database: str, database_url: str, request: pytest.FixtureRequest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = {"DATABASE_URL": spare_database(any_database, request, tmp_path)}
    figures: dict[str, Figures] = {}
    for name, application in (
        ("bare WSGI", "tests.benchmarks.bare_wsgi:create()"),
        ("minimal Flask", "tests.benchmarks.minimal_flask:create()"),
    ):
        with under_gunicorn(name.replace(" ", "-"), application, tmp_path, settings, free_port()) as url:
            figures[name] = measured(f"{url}/card", SIMPLE)
    with connectcard(tmp_path, database_url) as url:
        figures["connectcard"] = measured(url, card_body(url))
    with capsys.disabled():
        print(report(any_database, figures))
    assert figures["connectcard"].failed == 0
    assert cards_kept(database_url) >= figures["connectcard"].per_second * SECONDS * 0.9


def spare_database(kind: str, request: pytest.FixtureRequest, directory: Path) -> str:
    """A database of the same kind for the two programs that are measured beside ours."""
    if kind == "sqlite":
        return f"sqlite:///{directory / 'spare.sqlite'}"
    server: PostgresqlServer = request.getfixturevalue("postgresql")
    return server.url("cc_owner", server.make_database())


def report(database: str, figures: dict[str, Figures]) -> str:
    ours = figures["connectcard"].per_second
    lines = [f"\nCard POSTs on {database}, gunicorn with 2 workers of 4 threads, {CONNECTIONS} connections, {SECONDS} s each"]
    lines += [f"  {name:14} {each}   ours is {ours / each.per_second:4.2f} of it" for name, each in figures.items()]
    return "\n".join(lines)
