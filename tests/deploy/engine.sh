# Starts a container engine for a suite that sources this file. The engine runs in a network
# namespace without access to the network. Its image is built from files of this machine, so nothing
# is downloaded. Sets DOCKER_HOST. `inside` runs a command in the namespace.
folder=$(mktemp -d)
namespace=arm-$$

inside() { nsenter --net="/run/netns/$namespace" "$@"; }

stop_engine() {
    if [ -n "${engine-}" ]; then
        kill "$engine" 2>/dev/null || true
        wait "$engine" 2>/dev/null || true
    fi
    umount "$folder/data" 2>/dev/null || true
    ip netns delete "$namespace" 2>/dev/null || true
    rm -rf "$folder"
}

start_engine() {
    ip netns add "$namespace" || { echo "a network namespace cannot be created"; exit 77; }
    inside ip link set lo up
    mkdir -p "$folder/run"
    export DOCKER_HOST=unix://$folder/run/docker.sock
    # Does not use `inside`, because a background function runs in a subshell that would stay alive.
    nsenter --net="/run/netns/$namespace" dockerd --data-root "$folder/data" --exec-root "$folder/exec" \
        --pidfile "$folder/dockerd.pid" -H "$DOCKER_HOST" --iptables=false --ip6tables=false --ip-masq=false \
        >"$folder/dockerd.log" 2>&1 &
    engine=$!
    for _ in $(seq 150); do
        if docker version >/dev/null 2>&1; then return; fi
        kill -0 "$engine" 2>/dev/null || break
        sleep 0.2
    done
    echo "the container engine did not start: $(tail -n 1 "$folder/dockerd.log")"
    exit 77
}

# Imports a replacement for the Lambda runtime image: a shell, and the libraries of the functions.
import_image() {
    local root=$folder/root name=$1 file
    mkdir -p "$root"/{bin,tmp,var/task,var/rapid,etc/ssl/certs}
    cp /bin/busybox "$root/bin/"
    for file in sh mv chmod; do ln -s busybox "$root/bin/$file"; done
    cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
    for file in $(ldd "${@:2}" | grep -o '/[^ :]*\.so[^ :]*' | sort -u); do
        mkdir -p "$root$(dirname "$file")"
        cp -L "$file" "$root$file"
    done
    tar -C "$root" -c . | docker import -c 'ENV LAMBDA_TASK_ROOT=/var/task PATH=/bin' -c 'WORKDIR /var/task' - "$name"
}
