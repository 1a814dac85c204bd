#!/usr/bin/env bash
# Install what the tests need, then run the linters and all tests, those of the window included:
#
#     bash tools/test.sh [tox options]
#
# Everything Python goes into .venv-test and .tox, which later runs use again. As root on Debian or
# Ubuntu it also brings the system packages that are missing; otherwise it names them.
set -euo pipefail
unset PYTHONDONTWRITEBYTECODE # with it set, every process compiles napari and torch anew
unset CDPATH
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

# What a Qt window with OpenGL needs beside its wheels: an X server, Mesa, and Qt's xcb libraries.
debian_packages=(
    libdbus-1-3 libegl1 libfontconfig1 libgl1 libgl1-mesa-dri libglib2.0-0 libx11-xcb1 libxcb-cursor0
    libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-randr0 libxcb-render-util0 libxcb-shape0
    libxcb-sync1 libxcb-util1 libxcb-xfixes0 libxcb-xkb1 libxkbcommon-x11-0 libxkbcommon0 xauth xvfb
)
python=${PYTHON:-python3}

fail() {
    printf 'tools/test.sh: %s\n' "$*" >&2
    exit 1
}

has() {
    command -v "$1" >/dev/null
}

# Names of installed Debian packages, and the names that these stand in for, one a line.
installed_packages() {
    dpkg-query --show --showformat='${db:Status-Status} ${Package}, ${Provides}\n' |
        sed -n 's/^installed //p' | tr ',' '\n' | sed 's/([^)]*)//; s/ //g'
}

bring_debian_packages() {
    local installed name missing=()
    installed=$(installed_packages)
    if [ "$python" = python3 ]; then
        "$python" -c 'import ensurepip, venv' 2>/dev/null || debian_packages+=(python3 python3-venv)
    fi
    for name in "${debian_packages[@]}"; do
        grep -qxF -- "$name" <<<"$installed" || missing+=("$name")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    local install=(apt-get install --yes --no-install-recommends "${missing[@]}")
    [ "$(id -u)" -eq 0 ] || fail "Debian packages are missing; bring them with: sudo ${install[*]}"
    apt-get update
    DEBIAN_FRONTEND=noninteractive "${install[@]}"
}

check_linux_libraries() {
    local missing=() name
    has Xvfb || missing+=(Xvfb)
    has xauth || missing+=(xauth)
    for name in libGL.so.1 libEGL.so.1 libxcb-cursor.so.0 libxkbcommon-x11.so.0; do
        "$python" -c 'import ctypes, sys; ctypes.CDLL(sys.argv[1])' "$name" 2>/dev/null || missing+=("$name")
    done
    [ ${#missing[@]} -eq 0 ] || fail "the tests of the window need what this system lacks: ${missing[*]}."
}

check_python() {
    has "$python" || fail "$python is not there; install Python 3.11 or newer, or name it: PYTHON=... $0"
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        fail "Python 3.11 or newer is needed, $python is $("$python" -V 2>&1); name another: PYTHON=... $0"
}

if has dpkg-query && has apt-get; then
    bring_debian_packages
fi
check_python
if [ "$(uname)" = Linux ]; then
    check_linux_libraries
fi

if ! .venv-test/bin/python -m tox --version >/dev/null 2>&1; then
    "$python" -m venv --clear .venv-test
    .venv-test/bin/python -m pip install --quiet 'tox>=4.20'
fi
exec .venv-test/bin/python -m tox run -e lint,tests "$@"
