"""The Flask extensions, made here and bound to the application in `create_app`."""

from typing import cast

import redis
from flask import Flask, current_app
from flask_babel import Babel
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_migrate import Migrate
from flask_wtf.csrf import CSRFProtect
from htmx_flask import Htmx
from redis.backoff import NoBackoff
from redis.retry import Retry

babel = Babel()
csrf = CSRFProtect()
htmx = Htmx()
limiter = Limiter(get_remote_address)
migrate = Migrate()

# Short and tried once, since Redis is only a bell: a page must not wait for it.
REDIS_TIMEOUT_SECONDS = 2


class Bell:
    """The application's Redis, reached lazily; it may be away at any time."""

    def init_app(self, app: Flask) -> None:
        app.extensions["redis"] = redis.Redis.from_url(
            app.config["REDIS_URL"],
            socket_connect_timeout=REDIS_TIMEOUT_SECONDS,
            socket_timeout=REDIS_TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )

    @property
    def redis(self) -> redis.Redis:
        return cast("redis.Redis", current_app.extensions["redis"])


bell = Bell()
