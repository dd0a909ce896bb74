"""The operations of several steps, and what holds after a kill at any of their points."""

from tests.crash.acting import Act
from tests.crash.acts_of_issuers import ISSUER_ACTS
from tests.crash.acts_of_keys import KEY_ACTS
from tests.crash.acts_of_permissions import PERMISSION_ACTS
from tests.crash.acts_of_receiving import RECEIVING_ACTS
from tests.crash.acts_of_sharing import SHARING_ACTS
from tests.crash.acts_of_vaults import VAULT_ACTS
from tests.crash.acts_of_webhooks import WEBHOOK_ACTS

ACTS: tuple[Act, ...] = (
    *RECEIVING_ACTS,
    *SHARING_ACTS,
    *PERMISSION_ACTS,
    *WEBHOOK_ACTS,
    *VAULT_ACTS,
    *KEY_ACTS,
    *ISSUER_ACTS,
)
