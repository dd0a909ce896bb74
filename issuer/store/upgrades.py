"""The versions of the issuer's database, and the steps between them (see `service.upgrades`)."""

from datetime import UTC, datetime
from typing import Final

from issuer.derivation import IssuerSecret
from issuer.store.earlier_marks import mark_anew
from service.upgrades import Upgrade

VERSION: Final = 7
_STATEMENTS: Final = (
    # Offers that are fetched with a sign-in: the state that they carry, and which offer an authorization is for.
    Upgrade(
        version=2,
        identity="54d18b11506064b645c726ab8b77c4b70df457fce4843746547099034d960a52",  # pragma: allowlist secret
        statements=(
            "ALTER TABLE offers ADD COLUMN issuer_state_digest BLOB",
            "CREATE UNIQUE INDEX offers_issuer_state ON offers (issuer_state_digest) "
            "WHERE issuer_state_digest IS NOT NULL",
            "ALTER TABLE authorizations ADD COLUMN offer_id VARCHAR",
            "ALTER TABLE authorizations ADD COLUMN offer_generation INTEGER",
        ),
    ),
    # Whom a power is over and who holds it, so that both find it: earlier ones are marked when somebody looks.
    Upgrade(
        version=3,
        identity="7a9340805c7c238be8227693311c86f98461c90fb5e6d62a5968c1462477372a",  # pragma: allowlist secret
        statements=(
            "ALTER TABLE offers ADD COLUMN principal_mark BLOB",
            "ALTER TABLE offers ADD COLUMN agent_mark BLOB",
            "CREATE INDEX offers_principal_mark ON offers (principal_mark) WHERE principal_mark IS NOT NULL",
            "CREATE INDEX offers_agent_mark ON offers (agent_mark) WHERE agent_mark IS NOT NULL",
        ),
    ),
    # The language in which a wallet asked that the person be spoken to.
    Upgrade(
        version=4,
        identity="665596083660347efbcfa0aeb7d0ff106b472452e5519211581956fcfadacdb9",  # pragma: allowlist secret
        statements=("ALTER TABLE authorizations ADD COLUMN language VARCHAR",),
    ),
    # Of several certificates that a scope gave, the one that is also given by the name of its configuration.
    Upgrade(
        version=5,
        identity="43c19457071c801f709e9f9bee7b764574cc673838b9ca1b903f685bea56045f",  # pragma: allowlist secret
        statements=("ALTER TABLE offers ADD COLUMN also_by_configuration BOOLEAN DEFAULT FALSE NOT NULL",),
    ),
)


def upgrades(secret: IssuerSecret) -> tuple[Upgrade, ...]:
    """All steps, of an issuer with this secret."""
    return (
        *_STATEMENTS,
        # Numbers are compared with the signs between their parts: whom records are found by is marked anew.
        Upgrade(
            version=6,
            identity="fd69b29245d87aedd58f06f808a8b86977becd285e3a519e9ac2e478f09efb6f",  # pragma: allowlist secret
            work=lambda connection: mark_anew(connection, secret=secret, on=datetime.now(UTC).date()),
        ),
    )
