# shellcheck shell=sh
# The gate's request and what counts as a good answer; part of what is piped into nginx's container.
# Given: RUN (nginx.sh); HEALTH_PATH HEALTH_HOST HEALTH_TIMEOUT HEALTH_STATUS HEALTH_BODY HEALTH_JSON_FIELD HEALTH_JSON_VALUE
# Gives: last_answer
#
# shellcheck disable=SC2034 # read by who sources it

# probe SOCKET: one health request, the way the color's traffic goes: through nginx, its name resolved by nginx.
probe() {
  rm -f "$RUN/answer"
  code=$(curl -sS -o "$RUN/answer" -w '%{http_code}' --max-time "$HEALTH_TIMEOUT" --max-filesize 1048576 \
    --unix-socket "$RUN/$1" -H "Host: $HEALTH_HOST" "http://localhost$HEALTH_PATH" </dev/null 2>"$RUN/answer.error") || {
    last_answer="no complete answer: $(head -c 300 "$RUN/answer.error")"
    return 1
  }
  last_answer="HTTP $code $(excerpt "$RUN/answer")"
  accepts_status "$code" && accepts_body && accepts_field
}
excerpt() { [ ! -s "$1" ] || head -c 300 "$1" | tr -c '[:print:]' ' '; }

accepts_status() {
  if [ -n "$HEALTH_STATUS" ]; then
    [ "$1" = "$HEALTH_STATUS" ]
  else
    case $1 in 2??) ;; *) return 1 ;; esac
  fi
}
accepts_body() {
  [ -z "$HEALTH_BODY" ] || case $(head -c 65536 "$RUN/answer") in *"$HEALTH_BODY"*) ;; *) return 1 ;; esac
}
# A field is looked up where it stands: an "UP" of a nested component says nothing about the whole.
accepts_field() {
  [ -z "$HEALTH_JSON_FIELD" ] || [ "$(json_field "$HEALTH_JSON_FIELD" <"$RUN/answer")" = "$HEALTH_JSON_VALUE" ]
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
