# shellcheck shell=sh disable=SC2154,SC2034 # common.sh, drain.sh and steps.sh come with it; switch.sh reads what is set here
# One at a time: what is live ends before its successor begins, and users get a 503 meanwhile. After steps.sh, before switch.sh.
#
#   close -> drain -> the host stops one container and starts the other -> stage -> gate -> commit, which opens the site again
#
# Only the host's part can stop and start containers: it is asked by a line that begins with "?exchange" (on-host/recreate.sh). From the
# moment it begins, the former site is out of reach of settle.sh, which would serve from a container that is stopped.
#
#   $SITE.former  while it is there, the container that was live is not touched: whoever moves it first, decides. The host's part
#                 does before it stops anything; settle.sh and put_back do where that never comes
#   $SITE.open    the former site, after that
#
# Given: CLOSED_TEMPLATE STOP_GRACE_SECONDS GATE_TIMEOUT; from the host's part, after a failure, REOPEN (yes) IMAGE (of the former
#        container)

# How long nobody has begun before nobody will, and how long it may take then.
BEGIN_SECONDS=15
EXCHANGE_SECONDS=$((STOP_GRACE_SECONDS + 30))

exchange() {
  be_alone
  close
  told=$RUN/told.$$
  rm -f "$told"
  printf '?exchange %s %s\n' "${served_live:+closed}" "$$"
  [ -z "$served_live" ] || wait_for "$BEGIN_SECONDS" is_begun ||
    fail 1 "nobody on the host stops the former container. Nothing was stopped."
  wait_for "$EXCHANGE_SECONDS" test -e "$told" || fail 5 'nobody on the host says whether the containers were exchanged.'
  { read -r verdict && IFS= read -r said; } <"$told" || :
  rm -f "$told"
  [ "$verdict" = exchanged ] || fail 5 "the containers could not be exchanged: $said"
  # Nobody is served, and what was is stopped: there is nothing left to drain.
  served_live='' served_idle=''
}
is_begun() { [ ! -e "$SITE.former" ]; }

# From here on each request gets a 503. What is under way is waited for. Where nothing is live, there is nothing to close: a first
# release, or an exchange that was killed.
close() {
  [ -n "$served_live" ] || return 0
  say "downtime begins: users get 503 until $LIVE_COLOR has passed its gate"
  open_site=$next_site
  next_site=$(closed_site)
  commit
  next_site=$open_site
  wait_for_connections_to "$(all_served "${served_live#* }")"
}
closed_site() {
  printf '%s\n' "$CLOSED_TEMPLATE" |
    sed -e "s/<service>/$SERVICE/g; s/<live-color>/${served_live%% *}/g; s/<live>/${served_live#* }/g" \
      -e "s/<since>/$(uptime_tenths) $(utc_now)/"
}
uptime_tenths() { sed 's/\(\.[0-9]\).*/\1/' /proc/uptime; }

# After a commit: how long the site was closed, if it was.
note_downtime() {
  rm -f "$SITE.open"
  [ -n "$closed_since" ] || return 0
  downtime=$(uptime_tenths | awk -v since="${closed_since%% *}" '{ printf "%.1f", $1 - since }')
  case $downtime in
    # The host was started anew meanwhile, and its uptime with it.
    -*) say "downtime: since ${closed_since#* }, in which users got 503" ;;
    *)
      write_file "$INTENT" "$(sed "s/}\$/,\"downtime\":$downtime}/" "$INTENT")" || :
      say "downtime: $downtime s, in which users got 503"
      ;;
  esac
}
# Before the commit: the closed site has it.
read_closed() { closed_since=$(served since); }

# Instead of a switch, when one has failed and the host has started the former container again: its site comes back when it answers.
reopen() {
  former=$(served closed)
  [ -e "$SITE.open" ] || fail 1 'the former site is not there any more.'
  next_site=$(cat "$SITE.open")
  read_closed
  note_intent "" "${former%% *}" reopened "${former%% *}" "$IMAGE"
  part_of_former "${former#* }" >"$STAGED"
  reload || fail 1 "nginx does not take the former container's configuration."
  say "waiting for ${former#* }, up to $GATE_TIMEOUT s"
  answers_in_time "$RUN/gate-${former#* }.sock" ||
    warn "${former#* } was started again and does not answer. See its log: docker logs ${former#* }"
  be_alone
  commit
  keep_committed
  note_downtime
  end_intent 'done' "$(seconds_taken)"
  say "${former%% *} is live again"
}
# A color that takes the connection and says nothing takes two seconds for each try.
answers_in_time() { # socket
  ends=$(($(uptime_seconds) + GATE_TIMEOUT))
  until upstream_answers "$1"; do
    [ "$(uptime_seconds)" -lt "$ends" ] || return 1
    sleep 0.1
  done
}
# The upstreams of the former container and the server that the gate asks, as its site has them.
part_of_former() { # container
  awk -v name="$1" -v run="$RUN" '
    /^(upstream|server) / { block = "" }
    { block = block $0 "\n" }
    /^upstream / { wanted = $2 == name || index($2, name "-") == 1 || index($2, name "~") == 1 }
    /^server / { wanted = 0 }
    $0 == "  listen unix:" run "/gate-" name ".sock;" || index($0, "  listen unix:" run "/peers-" name) { wanted = 1 }
    /^}/ { if (wanted) printf "%s", block; block = ""; wanted = 0 }' "$SITE.open"
}
