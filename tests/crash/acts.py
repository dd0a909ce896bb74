"""The operations of several steps, and what holds after a kill at any of their points."""

from tests.crash.acting import Act
from tests.crash.acts_of_issuers import ISSUER_ACTS
from tests.crash.acts_of_receiving import RECEIVING_ACTS
from tests.crash.acts_of_sharing import SHARING_ACTS
from tests.crash.acts_of_vaults import VAULT_ACTS

ACTS: tuple[Act, ...] = (*RECEIVING_ACTS, *SHARING_ACTS, *VAULT_ACTS, *ISSUER_ACTS)
