"""The wallet's pages for people, one module per part of the wallet; each has a `router`."""
