"""Django with its sessions in django-redis, as JSON; who logs in is a User of django.contrib.auth.

The engine of the sessions may be named on the command line: cache, the default, or cached_db.
"""

import os
import sys

import django
from django.conf import settings

ENGINE = sys.argv[1] if len(sys.argv) > 1 else "cache"

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    CACHES={
        "default": {
            "BACKEND": "django_redis.cache.RedisCache",
            "LOCATION": os.environ["REDIS_URL"],
            "OPTIONS": {"SERIALIZER": "django_redis.serializers.json.JSONSerializer"},
        }
    },
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=[
        "django.contrib.contenttypes",
        "django.contrib.auth",
        "django.contrib.sessions",
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="django-secret",
    SESSION_ENGINE=f"django.contrib.sessions.backends.{ENGINE}",
    USE_TZ=True,
)
django.setup()

from django.contrib.auth import authenticate, login, logout
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path

from wsgi import serve


def visit(request):
    request.session["cart"] = ["a book"]
    return HttpResponse(status=204)


def log_in(request):
    name = request.GET["user"]
    User.objects.create_user(name, password="any")
    user = authenticate(request, username=name, password="any")
    login(request, user)
    return HttpResponse(str(user.pk))


def user(request):
    return HttpResponse(str(request.user.pk or ""))


def log_out(request):
    logout(request)
    return HttpResponse(status=204)


urlpatterns = [
    path("visit", visit),
    path("login", log_in),
    path("user", user),
    path("logout", log_out),
]

call_command("migrate", verbosity=0)
serve(get_wsgi_application())
