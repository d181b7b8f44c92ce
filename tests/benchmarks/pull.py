"""Read everybody of a church with e-mails, phones and addresses, in a process of its own; prints what it took.

python -m tests.benchmarks.pull ours|pypco <address> <app id> <secret>
"""

import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pypco

from connectcard.planning_center import BasicAuth, Client
from connectcard.planning_center.resources import people

CONTACTS = ("emails", "phone_numbers", "addresses")


def ours(url: str, application_id: str, secret: str) -> Iterator[int]:
    client = Client(BasicAuth(application_id, secret), base_url=url, user_agent="benchmark")
    for person in client.iterate(people.PERSON, include=CONTACTS):
        yield len(person.included)


def theirs(url: str, application_id: str, secret: str) -> Iterator[int]:
    client = pypco.PCO(application_id, secret, api_base=url)
    for person in client.iterate("/people/v2/people", per_page=100, order="created_at", include=",".join(CONTACTS)):
        yield len(person["included"])


def megabytes() -> float:
    """The most memory this process ever had. Not getrusage: that remembers the process which started this one."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


def main(who: str, url: str, application_id: str, secret: str) -> None:
    readers: dict[str, Callable[[str, str, str], Iterator[int]]] = {"ours": ours, "pypco": theirs}
    at_rest, began, records, contacts = megabytes(), time.perf_counter(), 0, 0
    for found in readers[who](url, application_id, secret):
        records, contacts = records + 1, contacts + found
    figures = {"people": records, "contacts": contacts, "seconds": time.perf_counter() - began}
    print(json.dumps(figures | {"megabytes": megabytes(), "megabytes_at_rest": at_rest}))


if __name__ == "__main__":
    main(*sys.argv[1:])
