# shellcheck shell=sh disable=SC2153 # settings
# The health request: made and judged here, for the gate, the watch and "status". It is piped before the script that asks, so
# that it is always of the same version.
#
# It reads HEALTH_HOST, HEALTH_PATH, HEALTH_TIMEOUT, HEALTH_STATUS, HEALTH_BODY, HEALTH_JSON_FIELD, HEALTH_JSON_VALUE (settings);
# HEALTH_KIND, HEALTH_PORT, HEALTH_HEADERS (names) and HEALTH_SCHEME, which a switch of 0.1.0 was not told; RUN, PLACE, SITE and
# STAGED (nginx.sh); and $headers_file, where the headers are not those of the last switch that passed.

# probe CONTAINER: asks once, and fails if the answer is not the healthy one. Sets:
#   $probe_code  the HTTP status, or "none" where there was no complete answer
#   $last_answer what came, in words
#   $probe_location, $probe_fault, $probe_error  where it redirects to; which of status, body and field is not the healthy one;
#                                                what curl says where there was no complete answer
#   $probe_reason  one word, where that is known here already
#   $probe_address what was asked past nginx
#   $probe_final   set where it will never be another answer
# shellcheck disable=SC2034 # whoever asks says them
probe() {
  probe_code=none probe_location='' probe_fault='' probe_error='' probe_reason='' probe_address='' probe_final=''
  case ${HEALTH_KIND:-http} in
    http) probe_http "$1" ;;
    tcp) probe_tcp "$1" ;;
    *) probe_on_host "$1" ;;
  esac
}
# Where no user comes, nginx has no way to.
asks_past_nginx() { [ "${HEALTH_KIND:-http}" != http ] || [ -n "${HEALTH_PORT:-}" ]; }

# One request as a user's: through nginx, which resolves the color's name and adds the same headers (site.ts).
# shellcheck disable=SC2034
probe_http() { # container
  # Two may ask at once: a gate and "status".
  answer=$RUN/answer.$$
  has_headers || return 1
  : >"$answer"
  if asks_past_nginx; then probe_address=$1:$HEALTH_PORT; fi
  if probe_code=$(ask_as_user "$1"); then
    probe_location=${probe_code#"${probe_code%% *}"}
    probe_location=${probe_location# }
    probe_code=${probe_code%% *}
    said=$(excerpt "$answer")
    # Its own page, or that of one in the container, says no more than the number.
    case $said in *'<center>nginx'*) said="with a page of nginx's" ;; esac
    last_answer="HTTP $probe_code $said"
    if is_healthy; then healthy=yes; else healthy=''; fi
  else
    probe_code=none
    probe_error=$(excerpt "$answer.error")
    last_answer="no complete answer: $probe_error"
    healthy=''
  fi
  rm -f "$answer" "$answer.error"
  [ -n "$healthy" ]
}

ask_as_user() { # container
  if asks_past_nginx; then
    set -- -4 --noproxy '*' -H "X-Forwarded-Proto: $HEALTH_SCHEME" "http://$1:$HEALTH_PORT$HEALTH_PATH"
  else
    set -- --unix-socket "$RUN/gate-$1.sock" "http://localhost$HEALTH_PATH"
  fi
  # From a file: others can read the arguments of a process.
  [ -z "${HEALTH_HEADERS:-}" ] || set -- -H "@$headers_file" "$@"
  curl -sS --path-as-is -o "$answer" -w '%{http_code} %{redirect_url}' --max-time "$HEALTH_TIMEOUT" --max-filesize 1048576 \
    -H "Host: $HEALTH_HOST" -A bluegreen-health "$@" </dev/null 2>"$answer.error"
}
has_headers() {
  headers_file=${headers_file:-${PLACE:-}/health-headers}
  [ -n "${HEALTH_HEADERS:-}" ] && [ ! -r "$headers_file" ] || return 0
  probe_reason=no-headers probe_final=yes
  last_answer='none: nginx does not have the headers of health.headers'
  return 1
}

excerpt() { head -c 65536 "$1" | tr -c '[:print:]' ' ' | without_headers | head -c 300; }
# An app may answer with what it was asked. What is shorter is no secret, and would take a part of each word.
without_headers() {
  if [ -z "${HEALTH_HEADERS:-}" ]; then cat && return; fi
  awk '
    NR == FNR { value = substr($0, index($0, ": ") + 2); if (length(value) >= 4) values[++n] = value; next }
    {
      for (i = 1; i <= n; i++) {
        text = $0; $0 = ""
        while ((at = index(text, values[i])) > 0) {
          $0 = $0 substr(text, 1, at - 1) "[health.headers]"
          text = substr(text, at + length(values[i]))
        }
        $0 = $0 text
      }
      printf "%s", $0
    }' "$headers_file" -
}

# Where a container listens that nginx knows; of several ports the first. The settings may name another port by now: that is its
# successor's.
port_of() { # container
  cat "$STAGED" "$SITE" 2>/dev/null | sed -n "/^  server $1:[0-9]* resolve[^:]*;\$/ { s/[^:]*:\([0-9]*\) .*/\1/p; q; }"
}

# curl does not end by itself once it is connected, but tells that it was. Mostly that is at once.
probe_tcp() { # container
  probe_address=$1:${HEALTH_PORT:-$(port_of "$1")}
  for seconds in 0.5 "$HEALTH_TIMEOUT"; do
    took=$(curl -sS -4 --noproxy '*' -o /dev/null -w '%{time_connect}' --max-time "$seconds" "telnet://$probe_address" \
      </dev/null 2>"$RUN/answer.$$") || :
    probe_error=$(excerpt "$RUN/answer.$$")
    rm -f "$RUN/answer.$$"
    case $took in *[1-9]*)
      last_answer='it takes the connection'
      return 0
      ;;
    esac
    case $probe_error in 'curl: (28)'*) ;; *) break ;; esac
  done
  last_answer="no connection: $probe_error"
  return 1
}

# What only Docker can tell, the host's part is asked for (hear.sh): by a line on standard output. The answer comes as a file: a first
# line "passed", "REASON" or "REASON for-ever", and words.
probe_on_host() { # container
  told=$RUN/told.$$
  rm -f "$told"
  printf '?%s %s %s\n' "$HEALTH_KIND" "$1" "$$"
  if ! wait_for "$((${HEALTH_TIMEOUT%.*} + 30))" test -e "$told"; then
    probe_reason=no-word last_answer='none: nobody on the host said anything'
    return 1
  fi
  { read -r probe_reason && IFS= read -r last_answer; } <"$told" || :
  rm -f "$told"
  [ "$probe_reason" != passed ] || return 0
  case $probe_reason in *' for-ever') probe_final=yes probe_reason=${probe_reason% *} ;; esac
  return 1
}

is_healthy() { for probe_fault in status body field; do "accepts_$probe_fault" || return 1; done; }
accepts_status() {
  if [ -n "$HEALTH_STATUS" ]; then
    [ "$probe_code" = "$HEALTH_STATUS" ]
  else
    case $probe_code in 2??) ;; *) return 1 ;; esac
  fi
}
accepts_body() {
  [ -z "$HEALTH_BODY" ] || case $(head -c 65536 "$answer") in *"$HEALTH_BODY"*) ;; *) return 1 ;; esac
}
# A field is looked up where it stands: an "UP" of a nested component says nothing about the whole.
accepts_field() {
  [ -z "$HEALTH_JSON_FIELD" ] || [ "$(json_field "$HEALTH_JSON_FIELD" <"$answer")" = "$HEALTH_JSON_VALUE" ]
}

# json_field a.b.0: the string, number or word at this path of the JSON text on standard input. The proxy's image has
# no JSON reader, only awk.
json_field() {
  WANTED=$1 awk '
    { text = text $0 "\n" }
    function value(v) { if (path[depth] == ENVIRON["WANTED"]) { found = 1; answer = v } }
    function down(kind) { kinds[depth + 1] = kind; depth++; count[depth] = 0; prefix[depth] = path[depth - 1] }
    function at(name) { path[depth] = (prefix[depth] == "" ? "" : prefix[depth] ".") name }
    BEGIN { meant["n"] = "\n"; meant["t"] = "\t"; meant["r"] = "\r"; meant["b"] = "\b"; meant["f"] = "\f" }
    function unquote(s,   plain, sign) {
      s = substr(s, 2, length(s) - 2)
      # One escape after the other: in "\\n" the second sign is a backslash, and no line ends.
      while (match(s, /\\./)) {
        sign = substr(s, RSTART + 1, 1)
        plain = plain substr(s, 1, RSTART - 1) (sign in meant ? meant[sign] : sign)
        s = substr(s, RSTART + 2)
      }
      return plain s
    }
    END {
      while (match(text, /^[ \t\r\n]*("([^"\\]|\\.)*"|[][{}:,]|[^][{}:," \t\r\n]+)/)) {
        token = substr(text, 1, RLENGTH); text = substr(text, RLENGTH + 1)
        sub(/^[ \t\r\n]+/, "", token)
        first = substr(token, 1, 1)
        if (token == ":") key = 0
        else if (token == ",") { if (kinds[depth] == "list") at(++count[depth]); else key = 1 }
        else if (token == "{") { down("map"); key = 1 }
        else if (token == "[") { down("list"); at(0); key = 0 }
        else if (token == "}" || token == "]") { depth--; key = 0; if (depth < 0) exit 1 }
        else if (key && first == "\"") at(unquote(token))
        else value(first == "\"" ? unquote(token) : token)
      }
      if (depth != 0 || !found || text !~ /^[ \t\r\n]*$/) exit 1
      printf "%s", answer
    }'
}
