#!/bin/sh
# Writes bitcoin.conf from the environment and becomes bitcoind.
#
#   BC_RPC_USER, BC_RPC_PASSWORD   required: the RPC credentials
#   BC_RPC_BIND                    where RPC listens (default 0.0.0.0; :: in an IPv6 cluster)
#   BC_DATA_DIR                    the data directory (default /home/bitcoin/.bitcoin)
#
# Arguments are passed on to bitcoind.
set -eu

fail() {
    echo "start-bitcoind: $1" >&2
    exit 1
}

# The six blanks that bitcoind does not count around a value. The underscore keeps the newline at the end.
blanks=$(printf ' \f\r\t\v\n_')
blanks=${blanks%_}

trim() {
    value=$1
    value=${value#"${value%%[!"$blanks"]*}"}
    value=${value%"${value##*[!"$blanks"]}"}
    printf %s "$value"
}

check() {
    [ -n "$2" ] || fail "$1 is not set, or blank"
    case $2 in
        *[[:cntrl:]]*) fail "$1 must be one line of printable text" ;;
        *\#*) fail "$1 must not contain #: bitcoind refuses to start with it" ;;
    esac
}

# Bytes, not characters of some locale: a no-break space belongs to the value.
LC_ALL=C
user=$(trim "${BC_RPC_USER-}")
password=$(trim "${BC_RPC_PASSWORD-}")
data_dir=${BC_DATA_DIR:-/home/bitcoin/.bitcoin}

check BC_RPC_USER "$user"
check BC_RPC_PASSWORD "$password"
case $user in
    *:*) fail "BC_RPC_USER must not contain a colon" ;;
esac
[ -d "$data_dir" ] || fail "the data directory $data_dir does not exist"

# Made anew at every start: the credentials may have changed.
umask 077
conf=$data_dir/bitcoin.conf
rm -f "$conf"
# Inside [regtest] `regtest=1` would be ignored and a mainnet node started; above it, the
# addresses and ports would stop the start.
cat >"$conf" <<CONF
regtest=1
server=1
rest=1
printtoconsole=1
listenonion=0
rpcuser=$user
rpcpassword=$password
rpcallowip=0.0.0.0/0
rpcallowip=::/0

[regtest]
rpcbind=${BC_RPC_BIND:-0.0.0.0}
rpcport=18443
port=18444
CONF

# They are in the file; nobody needs to see them in /proc/<pid>/environ as well.
unset BC_RPC_USER BC_RPC_PASSWORD
exec bitcoind -datadir="$data_dir" "$@"
