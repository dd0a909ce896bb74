"""The labelled set of synthetic requests, how it is made, and how well each over-asking rule does on it."""
