"""The authorization server: who may ask, what the person allows, and the tokens that come of it.

- `clients`: whom the operator knows, and how a client proves who it is
- `pushed`: pushed authorization requests
- `token_request`: the token request, read
- `pre_authorized`: codes of offers
- `codes`: authorization codes
- `tokens`: what tokens are bound to, and refresh tokens

Everything here takes values and returns values; `issuer/store/` keeps them.
"""
