#!/bin/sh
# Starts coturn as the relay of one Tongke server: ephemeral names and passwords, and no way to anywhere but the media
# address. The secret goes through a file that only this user reads, never over a command line.
#
# RELAY_ADDRESS      the address that classrooms reach, and from which is relayed
# RELAY_PEER         the media address of the server
# RELAY_SECRET_FILE  holds the secret that the server has in turn.secret
# RELAY_PORT         3478 unless set; UDP and TCP
# RELAY_PORTS        the ports that are relayed from, 49152-65535 unless set
# RELAY_CERT_FILE    with RELAY_KEY_FILE: a certificate (PEM, with its chain) and its key; TLS is off while it is empty
# RELAY_TLS_PORT     443 unless set; TLS over TCP, which the strictest networks take for a page
# further arguments  go to coturn
#
# SIGUSR2 reads the certificate anew.
set -eu
umask 077
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
ports=${RELAY_PORTS:-49152-65535}
{
    echo "listening-ip=$RELAY_ADDRESS"
    echo "relay-ip=$RELAY_ADDRESS"
    echo "listening-port=${RELAY_PORT:-3478}"
    echo "min-port=${ports%-*}"
    echo "max-port=${ports#*-}"
    echo "realm=tongke"
    echo "use-auth-secret"
    echo "static-auth-secret=$(cat "$RELAY_SECRET_FILE")"
    echo "denied-peer-ip=0.0.0.0-255.255.255.255"
    echo "denied-peer-ip=::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
    echo "allowed-peer-ip=$RELAY_PEER"
    case $RELAY_PEER in 127.*) echo "allow-loopback-peers" ;; esac
    echo "no-dtls"
    if [ -s "${RELAY_CERT_FILE:-}" ]; then
        echo "cert=$RELAY_CERT_FILE"
        echo "pkey=$RELAY_KEY_FILE"
        echo "tls-listening-port=${RELAY_TLS_PORT:-443}"
        echo "no-tlsv1"
        echo "no-tlsv1_1"
    else
        echo "no-tls"
    fi
    echo "fingerprint"
    echo "stale-nonce=600"
    echo "user-quota=12"
    echo "no-multicast-peers"
    echo "no-tcp-relay"
    echo "no-cli"
    echo "no-software-attribute"
    echo "userdb=$folder/users"
    echo "pidfile=$folder/pid"
    echo "log-file=stdout"
    echo "simple-log"
} >"$folder/turn.conf"
turnserver -c "$folder/turn.conf" "$@" &
relay=$!
trap 'kill $relay' TERM INT
trap 'kill -USR2 $relay' USR2
# a signal ends the wait and not the relay
while kill -0 $relay 2>/dev/null; do wait $relay || :; done
