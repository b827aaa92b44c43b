#!/bin/sh
# Writes bitcoin.conf from the environment and becomes bitcoind.
#
#   BC_RPC_USER, BC_RPC_PASSWORD   the RPC credentials; without both the well-known ones, for trying things out
#   BC_NETWORK                     the chain: regtest (default), signet or testnet4; never mainnet
#   BC_SIGNET_CHALLENGE            the script, in hexadecimal, that blocks of the signet must satisfy
#   BC_RPC_PORT, BC_P2P_PORT       where it listens (default: the chain's own ports)
#   BC_CONFIG                      more lines for the chain's section
#   BC_CONFIG_<n>                  likewise, for the pod whose name ends in -<n>; they go before the others
#   BC_RPC_BIND                    where RPC listens, addresses between commas (default 0.0.0.0; :: in an IPv6 cluster)
#   BC_SNAPSHOT                    a chain to begin with: its directory, or an archive of it
#   BC_UTXO_SNAPSHOT               a UTXO snapshot, for whoever calls `loadtxoutset utxo-snapshot`
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

# An IPv4 address of four numbers, or something of hexadecimal digits and at least two colons: a name could be any
# address, and a number alone would be taken for one.
is_address() {
    case $1 in
        *[!0-9A-Fa-f:.]*) return 1 ;;
        *:*:*) return 0 ;;
        *:*) return 1 ;;
    esac
    rest=$1.
    for _ in 1 2 3 4; do
        number=${rest%%.*}
        rest=${rest#*.}
        case $number in
            '' | *[!0-9]* | ????*) return 1 ;;
        esac
        [ "$number" -le 255 ] || return 1
    done
    [ -z "$rest" ]
}

rpc_binds() {
    left=$1,
    while [ -n "$left" ]; do
        address=${left%%,*}
        left=${left#*,}
        is_address "$address" || fail "BC_RPC_BIND must be IP addresses between commas, such as 0.0.0.0 or ::"
        echo "rpcbind=$address"
    done
}

# Bytes, not characters of some locale: a no-break space belongs to the value.
LC_ALL=C
if [ -z "${BC_RPC_USER+given}${BC_RPC_PASSWORD+given}" ]; then
    echo "start-bitcoind: WARNING: neither BC_RPC_USER nor BC_RPC_PASSWORD is set. The built-in credentials are used," >&2
    echo "start-bitcoind: WARNING: which everybody knows: whoever reaches the RPC port commands this node." >&2
    BC_RPC_USER=user
    BC_RPC_PASSWORD=password
fi
user=$(trim "${BC_RPC_USER-}")
password=$(trim "${BC_RPC_PASSWORD-}")
data_dir=${BC_DATA_DIR:-/home/bitcoin/.bitcoin}

check BC_RPC_USER "$user"
check BC_RPC_PASSWORD "$password"
case $user in
    *:*) fail "BC_RPC_USER must not contain a colon" ;;
esac
network=${BC_NETWORK:-regtest}
case $network in
    regtest) rpc_port=18443 p2p_port=18444 ;;
    signet) rpc_port=38332 p2p_port=38333 ;;
    testnet4) rpc_port=48332 p2p_port=48333 ;;
    *) fail "BC_NETWORK must be regtest, signet or testnet4, not $network" ;;
esac
if [ "$network" = signet ]; then
    [ -n "${BC_SIGNET_CHALLENGE-}" ] || fail "BC_SIGNET_CHALLENGE is not set: the node would join the public signet"
    challenge=signetchallenge=$BC_SIGNET_CHALLENGE
fi
# The name of a StatefulSet's pod is its host's, and ends in its ordinal.
own_config=
ordinal=${HOSTNAME-}
ordinal=${ordinal##*-}
case $ordinal in
    '' | *[!0-9]*) ;;
    *) eval "own_config=\${BC_CONFIG_$ordinal-}" ;;
esac
binds=$(rpc_binds "${BC_RPC_BIND:-0.0.0.0}")
[ -d "$data_dir" ] || fail "the data directory $data_dir does not exist"
[ -w "$data_dir" ] || fail "the data directory $data_dir cannot be written to by user $(id -u)"

# Made anew at every start: the credentials may have changed.
umask 077
conf=$data_dir/bitcoin.conf
rm -f "$conf"
# Inside its own section `regtest=1` would be ignored and a mainnet node started; above it, the
# addresses and ports would stop the start.
cat >"$conf" <<CONF
$network=1
server=1
rest=1
printtoconsole=1
listenonion=0
rpcuser=$user
rpcpassword=$password
rpcallowip=0.0.0.0/0
rpcallowip=::/0

[$network]
$binds
rpcport=${BC_RPC_PORT:-$rpc_port}
port=${BC_P2P_PORT:-$p2p_port}
${challenge-}
$own_config
${BC_CONFIG-}
CONF

# A chain to begin with, if there is none yet. The blocks come last: whoever finds them finds all.
chain_dir=$data_dir/$network
if [ -n "${BC_SNAPSHOT-}" ] && [ ! -d "$chain_dir/blocks" ]; then
    [ -r "$BC_SNAPSHOT" ] || fail "the snapshot $BC_SNAPSHOT does not exist, or cannot be read"
    part=$data_dir/.snapshot
    rm -rf "$part"
    mkdir "$part"
    if [ -d "$BC_SNAPSHOT" ]; then
        cp -R "$BC_SNAPSHOT/blocks" "$BC_SNAPSHOT/chainstate" "$part/" || fail "the snapshot $BC_SNAPSHOT cannot be copied"
    else
        tar -xf "$BC_SNAPSHOT" -C "$part" || fail "the snapshot $BC_SNAPSHOT cannot be unpacked"
    fi
    { [ -d "$part/blocks" ] && [ -d "$part/chainstate" ]; } ||
        fail "the snapshot $BC_SNAPSHOT has no blocks and chainstate at its top"
    mkdir -p "$chain_dir"
    rm -rf "$chain_dir/chainstate"
    mv "$part/chainstate" "$part/blocks" "$chain_dir/"
    rm -rf "$part"
fi

# RPC takes a path below the chain's directory, wherever that is: so the caller needs to know no other.
rm -f "$chain_dir/utxo-snapshot"
if [ -n "${BC_UTXO_SNAPSHOT-}" ]; then
    [ -f "$BC_UTXO_SNAPSHOT" ] && [ -r "$BC_UTXO_SNAPSHOT" ] ||
        fail "the UTXO snapshot $BC_UTXO_SNAPSHOT is no file, or cannot be read"
    mkdir -p "$chain_dir"
    ln -s "$BC_UTXO_SNAPSHOT" "$chain_dir/utxo-snapshot"
fi

# They are in the file; nobody needs to see them in /proc/<pid>/environ as well.
unset BC_RPC_USER BC_RPC_PASSWORD
exec bitcoind -datadir="$data_dir" "$@"
