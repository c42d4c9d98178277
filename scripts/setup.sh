# shellcheck shell=bash
# Sourced by the scripts beside it: finds what they need, and installs what a fresh Debian lacks.

say() { printf '%s\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# part NAME COMMAND…: runs the command and says how long it took.
part() {
    local name=$1 start=$SECONDS
    shift
    say "== $name"
    "$@" || die "$name failed after $((SECONDS - start)) s: $*"
    say "-- $name: $((SECONDS - start)) s"
}

missing=()

# want PACKAGES WHY: to be installed by install_missing.
want() {
    local packages
    read -ra packages <<<"$1"
    missing+=("${packages[@]}")
    say "missing: $1 ($2)"
}

find_postgres() {
    command -v initdb >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null
}

find_pooler() { [ -x /usr/sbin/pgbouncer ]; }

find_compiler() {
    local out
    out=$(mktemp)
    printf '#include <stdlib.h>\nint main(void) { return 0; }\n' | cc -x c -o "$out" - 2>/dev/null || { rm -f "$out"; return 1; }
    rm -f "$out"
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

install_missing() {
    [ ${#missing[@]} -gt 0 ] || return 0
    command -v apt-get >/dev/null || die "there is no apt-get here; install what these Debian packages hold: ${missing[*]}"
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || die "neither root nor sudo; have an administrator run: apt-get install ${missing[*]}"
        sudo -v || die "sudo is not allowed; have an administrator run: apt-get install ${missing[*]}"
    fi
    say "installing with apt-get: ${missing[*]}"
    (without_servers apt_install) || die "apt-get could not install ${missing[*]}"
}

apt_install() {
    local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=120 -o Dpkg::Use-Pty=0)
    as_root "${apt[@]}" update || say "apt-get update failed; going on with the package lists at hand"
    as_root "${apt[@]}" install --no-install-recommends "${missing[@]}" || return
    [[ " ${missing[*]} " != *' pgbouncer '* ]] || as_root update-rc.d pgbouncer disable
}

policy=/usr/sbin/policy-rc.d

# without_servers COMMAND…: only the programs are wanted, but Debian's packages also start what they
# install: postgresql creates a cluster on port 5432, unless its configuration says otherwise, and
# pgbouncer listens on port 6432, unless policy-rc.d says otherwise (one that is there already is asked
# about all else). To be called in a subshell: the trap puts both back.
without_servers() {
    local dir=/etc/postgresql-common/createcluster.d
    trap 'as_root rm -f /etc/postgresql-common/createcluster.d/tidegate-setup.conf; allow_services' EXIT
    as_root mkdir -p "$dir" &&
        as_root tee "$dir/tidegate-setup.conf" >/dev/null <<<'create_main_cluster = false' &&
        hold_pooler &&
        "$@"
}

hold_pooler() {
    allow_services # what a setup that was killed left behind
    if [ -e "$policy" ]; then as_root mv "$policy" "$policy.before-tidegate" || return; fi
    as_root tee "$policy" >/dev/null <<EOF &&
#!/bin/sh
# made by the setup of tidegate, which takes it away again
for word; do case \$word in pgbouncer | pgbouncer.*) exit 101 ;; esac; done
[ ! -x $policy.before-tidegate ] || exec $policy.before-tidegate "\$@"
EOF
        as_root chmod 755 "$policy"
}

allow_services() {
    ! grep -qs 'made by the setup of tidegate' "$policy" || as_root rm -f "$policy"
    [ ! -e "$policy.before-tidegate" ] || as_root mv "$policy.before-tidegate" "$policy"
}

# need_rust MANIFEST [COMPONENT…]: cargo as new as the manifest asks, with these components.
need_rust() {
    local manifest=$1 wanted found component
    shift
    command -v cargo >/dev/null || PATH=$PATH:${CARGO_HOME:-$HOME/.cargo}/bin
    command -v cargo >/dev/null || die "cargo is missing; get Rust from https://rustup.rs: \
curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh"
    wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$manifest")
    found=$(cargo --version | cut -d ' ' -f 2)
    [ "$(printf '%s\n' "$wanted" "$found" | sort -V | head -n 1)" = "$wanted" ] ||
        die "Rust $wanted or newer is needed, this is $found; run: rustup update stable (or get it from https://rustup.rs)"
    for component; do
        cargo "${component/rustfmt/fmt}" --version >/dev/null 2>&1 && continue
        command -v rustup >/dev/null || die "$component is missing; install it beside $(command -v cargo)"
        say "missing: $component; adding it with rustup"
        rustup component add "$component"
    done
}

# setup MANIFEST [COMPONENT…]: all of it.
setup() {
    need_rust "$@"
    find_compiler || want "gcc libc6-dev" "C compiler and linker, for the TLS library"
    find_postgres || want "postgresql" "the server's programs, for throwaway clusters; none is created or started now"
    install_missing
    find_compiler || die "cc still cannot compile and link a program"
    find_postgres || die "initdb is neither on the PATH nor under /usr/lib/postgresql"
}
