# The example of docs/guides/verify.md.
cp "$CLIENT/../../../docs/guides/examples/guard_fastapi.py" .
PORT=$(python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
SERVICE=http://127.0.0.1:$PORT
set -- uvicorn guard_fastapi:app --port "$PORT"
. "$CLIENT/../check_guard.sh"
