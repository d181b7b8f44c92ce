"""Members of staff at their browsers, signed in without the long way through Planning Center."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from flask import Flask, g
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from werkzeug.test import TestResponse

from connectcard.churches.models import Member, StaffSession
from connectcard.churches.tenancy import church_scope
from connectcard.database import transaction
from connectcard.web.sessions import cookie_name, hash_of, new_key


class StaffBrowser:
    """A browser in which somebody is signed in; what it posts carries the form token, as our pages do."""

    def __init__(self, app: Flask, member_id: UUID, church_id: UUID, key: str, token: str) -> None:
        self.client: FlaskClient = app.test_client()
        self.client.set_cookie(cookie_name(app), key, domain=app.config["SERVER_NAME"].split(":")[0])
        self.member_id, self.church_id, self.key, self.token = member_id, church_id, key, token

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.client.get(path, **options)

    def post(self, path: str, form: dict[str, Any] | None = None, **options: Any) -> TestResponse:
        headers = {"X-CSRFToken": self.token, **options.pop("headers", {})}
        return self.client.post(path, data=form or {}, headers=headers, **options)


@pytest.fixture(autouse=True)
def each_request_begins_anew(app: Flask) -> None:
    """The tests' own application context lasts over several requests; in the product each request has its own `g`."""
    app.before_request_funcs.setdefault(None, []).insert(0, lambda: g.__dict__.clear())


@pytest.fixture
def sign_in(app: Flask) -> Callable[..., StaffBrowser]:
    """`sign_in(church_id, role="owner", name="Sam Hill")` gives a browser in which this member is signed in."""

    def sign_in(church_id: UUID, role: str = "owner", name: str = "Sam Hill") -> StaffBrowser:
        key, form_secret = new_key(), new_key()
        token = str(URLSafeTimedSerializer(app.secret_key or "", salt="wtf-csrf-token").dumps(form_secret))
        with church_scope(church_id), transaction() as database:
            member = Member(issuer=app.config["CONNECTCARD"].pco_base_url, subject=f"{name}-{role}", name=name, role=role, remote_id="501")
            database.add(member)
            database.flush()
            database.add(
                StaffSession(key_hash=hash_of(key), church_id=church_id, member_id=member.id, contents={"csrf_token": form_secret})
            )
            member_id = member.id
        return StaffBrowser(app, member_id, church_id, key, token)

    return sign_in
