"""What holds for every answer of every address, read off the application's own map of addresses."""

import hashlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from flask import Flask
from werkzeug.routing import AnyConverter, Rule

from connectcard.config import Config
from tests.conftest import make_config, running
from tests.staff import StaffBrowser

SignIn = Callable[..., StaffBrowser]

PUBLIC = {
    "static",
    "webhooks.receive",
    "security.csp_report",
    "sign_in.page",
    "sign_in.start",
    "sign_in.callback",
    "sign_in.link",
    "sign_in.follow_link",
}
# They judge the session by themselves: the first page leads to the sign-in, the switch has its own form token.
OWN_DOOR = {"home.front", "sign_in.switch"}


# Nothing is changed by them: a search for a sealed name is posted so that it stands in no address, and a worker reads a view anew.
LOOKS_ONLY = {"views.search", "views.refresh", "directory.refresh"}


def address(rule: Rule, value: object = None) -> str:
    """The rule's path with a made-up value for each of its parts."""
    path = rule.rule
    for name, converter in rule._converters.items():
        kind = type(converter).__name__
        one_of = sorted(converter.items)[:1] if isinstance(converter, AnyConverter) else []
        made_up = one_of or [value or {"UUIDConverter": uuid4(), "IntegerConverter": 987_654}.get(kind, "nobody")]
        path = path.replace(next(part for part in split_parts(rule.rule) if part.split(":")[-1].strip("<>") == name), str(made_up[0]))
    return path


def split_parts(rule: str) -> Iterator[str]:
    for part in rule.split("<")[1:]:
        yield "<" + part.split(">")[0] + ">"


def rules(app: Flask) -> list[tuple[Rule, str]]:
    """Every address with every method that it takes."""
    return [(rule, method) for rule in app.url_map.iter_rules() for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})]


def is_for_visitors(rule: Rule) -> bool:
    return rule.rule.startswith("/c/")


def behind_the_door(app: Flask) -> list[tuple[Rule, str]]:
    return [(rule, method) for rule, method in rules(app) if rule.endpoint not in PUBLIC | OWN_DOOR and not is_for_visitors(rule)]


def test_every_answer_carries_the_headers(app: Flask, grace: UUID, sign_in: SignIn) -> None:
    for browser in (app.test_client(), sign_in(grace).client):
        for rule, method in rules(app):
            headers = browser.open(address(rule), method=method, buffered=True).headers
            assert headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'; style-src 'self'"), rule
            assert "unsafe" not in headers["Content-Security-Policy"], rule
            assert headers["X-Content-Type-Options"] == "nosniff", rule
            assert headers["Referrer-Policy"] == "same-origin", rule
            assert headers["Cross-Origin-Opener-Policy"] == "same-origin", rule
            assert "Permissions-Policy" in headers, rule
            assert "no-store" in headers["Cache-Control"], rule


def test_every_page_of_the_staff_asks_somebody_unknown_to_sign_in(app: Flask) -> None:
    assert len(behind_the_door(app)) >= 7
    for rule, method in behind_the_door(app):
        answer = app.test_client().open(address(rule), method=method)
        assert answer.status_code == 302, rule
        assert answer.location.startswith("/sign-in"), rule


def test_a_fragment_tells_its_page_to_go_to_the_sign_in(app: Flask) -> None:
    where = {"HX-Request": "true", "HX-Current-URL": "http://127.0.0.1:5000/connection?tab=1"}
    for rule, method in behind_the_door(app):
        answer = app.test_client().open(address(rule), method=method, headers=where)
        assert (answer.status_code, answer.headers["HX-Redirect"], answer.text) == (401, "/sign-in?next=/connection", ""), rule


ELSEWHERE = ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.org"}, {"Origin": "null"})


def test_no_form_is_taken_without_its_token_nor_from_another_site(app: Flask, grace: UUID, sign_in: SignIn) -> None:
    sam = sign_in(grace)
    taken = [(rule, method) for rule, method in behind_the_door(app) if method != "GET"]
    assert taken
    for rule, method in taken:
        assert sam.client.open(address(rule), method=method).status_code == 400, rule
        for elsewhere in (
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
            {"Origin": "https://evil.org"},
            {"Origin": "null"},
        ):
            headers = {"X-CSRFToken": sam.token, **elsewhere}
            assert sam.client.open(address(rule), method=method, headers=headers).status_code == 400, (rule, elsewhere)
    assert sam.get("/connection").status_code == 200


def test_the_token_of_one_session_is_worth_nothing_in_another(app: Flask, grace: UUID, sign_in: SignIn) -> None:
    sam, ada = sign_in(grace), sign_in(grace, name="Ada Moss")
    refused = sam.client.post("/sign-out", headers={"X-CSRFToken": ada.token})
    assert (refused.status_code, "its page is older than your sign-in" in refused.text) == (400, True)
    assert sam.post("/sign-out").status_code == 302


def test_a_viewer_can_change_nothing(app: Flask, grace: UUID, sign_in: SignIn) -> None:
    eve = sign_in(grace, role="viewer", name="Eve Stone")
    for rule, method in behind_the_door(app):
        looks_only = rule.endpoint in LOOKS_ONLY or "GET" in (rule.methods or ())
        if method != "GET" and not looks_only and not rule.endpoint.startswith("sign_in."):
            assert eve.client.open(address(rule), method=method, headers={"X-CSRFToken": eve.token}).status_code == 403, rule


def plain(page: str) -> str:
    """A page without what changes each time: form tokens and their signatures."""
    return re.sub(r'(content|value)="[\w.-]{60,}"', "", page)


def test_an_id_that_nobody_has_is_not_found(app: Flask, grace: UUID, sign_in: SignIn) -> None:
    sam = sign_in(grace)
    for rule, method in behind_the_door(app):
        if rule.arguments and method == "GET":
            assert sam.client.open(address(rule)).status_code == 404, rule


def test_another_host_name_leads_to_the_one_address(app: Flask) -> None:
    browser = app.test_client()
    answer = browser.get("/sign-in?next=/cards", base_url="http://localhost:5000")
    assert (answer.status_code, answer.location) == (308, "http://127.0.0.1:5000/sign-in?next=/cards")
    assert browser.post("/sign-out", base_url="http://localhost:5000").status_code == 421
    assert browser.get("/sign-in", base_url="http://localhost").status_code == 308
    assert browser.get("//evil.org/", base_url="http://localhost:5000").location.startswith("http://127.0.0.1:5000/")


@pytest.mark.parametrize("host", ["[::1", "a b", "127.0.0.1:99999", "127.0.0.1:port", "", "évil.org"])
def test_a_garbled_host_name_is_another_host_name(app: Flask, host: str) -> None:
    browser = app.test_client()
    assert browser.get("/sign-in", headers={"Host": host}).location == "http://127.0.0.1:5000/sign-in"
    assert browser.post("/sign-out", headers={"Host": host}).status_code == 421


def test_what_the_policy_refused_is_counted_by_its_name_only(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    browser = app.test_client()
    report = {"csp-report": {"effective-directive": "script-src", "document-uri": "http://127.0.0.1:5000/cards?q=Maria"}}
    assert browser.post("/csp-report", json=report, content_type="application/csp-report").status_code == 204
    for odd in (b"", b"not json", b"[]", b'{"csp-report": 7}', b'{"csp-report": {"effective-directive": "x\\ny"}}', b"\xff\xfe"):
        assert browser.post("/csp-report", data=odd, content_type="application/csp-report").status_code == 204
    assert app.extensions["csp_reports"] == {"script-src": 1, "unknown": 6}
    assert "Maria" not in caplog.text


def test_static_files_may_be_kept_once_their_address_names_their_content(app: Flask) -> None:
    browser = app.test_client()
    page = browser.get("/sign-in").text
    versioned = page.split('rel="stylesheet" href="')[1].split('"')[0]
    assert "?v=" in versioned
    assert "immutable" in browser.get(versioned, buffered=True).headers["Cache-Control"]
    assert browser.get("/static/tokens.css", buffered=True).headers["Cache-Control"] == "no-cache"


def test_the_vendored_script_is_the_published_one() -> None:
    root = Path(__file__).parents[2]
    file = root / "static/vendor/htmx-2.0.11.min.js"
    assert hashlib.sha256(file.read_bytes()).hexdigest() in (root / "docs/dependencies.md").read_text()


class TestOverHttps:
    @pytest.fixture
    def config(self, database_url: str) -> Config:
        return make_config(database_url, public_url="https://cards.gracechurch.org", trusted_proxies=1)

    def test_the_cookie_is_bound_to_this_host_and_to_https(self, app: Flask) -> None:
        answer = app.test_client().get("/sign-in/start")
        cookie = answer.headers["Set-Cookie"]
        assert cookie.startswith("__Host-connectcard=")
        for flag in ("Secure", "HttpOnly", "Path=/", "SameSite=Lax"):
            assert flag in cookie
        assert "Domain" not in cookie
        assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")

    def test_the_usual_port_may_be_named_or_not(self, app: Flask) -> None:
        assert app.test_client().get("/sign-in", base_url="https://Cards.GraceChurch.org:443").status_code == 200

    def test_one_proxy_is_believed_and_no_more(self, app: Flask) -> None:
        browser = app.test_client()
        behind = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "cards.gracechurch.org"}
        assert browser.get("/sign-in", base_url="http://web-1:8000", headers=behind).status_code == 200
        assert browser.get("/sign-in", base_url="http://web-1:8000").location == "https://cards.gracechurch.org/sign-in"


def test_without_a_proxy_nobody_is_believed(app: Flask) -> None:
    headers = {"X-Forwarded-Host": "evil.org", "X-Forwarded-Proto": "https"}
    assert app.test_client().get("/sign-in", headers=headers).status_code == 200


class TestFailures:
    def test_a_fault_of_ours_is_a_page_of_ours_and_shows_nothing_of_it(self, config: Config) -> None:
        from connectcard import create_app

        app = create_app(config)
        app.config["PROPAGATE_EXCEPTIONS"] = False

        def broken() -> str:
            raise ValueError("the prayer of Maria Lopez")

        app.add_url_rule("/broken", view_func=broken)
        with running(app):
            answer = app.test_client().get("/broken")
        assert answer.status_code == 500
        assert "Something went wrong on our side" in answer.text
        assert "Maria" not in answer.text

    @pytest.mark.parametrize("path", ["/nothing", "/cards/../../etc/passwd", "/%00", "/c/nobody/welcome"])
    def test_what_is_not_there_says_so_in_our_look(self, app: Flask, path: str) -> None:
        answer = app.test_client().get(path)
        assert answer.status_code == 404
        assert "tokens.css" in answer.text

    def test_a_wrong_method_has_a_page(self, app: Flask) -> None:
        answer = app.test_client().get("/sign-out")
        assert answer.status_code == 405
        assert "only takes forms" in answer.text

    def test_too_much_at_once_has_a_page(self, app: Flask, grace: UUID, sign_in: SignIn) -> None:
        answer = sign_in(grace).client.post("/sign-out", data={"csrf_token": "x" * 70_000})
        assert answer.status_code == 413
        assert "too much at once" in answer.text
