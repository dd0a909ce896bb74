"""The issuer: universities and other sources turn study results into signed credentials."""
