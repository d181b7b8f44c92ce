"""Real sockets that misbehave: what surely did not arrive, and what may have."""

import socket
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

import pytest

from connectcard.planning_center import BearerAuth, Client, Timeouts
from connectcard.planning_center.errors import NotSent, OutcomeUnknown, Unavailable
from connectcard.planning_center.resources import people

HEAD = b"HTTP/1.1 201 Created\r\nContent-Type: application/vnd.api+json\r\n"
PERSON = b'{"data":{"type":"Person","id":"7","attributes":{"first_name":"Ana"}}}'
WHOLE = HEAD + b"Content-Length: %d\r\n\r\n" % len(PERSON) + PERSON

Play = Callable[[socket.socket, Event], None]


class Server:
    """Plays one scene for each connection; `received` collects what arrived."""

    def __init__(self, play: Play) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.play = play
        self.over = Event()
        self.connections = 0
        Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while not self.over.is_set():
            try:
                caller, _address = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            Thread(target=self._serve, args=(caller,), daemon=True).start()

    def _serve(self, caller: socket.socket) -> None:
        with caller:
            try:
                self.play(caller, self.over)
            except OSError:
                # The client went away, which is what some scenes are about.
                return


@contextmanager
def serving(play: Play) -> Iterator[Server]:
    server = Server(play)
    try:
        yield server
    finally:
        server.over.set()
        server.listener.close()


def client(url: str, total: float = 5.0) -> Client:
    return Client(BearerAuth(lambda refused=None: "token"), base_url=url, user_agent="connectcard/0.1", timeouts=Timeouts(1.0, total))


def create(url: str, total: float = 5.0) -> str:
    return client(url, total).create(people.PERSON, {"first_name": "Ana"}).id


def whole(caller: socket.socket, _over: Event) -> None:
    # Head and body may arrive one after the other: one answer for both.
    request = b""
    while received := caller.recv(65536):
        request += received
        if request.endswith(b"}"):
            caller.sendall(WHOLE)
            request = b""


def reset_before_answering(caller: socket.socket, _over: Event) -> None:
    caller.recv(65536)
    caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def close_before_answering(caller: socket.socket, _over: Event) -> None:
    caller.recv(65536)


def cut_in_the_body(caller: socket.socket, _over: Event) -> None:
    caller.recv(65536)
    caller.sendall(WHOLE[:-5])


def cut_in_a_chunk(caller: socket.socket, _over: Event) -> None:
    caller.recv(65536)
    caller.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n40\r\n" + PERSON[:20])


def end_without_length(caller: socket.socket, _over: Event) -> None:
    caller.recv(65536)
    caller.sendall(HEAD + b"\r\n" + PERSON[:-1])


def say_nothing(caller: socket.socket, over: Event) -> None:
    caller.recv(65536)
    over.wait(20)


def drip_the_head(caller: socket.socket, over: Event) -> None:
    caller.recv(65536)
    for byte in WHOLE:
        caller.sendall(bytes([byte]))
        if over.wait(0.2):
            return


def drip_the_body(caller: socket.socket, over: Event) -> None:
    caller.recv(65536)
    caller.sendall(WHOLE[: -len(PERSON)])
    for byte in PERSON:
        caller.sendall(bytes([byte]))
        if over.wait(0.2):
            return


def never_end(caller: socket.socket, over: Event) -> None:
    caller.recv(65536)
    caller.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    while not over.is_set():
        caller.sendall(b"100000\r\n" + b" " * 0x100000 + b"\r\n")


def lie_about_gzip(caller: socket.socket, _over: Event) -> None:
    caller.recv(65536)
    caller.sendall(HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(PERSON) + PERSON)


def not_http(caller: socket.socket, _over: Event) -> None:
    caller.recv(65536)
    caller.sendall(b"SSH-2.0-OpenSSH_9.2\r\n\r\n\r\n")


def test_a_whole_answer_is_taken_and_the_connection_kept() -> None:
    with serving(whole) as server:
        one = client(server.url)
        assert [one.create(people.PERSON, {"first_name": "Ana"}).id for _ in range(3)] == ["7", "7", "7"]
        assert server.connections == 1


@pytest.mark.parametrize(
    "play",
    [
        reset_before_answering,
        close_before_answering,
        cut_in_the_body,
        cut_in_a_chunk,
        end_without_length,
        never_end,
        lie_about_gzip,
        not_http,
    ],
)
def test_a_lost_answer_leaves_a_write_unknown_and_a_read_free_to_repeat(play: Play) -> None:
    with serving(play) as server:
        with pytest.raises(OutcomeUnknown):
            create(server.url)
        assert server.connections == 1
        with pytest.raises(Unavailable):
            client(server.url).get(people.PERSON, "7")


@pytest.mark.parametrize("play", [say_nothing, drip_the_head, drip_the_body])
def test_the_total_deadline_holds_however_slowly_bytes_come(play: Play) -> None:
    with serving(play) as server:
        begun = time.monotonic()
        with pytest.raises(OutcomeUnknown):
            create(server.url, total=1.5)
        # The drip alone would take more than ten seconds.
        assert time.monotonic() - begun < 8


def test_a_refused_connection_was_surely_not_sent() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(NotSent):
            create(f"http://127.0.0.1:{taken.getsockname()[1]}")


def test_an_unknown_host_was_surely_not_sent() -> None:
    with pytest.raises(NotSent):
        create("http://planning-center.invalid")


@pytest.mark.parametrize("play", [say_nothing, not_http, close_before_answering, reset_before_answering])
def test_a_failed_tls_handshake_was_surely_not_sent(play: Play) -> None:
    with serving(play) as server, pytest.raises(NotSent):
        create(server.url.replace("http://", "https://"))


def test_a_token_that_cannot_be_written_into_a_header_is_not_sent_and_not_shown() -> None:
    with serving(whole) as server:
        for token in ("se\ncret", "sécret\u4e00"):
            broken = Client(BearerAuth(lambda refused=None, token=token: token), base_url=server.url, user_agent="connectcard/0.1")
            with pytest.raises(NotSent) as error:
                broken.create(people.PERSON, {"first_name": "Ana"})
            assert "cret" not in str(error.value)
        assert server.connections == 0


def test_nothing_is_begun_when_no_time_is_left() -> None:
    with serving(whole) as server:
        with pytest.raises(NotSent):
            create(server.url, total=0.5)
        assert server.connections == 0


def test_a_connection_that_stood_idle_is_not_trusted_with_a_write(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(whole) as server:
        one = client(server.url)
        one.create(people.PERSON, {"first_name": "Ana"})
        monkeypatch.setattr("connectcard.planning_center.wire.LONGEST_IDLE_SECONDS", 0)
        one.create(people.PERSON, {"first_name": "Ana"})
        assert server.connections == 2


def test_what_people_typed_is_in_no_traceback() -> None:
    typed = "@".join(("ana", "gmail.com"))
    with pytest.raises(NotSent) as error:
        client("http://planning-center.invalid").list(people.EMAIL, where={"address": typed})
    assert typed not in "".join(traceback.format_exception(error.value))
