# Anything else would be no key, and could say more in JSON than a key.
case "$CLIENT_KEY" in *[!A-Za-z0-9_]*) echo "not a key" >&2; exit 1 ;; esac
printf '{"key": "%s", "permission": "orders:read", "ip": "%s"}' "$CLIENT_KEY" "$CLIENT_IP" |
  curl --silent --show-error --fail-with-body --max-time 2 \
    "$LATCHKEY_URL/api/v1/keys/verify" \
    --header "Authorization: Bearer $LATCHKEY_KEY" \
    --header "Content-Type: application/json" \
    --data-binary @-
