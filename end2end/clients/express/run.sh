# The example of docs/guides/verify.md.
cp "$CLIENT/../../../docs/guides/examples/guard_express.mjs" .
PORT=$(python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
export PORT
SERVICE=http://127.0.0.1:$PORT
set -- node guard_express.mjs
. "$CLIENT/../check_guard.sh"
