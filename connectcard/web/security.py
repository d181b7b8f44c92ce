"""What holds for every answer: headers, one host name, and where an unsafe request may come from."""

from collections import Counter
from urllib.parse import urlsplit

import structlog
from flask import Blueprint, Flask, Response, abort, current_app, redirect, request
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wrappers import Response as AnyResponse

from connectcard.config import Config
from connectcard.extensions import limiter

log = structlog.get_logger()
blueprint = Blueprint("security", __name__)

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; report-uri /csp-report"
)
DIRECTIVES = frozenset(part.split()[0] for part in CONTENT_SECURITY_POLICY.split("; ")) | {
    "script-src-elem", "script-src-attr", "style-src-elem", "style-src-attr", "frame-src", "media-src", "object-src",
}  # fmt: skip
PERMISSIONS_POLICY = "camera=(), microphone=(), geolocation=(), payment=(), usb=()"
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": PERMISSIONS_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
ONE_YEAR_SECONDS = 365 * 24 * 3600
NUL = "\0"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def init_app(app: Flask) -> None:
    config: Config = app.config["CONNECTCARD"]
    app.config["SERVER_NAME"] = urlsplit(config.public_url).netloc
    app.config["PREFERRED_URL_SCHEME"] = urlsplit(config.public_url).scheme
    if config.trusted_proxies:
        hops = config.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    app.before_request(keep_to_one_host)
    app.after_request(add_headers)


def keep_to_one_host() -> AnyResponse | None:
    """Answer on PUBLIC_URL only: on a second host name the cookie and the sign-in would be lost."""
    public_url = current_app.config["CONNECTCARD"].public_url
    if _host_of(request.host_url) == _host_of(public_url) or request.endpoint == "static":
        return None
    if request.method not in ("GET", "HEAD"):
        abort(421)
    return redirect(public_url + request.full_path.rstrip("?"), 308)


def _host_of(url: str) -> tuple[str | None, int]:
    """Host name and port, however they are written: `CARDS.example.org:443` is `cards.example.org` over https."""
    parts = urlsplit(url)
    return parts.hostname, parts.port or {"http": 80, "https": 443}[parts.scheme]


def add_headers(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.vary.add("HX-Request")
    if current_app.config["CONNECTCARD"].secure:
        response.headers["Strict-Transport-Security"] = f"max-age={ONE_YEAR_SECONDS}; includeSubDomains"
    _say_how_long_it_keeps(response)
    return response


def _say_how_long_it_keeps(response: Response) -> None:
    if request.endpoint != "static" or response.status_code != 200:
        response.headers.setdefault("Cache-Control", "no-store")
    elif request.args.get("v"):
        response.headers["Cache-Control"] = f"public, max-age={ONE_YEAR_SECONDS}, immutable"
    else:
        response.headers["Cache-Control"] = "no-cache"


@blueprint.post("/csp-report")
@limiter.limit("60/minute")
def csp_report() -> tuple[str, int]:
    """Browsers tell here what our policy refused. Anybody can write to this address, so only a known directive's name is kept."""
    report = (request.get_json(force=True, silent=True) or {}) if request.content_length else {}
    violation = report.get("csp-report") if isinstance(report, dict) else None
    named = str(violation.get("effective-directive") or violation.get("violated-directive") or "") if isinstance(violation, dict) else ""
    directive = named.split(" ")[0] if named.split(" ")[0] in DIRECTIVES else "unknown"
    reports = current_app.extensions.setdefault("csp_reports", Counter())
    reports[directive] += 1
    log.warning("the page policy refused something", kind=directive, count=reports[directive])
    return "", 204


def is_from_our_pages() -> bool:
    """Whether the browser says that this request comes from a page of ours, or at least not from another site's.

    Browsers name the site in `Sec-Fetch-Site`, older ones in `Origin`, the oldest in `Referer`; a client that names none of them is no
    browser under attack.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in ("same-origin", "none")
    public_url = current_app.config["CONNECTCARD"].public_url
    if (origin := request.headers.get("Origin")) is not None:
        return bool(origin == public_url)
    referer = request.headers.get("Referer", f"{public_url}/")
    return referer.startswith(f"{public_url}/")


def check_origin() -> None:
    """Refuse an unsafe request that another site's page sent."""
    if request.method not in SAFE_METHODS and not is_from_our_pages():
        abort(400, "This form was sent from another website. Open the page again and send it from there.")


def check_text() -> None:
    """Refuse what no page of ours sends and PostgreSQL does not take: a NUL, in the address or in what is said."""
    said = (text for name, texts in request.values.lists() for text in (name, *texts))
    if any(NUL in text for text in (request.path, *said)):
        abort(400)
