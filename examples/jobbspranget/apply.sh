#!/bin/sh
# Ask one person whether they meet the requirements of the internship, over plain HTTP (docs/verifier.md, "Embedding").
#
#   VERIFIER_URL=https://verifier.example VERIFIER_KEY_FILE=key.txt sh apply.sh
#
# Prints what is needed and where to fetch it, the link for the wallet, and the answer in one sentence. Ends with 0 when
# the person is eligible, 1 when not, 2 when nobody knows, also because something failed: what, is said on standard
# error. The key is read from a file: arguments can be seen by others.
set -u

fail() { # WORDS
    printf '%s\n' "$1" >&2
    exit 2
}
[ -n "${VERIFIER_URL:-}" ] || fail "VERIFIER_URL is not set: the address of the verifier."
[ -n "${VERIFIER_KEY_FILE:-}" ] || fail "VERIFIER_KEY_FILE is not set: the file with the key."
key=$(cat -- "$VERIFIER_KEY_FILE") || fail "The key cannot be read."

ask() { # METHOD PATH [BODY]; whatever was answered that is no success is told, and is a failure
    answer=$(printf 'Authorization: Bearer %s\n' "$key" |
        curl --silent --show-error --fail-with-body --max-time 60 -X "$1" -H @- -H 'Content-Type: application/json' \
            ${3:+--data "$3"} "$VERIFIER_URL$2") && printf '%s' "$answer" && return
    printf '%s' "$answer" | pick '": ".join(str(told[it]) for it in ("title", "detail") if told.get(it))' >&2
    return 2
}
pick() { # EXPRESSION over `told`, the JSON on standard input; a failure without a word where it is another document
    python3 -c "
import json, sys
try:
    told = json.load(sys.stdin)
    print($1)
except (ValueError, LookupError, TypeError, AttributeError):
    sys.exit(2)"
}
strange="This is no answer of a verifier. Is VERIFIER_URL right?"

# One of the options of a need is enough. Who is trusted for every kind of certificate may or may not issue this one.
needs=$(ask GET /api/templates/internship) || fail "What is needed could not be asked."
needed=$(printf '%s' "$needs" | pick '"\n".join(
    line for need in told["needs"] for line in (
        "  " + need["text"]["en"] + (", one is enough:" if len(need["options"]) > 1 else ":"),
        *("    " + kind["title"]["en"] + ", perhaps" * any(by["every_kind"] for by in kind["sources"]) + " from " +
            (", ".join(by["url"] or by["name"] for by in kind["sources"]) or "nobody whom we know")
            for option in need["options"] for kind in option)))') || fail "$strange"
printf 'Needed:\n%s\n' "$needed"

# A terminal is no browser that could come back: whoever answers does so on a device of their own choice.
made=$(ask POST /api/requests '{"template": "internship", "kind": "cross_device"}') || fail "No request could be made."
id=$(printf '%s' "$made" | pick 'told["id"]') || fail "$strange"
link=$(printf '%s' "$made" | pick 'told["request"]') || fail "$strange"
echo "Wallet: $link"

while :; do
    result=$(ask GET "/api/requests/$id?wait=20") || fail "The answer could not be asked for."
    state=$(printf '%s' "$result" | pick 'told["state"]') || fail "$strange"
    case $state in
    waiting | opened | awaiting_return) ;;
    *) break ;;
    esac
done
printf '%s' "$result" | pick '(told["eligibility"] or {"for_person": "No answer: " + told["state"]})["for_person"]' ||
    fail "$strange"
case $(printf '%s' "$result" | pick '(told["eligibility"] or {"answer": "undecided"})["answer"]') in
eligible) exit 0 ;;
not_eligible) exit 1 ;;
*) exit 2 ;;
esac
