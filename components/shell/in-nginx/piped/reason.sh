# shellcheck shell=sh disable=SC2034,SC2154 # probe.sh sets what is read here, the others read what is set
# Why a color failed its gate or its watch: as data for the host's part (failure.sh), and in a few words. It comes between
# probe.sh, whose variables it reads, and what gates; HEALTH_TIMEOUT is a setting.
#
#   $RUN/gate.log  what nginx logs about the gate's requests alone: see renderGateServer in site.ts
#   $RUN/failure   lines "key value" about the gate or the watch that failed

# ask_for_gate CONTAINER: a health request by which a container is gated or watched. Sets beside what a probe sets:
#   $gate_reason   why it failed, as one word
#   $gate_address  address and port that nginx asked, as far as it got
#   $logged        the last that nginx has logged about it
ask_for_gate() {
  : >"$RUN/gate.log"
  gate_reason=passed gate_address='' logged=''
  if probe "$1"; then
    reaches "$1"
    return
  fi
  gate_address=$probe_address
  asks_past_nginx || read_gate_log
  gate_reason=${probe_reason:-$(no_answer_reason)}
  [ -z "$probe_reason" ] || return 1
  if [ -n "$gate_reason" ]; then
    last_answer=$(no_answer_in_words "$gate_reason" "${gate_address:-the container}")
  else
    gate_reason=wrong-$probe_fault
  fi
  return 1
}

# reaches CONTAINER: whether nginx gets through to where users are sent, where the health request went past it; whatever is answered there.
# It may not have resolved the name yet. Once is enough.
reaches() {
  asks_past_nginx || return 0
  case " ${reached:-} " in *" $1 "*) return 0 ;; esac
  probe_error=''
  probe_code=$(curl -s -o /dev/null -w '%{http_code}' --max-time "$HEALTH_TIMEOUT" --unix-socket "$RUN/gate-$1.sock" -H "Host: $HEALTH_HOST" \
    -A bluegreen-health http://localhost/ </dev/null) || probe_code=none
  read_gate_log
  gate_reason=$(no_answer_reason)
  case $gate_reason in
    refused | no-address | no-connection | no-route | nginx-*)
      last_answer="where users are sent, $(no_answer_in_words "$gate_reason" "${gate_address:-the container}")"
      return 1
      ;;
  esac
  gate_reason=passed
  reached="${reached:-} $1"
}

# Without a process: a watch has little time on a busy machine.
read_gate_log() {
  while read -r line; do logged=$line; done <"$RUN/gate.log"
  case $logged in *'upstream: "http://'*)
    gate_address=${logged##*'upstream: "http://'}
    gate_address=${gate_address%%[/\"]*}
    # Without a port it is the container's name: no address was found for it.
    case $gate_address in *:*) ;; *) gate_address='' ;; esac
    ;;
  esac
}

# Why nginx or curl got no whole answer; nothing where the color itself has answered.
no_answer_reason() {
  # These can be the color's own, too, and then nginx has logged nothing. Other answers are always the color's.
  case $probe_code in none | 500 | 502 | 504) ;; *) return 0 ;; esac
  case $logged in
    '') ;;
    *'worker_connections are not enough'*) echo nginx-connections && return ;;
    *'Too many open files'*) echo nginx-files && return ;;
    *'no live upstreams'* | *'could not be resolved'*) echo no-address && return ;;
    *'Connection refused'*) echo refused && return ;;
    *'prematurely closed'*) echo closed && return ;;
    *'Connection reset'* | *'Broken pipe'*) echo reset && return ;;
    *'too big header'*) echo big-header && return ;;
    *'no valid HTTP'* | *'invalid header'* | *'invalid response'*) echo not-http && return ;;
    *'timed out'*'while connecting'*) echo no-connection && return ;;
    *'timed out'*) echo silent && return ;;
    *'No route to host'* | *'unreachable'*) echo no-route && return ;;
    *) echo other && return ;;
  esac
  case $probe_error in
    '') ;;
    'curl: (28)'*) if [ "${HEALTH_KIND:-http}" = tcp ]; then echo no-connection; else echo slow; fi ;;
    'curl: (63)'*) echo big-answer ;;
    # nginx's own socket is always there: these are of a port that was asked past it.
    'curl: (1)'*) echo not-http ;;
    'curl: (6)'*) echo no-address ;;
    'curl: (7)'*) echo refused ;;
    'curl: (52)'*) echo closed ;;
    'curl: (56)'*) echo reset ;;
    *) echo other ;;
  esac
}

no_answer_in_words() { # reason address
  case $1 in
    refused) printf 'none: %s refuses connections' "$2" ;;
    reset | closed) printf 'none: %s takes the connection and closes it without an answer' "$2" ;;
    not-http) printf 'none: what %s sends is not HTTP/1.1' "$2" ;;
    big-header) printf 'none: the headers that %s sends are larger than nginx takes' "$2" ;;
    no-connection) printf 'none: %s does not take the connection' "$2" ;;
    silent | slow) printf 'none: %s said nothing, or not all, within %s s' "$2" "$HEALTH_TIMEOUT" ;;
    big-answer) printf 'none: it is larger than 1 MiB' ;;
    no-route) printf 'none: there is no way to %s' "$2" ;;
    no-address) printf 'none: the name of the container has no address' ;;
    nginx-connections | nginx-files) printf 'none: nginx itself is at its limits' ;;
    other) printf 'none: %s' "$(error_in_words)" ;;
  esac
}
# For a reason that has no words of ours: what was logged, without time and request.
error_in_words() {
  if [ -n "$logged" ]; then
    printf '%s\n' "$logged" | sed -e 's/^[^]]*\] [0-9#]*: \(\*[0-9]* \)\{0,1\}//' -e 's/, client: .*//'
  else
    printf '%s' "$probe_error"
  fi
}

# note_failure gate|watch COLOR CONTAINER: what the host's part explains the failure with.
note_failure() {
  rm -f "$RUN/failure"
  {
    printf '%s\n' "kind $1" "color $2" "container $3" "reason $gate_reason" "address $gate_address" \
      "code $probe_code" "location $probe_location" "answer $last_answer"
    [ -z "$logged" ] || printf 'log %s\n' "$logged"
  } >"$RUN/failure" || :
}
