"""The wallet's database. Everything about a person in it is sealed to their vault; see `wallet/vault.py`."""
