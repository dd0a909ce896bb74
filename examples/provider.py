"""The OpenID Connect provider of the demo and the tests, a process of its own.

    python -m examples.provider --port 9001 --people people.json --database provider.sqlite3

It is Django OAuth Toolkit: clients are registered with a secret and an exact redirect address, PKCE is demanded, ID
tokens are signed (RS256), and people sign in with their name and a password (docs/adr/0018), on a page in Swedish or
English, as `ui_locales` asks. `people.json` is a list of objects with `sub`, `password` and further claims. Each line
on standard input is a JSON object that registers a client (`client_id`, `client_secret`, `redirect_uri`); when that
input ends, the provider ends too, so that it never outlives whoever started it. For trials on one machine: it listens
on loopback alone.
"""

import argparse
import json
import os
import secrets
import sys
import threading
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit, urlunsplit

import django
import uvicorn
from django.conf import settings
from jwcrypto import jwk

from service.i18n import choose_language, language_of_locales

SIGN_IN_PAGE = """<!doctype html>
<html lang="{{ language }}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ words.title }}</title></head>
<body><main><h1>{{ words.title }}</h1>
<p><a id="language" href="{{ in_other }}" lang="{{ other }}" hreflang="{{ other }}">{{ words.in_other }}</a></p>
{% if form.errors %}<p role="alert">{{ words.wrong }}</p>{% endif %}
<form method="post">{% csrf_token %}<input type="hidden" name="next" value="{{ next }}">
<p><label for="username">{{ words.name }}</label>
<input id="username" name="username" autocomplete="username" autocapitalize="none" required></p>
<p><label for="password">{{ words.password }}</label>
<input id="password" name="password" type="password" autocomplete="current-password" required></p>
<p><button id="sign-in" type="submit">{{ words.title }}</button></p>
</form></main></body></html>
"""
WORDS = {
    "sv": {
        "title": "Logga in",
        "name": "Namn",
        "password": "Lösenord",
        "wrong": "Namnet och lösenordet hör inte ihop.",
        "in_other": "In English",
    },
    "en": {
        "title": "Sign in",
        "name": "Name",
        "password": "Password",
        "wrong": "The name and the password do not belong together.",
        "in_other": "På svenska",
    },
}


def configure(database: Path, people: list[dict[str, str]]) -> None:
    """Set Django up for a provider of these people."""
    key = jwk.JWK.generate(kty="RSA", size=2048)  # type: ignore[no-untyped-call]  # The package has no types.
    loader = ("django.template.loaders.locmem.Loader", {"sign-in.html": SIGN_IN_PAGE})
    settings.configure(
        SECRET_KEY=secrets.token_urlsafe(32),
        ALLOWED_HOSTS=["127.0.0.1"],
        ROOT_URLCONF=__name__,
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "oauth2_provider",
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
        ],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": database}},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "OPTIONS": {"loaders": [loader]}}],
        MIGRATION_MODULES={"auth": None, "contenttypes": None, "sessions": None, "oauth2_provider": None},
        LOGIN_URL="/sign-in/",
        USE_TZ=True,
        OAUTH2_PROVIDER={
            "OIDC_ENABLED": True,
            "OIDC_RSA_PRIVATE_KEY": key.export_to_pem(private_key=True, password=None).decode(),
            "OAUTH2_VALIDATOR_CLASS": f"{__name__}.validator",
            "PKCE_REQUIRED": True,
            "SCOPES": {"openid": "Who you are", "profile": "Name and birth date"},
        },
        PEOPLE={one["sub"]: {name: one[name] for name in one if name != "password"} for one in people},
    )
    django.setup()


def validator(*arguments: Any, **named: Any) -> Any:
    """What Django OAuth Toolkit asks about tokens: its own, with the claims of our people in them."""
    from oauth2_provider.oauth2_validators import OAuth2Validator

    class Claims(OAuth2Validator):  # type: ignore[misc]  # The package has no types.
        oidc_claim_scope = None

        def get_additional_claims(self, request: Any) -> dict[str, str]:
            """Everything that is known of whoever signed in."""
            return dict(settings.PEOPLE[request.user.username])

    return Claims(*arguments, **named)


def __getattr__(name: str) -> Any:
    """The addresses, which Django looks for here once it has been set up."""
    if name != "urlpatterns":
        raise AttributeError(name)
    from django.contrib.auth.views import LoginView
    from django.urls import include, path

    class SignIn(LoginView):  # type: ignore[misc]  # The package has no types.
        template_name = "sign-in.html"

        def get_context_data(self, **known: Any) -> dict[str, Any]:
            """The words of the page in the language that the request asks for, and the way to the other language."""
            goes_on_to = self.get_redirect_url()
            accepted = self.request.headers.get("Accept-Language", "")
            language = language_of(goes_on_to, accept_language=accepted)
            other = "en" if language == "sv" else "sv"
            context: dict[str, Any] = super().get_context_data(**known)
            in_other = urlencode({"next": asking_in(other, goes_on_to)})
            return {
                **context,
                "language": language,
                "other": other,
                "words": WORDS[language],
                "in_other": f"?{in_other}",
            }

    return [
        path("sign-in/", SignIn.as_view()),
        path("", include("oauth2_provider.urls", namespace="oauth2_provider")),
    ]


def language_of(authorization_request: str, *, accept_language: str) -> str:
    """The language of `ui_locales` (OpenID Connect Core 1.0, 3.1.2.1), else the browser's best, else Swedish."""
    (asked,) = parse_qs(urlsplit(authorization_request).query).get("ui_locales", [""])[:1]
    return language_of_locales(asked) or choose_language(query=None, cookie=None, accept_language=accept_language)


def asking_in(language: str, authorization_request: str) -> str:
    """The same request with another `ui_locales`."""
    parts = urlsplit(authorization_request)
    query = dict(parse_qsl(parts.query, keep_blank_values=True)) | {"ui_locales": language}
    return urlunsplit(parts._replace(query=urlencode(query)))


def make_people(people: list[dict[str, str]]) -> None:
    """Make the tables, and an account for each person."""
    from django.contrib.auth import get_user_model
    from django.core.management import call_command

    call_command("migrate", run_syncdb=True, verbosity=0)
    for one in people:
        get_user_model().objects.create_user(one["sub"], password=one["password"])


def register_clients() -> None:
    """Register each client that comes on standard input, and end with it."""
    from oauth2_provider.models import Application

    for line in sys.stdin:
        client = json.loads(line)
        Application.objects.create(
            name=client["client_id"],
            client_id=client["client_id"],
            client_secret=client["client_secret"],
            redirect_uris=client["redirect_uri"],
            client_type=Application.CLIENT_CONFIDENTIAL,
            authorization_grant_type=Application.GRANT_AUTHORIZATION_CODE,
            algorithm=Application.RS256_ALGORITHM,
            skip_authorization=True,
        )
        print(f"registered {client['client_id']}", flush=True)
    os._exit(0)


def main() -> None:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser(prog="python -m examples.provider")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--people", type=Path, required=True)
    parser.add_argument("--database", type=Path, required=True)
    options = parser.parse_args()
    people = json.loads(options.people.read_text("utf-8"))
    configure(options.database, people)
    make_people(people)
    threading.Thread(target=register_clients, daemon=True).start()
    from django.core.asgi import get_asgi_application

    uvicorn.run(get_asgi_application(), host="127.0.0.1", port=options.port, lifespan="off")


if __name__ == "__main__":
    # Django and its validators look for this module by its name.
    from examples.provider import main as serve

    serve()
