# A machine of its own for the commands of docs/operations.md: whatever they change is gone when they end. Run by
# `unshare --mount --net`, with the program's path in LATCHKEY and an empty folder in SANDBOX.
set -euo pipefail

ip link set lo up
mount -t tmpfs tmpfs "$SANDBOX"
for folder in etc var root usr/local; do
    layer="$SANDBOX/${folder//\//-}"
    mkdir -p "$layer/upper" "$layer/work"
    mount -t overlay overlay -o "lowerdir=/$folder,upperdir=$layer/upper,workdir=$layer/work" "/$folder"
done
userdel latchkey 2>/dev/null || true
mkdir -p /etc/systemd/system /etc/caddy /etc/logrotate.d "$SANDBOX/bin" "$SANDBOX/source/target/release" "$SANDBOX/postgres"
echo '127.0.0.1 keys.example.com' >>/etc/hosts
cp -r "$REPOSITORY/deploy" "$SANDBOX/source/"
cp "$LATCHKEY" "$SANDBOX/source/target/release/latchkey"

# Stands in for systemd, which does not run here: starts what the unit says, as the account that it names.
cat >"$SANDBOX/bin/systemctl" <<'EOF'
#!/usr/bin/env bash
set -euo pipefail
unit=/etc/systemd/system/latchkey.service
dropin=/etc/systemd/system/latchkey.service.d/log.conf
setting() { sed -n "s/^$1=//p" "$unit"; }
start() {
    log=$SANDBOX/journal
    if [ -f "$dropin" ]; then log=$(sed -n 's/^StandardError=append://p' "$dropin"); fi
    set -a
    . "$(setting EnvironmentFile)"
    cd /
    umask "$(setting UMask)"
    setsid runuser -u "$(setting User)" -- $(setting ExecStart) </dev/null >>"$log" 2>&1 &
    echo $! >"$SANDBOX/pid"
}
stop() {
    kill -TERM -- "-$(cat "$SANDBOX/pid")"
    while kill -0 "$(cat "$SANDBOX/pid")" 2>/dev/null; do sleep 0.05; done
}
caddy_with_its_own_authority() {
    printf '{\n\tlocal_certs\n\tskip_install_trust\n\tadmin off\n}\nimport /etc/caddy/Caddyfile\n' >"$SANDBOX/Caddyfile"
    HOME=$SANDBOX/caddy XDG_DATA_HOME=$SANDBOX/caddy setsid caddy run --adapter caddyfile --config "$SANDBOX/Caddyfile" \
        </dev/null >>"$SANDBOX/caddy.log" 2>&1 &
    until [ -f "$SANDBOX/caddy/caddy/pki/authorities/local/root.crt" ]; do sleep 0.05; done
    cp "$SANDBOX/caddy/caddy/pki/authorities/local/root.crt" "$CURL_CA_BUNDLE"
}
case "$*" in
    daemon-reload) ;;
    "start latchkey" | "enable --now latchkey") start ;;
    "stop latchkey") stop ;;
    "restart latchkey") stop; start ;;
    "reload caddy") caddy_with_its_own_authority ;;
    *) echo "systemctl $* is unknown here" >&2; exit 1 ;;
esac
EOF
chmod +x "$SANDBOX/bin/systemctl"
export PATH="$SANDBOX/bin:$PATH:/usr/sbin" CURL_CA_BUNDLE="$SANDBOX/root.crt"
cat /etc/ssl/certs/ca-certificates.crt >"$CURL_CA_BUNDLE" 2>/dev/null || touch "$CURL_CA_BUNDLE"

chown postgres "$SANDBOX/postgres"
chmod 755 "$SANDBOX"
install -d -o postgres /var/run/postgresql
cd /
binaries=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1)
runuser -u postgres -- "$binaries/initdb" -D "$SANDBOX/postgres/data" --auth-local peer --auth-host scram-sha-256 --no-sync >/dev/null
runuser -u postgres -- "$binaries/pg_ctl" -D "$SANDBOX/postgres/data" -w -o '-h 127.0.0.1 -k /var/run/postgresql' \
    -l "$SANDBOX/postgres/log" start >/dev/null
trap 'status=$?; cat "$SANDBOX/journal" 2>/dev/null | tail -20; kill -- -$(cat "$SANDBOX/pid") 2>/dev/null || true
      runuser -u postgres -- "$binaries/pg_ctl" -D "$SANDBOX/postgres/data" -m immediate stop >/dev/null; exit $status' EXIT
cd "$SANDBOX/source"
