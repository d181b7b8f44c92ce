"""connectcard: church connect cards that reach Planning Center exactly once."""

import gc
from typing import TYPE_CHECKING

# Starting makes many thousands of objects that stay; with Python's own threshold a sixth of it is spent looking for others.
gc.set_threshold(10_000)

if TYPE_CHECKING:
    from flask import Flask

    from connectcard.config import Config


def create_app(config: "Config | None" = None) -> "Flask":
    """Build the application: settings, extensions, rooms, pages. Raises ConfigError when a setting is missing or odd."""
    from connectcard.application import build

    return build(config)
