"""Moments as people of the church read them: in its time zone, in the way its country writes them."""

from datetime import date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError, dates
from flask import Flask, g

from connectcard.clock import now

SECONDS_PER_MINUTE = 60


def init_app(app: Flask) -> None:
    for words in (at_or_now, clock_time, day_and_time, exactly, how_long, long_day, plain_day, recently):
        app.add_template_filter(words)


def clock_time(moment: datetime) -> str:
    """9:42 AM"""
    return _plain(dates.format_time(local(moment), "short", locale=_locale()))


def at_or_now(moment: datetime) -> str:
    """at 9:42 AM, and "now" once that is over"""
    return f"at {clock_time(moment)}" if moment > now() else "now"


def long_day(moment: datetime) -> str:
    """Sunday, November 22"""
    return dates.format_date(local(moment), "EEEE, MMMM d", locale=_locale())


def day_and_time(moment: datetime) -> str:
    """Sun, Nov 29, 9:00 AM; with the year where it is another one."""
    there = local(moment)
    skeleton = "MMMEd" if there.year == local(now()).year else "yMMMEd"
    return f"{dates.format_skeleton(skeleton, there, locale=_locale())}, {clock_time(moment)}"


def plain_day(day: date) -> str:
    """Nov 29, 2014: a day without a time, such as a birthday."""
    return dates.format_skeleton("yMMMd", day, locale=_locale())


def exactly(moment: datetime) -> str:
    """Sunday, November 22, 2026 at 9:42 AM"""
    return f"{dates.format_date(local(moment), 'full', locale=_locale())} at {clock_time(moment)}"


def recently(moment: datetime) -> str:
    """As short as it can be said today: "4 min ago", "9:42 AM", "Sun 9:42 AM", "Nov 22", "Nov 22, 2025"."""
    there, today = local(moment), local(now())
    ago = now() - moment
    if timedelta(0) <= ago < timedelta(hours=1):
        return "just now" if ago < timedelta(minutes=1) else f"{ago // timedelta(minutes=1)} min ago"
    if there.date() == today.date():
        return clock_time(moment)
    if timedelta(0) < today.date() - there.date() < timedelta(days=7):
        return f"{dates.format_date(there, 'EEE', locale=_locale())} {clock_time(moment)}"
    return dates.format_skeleton("MMMd" if there.year == today.year else "yMMMd", there, locale=_locale())


def on_the_clock(moment: datetime) -> str:
    """When something was done: "9:42 AM" today, else the day."""
    return clock_time(moment) if local(moment).date() == local(now()).date() else recently(moment)


def how_long(seconds: int | float) -> str:
    """20 seconds, 3 minutes"""
    if seconds < 1.5 * SECONDS_PER_MINUTE:
        whole = max(1, round(seconds))
        return f"{whole} second{'' if whole == 1 else 's'}"
    minutes = round(seconds / SECONDS_PER_MINUTE)
    return f"{minutes} minutes"


def local_day(moment: datetime) -> date:
    """The day it is in the church."""
    return local(moment).date()


def local(moment: datetime) -> datetime:
    """The moment on the church's own clock."""
    return moment.astimezone(ZoneInfo(g.church.time_zone or "UTC"))


def _locale() -> Locale:
    return locale_of(g.church.country_code or "US")


@cache
def locale_of(country_code: str) -> Locale:
    """English as that country writes dates; American where there is no such English."""
    try:
        return Locale("en", country_code)
    except UnknownLocaleError:
        return Locale("en", "US")


def _plain(text: str) -> str:
    """Unicode's narrow space before AM is missing in many fonts."""
    return text.replace("\u202f", " ")
