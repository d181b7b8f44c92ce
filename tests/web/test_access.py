"""Who comes in through the doors of the staff pages."""

from collections.abc import Callable
from uuid import UUID

from flask import Flask

from tests.staff import StaffBrowser

SignIn = Callable[..., StaffBrowser]


def test_a_member_comes_in_and_somebody_unknown_is_sent_to_the_sign_in(app: Flask, grace: UUID, sign_in: SignIn) -> None:
    assert "Grace Church" in sign_in(grace).get("/").text
    assert app.test_client().get("/").location == "/sign-in"
    assert app.test_client().get("/connection").location == "/sign-in?next=/connection"


def test_signing_out_ends_the_session_for_good(grace: UUID, sign_in: SignIn) -> None:
    sam = sign_in(grace)
    assert sam.post("/sign-out").location == "/sign-in"
    assert sam.get("/").status_code == 302
