"""The verifier: employers and universities ask for proofs and check what they receive."""
