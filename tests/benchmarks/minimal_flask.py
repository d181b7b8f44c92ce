"""What the card's POST is measured against: the least that Flask and SQLAlchemy can do to keep a card, on the same settings."""

import os
from datetime import UTC, datetime
from uuid import uuid4

from flask import Flask, redirect, request
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import JSON, DateTime, String, event
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from werkzeug.wrappers import Response


class Base(DeclarativeBase):
    pass


db = SQLAlchemy(model_class=Base)


class Kept(Base):
    """A card, with the columns of a submission that are filled."""

    __tablename__ = "kept"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    submission_key: Mapped[str] = mapped_column(String(36), unique=True)
    first_name: Mapped[str] = mapped_column(String(100))
    last_name: Mapped[str] = mapped_column(String(100))
    email: Mapped[str] = mapped_column(String(254))
    phone: Mapped[str] = mapped_column(String(40))
    answers: Mapped[dict[str, str]] = mapped_column(JSON)
    received_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


def card() -> Response:
    answers = {name: request.form.get(name, "") for name in ("first_name", "last_name", "email", "phone")}
    kept = Kept(
        id=uuid4().hex, submission_key=request.form["submission_key"], answers=answers, received_at=datetime.now(UTC), **answers
    )  # fmt: skip
    db.session.add(kept)
    db.session.commit()
    return redirect("/thanks", 303)  # type: ignore[return-value]


def create() -> Flask:
    app = Flask(__name__)
    app.config["SQLALCHEMY_DATABASE_URI"] = os.environ["DATABASE_URL"]
    db.init_app(app)
    app.post("/card")(card)
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            event.listen(db.engine, "connect", pragmas)
            event.listen(db.engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
        db.create_all()
    return app


def pragmas(connection, _record) -> None:  # type: ignore[no-untyped-def]
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=10000"):
        connection.execute(f"PRAGMA {pragma}")
