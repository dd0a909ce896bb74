"""The OpenID Connect provider of the demo and the tests, a process of its own.

    python -m examples.provider --port 9001 --people people.json --database provider.sqlite3

It is Django OAuth Toolkit: clients are registered with a secret and an exact redirect address, PKCE is demanded, ID
tokens are signed (RS256), and people sign in with their name and a password (docs/adr/0018). `people.json` is a list of
objects with `sub`, `password` and further claims. Each line on standard input is a JSON object that registers a client
(`client_id`, `client_secret`, `redirect_uri`); when that input ends, the provider ends too, so that it never outlives
whoever started it. For trials on one machine: it listens on loopback alone.
"""

import argparse
import json
import os
import secrets
import sys
import threading
from pathlib import Path
from typing import Any

import django
import uvicorn
from django.conf import settings
from jwcrypto import jwk

SIGN_IN_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Sign in</title>
</head>
<body><main><h1>Sign in</h1>
{% if form.errors %}<p role="alert">The name and the password do not belong together.</p>{% endif %}
<form method="post">{% csrf_token %}<input type="hidden" name="next" value="{{ next }}">
<p><label for="username">Name</label> <input id="username" name="username" autocomplete="username" required></p>
<p><label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required></p>
<p><button id="sign-in" type="submit">Sign in</button></p>
</form></main></body></html>
"""


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

    return [
        path("sign-in/", LoginView.as_view(template_name="sign-in.html")),
        path("", include("oauth2_provider.urls", namespace="oauth2_provider")),
    ]


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
