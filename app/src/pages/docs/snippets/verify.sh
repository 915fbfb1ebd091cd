printf '{"key": "%s", "permission": "reservations:read"}' "$ASKED_KEY" |
  curl --silent --show-error --fail-with-body --max-time 2 \
    "$LATCHKEY_URL/api/v1/keys/verify" \
    --header "Authorization: Bearer $LATCHKEY_KEY" \
    --header "Content-Type: application/json" \
    --data-binary @-
