"""The end of a standing permission, in the transaction of what ends it: from then on no check can begin (CS-33)."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, update

from schemas.standing_permission import EndReason, PermissionState
from verifier.store.log import write_log
from verifier.store.records import Event
from verifier.store.tables import PERMISSIONS, REQUESTS


def end_permission(connection: Connection, row: Row[Any], reason: EndReason, *, now: datetime) -> bool:
    """End the permission of a request, if there is one that has not ended; whether there was."""
    ended = connection.execute(
        update(PERMISSIONS)
        .where(PERMISSIONS.c.request_id == row.id, PERMISSIONS.c.state != PermissionState.ENDED.value)
        .values(state=PermissionState.ENDED.value, ended_at=now, end_reason=reason.value)
    )
    if ended.rowcount != 1:
        return False
    number = write_log(connection, Event.PERMISSION_ENDED, row.id, row.template_name, now, outcome=reason.value)
    connection.execute(update(REQUESTS).where(REQUESTS.c.id == row.id).values(changed=number))
    return True
