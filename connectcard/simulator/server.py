"""The simulator on a real socket."""

import signal
from pathlib import Path
from threading import current_thread, main_thread
from types import FrameType

from werkzeug.serving import WSGIRequestHandler, make_server

from connectcard.simulator.application import create_simulator
from connectcard.simulator.state import the


class Quietly(WSGIRequestHandler):
    """Requests are in the simulator's own log; the terminal is for whoever started it."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        return


def run(port: int, host: str = "127.0.0.1", state_file: Path | None = None) -> None:
    """Serve until SIGTERM or Ctrl-C; a taken port ends the process with a message (werkzeug raises SystemExit)."""
    app = create_simulator(state_file=state_file)
    server = make_server(host, port, app, threaded=True, request_handler=Quietly)
    if current_thread() is main_thread():
        signal.signal(signal.SIGTERM, interrupt)
    try:
        server.serve_forever(poll_interval=0.1)
    except KeyboardInterrupt:
        return
    finally:
        the(app).close()
        server.server_close()


def interrupt(signal_number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
