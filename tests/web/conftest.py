"""What the tests of the pages share."""

from collections.abc import Callable
from functools import partial

import pytest
from flask import Flask, g

from tests.staff import StaffBrowser, signed_in

__all__ = ["StaffBrowser"]


@pytest.fixture(autouse=True)
def each_request_begins_anew(app: Flask) -> None:
    """The tests' own application context lasts over several requests; in the product each request has its own `g`."""
    app.before_request_funcs.setdefault(None, []).insert(0, lambda: g.__dict__.clear())


@pytest.fixture
def sign_in(app: Flask) -> Callable[..., StaffBrowser]:
    """`sign_in(church_id, role="owner", name="Sam Hill")` gives a browser in which this member is signed in."""
    return partial(signed_in, app)
