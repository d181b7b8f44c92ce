"""Sixteen people who send cards at once, by wrk where it is installed, else by threads of this process."""

import http.client
import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

CONNECTIONS = 16


@dataclass(frozen=True)
class Figures:
    """What one load run measured: answers a second, latencies in milliseconds, how many answers were not 2xx or 3xx."""

    per_second: float
    p50: float
    p99: float
    failed: int

    def __str__(self) -> str:
        return f"{self.per_second:8.0f} /s   p50 {self.p50:6.1f} ms   p99 {self.p99:6.1f} ms   failed {self.failed}"


def post_cards(url: str, body: str, seconds: int) -> Figures:
    """Post cards for some seconds; in `body` KEY becomes a fresh submission key and N a number of its own."""
    return _by_wrk(url, body, seconds) if shutil.which("wrk") else _by_threads(url, body, seconds)


def get_page(url: str, seconds: int, cookie: str) -> Figures:
    """Ask for one page again and again."""
    return _by_threads(url, None, seconds, {"Cookie": cookie})


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _by_wrk(url: str, body: str, seconds: int) -> Figures:
    script = str(Path(__file__).with_name("post_cards.lua"))
    command = ["wrk", "-t2", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "-s", script, url, "--", body, _origin(url)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    result = next(line for line in said.splitlines() if line.startswith("result")).split()
    return Figures(float(result[1]), float(result[2]), float(result[3]), int(result[4]))


def _by_threads(url: str, body: str | None, seconds: int, headers: dict[str, str] | None = None) -> Figures:
    end = time.monotonic() + seconds
    with ThreadPoolExecutor(CONNECTIONS) as people:
        rounds = [people.submit(_one_person, url, body, end, headers or {}) for _ in range(CONNECTIONS)]
        answers = sorted(answer for each in rounds for answer in each.result())
    times, failed = [took * 1000 for took, _ in answers], sum(status >= 400 for _, status in answers)
    return Figures(len(times) / seconds, times[len(times) // 2], times[int(len(times) * 0.99)], failed)


def _one_person(url: str, body: str | None, end: float, headers: dict[str, str]) -> list[tuple[float, int]]:
    parts, answers = urlsplit(url), []
    caller = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    said = {"Content-Type": "application/x-www-form-urlencoded", "Origin": _origin(url), "Sec-Fetch-Site": "same-origin", **headers}
    while time.monotonic() < end:
        mine = body.replace("KEY", str(uuid4())).replace("N", uuid4().hex[:8]) if body else None
        before = time.monotonic()
        caller.request("POST" if mine else "GET", f"{parts.path}?{parts.query}" if parts.query else parts.path, mine, said)
        answer = caller.getresponse()
        answer.read()
        answers.append((time.monotonic() - before, answer.status))
    caller.close()
    return answers
