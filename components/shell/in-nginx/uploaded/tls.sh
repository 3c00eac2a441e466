# shellcheck shell=sh
# The certificate of a service with TLS, sourced after nginx.sh by the entrypoint and by the delivery (use_service).
#
#   $CERTIFICATE  what this nginx runs with, in memory
#   $DELIVERED    on the volume, for every nginx: the last one that was found good
#   $SOURCE       on the volume: where the next one comes from if that is not "pulumi up", on three lines: the file of the
#                 certificate, that of the key, the names
# Chain and key are in one file, so that one step replaces both.

# deliver CHAIN KEY NAMES: checks them and hands them to every nginx. What is no good changes nothing, and $refusal says why.
deliver() {
  refusal=''
  candidate=$RUN/candidate.$$.pem
  if assemble "$1" "$2" && check "$candidate" "$3"; then
    cmp -s "$candidate" "$DELIVERED" || store "$3"
  fi
  rm -f "$candidate"*
  [ -z "$refusal" ]
}
refuse() {
  refusal=$*
  return 1
}

assemble() { # chain key
  for file in "$1" "$2"; do
    [ -r "$file" ] || refuse "$file can't be read$(explain_file "$file")" || return 1
  done
  (umask 077 && { cat "$1" && echo && cat "$2"; } >"$candidate") || refuse "it can't be copied into $RUN"
}
explain_file() {
  if [ -L "$1" ]; then
    echo ": it links to $(readlink "$1"), which is not in the mounted folder"
  elif [ "${1#"$FOLDER"/}" != "$1" ] && [ ! -e "$FOLDER" ]; then
    echo ": this nginx sees no folder of the host. The ingress needs the service's tls.certificateFolder"
  fi
}
# Where nginx has the folder of the host with certificates (components/ingress/certificate.ts).
FOLDER=/bluegreen/certificates

check() { # file names
  command -v openssl >/dev/null || refuse 'this nginx image has no openssl to check it with' || return 1
  ends=$(openssl x509 -in "$1" -noout -enddate 2>/dev/null) || refuse 'it is no certificate in PEM form' || return 1
  openssl pkey -in "$1" -noout -passin pass: 2>/dev/null </dev/null ||
    refuse 'its key is no private key in PEM form, or has a passphrase' || return 1
  [ "$(openssl x509 -in "$1" -noout -pubkey)" = "$(openssl pkey -in "$1" -pubout)" ] ||
    refuse 'the private key belongs to another certificate' || return 1
  openssl x509 -in "$1" -noout -checkend 0 >/dev/null || refuse "it has expired: ${ends#*=}" || return 1
  for name in $2; do
    openssl x509 -in "$1" -noout -checkhost "$name" | grep -q 'does match' || refuse "it is not for $name" || return 1
  done
  loads "$1" || refuse "nginx does not load it: $(cat "$1.log")"
}

# The last word is nginx's own, which also knows what its OpenSSL takes for too weak.
loads() { # file
  write_file "$1.conf" "pid $1.pid; error_log stderr; events {}
    http { server { listen unix:$1.sock ssl; ssl_certificate $1; ssl_certificate_key $1; } }"
  nginx -t -q -c "$1.conf" 2>"$1.log"
}

store() { # names
  new=$DELIVERED.$(own_id)
  mkdir -p "$PLACE/tls" && (umask 077 && cat "$candidate" >"$new") && mv -f "$new" "$DELIVERED" ||
    refuse "can't write to $PLACE/tls: is the disk full?" || return 1
  say "certificate for $1, valid until ${ends#*=}"
}

# What was delivered becomes what this nginx runs with; fails if there is nothing new. An expired one is taken too: after
# a restart it is still the best there is.
take_certificate() {
  [ -s "$DELIVERED" ] && ! cmp -s "$DELIVERED" "$CERTIFICATE" || return 1
  taken=$RUN/taken.$$.pem
  if (umask 077 && cat "$DELIVERED" >"$taken") && loads "$taken"; then
    rm -f "$UNLOADABLE"
    mkdir -p "${CERTIFICATE%/*}" && mv -f "$taken" "$CERTIFICATE"
  else
    [ "$(cksum <"$taken")" = "$(cat "$UNLOADABLE" 2>/dev/null)" ] || warn "nginx does not load the certificate: $(cat "$taken.log")"
    cksum <"$taken" >"$UNLOADABLE"
  fi
  rm -f "$taken"*
  [ ! -e "$UNLOADABLE" ]
}

run_with_delivered() {
  take_certificate || return 0
  reload
}

# What renews a certificate replaces one file after the other: they count when they stayed as they are for a while.
look_at_source() {
  [ -s "$SOURCE" ] || return 0
  { read -r chain && read -r key && read -r names; } <"$SOURCE"
  now=$(stat -L -c '%n %i %Y %s' "$chain" "$key" 2>&1)
  if [ "$now" != "$(cat "$SEEN" 2>/dev/null)" ]; then
    printf '%s' "$now" >"$SEEN"
    rm -f "$CHECKED"
  elif [ ! -e "$CHECKED" ]; then
    : >"$CHECKED"
    deliver "$chain" "$key" "$names" || warn "the new certificate is refused, the former one stays: $refusal"
  fi
}
