# Runs one service, and outlives the program that asked for it just long enough to stop the
# service and sweep up. Standard input is a pipe that program holds open: it closes however the
# program ends, `kill -9` included.
directory=$1
signal=$2
shift 2

exec 3<&0
"$@" </dev/null >"$directory/log" 2>&1 3<&- &
service=$!

# The signal is sent until the service is gone: one sent during its first moments may be lost.
{
    read -r _ <&3
    : >"$directory/closing"
    while kill -s "$signal" "$service" 2>/dev/null; do sleep 0.1; done
} &
watcher=$!

wait "$service"
status=$?
if [ -e "$directory/closing" ]; then
    wait "$watcher"
    rm -rf "$directory"
else
    kill "$watcher"
fi
exit "$status"
