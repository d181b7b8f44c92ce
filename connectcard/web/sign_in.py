"""Signing in with Planning Center, and out."""

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response

from connectcard.web.access import local_path, staff_page
from connectcard.web.sessions import browser_session

blueprint = Blueprint("sign_in", __name__)


@blueprint.get("/sign-in")
def page() -> str:
    return render_template("sign_in/page.html", next=local_path(request.args.get("next")))


@blueprint.post("/sign-out")
@staff_page()
def sign_out() -> Response:
    browser_session().end()
    return redirect("/sign-in")
