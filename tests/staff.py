"""Members of staff at their browsers, signed in without the long way through Planning Center."""

from typing import Any
from uuid import UUID

from flask import Flask
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


def signed_in(app: Flask, church_id: UUID, role: str = "owner", name: str = "Sam Hill") -> StaffBrowser:
    """A browser of a new member of this church."""
    key, form_secret = new_key(), new_key()
    token = str(URLSafeTimedSerializer(app.secret_key or "", salt="wtf-csrf-token").dumps(form_secret))
    with church_scope(church_id), transaction() as database:
        member = Member(issuer=app.config["CONNECTCARD"].pco_base_url, subject=f"{name}-{role}", name=name, role=role, remote_id="501")
        database.add(member)
        database.flush()
        contents = {"csrf_token": form_secret}
        database.add(StaffSession(key_hash=hash_of(key), church_id=church_id, member_id=member.id, contents=contents))
        return StaffBrowser(app, member.id, church_id, key, token)
