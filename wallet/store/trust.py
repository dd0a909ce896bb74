"""Sources of trust at rest, sealed under the device secret: who may change the database file alone adds no issuer."""

from sqlalchemy import Connection, delete, insert, select, update
from sqlmodel import col

from proofs import sealing, strict_json
from wallet.store.tables import TrustRow
from wallet.trusted import TrustSource


class TrustStore:
    """The sources of trust of one deployment."""

    def __init__(self, device_secret: bytes) -> None:
        self._key = sealing.derive_subkey(device_secret, purpose="intyga-wallet-trust-1")

    def sources(self, connection: Connection) -> list[TrustSource]:
        """Every source, in the order of their identifiers."""
        rows = connection.execute(
            select(col(TrustRow.id), col(TrustRow.sealed_entry), col(TrustRow.version)).order_by(col(TrustRow.id))
        ).all()
        return [
            TrustSource.from_json(
                strict_json.loads_object(
                    sealing.unseal(self._key, row.sealed_entry, context=_context(row.id, row.version)),
                    max_bytes=10_000_000,
                )
            )
            for row in rows
        ]

    def put(self, connection: Connection, source: TrustSource) -> None:
        """Keep a source, in place of an older one with the same identifier."""
        version = connection.execute(
            select(col(TrustRow.version)).where(col(TrustRow.id) == source.id)
        ).scalar_one_or_none()
        if version is None:
            connection.execute(insert(TrustRow).values(id=source.id, sealed_entry=self._sealed(source, 1), version=1))
        else:
            connection.execute(
                update(TrustRow)
                .where(col(TrustRow.id) == source.id)
                .values(sealed_entry=self._sealed(source, version + 1), version=version + 1)
            )

    def remove(self, connection: Connection, source_id: str) -> bool:
        """Forget a source; False when there was none."""
        return connection.execute(delete(TrustRow).where(col(TrustRow.id) == source_id)).rowcount == 1

    def _sealed(self, source: TrustSource, version: int) -> bytes:
        return sealing.seal(self._key, strict_json.dumps(source.as_json()), context=_context(source.id, version))


def _context(source_id: str, version: int) -> bytes:
    return f"intyga-wallet-trust-1|{source_id}|{version}".encode()
