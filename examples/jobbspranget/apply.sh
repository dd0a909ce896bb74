#!/bin/sh
# Ask one person whether they meet the requirements of the internship, over plain HTTP (docs/verifier.md, "Embedding").
#
#   VERIFIER_URL=https://verifier.example VERIFIER_KEY_FILE=key.txt sh apply.sh
#
# Prints what is needed and where to fetch it, the link for the wallet, and the answer in one sentence. Ends with 0 when
# the person is eligible, 1 when not, 2 when nobody knows. The key is read from a file: arguments can be seen by others.
set -eu

ask() { # METHOD PATH [BODY]
    printf 'Authorization: Bearer %s\n' "$(cat "$VERIFIER_KEY_FILE")" |
        curl --silent --show-error --fail-with-body --max-time 60 -X "$1" -H @- -H 'Content-Type: application/json' \
            ${3:+--data "$3"} "$VERIFIER_URL$2"
}
pick() { # EXPRESSION over `told`, the JSON on standard input
    python3 -c "import json, sys; told = json.load(sys.stdin); print($1)"
}

echo "Needed:"
# One of the options of a need is enough. Who is trusted for every kind of certificate may or may not issue this one.
ask GET /api/templates/internship | python3 -c '
import json, sys
for need in json.load(sys.stdin)["needs"]:
    print("  " + need["text"]["en"] + (", one is enough:" if len(need["options"]) > 1 else ":"))
    for kind in (kind for option in need["options"] for kind in option):
        told = [("perhaps " if by["every_kind"] else "") + (by["url"] or by["name"]) for by in kind["sources"]]
        print("    " + kind["title"]["en"] + " from " + (", ".join(told) or "nobody whom we know"))
'

# A terminal is no browser that could come back: whoever answers does so on a device of their own choice.
made=$(ask POST /api/requests '{"template": "internship", "kind": "cross_device"}')
id=$(printf '%s' "$made" | pick 'told["id"]')
echo "Wallet: $(printf '%s' "$made" | pick 'told["request"]')"

while :; do
    result=$(ask GET "/api/requests/$id?wait=20")
    case $(printf '%s' "$result" | pick 'told["state"]') in
    waiting | opened | awaiting_return) ;;
    *) break ;;
    esac
done
printf '%s' "$result" | pick '(told["eligibility"] or {"sentence": "No answer: " + told["state"]})["sentence"]'
case $(printf '%s' "$result" | pick '(told["eligibility"] or {"answer": "undecided"})["answer"]') in
eligible) exit 0 ;;
not_eligible) exit 1 ;;
*) exit 2 ;;
esac
