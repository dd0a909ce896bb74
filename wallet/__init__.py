"""The wallet: a person keeps signed proofs and decides, one share at a time, who sees what."""
