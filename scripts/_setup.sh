# shellcheck shell=bash
# Read by ./scripts/serve and ./scripts/test: one virtual environment with the pinned packages, made once and kept.
#
# .venv/.set-up holds two lines: the checkout it was made for, and either "incomplete" or the hash of the pins with the
# kind of set-up, runtime or dev (dev has all of runtime). All changes happen under a lock on .venv.lock, which the
# system lets go by itself when the last process of a set-up ends, however it ends.

ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
VENV=$ROOT/.venv
STATE=$VENV/.set-up
LOG=$VENV/set-up.log

# With this environment activated, its own Python is found first: it can't be what the environment is remade with.
PATH=${PATH//"$VENV/bin:"/}
# Somebody else's Python settings must not leak into the environment, and pip must never wait for an answer.
unset PYTHONPATH PYTHONHOME
export PIP_USER=0 PIP_NO_INPUT=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_REQUIRE_VIRTUALENV=0
# The model comes with a package: whatever asks a hub for something is wrong, so it is told no at once.
export HF_HUB_OFFLINE=1 HF_DATASETS_OFFLINE=1 TRANSFORMERS_OFFLINE=1 HF_HUB_DISABLE_TELEMETRY=1
export TOKENIZERS_PARALLELISM=false

say() {
    printf '==> %s\n' "$*"
}

fail() {
    printf '\n%s: %s\n' "$(basename -- "$0")" "$*" >&2
    exit 1
}

is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

# Sets PYTHON; what the caller put there, if anything, is the only candidate.
find_python() {
    local candidate found=''
    if [ -n "${PYTHON:-}" ]; then
        is_new_enough "$PYTHON" ||
            fail "PYTHON is set to '$PYTHON', which is no Python 3.11 or newer: correct it or unset it."
        found=$PYTHON
    else
        # 3.11 first: the pins were made with it.
        for candidate in python3.11 python3.12 python3.13 python3.14 python3 python; do
            if is_new_enough "$candidate"; then
                found=$candidate
                break
            fi
        done
    fi
    if [ -z "$found" ]; then
        if command -v python3 >/dev/null 2>&1; then
            fail "Python 3.11 or newer is needed, and here is only $(python3 --version 2>&1): install Python 3.11" \
                "(on Debian and Ubuntu: apt-get install python3.11 python3.11-venv), then run this again."
        fi
        fail "Python 3.11 or newer is needed, and none was found: install it" \
            "(on Debian and Ubuntu: apt-get install python3.11 python3.11-venv), then run this again."
    fi
    "$found" -c 'import ensurepip, venv' >/dev/null 2>&1 ||
        fail "$found lacks its venv module: install it" \
            "(on Debian and Ubuntu: apt-get install $("$found" -c 'import sys; print("python3.%d-venv" % sys.version_info[1])')), then run this again."
    PYTHON=$found
}

# Takes the lock as descriptor 9. A lock of the system's, taken through Python since not every machine has flock(1).
lock() {
    { exec 9>"$ROOT/.venv.lock"; } 2>/dev/null ||
        fail "this folder can't be written to: $ROOT. Check out the project where you may write, then run this again."
    "$PYTHON" -c 'import fcntl; fcntl.flock(9, fcntl.LOCK_EX | fcntl.LOCK_NB)' 2>/dev/null && return
    say "Waiting for another set-up of this checkout to end"
    "$PYTHON" -c 'import fcntl; fcntl.flock(9, fcntl.LOCK_EX)' 2>/dev/null ||
        fail "no lock can be had on $ROOT/.venv.lock: check out the project on a local disk, then run this again."
}

unlock() {
    exec 9>&-
}

hash_of_pins() {
    "$PYTHON" - "$ROOT/pyproject.toml" "$ROOT"/requirements/*.txt "$ROOT/scripts/_setup.sh" <<'PY'
import hashlib
import sys

print(hashlib.sha256(b"\0".join(open(path, "rb").read() for path in sys.argv[1:])).hexdigest())
PY
}

write_state() {
    printf '%s\n%s\n' "$ROOT" "$1" >"$STATE"
}

# pip, with its words in the log.
pip_install() {
    printf '\n# pip install %s\n' "$*" >>"$LOG"
    "$VENV/bin/python" -m pip install --progress-bar off --no-deps "$@" >>"$LOG" 2>&1
}

# A set of the lock: these wheels, byte for byte, and nothing that would have to be built first.
pip_locked() { # the set, what else pip is to be told
    pip_install --require-hashes --only-binary :all: --requirement "$ROOT/requirements/$1.txt" "${@:2}"
}

install_failed() {
    if grep -q 'DO NOT MATCH THE HASHES' "$LOG"; then
        fail "$1 could not be installed, since a package is not the one that the lock names: see the end of $LOG. Don't" \
            "install it by other means before you know why; a mirror may have another build of it, or somebody changed it."
    fi
    if grep -q 'No space left on device' "$LOG"; then
        fail "$1 could not be installed, since the disk is full: free 3 GB, then run this again."
    fi
    fail "$1 could not be installed: see the end of $LOG, check that this machine reaches its package index," \
        "then run this again."
}

install_packages() { # runtime | dev
    local set=default
    if [ "$1" = dev ]; then
        set=dev
    fi
    say "Installing PyTorch (its CPU build)"
    # First from wherever this machine's pip looks, which may be nearer. The lock admits no other build on Linux, so that
    # this either brings the right one or finds nothing and fetches nothing.
    if ! pip_locked torch; then
        [ "$(uname -s)" = Linux ] || install_failed "PyTorch"
        pip_locked torch --extra-index-url https://download.pytorch.org/whl/cpu || install_failed "PyTorch's CPU build"
    fi
    say "Installing the pinned packages ($1): some minutes the first time"
    pip_locked "$set" || install_failed "The pinned set of packages"
    pip_locked build || install_failed "The build tool"
    pip_install --no-build-isolation --editable "$ROOT" || install_failed "The checkout"
    "$VENV/bin/python" -m pip check >>"$LOG" 2>&1 ||
        fail "the lock lacks something that pyproject.toml asks for: see the end of $LOG. After a change of the" \
            "dependencies, write the lock anew: scripts/lock.py"
    "$VENV/bin/python" - <<'PY' || fail "the packages for graphics cards named above came in, which the pins should prevent: remove $VENV and report this."
import sys
from importlib.metadata import distributions

names = {(d.metadata["Name"] or "").lower(): d.version for d in distributions()}
unwanted = sorted(n for n in names if n.startswith(("nvidia-", "cuda-", "triton", "pytorch-triton")))
if sys.platform == "linux" and not names["torch"].endswith("+cpu"):
    unwanted.append("torch " + names["torch"])
if unwanted:
    sys.exit("unwanted: " + ", ".join(unwanted))
PY
}

# Leaves a complete virtual environment of at least the wanted kind, or ends the script with what to do.
set_up() { # runtime | dev
    local want=$1 hash made_for='' state='' kind=''
    find_python
    lock
    hash=$(hash_of_pins)
    if [ -f "$STATE" ]; then
        { read -r made_for && read -r state; } <"$STATE" || true
        kind=${state#* }
    elif [ -n "$(ls -A -- "$VENV" 2>/dev/null)" ]; then
        fail "$VENV was not made by these scripts: remove it or give it another name, then run this again."
    fi
    if [ "$kind" = dev ]; then
        want=dev
    fi
    if [ "$made_for" = "$ROOT" ] && is_new_enough "$VENV/bin/python"; then
        if [ "$state" = "$hash dev" ] || [ "$state" = "$hash $want" ]; then
            say "The virtual environment is ready ($VENV)"
            return
        fi
    else
        state=incomplete
    fi
    trap 'fail "interrupted; the next run starts the set-up over."' INT TERM HUP
    if [ "$state" = incomplete ] || [ -z "$state" ]; then
        if [ -e "$VENV" ]; then
            say "Removing a virtual environment that is incomplete or was moved"
            rm -rf -- "$VENV"
        fi
        say "Making a virtual environment in .venv with $("$PYTHON" --version)"
        mkdir -p -- "$VENV" 2>/dev/null || fail "$VENV can't be made: check the rights on $ROOT, then run this again."
        write_state incomplete
        "$PYTHON" -m venv "$VENV" >"$LOG" 2>&1 ||
            fail "the virtual environment could not be made: see $LOG, then run this again."
    else
        say "Bringing the virtual environment up to date with the pins ($want)"
        write_state incomplete
        : >"$LOG"
    fi
    install_packages "$want"
    write_state "$hash $want"
    trap - INT TERM HUP
}

build_index() {
    say "Building the index if it is missing or stale"
    "$VENV/bin/originality" index build --if-stale ||
        fail "the index could not be built: mend what the line above names, then run this again."
}
