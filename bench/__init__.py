"""Performance figures, as ratios measured interleaved in one run."""
