"""The web application: `flask run` and `gunicorn app:app` start here."""

from connectcard import create_app, logs

logs.configure()
app = create_app()
