"""How a worker or a clock is told to leave, and how it tells that it is there."""

import os
import signal
from threading import Event, Thread
from time import monotonic

LEAVING = (signal.SIGINT, signal.SIGTERM)
# A signal to a whole group may arrive once more from a program that passes it on; only a later one means a second wish.
ECHO_SECONDS = 1


def stop_on_signals() -> Event:
    """An event that the first SIGTERM or Ctrl-C sets; a second one ends the process at once.

    To be called in the main thread before any other thread is made: the signals are kept from every thread but one that waits
    for them, since a signal handler must not touch an Event that the interrupted code may be holding.
    """
    stop = Event()
    signal.pthread_sigmask(signal.SIG_BLOCK, LEAVING)
    Thread(target=_wait_for_them, args=(stop,), name="signals", daemon=True).start()
    return stop


def _wait_for_them(stop: Event) -> None:
    signal.sigwait(LEAVING)
    stop.set()
    heard_at = monotonic()
    number = signal.sigwait(LEAVING)
    while monotonic() - heard_at <= ECHO_SECONDS:
        number = signal.sigwait(LEAVING)
    os._exit(128 + number)


def say_ready() -> None:
    """Tell the supervisor, where there is one."""
    descriptor = os.environ.pop("READY_FD", None)
    if descriptor is not None:
        os.write(int(descriptor), b"\n")
        os.close(int(descriptor))
