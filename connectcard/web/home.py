"""The first page: is everything fine, and what is left to set up."""

from flask import Blueprint, render_template

from connectcard.web.access import staff_page

blueprint = Blueprint("home", __name__)


@blueprint.get("/")
@staff_page()
def page() -> str:
    return render_template("home/page.html")
