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
ask GET /api/templates/internship |
    pick '"\n".join("  " + need["title"]["en"] + " from " + (", ".join(one["url"] for one in need["sources"]) or "nobody whom we know") for need in told["needs"])'

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
