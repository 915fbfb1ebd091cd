# Checks a guarded service at $SERVICE, started by the command in the arguments: it answers valid keys only, and nothing
# while Latchkey cannot be reached.

status() {
    curl --silent --output body --write-out '%{http_code}' "$SERVICE/orders" "$@"
}

expect() {
    wanted=$1 && shift
    actual=$(status "$@")
    if [ "$actual" != "$wanted" ]; then
        echo "expected $wanted, got $actual: $(cat body)" >&2
        exit 1
    fi
}

start() {
    "$@" >service.log 2>&1 &
    service=$!
    trap 'kill $service' EXIT
    for _ in $(seq 100); do
        [ "$(status)" = 000 ] || return 0
        sleep 0.1
    done
    cat service.log >&2
    exit 1
}

CLIENT_KEY=$LATCHKEY_KEY
export LATCHKEY_KEY=$LATCHKEY_VERIFIER_KEY
start "$@"
expect 401
expect 401 --header "X-API-Key: $LATCHKEY_REVOKED_KEY"
expect 403 --header "X-API-Key: $LATCHKEY_VERIFIER_KEY"
expect 200 --header "X-API-Key: $CLIENT_KEY"
grep -q key_ body
kill $service
wait $service 2>/dev/null || true
LATCHKEY_URL=http://127.0.0.1:1 start "$@"
expect 503 --header "X-API-Key: $CLIENT_KEY"
