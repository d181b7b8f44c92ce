"""A stand-in Planning Center: its own Flask application with its own store, to practise and to test with.

It behaves as Planning Center was recorded to behave and keeps what is written to it; `control.py` lists what only it can do.
"""

from connectcard.simulator.application import create_simulator
from connectcard.simulator.server import run
from connectcard.simulator.state import PRACTICE_CLIENT_ID, PRACTICE_CLIENT_SECRET

__all__ = ["PRACTICE_CLIENT_ID", "PRACTICE_CLIENT_SECRET", "create_simulator", "run"]
