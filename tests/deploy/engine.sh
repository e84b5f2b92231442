# A container engine of its own for the suite that reads this by `.`: in a network namespace, so that
# nothing leaves it, and with an image made of what this machine has, so that nothing is fetched.
# It sets DOCKER_HOST, and `inside` runs a command beside it.
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
    ip netns add "$namespace" || { echo "no network namespace can be made here"; exit 77; }
    inside ip link set lo up
    mkdir -p "$folder/run"
    export DOCKER_HOST=unix://$folder/run/docker.sock
    # Not by `inside`: a function in the background would be a process of its own, and outlived.
    nsenter --net="/run/netns/$namespace" dockerd --data-root "$folder/data" --exec-root "$folder/exec" \
        --pidfile "$folder/dockerd.pid" -H "$DOCKER_HOST" --iptables=false --ip6tables=false --ip-masq=false \
        >"$folder/dockerd.log" 2>&1 &
    engine=$!
    for _ in $(seq 150); do
        if docker version >/dev/null 2>&1; then return; fi
        kill -0 "$engine" 2>/dev/null || break
        sleep 0.2
    done
    echo "the container engine does not start here: $(tail -n 1 "$folder/dockerd.log")"
    exit 77
}

# What stands for the image of Lambda's runtime: a shell, and the libraries that the functions load.
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
