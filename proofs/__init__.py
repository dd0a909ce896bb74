"""Everything cryptographic: keys, signatures, selective disclosure, status lists, trust and verification.

The only room that imports `cryptography`, `jwt` or `jwcrypto`.
"""
