"""The `connectcard` command. A setting that is missing or odd ends it with its name, never with a traceback."""

import sys
from pathlib import Path
from typing import cast

import click
from flask import Flask, current_app
from flask.cli import AppGroup, ScriptInfo
from flask_migrate.cli import db as database_commands
from sqlalchemy.exc import DBAPIError

from connectcard import create_app, logs
from connectcard.errors import ConfigError, ConnectCardError

ODD_SETTINGS, FAILED = 2, 1


@click.group(cls=AppGroup)
@click.version_option(package_name="connectcard")
@click.pass_context
def commands(context: click.Context) -> None:
    """Church connect cards that reach Planning Center exactly once."""
    logs.configure()
    context.obj = ScriptInfo(create_app=create_app)


commands.add_command(database_commands, "db")


@commands.command(with_appcontext=False)
def up() -> None:
    """Start everything on this machine: Redis, database, practice Planning Center, web, worker, clock."""
    from connectcard import up as everything

    everything.run(Path.cwd())


@commands.command()
def worker() -> None:
    """Send cards to Planning Center, until SIGTERM."""
    from connectcard.jobs import worker as works

    works.run(_this_app())


@commands.command()
def clock() -> None:
    """Do what is due by the calendar: retention, tokens, old sessions. Two clocks are harmless."""
    from connectcard.jobs import schedule

    schedule.run(_this_app())


@commands.command(with_appcontext=False)
@click.option("--port", type=click.IntRange(1, 65535), required=True, help="The port on 127.0.0.1.")
@click.option("--state", type=click.Path(dir_okay=False, path_type=Path), help="A file that keeps its people and tokens over a restart.")
def simulator(port: int, state: Path | None) -> None:
    """Run the practice Planning Center; it needs none of connectcard's settings."""
    from connectcard import simulator as practice

    practice.run(port, "127.0.0.1", state)


@commands.command("doctor", with_appcontext=False)
def see_the_doctor() -> None:
    """Check settings, database, Redis and Planning Center, and say what is wrong and how to mend it."""
    from connectcard import doctor

    findings = list(doctor.examine())
    for finding in findings:
        click.echo(f"{'ok   ' if finding.ok else 'WRONG'}  {finding.about}: {finding.words}")
    if not all(finding.ok for finding in findings):
        sys.exit(FAILED)


@commands.group("keys", cls=AppGroup)
def key_commands() -> None:
    """The encryption keys."""


@key_commands.command()
def rotate() -> None:
    """Seal everything anew with the first of ENCRYPTION_KEYS, and say which keys are still needed."""
    from connectcard import keys

    for line in keys.report(keys.rotate()):
        click.echo(line)


@commands.command()
def restored() -> None:
    """Say that the database was put back from a backup, so that every card looks in Planning Center before it writes."""
    from connectcard.churches.operations import mark_restored
    from connectcard.churches.tenancy import every_church
    from connectcard.database import transaction

    with every_church(), transaction():
        mark_restored()
    click.echo("Noted. Cards look in Planning Center before they write, for what was sent after the backup was made.")


@commands.command("sign-in-link")
def sign_in_link() -> None:
    """Make a one-time link that signs the owner in, for a church on a personal access token."""
    from connectcard.web.sign_in import owner_link

    click.echo(owner_link(_this_app()))


def _this_app() -> Flask:
    return cast("Flask", current_app._get_current_object())  # type: ignore[attr-defined]


def main() -> None:
    """Run the command; exit code 2 for odd settings, 1 for anything else that is said in words."""
    try:
        commands(prog_name="connectcard")
    except ConfigError as error:
        click.echo(str(error), err=True)
        sys.exit(ODD_SETTINGS)
    except ConnectCardError as error:
        click.echo(str(error), err=True)
        sys.exit(FAILED)
    except DBAPIError:
        why = _why_no_database()
        if not why:
            raise
        click.echo(why, err=True)
        sys.exit(FAILED)


def _why_no_database() -> str:
    """Why the database cannot be used, in words; nothing where it can, so that the fault is ours."""
    from connectcard import doctor

    with create_app().app_context():
        found = doctor.examine_database()
    return "" if found.ok else f"The database: {found.words}"


if __name__ == "__main__":
    main()
