#!/bin/sh
# The main process of the edge and of every proxy container: entrypoint.sh edge|proxy.
#
# A proxy keeps its public listeners closed until a switch has gated it and made it the owner, and closes them when
# another proxy becomes the owner. The edge owns the ports and the network namespace that the proxies join, and serves
# the saved site itself whenever the owner is silent: Docker does not retry a container whose network it could not join.
set -u

# shellcheck source=nginx.sh
. /bluegreen/nginx.sh
# shellcheck source=journal.sh
. /bluegreen/journal.sh
# shellcheck source=settle.sh
. /bluegreen/settle.sh
# shellcheck source=tls.sh
. /bluegreen/tls.sh

ROLE=$1
# The owner's sign of life: only the owner touches it, and only while it serves.
BEAT=$STATE/beat
# Old workers hold the connections that outlive a reload. Past those of eight reloads, the oldest are ended.
MAX_OLD_WORKERS=$((8 * $(nproc)))
# The log of requests. Not on the volume: what is served must not depend on how much is logged.
ACCESS_LOG=$BASE/access.log
# Half seconds without a sign of life from the owner before the edge serves.
PATIENCE=6

main() {
  prepare
  trap stop QUIT TERM INT
  start_nginx
  while network_is_there && nginx_runs; do
    ! clock_was_set_back || start_anew
    is_owner && for_each_service undo_interrupted_switch
    if is_my_turn; then
      listens || serve || exit 1
      [ "$ROLE" = edge ] || show_sign_of_life
    elif has_lost_its_turn; then
      say "another container serves: finishing the open connections"
      close_listeners
      # Whoever drains waits for us: looks after the old workers in half a second.
      ticks=2
    fi
    ticks=$(((${ticks:-0} + 1) % 4))
    if [ "$ticks" = 0 ]; then
      look_after_old_workers
      for_each_service look_after_certificate
      ! listens || look_after_log
    fi
    sleep 0.5
  done
  # A proxy gets here when the edge was restarted with a new namespace. Docker joins that one when it starts us again, but it
  # tries only once: so not before the edge is up, which serves for us meanwhile.
  network_is_there || wait_for 10 edge_listens || :
  warn "nginx or the network is gone: leaving, to be started again"
  exit 1
}

prepare() {
  mkdir -p "$RUN" "$INSTANCES"
  # A killed nginx leaves its sockets behind, and the next one can't bind to them.
  rm -f "$RUN"/*
  [ -s "$BASE/id" ] || new_id >"$BASE/id"
  rm -f "$INSTANCES/$(own_id)"
  rm -rf "$RUN/tls"
  for_each_service take_certificate
  write_resolver
  set_listeners closed
}

new_id() {
  case $ROLE in
    edge) echo edge ;;
    proxy) cat /proc/sys/kernel/random/uuid ;;
  esac
}

start_nginx() {
  write_sites
  write_config_hash "$(config_hash)"
  nginx -c "$BASE/nginx.conf" -g 'daemon off;' &
  nginx_pid=$!
  wait_for 5 nginx_answers
}
nginx_runs() { kill -0 "$nginx_pid" 2>/dev/null; }
network_is_there() {
  while read -r line; do case $line in eth0:*) return 0 ;; esac done </proc/net/dev
  return 1
}

# A switch holds the lock as long as it lives. Reloads can take longer than the edge's patience, so whoever serves goes on
# with its signs of life meanwhile; the lock keeps the next look from doing it twice. Who does not serve yet begins with the
# site that is settled on.
undo_interrupted_switch() {
  [ -e "$INTENT" ] || return 0
  if listens; then settle_if_alone & else settle_if_alone; fi
}
settle_if_alone() {
  (
    flock -n 9 || exit 0
    settle_interrupted
  ) 9>>"$LOCK"
}

# nginx keeps a resolved address up to a time of day, also over a reload. When the clock is set back, that is for as long as
# it went back, and a color that returns with another address is not found. Only a new nginx asks anew.
clock_was_set_back() {
  time=$(date +%s)
  set_back=$((${last_time:-0} - time))
  last_time=$time
  [ "$set_back" -gt 5 ]
}
start_anew() {
  warn "the clock was set back by $set_back s: starting nginx anew"
  case $ROLE in
    proxy)
      leave_it_to_the_edge
      exit 1
      ;;
    edge)
      nginx -c "$BASE/nginx.conf" -s stop
      wait "$nginx_pid"
      prepare
      start_nginx
      ;;
  esac
}

is_my_turn() {
  case $ROLE in
    edge) owner_is_silent ;;
    proxy) is_owner && was_owner=yes ;;
  esac
}

# The take-over opens a new nginx before it makes it the owner, so listening alone is no reason to stop while there is one.
has_lost_its_turn() { listens && { [ "$ROLE" = edge ] || [ "${was_owner:-no}" = yes ] || nobody_takes_over; }; }
nobody_takes_over() { flock -s -n "$INGRESS_LOCK" true; }

# An empty file that is emptied gets a new time, also on a full disk.
show_sign_of_life() { true >"$BEAT"; }

# Compares times with each other only, never with the clock, which may jump. When the edge starts, it starts with a new
# namespace: nobody else can be serving in it yet.
owner_is_silent() {
  beat=$(stat -c %Y "$BEAT" 2>/dev/null) || beat=none
  if [ "$beat" = none ] || [ "$beat" = "${last_beat:-$beat}" ]; then
    silence=$((${silence:-$PATIENCE} + 1))
  else
    silence=0
  fi
  [ "$beat" != none ] || silence=$PATIENCE
  last_beat=$beat
  [ "$silence" -ge "$PATIENCE" ]
}

# Serving before the live color's name is resolved would answer 502. A color that is down must not keep us from serving.
# While the edge stands by, others change the site.
serve() {
  for_each_service take_certificate # delivered since the last look
  runs_config "$(config_hash)" || reload
  wait_for 1 upstreams_answer
  say "serving"
  open_listeners
}

look_after_old_workers() {
  old_workers=$(old_worker_pids)
  [ -n "$old_workers" ] || listens || rm -f "$INSTANCES/$(own_id)"
  surplus=$(($(printf '%s' "$old_workers" | grep -c '') - MAX_OLD_WORKERS))
  [ "$surplus" -le 0 ] || for worker in $(printf '%s\n' "$old_workers" | head -n "$surplus"); do
    warn "ending an old nginx worker and its connections: more than $MAX_OLD_WORKERS were left"
    kill -TERM "$worker"
  done
}
# The brackets keep the pattern from matching this very grep.
old_worker_pids() {
  grep -l 'worker process is shutting [d]own' /proc/[0-9]*/cmdline 2>/dev/null | cut -d/ -f3 | sort -n
}

# Only one nginx, the owner, looks at where certificates come from; every one runs with what was delivered.
look_after_certificate() {
  [ "$ROLE" = edge ] || ! is_owner || look_at_source
  run_with_delivered || warn 'the new certificate is not in use yet'
}

# The log of requests and its former part have half of their room each. It is copied and emptied, not renamed: nginx could open
# a new one only with rights that it does not have. The few lines that come between the two are lost, and on a full disk the copy.
look_after_log() {
  size=$(stat -c %s "$ACCESS_LOG" 2>/dev/null) || return 0
  read_line "$RUN/sites.conf"
  most_mb=${line#'# log: '}
  [ "${most_mb:-0}" -gt 0 ] && [ "$((2 * size / 1048576))" -ge "$most_mb" ] || return 0
  cp "$ACCESS_LOG" "$ACCESS_LOG.1" || rm -f "$ACCESS_LOG.1"
  : >"$ACCESS_LOG"
}

# docker stop and docker restart of the owner cost nobody a request: the edge takes over first.
stop() {
  [ "$ROLE" = proxy ] || listens || say_that_edge_leaves
  leave_it_to_the_edge
  if edge_leaves; then nginx_signal=stop; else nginx_signal=quit; fi
  nginx -c "$BASE/nginx.conf" -s "$nginx_signal" 2>/dev/null
  wait "$nginx_pid"
  case $ROLE in
    edge) say_that_edge_leaves ;;
    proxy) rm -f "$INSTANCES/$(own_id)" ;;
  esac
  exit 0
}
# Up to its next start. Then nobody takes over, and the owner must not wait for it: a host that shuts down, or a daemon that was
# killed and stops what it finds, waits for the owner.
say_that_edge_leaves() { write_file "$INSTANCES/edge" leaving || :; }
leave_it_to_the_edge() {
  if [ "$ROLE" = proxy ] && is_owner; then
    rm -f "$BEAT"
    wait_for 3 edge_listens_or_leaves || warn "the edge did not take over"
  fi
  # In this order: a shell can be woken from its wait early, and its end is the end of every worker in the container.
  ! listens || close_listeners
  wait_for 6 has_let_go
}
# With the edge goes the network: what then is left of clients' connections ends with it, but for requests under way.
has_let_go() { no_old_workers || { edge_leaves && nothing_is_under_way; }; }
no_old_workers() { [ -z "$(old_worker_pids)" ]; }
# No connection from here to a color: clients' are to the ports that nginx listens on: 80, 443 and 8081, and 6000 more for each.
nothing_is_under_way() {
  awk '$4 == "01" && $2 !~ /:(0050|01BB|1F91|17C0|192B|3701)$/ { found = 1 } END { exit found }' /proc/net/tcp
}
edge_listens() { [ "$(cat "$INSTANCES/edge" 2>/dev/null)" = open ]; }
edge_leaves() { [ "$(cat "$INSTANCES/edge" 2>/dev/null)" = leaving ]; }
edge_listens_or_leaves() { edge_listens || edge_leaves || ! network_is_there; }

main
