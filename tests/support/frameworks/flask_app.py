"""Flask with Flask-Session in Redis.

On the command line: the format of the records, msgpack (Flask-Session's default) or json; and
"signed" where the cookie is.
"""

import os
import sys
from datetime import datetime, timezone

from flask import Flask, request, session
from flask_session import Session
from redis import Redis

from wsgi import serve

app = Flask(__name__)
app.config.update(
    SECRET_KEY=os.environ["SECRET"],
    SESSION_TYPE="redis",
    SESSION_REDIS=Redis.from_url(os.environ["REDIS_URL"]),
)
if "json" in sys.argv:
    app.config["SESSION_SERIALIZATION_FORMAT"] = "json"
if "signed" in sys.argv:
    app.config["SESSION_USE_SIGNER"] = True
Session(app)


@app.post("/visit")
def visit():
    session["cart"] = ["a book", 19.9, None, -1, {"é": datetime.now(timezone.utc)}, b"\xff\x00"]
    return "", 204


@app.post("/login")
def log_in():
    app.session_interface.regenerate(session)
    session["authenticated"] = True
    session["userId"] = request.args["user"]
    return "", 204


@app.post("/user")
def user():
    return session.get("userId", "")


@app.post("/logout")
def log_out():
    session.clear()
    return "", 204


serve(app)
