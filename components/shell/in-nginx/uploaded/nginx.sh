# shellcheck shell=sh
# What the entrypoint and the switch both do with nginx, sourced by either.
#
# Three kinds of files say everything about the proxy:
#   $STATE  the volume that the edge and every proxy share: what is served, and by whom. What a service has there is in a folder of
#           its own
#   $RUN    this container's own: its servers, its staged candidates, its sockets
#   $BASE   what came with the container and never changes
BASE=/bluegreen
STATE=$BASE/state
RUN=/run/bluegreen

# How the scripts that are piped into this container work with what is here and on the volume. Another number is one that they
# don't know (common.sh).
# shellcheck disable=SC2034 # for whoever sources this
PROTOCOL=1

PLACES=$STATE/services
# The id of the container whose nginx holds the public listeners.
OWNER=$STATE/owner
# A file for each container with public listeners: "opening", "open", or "draining" when it has let go of them.
INSTANCES=$STATE/instances
# Held by each switch (shared, from its first step to its last) and by the take-over of a new nginx (alone).
# shellcheck disable=SC2034 # for whoever sources this
INGRESS_LOCK=$STATE/ingress.lock
# Held while a site is tested, put in its place and loaded.
# shellcheck disable=SC2034 # for whoever sources this
COMMIT_LOCK=$RUN/commit.lock
# Whether this nginx has its public listeners: open or closed.
LISTENERS=$RUN/listeners

# use_service NAME: what follows is about this one.
# shellcheck disable=SC2034 # for whoever sources this
use_service() {
  SERVICE=$1
  # On the volume: what is served; what a switch leaves (journal.sh); the certificate (tls.sh).
  PLACE=$PLACES/$1
  SITE=$PLACE/site.conf
  INTENT=$PLACE/intent
  JOURNAL=$PLACE/journal
  LOCK=$PLACE/lock
  DELIVERED=$PLACE/tls/certificate.pem
  SOURCE=$PLACE/tls/source
  # Its candidate, before the site has it.
  STAGED=$RUN/staged-$1.conf
  # The certificate that nginx runs with, with its key; not there where there is none (yet).
  CERTIFICATE=$RUN/tls/$1.pem
  # Of the files that it comes from: how they were at the last look, and that they were looked into then. Of one that nginx does not
  # load: its checksum.
  SEEN=$RUN/seen-$1
  CHECKED=$RUN/checked-$1
  UNLOADABLE=$RUN/unloadable-$1
  # That the answers of the live color are counted, for the watch after a switch, and what is counted.
  WATCHED=$RUN/watched-$1.conf
  ANSWERS=$RUN/watch-$1.log
}
# for_each_service COMMAND...: with every service in turn.
for_each_service() {
  for place in "$PLACES"/*/; do
    [ -d "$place" ] || continue
    place=${place%/}
    use_service "${place##*/}"
    "$@"
  done
}

# Whoever reads these lines may be gone; that must not end what they tell of.
say() { printf '==> %s\n' "$*" || :; }
warn() { printf '==> warning: %s\n' "$*" >&2 || :; }
own_id() { cat "$BASE/id"; }
owner_id() { cat "$OWNER" 2>/dev/null; }
is_owner() {
  read_line "$BASE/id"
  own=$line
  read_line "$OWNER"
  [ "$line" = "$own" ]
}

# read_line FILE: its first line, as $line. Without a process of its own: the entrypoint looks at some files twice a second, and
# its processes were most of what an idle proxy costs.
read_line() {
  line=''
  read -r line 2>/dev/null <"$1" || :
}

# Replaces a file in one step, so that no reader ever sees half of it.
write_file() { # path text
  if printf '%s\n' "$2" >"$1.$$" && mv -f "$1.$$" "$1"; then return 0; fi
  # On a full disk, half of it may be there.
  rm -f "$1.$$"
  return 1
}

# ask SOCKET PATH: the body of an answer from one of this nginx's private sockets.
ask() {
  curl -s --max-time 2 --unix-socket "$RUN/$1" "http://localhost$2" </dev/null 2>/dev/null
}

# wait_for SECONDS COMMAND...: polls every 50 ms until the command succeeds.
wait_for() {
  tries=$(($1 * 20))
  shift
  while [ "$tries" -gt 0 ]; do
    "$@" && return 0
    tries=$((tries - 1))
    sleep 0.05
  done
  return 1
}

# The hash of all that a reload would load; nothing, when a program on the way to it was killed. Another service may take away what
# is its own between the look at what there is and the reading: then it is looked at anew, here and for the servers.
config_hash() { wait_for 1 hash_of_all; }
hash_of_all() {
  set -- "$BASE/nginx.conf" "$BASE/sites.awk" "$LISTENERS" "$RUN/workers.conf"
  for file in "$STATE/proxy-protocol" "$PLACES"/*/site.conf "$RUN"/staged-*.conf "$RUN"/watched-*.conf "$RUN"/tls/*.pem; do
    [ ! -e "$file" ] || set -- "$@" "$file"
  done
  hashes=$(sha256sum "$@" 2>/dev/null) || return 1
  printf '%s' "$hashes" | sha256sum | cut -c1-16
}

# make_servers open|closed|test [SITE]: the servers of all services. SITE is taken in place of that of the service it belongs to.
make_servers() {
  mode=$1
  instead=${2:-}
  certified=' '
  set -- /dev/null
  for site in "$PLACES"/*/site.conf; do
    [ -e "$site" ] || continue
    name=${site%/site.conf}
    name=${name##*/}
    [ ! -e "$RUN/tls/$name.pem" ] || certified="$certified$name "
    if [ "${instead%/*}" = "${site%/*}" ]; then site=$instead; fi
    set -- "$@" "$site"
  done
  read_line "$STATE/proxy-protocol"
  speakers=$line
  read_line "$STATE/tls-port"
  # A kernel without IPv6 refuses its addresses.
  ipv6=''
  [ ! -e /proc/net/if_inet6 ] || ipv6=yes
  awk -v run="$RUN" -v mode="$mode" -v ipv6="$ipv6" -v certified="$certified" -v tls_port="$line" \
    -v speakers="$speakers" -f "$BASE/sites.awk" "$@"
}
write_sites() {
  read_line "$LISTENERS"
  make_servers "$line" >"$RUN/sites.conf.new" && mv -f "$RUN/sites.conf.new" "$RUN/sites.conf"
}
# nginx keeps every distinct answer in its configuration, so a plain variable is enough.
write_config_hash() {
  write_file "$RUN/config-hash.conf" "map '' \$bluegreen_config_hash { default $1; }"
}
nginx_answers() { ask control.sock /config >/dev/null; }
runs_config() { [ "$(ask control.sock /config)" = "$1" ]; }

# Exit status 0 of "nginx -s reload" only says that the signal was sent: nginx keeps the old configuration when, say, a
# port is taken. So a reload counts when the new configuration itself answers. One at a time: a switch and a new
# certificate would each wait for an answer that the other has changed.
reload() { (flock 8 && reload_alone) 8>>"$RUN/reload.lock"; }
reload_alone() {
  new_hash=$(config_hash)
  # Something of it was killed: an empty one is no configuration.
  [ -n "$new_hash" ] || return 1
  wait_for 1 write_sites || return 1
  write_config_hash "$new_hash" || return 1
  former_workers=$(grep -l 'nginx: [w]orker process' /proc/[0-9]*/cmdline 2>/dev/null) || :
  nginx -c "$BASE/nginx.conf" -s reload 2>"$RUN/reload.log" || {
    cat "$RUN/reload.log" >&2
    return 1
  }
  wait_for 10 runs_config "$new_hash" || {
    warn 'nginx did not take a new configuration within 10 s; its log says why'
    return 1
  }
  wait_for 2 former_workers_accept_no_more || warn 'former nginx workers still accept connections'
}
# nginx tells them to stop a tenth of a second after the new ones answer.
former_workers_accept_no_more() {
  for worker in $former_workers; do
    [ ! -e "$worker" ] || grep -q 'shutting down' "$worker" 2>/dev/null || return 1
  done
}

# The engine's own name server: Docker's is 127.0.0.11 in every container, Podman's is the network's gateway. A restarted
# container can come back with another address: it is asked again every second.
write_resolver() {
  nameserver=$(awk '$1 == "nameserver" { print $2; exit }' /etc/resolv.conf)
  case $nameserver in *:*) nameserver="[$nameserver]" ;; esac
  write_file "$RUN/resolver.conf" "resolver ${nameserver:-127.0.0.11} valid=1s ipv6=off;"
}

# set_watched yes|no: whether nginx counts what the live color answers, for a site that has the watch.
set_watched() {
  case $1 in
    yes) write_file "$WATCHED" "access_log $ANSWERS bluegreen_watch;" ;;
    no) rm -f "$WATCHED" ;;
  esac
}

# set_listeners open|closed: with closed, nginx answers on its private sockets only. With open, reuseport (sites.awk) lets the nginx
# of two containers hold the same port while one takes over from the other.
set_listeners() { write_file "$LISTENERS" "$1" && write_workers "$1"; }
# For each connection, of which a proxied request takes two, each worker sets aside 0.4 KB at once. Who stands by is asked by
# nobody but the gate, and most of the time one nginx of the two does: that is half the memory.
#
# Each connection is an open file, and so is what is kept on disk for it.
write_workers() { # open|closed
  case $1 in
    open)
      # "auto" counts all cores of the machine. Where this container may use fewer, workers would share one.
      processes=$(nproc) || return 1
      connections=4096
      ;;
    closed) processes=1 connections=128 ;;
  esac
  files=$((2 * connections))
  most=$(awk '/^Max open files/ { print $5 }' /proc/self/limits)
  case $most in unlimited) ;; *)
    if [ "$most" -lt "$files" ]; then
      warn "only $most files may be open here: nginx holds $((most / 2)) connections a worker, not $connections"
      files=$most connections=$((most / 2))
    fi
    ;;
  esac
  write_file "$RUN/workers.conf" "worker_processes $processes; worker_rlimit_nofile $files;
    events { worker_connections $connections; }"
}
# Says so before it listens, and says when it does: where no file says "open" or "opening", nobody listens, and who waits for
# a successor waits for "open". The file is for those who wait; a full disk must not keep anybody from serving.
open_listeners() {
  write_file "$INSTANCES/$(own_id)" opening || warn "can't write to $INSTANCES"
  set_listeners open && reload && {
    write_file "$INSTANCES/$(own_id)" open || :
  }
}
close_listeners() {
  set_listeners closed && reload &&
    write_file "$INSTANCES/$(own_id)" draining
}
listens() {
  read_line "$LISTENERS"
  [ "$line" = open ]
}

# Whether a color can be reached: any answer of its own will do, also a 500. 502 and 504 are nginx's, for a name that it has
# not resolved yet and for a port where nobody accepts. Before the first switch there is nothing to wait for.
upstream_answers() { # socket
  [ -S "$1" ] || return 0
  case $(answer_of "$1") in 000 | 502 | 504) return 1 ;; esac
}
# The HTTP status, or 000 where there is none.
answer_of() { # socket
  curl -s -o /dev/null -w '%{http_code}' --max-time 2 --unix-socket "$1" http://localhost/ </dev/null || :
}
# The live color of every service.
upstreams_answer() {
  for warm in "$RUN"/warm-*.sock; do upstream_answers "$warm" || return 1; done
}
