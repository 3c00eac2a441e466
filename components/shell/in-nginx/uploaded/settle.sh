# shellcheck shell=sh
# What becomes of a switch that was killed: undone before its commit was through, left as it is after that. One that recreates (recreate.sh) and
# has stopped what was live is left closed. Sourced after nginx.sh and
# journal.sh by the entrypoint of the nginx that serves, and by the next switch.

# The site of before the commit, for the next reload. An nginx that runs the new one has let go of what only the former one
# has, and would answer 502 until it has resolved that name again: so it is staged first, as a candidate is.
bring_back_former() {
  former=$(sed -n 's/^# live: [a-z]* //p' "$SITE.former")
  # Where it has several containers, they have a name together.
  [ -z "$former" ] || former=$(sed -n "s/^upstream \($former\(~[0-9]*\)\{0,1\}\) {\$/\1/p" "$SITE.former")
  if [ -n "$former" ] && ! grep -qxF "upstream $former {" "$SITE" && runs_new_site; then
    {
      sed -n "/^upstream $former {\$/,/^}/p" "$SITE.former"
      printf 'server { access_log off; listen unix:%s/former-%s.sock; location / { proxy_pass http://%s; } }\n' "$RUN" "$SERVICE" "$former"
    } >"$STAGED"
    { reload && wait_for 1 upstream_answers "$RUN/former-$SERVICE.sock"; } || :
  fi
  mv -f "$SITE.former" "$SITE"
  # Two names of one file, when it was killed between them: then nothing was moved.
  rm -f "$SITE.former" "$STAGED"
}
# Also a reload that was just begun counts: nginx finishes it.
runs_new_site() { grep -qF "$(config_hash)" "$RUN/config-hash.conf" && wait_for 2 runs_config "$(config_hash)"; }

# For the holder of the lock, in an nginx that runs: nobody works on an intent that is still there, so its switch was killed. Before its commit was
# through, Pulumi knows of the former site only, and that one comes back. After it, there is nothing left to do.
settle_interrupted() {
  # Files that a killed one had begun to write.
  rm -f "$STATE"/*.[0-9]* "$PLACE"/*.[0-9]* "$SITE.next"
  [ -e "$INTENT" ] || return 0
  # Here other containers write too, so only when there is reason to.
  rm -f "$INSTANCES"/*.[0-9]*
  to=$(json_value to <"$INTENT")
  if [ -e "$SITE.former" ]; then
    bring_back_former
    outcome='interrupted: undone'
  elif [ "$(site_hash)" = "$(json_value config <"$INTENT")" ]; then
    outcome="interrupted: $to was live already, connections to the former container were not waited for"
  elif grep -q '^# closed: ' "$SITE"; then
    outcome="interrupted: users get 503, since no container can be started from here: pulumi up does it, or bluegreen heal"
  else
    outcome='interrupted: nothing had changed'
  fi
  rm -f "$STAGED"
  set_watched no
  runs_config "$(config_hash)" || reload || :
  say "a switch to $to was $outcome"
  end_intent "$outcome"
}
site_hash() { sha256sum <"$SITE" | cut -c1-16; }
