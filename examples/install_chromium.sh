#!/bin/sh
# The browser tests drive the system's Chromium: take it from the distribution when it is missing and the user may.
# Asks nothing. Exit status 0 when it is there at the end; else 1, and one line that says what is missing.
for name in chromium chromium-browser google-chrome; do
	command -v "$name" >/dev/null 2>&1 && exit 0
done

if [ "$(id -u)" = 0 ]; then
	as_root=
elif sudo -n true >/dev/null 2>&1; then  # Without a password: nobody is asked for one in the middle of `make test`.
	as_root='sudo -n'
else
	as_root=no
fi

if [ "$as_root" != no ] && command -v apt-get >/dev/null 2>&1; then
	echo "Installing chromium for the browser tests ..."
	DEBIAN_FRONTEND=noninteractive
	export DEBIAN_FRONTEND
	$as_root apt-get update -q >/dev/null 2>&1 </dev/null
	$as_root apt-get install -y -q --no-install-recommends chromium fonts-dejavu-core >/dev/null 2>&1 </dev/null && exit 0
fi
echo "Missing: chromium, so the browser tests are skipped. Install it (on Debian and Ubuntu: apt install chromium), then run make again." >&2
exit 1
