#!/bin/sh
# The browser tests drive the system's Chromium: take it from the distribution when it is missing and we may.
if command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1; then
	exit 0
fi
if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
	echo "Installing chromium for the browser tests ..."
	if { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends chromium fonts-dejavu-core; } >/dev/null 2>&1; then
		exit 0
	fi
fi
echo "Missing: chromium. The browser tests need it. Install it (on Debian: apt install chromium), then run make test again." >&2
exit 1
