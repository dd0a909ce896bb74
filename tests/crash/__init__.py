"""Every operation of several steps, killed at each of its steps, started again, and judged (docs/durability.md)."""
