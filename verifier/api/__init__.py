"""The verifier's interfaces for programs: wallets (OpenID4VP), and organisations that embed it (API key)."""
