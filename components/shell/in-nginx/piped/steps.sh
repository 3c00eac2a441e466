# shellcheck shell=sh disable=SC2154,SC2034 # common.sh, probe.sh, gate.sh and drain.sh come with it
# The steps that the switch and the idle gate share, inside nginx's container, after common.sh.
#
# Until the commit nothing that serves has changed; whatever fails until "committed" is set, the former site is back and
# serving. Killed at any step, the entrypoint of the nginx that serves puts it back.
#
# Given: SERVICE SERVICE_ID LOCK_HOLDER LOCK_WAIT_SECONDS IDLE SITE_TEMPLATE PREVIEW_TEMPLATE NO_PREVIEW STAGED_TEMPLATE, and those
#        of gate.sh and drain.sh

begin() {
  use_service "$SERVICE"
  nginx_must_answer
  mkdir -p "$PLACE" || cannot_write
  take_lock
  stay_with_the_owner
  own_place
  [ -e "$SITE" ] || : >"$SITE" || cannot_write
  trap put_back EXIT
  trap 'exit 1' HUP INT TERM
  settle_interrupted
  tell_of_interrupted
  read_served
  # Delivered for a switch that has not passed yet: they count for nobody else.
  [ ! -e "$PLACE/health-headers.next" ] || headers_file=$PLACE/health-headers.next
}

# The lock is the kernel's: it ends with its holder, however that one ends. A holder of the same stack can only be the
# rest of an interrupted run (Pulumi has a lock of its own against two at once), so that one is waited for.
take_lock() {
  exec 9>>"$LOCK"
  # The entrypoint takes it too, for the moment in which it settles what was interrupted.
  if ! flock -w 1 9; then
    holder=$(cat "$LOCK.holder" 2>/dev/null) || holder='unknown'
    case $holder in
      "$LOCK_HOLDER "*) wait_seconds=$((GATE_TIMEOUT + DRAIN_SECONDS + 30 + ${EXCHANGE_SECONDS:-0})) ;;
      *) wait_seconds=$LOCK_WAIT_SECONDS ;;
    esac
    say "another switch is running ($holder): waiting up to $wait_seconds s for it"
    wait_for "$wait_seconds" flock -n 9 || fail 3 "another switch is still running ($holder)." \
      "Nothing was changed. Run 'pulumi up' again when it has ended."
  fi
  write_file "$LOCK.holder" "$LOCK_HOLDER since $(utc_now)" || cannot_write
}
# As long as this runs, no other nginx takes over: not before the end of the drain either, since what is run in a replaced one ends
# with it.
stay_with_the_owner() {
  exec 6>>"$INGRESS_LOCK"
  flock -s -n 6 || {
    say 'a new nginx is taking over: waiting for it'
    wait_for 120 flock -s -n 6 || fail 3 'a new nginx is still taking over.' "Nothing was changed. Run 'pulumi up' again when it has ended."
  }
  is_owner || exit 4
}
tell_of_interrupted() {
  outcome=$(tail -n 1 "$JOURNAL" 2>/dev/null | json_value outcome)
  case $outcome in interrupted*) say "the switch before this one was $outcome" ;; esac
}

# note_intent FROM TO KIND COLOR IMAGE: what is about to be done. COLOR is the one that gets IMAGE.
note_intent() {
  started=$(uptime_seconds)
  write_file "$INTENT" "$(json_object at "$(utc_now)" by "$WHO" stack "$LOCK_HOLDER" kind "$3" from "$1" to "$2" \
    "$4" "$5" config "$(hash_of "$next_site")")" || cannot_write
}
hash_of() { printf '%s\n' "$1" | sha256sum | cut -c1-16; }
seconds_taken() { echo $(($(uptime_seconds) - started)); }

other() { case $1 in blue) echo green ;; green) echo blue ;; esac }

# What the saved site serves now, from its first lines: "# live: blue NAME".
served() { sed -n "s/^# $1: //p" "$SITE"; }
read_served() {
  served_live=$(served live)
  served_idle=$(served idle)
  # A line "FIRST COUNT" for each color that may have several.
  served_replicas=$(served replicas)
}
is_live() { [ "${served_live#* }" = "$1" ]; }
is_served() { is_live "$1" || [ "${served_idle#* }" = "$1" ]; }
# How many containers the saved site had of a color when it was read, and all of their names.
served_count() { printf '%s\n' "$served_replicas" | sed -n "s/^$1 //p"; } # first
all_served() { names_of "$1" "$(served_count "$1")"; }                    # first

# fill_site COLOR LIVE PORT COUNT IDLE PORT COUNT: the site with these containers, as $next_site. IDLE may be empty.
fill_site() {
  end=$NO_PREVIEW
  [ -z "$5" ] || end=$PREVIEW_TEMPLATE
  next_site=$(printf '%s\n' "$SITE_TEMPLATE" "$end" |
    sed "s/<service>/$SERVICE/g; s/<live-color>/$1/g; s/<idle-color>/$(other "$1")/g" |
    fill live "$2" "$3" "$4" | fill idle "$5" "$6" "$7")
}
# fill live|idle|candidate CONTAINER PORT [COUNT]: puts the containers of a color into a template on standard input (site.ts).
fill() {
  awk -v who="$1" -v name="$2" -v port="$3" -v count="${4:-1}" -v names="$(names_of "$2" "${4:-1}" | tr '\n' ' ')" '
    BEGIN { n = split(names, all, " ") }
    $0 == "<" who "-each>" { each = 1; block = ""; next }
    $0 == "<" who "-end>" {
      each = 0
      for (i = 1; i <= n; i++) { text = block; gsub("<" who "-one>", all[i], text); printf "%s", text }
      next
    }
    {
      gsub("<" who "-replicas>", count)
      gsub("<" who "-many>", count > 1 ? "~" count : "")
      gsub("<" who "-port>", port)
      gsub("<" who ">", name)
      if (each) block = block $0 "\n"; else print
    }'
}

# --- stage

# A container that is not served yet gets an upstream and a private socket of its own; nginx starts to resolve its name.
# The committed site has an upstream of the same name, and a reload hands its addresses on: nothing is resolved anew.
stage() { # color container port [count]
  rm -f "$STAGED"
  new=$(printf '%s\n' "$STAGED_TEMPLATE" | fill candidate "$2" "$3" "${4:-1}" | not_in_site)
  [ -z "$new" ] || {
    say "staging $1: $2"
    printf '%s\n' "$new" >"$STAGED"
  }
  # Before a flip to a warm color there is nothing new.
  runs_config "$(config_hash)" || reload || fail 1 "nginx does not take the candidate's configuration."
}

# Of upstreams and servers on standard input those that the site has not: it has one of that name, or on that socket.
not_in_site() {
  awk -v site="$SITE" '
    function mark(line) { return line ~ /^(upstream|  listen unix:)/ }
    BEGIN { while ((getline line <site) > 0) if (mark(line)) there[line] }
    { block = block $0 "\n" }
    mark($0) { known = $0 in there }
    /^}/ { if (!known) printf "%s", block; block = "" }'
}

# Of several, each was asked by its own name. Users get one by the name that all have together, which nginx may not have resolved yet: then
# it answers at once. An app may itself answer so, too.
await_peers() { # container count
  [ "${2:-1}" = 1 ] || wait_for 2 has_peers "$RUN/peers-$1~$2.sock" || :
}
has_peers() { case $(answer_of "$1") in 502 | 504) return 1 ;; esac }

# --- commit

# Only one service at a time: each tests its site with those that are there.
commit() {
  exec 7>>"$COMMIT_LOCK"
  flock 7
  [ "$(cat "$SITE")" = "$next_site" ] || replace_site
  rm -f "$STAGED"
  runs_config "$(config_hash)" || reload || fail 1 'nginx does not take the new configuration.'
  exec 7>&-
}
replace_site() {
  write_file "$SITE.next" "$next_site" || cannot_write
  test_site "$SITE.next"
  # A second name, not a copy: a full disk must not leave half of what is put back.
  ln -f "$SITE" "$SITE.former"
  mv -f "$SITE.next" "$SITE"
}

# With sockets of its own instead of the ports: a test that binds them would take connections away from who serves.
test_site() { # file
  make_servers test "$1" >"$RUN/test-sites.conf" 2>"$RUN/test.log" || fail 1 "$(cat "$RUN/test.log")"
  sed -e "s#$RUN/sites.conf#$RUN/test-sites.conf#" -e "/staged-/d" "$BASE/nginx.conf" >"$RUN/test.conf"
  nginx -t -c "$RUN/test.conf" >"$RUN/test.log" 2>&1 || {
    setting=$(refused_setting)
    fail 1 'nginx refuses the new configuration:' "$(cat "$RUN/test.log")" ${setting:+"$setting"}
  }
}
# What comes from a text of the user's own says so at the end of its line (piece.ts).
refused_setting() {
  number=$(sed -n 's/.*test-sites\.conf:\([0-9]*\)$/\1/p' "$RUN/test.log" | head -n 1)
  if [ -n "$number" ]; then
    sed -n "${number}s/^ *\(.*\) # \(proxy\.nginxConfig, line [0-9]*\)$/\2: \1/p" "$RUN/test-sites.conf"
  elif grep -q '# proxy\.nginxConfig' "$SITE.next"; then
    echo 'nginx names no line: it may be one of proxy.nginxConfig'
  fi
}

# From here on there is no way back.
keep_committed() {
  rm -f "$SITE.former"
  committed=yes
}

# Whatever ended it before it was through.
put_back() {
  status=$?
  trap - EXIT
  [ -z "${committed:-}" ] || exit "$status"
  set +e
  [ ! -e "$SITE.former" ] || bring_back_former
  rm -f "$SITE.next" "$STAGED"
  set_watched no
  runs_config "$(config_hash)" || reload || warn 'nginx did not answer with the former configuration'
  end_intent "failed: ${reason:-ended by a signal}" "$(seconds_taken)"
  now=$(served live)
  if [ -n "$now" ]; then
    now="${now%% *} keeps serving"
  elif [ -n "$(served closed)" ]; then
    now='users get 503'
  else
    now='no color is live yet'
  fi
  printf '==> the former configuration is in place: %s\n' "$now" >&2
  exit "$status"
}
