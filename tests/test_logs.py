"""Whatever is passed to the log, no token, prayer or address comes out of it."""

import ast
import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from connectcard import logs
from connectcard.application import ROOT
from connectcard.errors import ConnectionMissing

PRIVATE = "ana@gmail.com"


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    stream, root = io.StringIO(), logging.getLogger()
    before, level = list(root.handlers), root.level
    for handler in before:
        root.removeHandler(handler)
    logs.configure(stream)
    yield stream
    structlog.reset_defaults()
    root.handlers, root.level = before, level


def only_line(stream: io.StringIO) -> Any:
    (line,) = stream.getvalue().splitlines()
    return json.loads(line)


def test_a_listed_key_is_kept_and_any_other_is_left_out_by_name_only(written: io.StringIO) -> None:
    structlog.get_logger().info("card synced", church_id="c1", created=1, email=PRIVATE, prayer="for my mother")
    line = only_line(written)
    assert (line["event"], line["church_id"], line["created"], line["level"]) == ("card synced", "c1", 1, "info")
    assert line["left_out"] == ["email", "prayer"]
    assert PRIVATE not in written.getvalue()
    assert "mother" not in written.getvalue()


def test_the_words_of_a_foreign_exception_stay_out(written: io.StringIO) -> None:
    try:
        raise ValueError(f"cannot send {PRIVATE}")
    except ValueError:
        structlog.get_logger().exception("the step failed")
    line = only_line(written)
    assert line["error"] == "ValueError"
    assert line["where"].startswith("test_logs.py:")
    assert PRIVATE not in written.getvalue()


def test_our_own_errors_say_what_happened(written: io.StringIO) -> None:
    structlog.get_logger().error("cannot serve", exc_info=ConnectionMissing("connect the church again"))
    assert only_line(written)["words"] == "connect the church again"


def test_another_library_s_warning_comes_without_its_values(written: io.StringIO) -> None:
    logging.getLogger("urllib3.connectionpool").warning("Retrying %s", f"/people/v2/people?where[search]={PRIVATE}")
    assert only_line(written)["event"] == "Retrying %s"
    assert PRIVATE not in written.getvalue()


def test_flask_s_own_report_of_a_failed_page_names_the_page(written: io.StringIO) -> None:
    logging.getLogger("connectcard").error("Exception on %s [%s]", "/cards", "GET")
    assert only_line(written)["event"] == "Exception on /cards [GET]"


def log_keys(path: Path) -> Iterator[str]:
    """The keys that a module hands to its `log`."""
    for call in ast.walk(ast.parse(path.read_text())):
        if (
            isinstance(call, ast.Call)
            and isinstance(call.func, ast.Attribute)
            and isinstance(call.func.value, ast.Name)
            and call.func.value.id == "log"
        ):
            yield from (f"{path.name}:{call.lineno} {key.arg}" for key in call.keywords if key.arg not in (*logs.ALLOWED, "exc_info"))


def test_nothing_that_we_log_is_left_out_by_surprise() -> None:
    assert [unlisted for path in (ROOT / "connectcard").rglob("*.py") for unlisted in log_keys(path)] == []
