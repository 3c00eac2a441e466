# shellcheck shell=sh disable=SC2154,SC2034 # failure.sh sets what this is given, and prints what it sets
# Why a color has failed its gate or its watch, in sentences, and what to do. Nothing here asks anybody: it is given
#
#   color              the one that failed
#   failure            what the switch has noted: lines "key value", see note_failure in reason.sh
#   container_status, exit_code, out_of_memory, restarts, up    what Docker says of the container. Of one that runs, the exit code
#                      is that of its last end, and empty where there was none or Docker has forgotten it
#   log                its last log lines
#   sockets            /proc/net/tcp and tcp6 of the container; empty where they could not be read
#   candidate_port, own_settings    its port; the settings that are its own, and not those of both colors
#   HEALTH_..., GATE_TIMEOUT, URL   the settings
#
# and sets state, listens, likely and advice.

failure_fact() { printf '%s\n' "${failure:-}" | sed -n "s/^$1 //p"; } # key

explain() {
  reason=$(failure_fact reason)
  code=$(failure_fact code)
  address=$(failure_fact address)
  port=${address##*:}
  port=${port:-${HEALTH_PORT:-$candidate_port}}
  # Where users are sent is asked too.
  if [ "$port" = "$HEALTH_PORT" ]; then port_setting=health.port; else port_setting=$(setting containerPort); fi
  listening=$(printf '%s\n' "$sockets" | listening_addresses)
  likely='' advice=''
  say_state
  say_listening
  if does_not_run; then explain_dead; else explain_answer; fi
  [ -n "$advice" ] || advice="see what it says above and in its log, and mend the $color image or its settings."
}

# setting NAME: as who reads this has to set it. A color's own wins over that of both.
setting() { case " $own_settings " in *" $1 "*) echo "$color.$1" ;; *) echo "$1" ;; esac }
set_port() { # port
  own_port="'pulumi config set --path $color.containerPort $1'"
  case $port_setting in
    health.port) echo "'pulumi config set --path health.port $1'" ;;
    containerPort) echo "'pulumi config set containerPort $1', or for $color alone $own_port" ;;
    *) echo "$own_port" ;;
  esac
}

# --- the container

say_state() {
  state="State of $(failure_fact container): $container_status"
  if [ "$container_status" = running ]; then
    state="$state ($up), restarted $restarts times${exit_code:+, last exit code $exit_code}."
  else
    state="$state, exit code $exit_code, restarted $restarts times."
  fi
}

# One that was started again and again may just run.
does_not_run() {
  case $container_status in
    running) [ "${restarts:-0}" -gt 0 ] && ! listens_on "$port" ;;
    *) [ "$container_status" != paused ] ;;
  esac
}

explain_dead() {
  if [ "$out_of_memory" = true ]; then
    likely='it was killed for want of memory.'
    advice="raise $(setting memoryMb), or let the service need less."
    return
  fi
  case $container_status-$exit_code in
    *-126 | *-127)
      likely="its command can't be run: exit code $exit_code."
      advice="mend '$(setting command)', if you have set it, or the $color image."
      ;;
    *) explain_exit ;;
  esac
}

explain_exit() {
  case $log in
    *'no new privileges'* | *'Operation not permitted'* | *'Read-only file system'*)
      likely='it may not do what it tries; its log says what.'
      advice="if the image needs that, allow it: container.securityOpts, container.capabilities and container.readOnly say what a color may do. Or mend the $color image."
      ;;
    *)
      likely='it does not stay up; its log says why.'
      advice="mend what its log says: the $color image, its environment, or its command."
      ;;
  esac
}

# --- what it listens on

# Lines "ADDRESS PORT" of all that listens in the kernel's tables on standard input, but for Docker's own name server. The kernel
# prints each four bytes of an address as one number in the machine's byte order, which is little endian on amd64 and arm64.
listening_addresses() {
  awk '
    function number(hex,   n, i) { for (i = 1; i <= length(hex); i++) n = n * 16 + index("0123456789ABCDEF", substr(hex, i, 1)) - 1; return n }
    function byte(hex, i) { return substr(hex, 2 * i - 1, 2) }
    function ipv4(hex) { return number(byte(hex, 4)) "." number(byte(hex, 3)) "." number(byte(hex, 2)) "." number(byte(hex, 1)) }
    function ipv6(hex,   text, i, word) {
      for (i = 0; i < 4; i++) {
        word = substr(hex, 8 * i + 1, 8)
        text = text (i ? ":" : "") byte(word, 4) byte(word, 3) ":" byte(word, 2) byte(word, 1)
      }
      return "[" tolower(text) "]"
    }
    function address(hex) {
      if (length(hex) == 8) return ipv4(hex)
      if (hex ~ /^0*$/) return "[::]"
      if (hex ~ /^0*01000000$/) return "[::1]"
      if (hex ~ /^0*FFFF0000/ && length(hex) - length(substr(hex, index(hex, "FFFF0000"))) == 16) return ipv4(substr(hex, 25))
      return ipv6(hex)
    }
    $4 == "0A" { split($2, local, ":"); print address(local[1]), number(local[2]) }
  ' | grep -v '^127\.0\.0\.11 ' | sort -u
}

say_listening() {
  if [ -z "$sockets" ]; then
    listens=''
  elif [ -z "$listening" ]; then
    listens='It listens on no TCP port.'
  else
    listens="It listens on $(printf '%s\n' "$listening" | sed 's/ /:/' | list_of_words)."
  fi
}
list_of_words() { awk '{ text = text (NR > 1 ? ", " : "") $0 } END { printf "%s", text }'; }

listens_on() { printf '%s\n' "$listening" | grep -q " $1\$"; } # port
# Ports that other containers can reach, and those that only the container itself can.
reachable_ports() { printf '%s\n' "$listening" | sed -e '/^127\./d' -e '/^\[::1\]/d' -e 's/.* //' | sort -un; }
is_reachable() { reachable_ports | grep -qx "$1"; } # port

# --- why there is no answer

explain_answer() {
  if [ "$(failure_fact kind)" = live ]; then
    explain_reason_of_answer
    advice="set 'health' back, or to what $color answers well. If only a newer version answers it well, set it in the update that makes that version live: with its image, and with activeColor where that is another."
  elif [ "$(failure_fact kind)" = watch ]; then
    advice="see above and in its log. Mend the $color image or its settings; if the errors are none of its fault, raise watch.tolerancePercent."
  elif [ "$container_status" = paused ]; then
    likely='the container is paused.'
    advice="find out who paused it, and 'docker unpause' it."
  else
    explain_reason_of_answer
  fi
}
explain_reason_of_answer() {
  case $reason in
    refused) explain_refused ;;
    wrong-status | passed) explain_status ;;
    *) explain_reason ;;
  esac
}

longer() { echo "raise health.gateTimeoutSeconds (now $GATE_TIMEOUT)"; }

# The variable is for the port of users.
or_its_own() { if [ "$port_setting" != health.port ]; then echo 'Or let it listen on the port in its variable PORT.'; fi; }

explain_refused() {
  others=$(reachable_ports)
  if [ -z "$sockets" ]; then
    likely="nothing listens on port $port of the container, or on 127.0.0.1 only."
    advice="see in its log which port and address it listens on. Set $port_setting (now $port) to that port; let it listen on 0.0.0.0; or, if it needs longer to start, $(longer)."
  elif is_reachable "$port"; then
    likely="it began to listen on port $port only when the gate's $GATE_TIMEOUT s were over."
    advice="$(longer)."
  elif listens_on "$port"; then
    likely="on port $port it listens on its own loopback address only, where nginx can't reach it."
    advice="let the service listen on 0.0.0.0, by its environment ('env') or its command ('$(setting command)')."
  elif [ -n "$others" ]; then
    likely="nothing listens on port $port, which is $port_setting; it listens on $(echo "$others" | list_of_words)."
    advice="set $port_setting to the port that the service listens on: $(set_port "${others%%[!0-9]*}"). $(or_its_own)"
  elif [ -n "$listening" ]; then
    likely="nothing listens on port $port, which is $port_setting; it listens on its own loopback address only, on another port."
    advice="let the service listen on 0.0.0.0; set $port_setting to its port. $(or_its_own)"
  else
    likely="it does not listen on any port: it is still starting, or it never listens."
    advice="if it needs longer to start, $(longer). Else its log says why it does not listen."
  fi
}

explain_reason() {
  case $reason in
    no-address | no-route)
      likely="the container can't be found on its network."
      advice="see that it is still attached: 'docker inspect $(failure_fact container)'. Run 'pulumi up --refresh' if it is not."
      ;;
    reset | closed | not-http)
      likely="the service does not speak HTTP/1.1 on port $port. It may speak HTTPS or only HTTP/2 there."
      advice="let it speak plain HTTP/1.1 on port $port, since nginx ends TLS; set $port_setting to a port where it does; or set proxy.protocol where it speaks HTTP/2 or gRPC."
      ;;
    big-header)
      likely='its answer has larger headers, such as cookies, than nginx takes.'
      advice='raise proxy.maxHeaderKb, or set health.path to a path that sets fewer cookies.'
      ;;
    big-answer)
      likely='an answer to a health request may have 1 MiB.'
      advice='set health.path to a path with a smaller answer.'
      ;;
    no-connection)
      likely="something drops what nginx sends to port $port: a firewall in the container or on the host, or the service takes no more connections."
      advice="look at both; the image needs no change for a firewall of the host."
      ;;
    silent | slow)
      likely="the service takes the connection, but does not answer within health.timeoutSeconds ($HEALTH_TIMEOUT)."
      advice="set health.path to a path that answers sooner, or raise health.timeoutSeconds. If it waits for something while it starts, $(longer). Its log may say for what it waits."
      ;;
    command-missing | command-denied)
      likely="health.command can't be run in the container: $(failure_fact answer)."
      advice="set health.command to a command that the $color image has, and that its user may run."
      ;;
    command-failed)
      likely='health.command ends with another exit code than 0; what it says is above.'
      advice="see that, and the container's log. By hand: docker exec $(failure_fact container) …. If it only needs longer to start, $(longer)."
      ;;
    command-slow)
      likely="health.command does not end within health.timeoutSeconds ($HEALTH_TIMEOUT)."
      advice='raise health.timeoutSeconds, or set a command that ends sooner.'
      ;;
    image-none)
      likely="health.kind is \"image\", and the $color image has no HEALTHCHECK."
      advice="give the image one (HEALTHCHECK in its Dockerfile), or set another health.kind."
      ;;
    image-starting)
      likely="the image's HEALTHCHECK has not ended in time; Docker runs it in the interval that the image says, at first after that time."
      advice="$(longer) beyond that interval, or shorten that in the image."
      ;;
    image-unhealthy)
      likely="the image's HEALTHCHECK says that the service is not well."
      advice="see its last words above, and the container's log. If it only needs longer to start, $(longer)."
      ;;
    not-running | no-word)
      likely="Docker could not ask the container: $(failure_fact answer)."
      advice="see its log. If it only needs longer to start, $(longer)."
      ;;
    no-headers)
      likely="nginx's volume does not have the headers of health.headers: somebody has removed them."
      advice="run 'npx bluegreen heal', which delivers them anew."
      ;;
    nginx-connections)
      likely='nginx has as many connections as it may have, so it had none for the gate. The color is not to blame.'
      advice='wait until there are fewer connections.'
      ;;
    nginx-files)
      likely='nginx has as many open files as it may have, so it had none for the gate. The color is not to blame.'
      advice='wait until there are fewer connections.'
      ;;
    wrong-body)
      likely="the answer does not contain health.bodyText ($HEALTH_BODY)."
      advice='set health.bodyText to a text that a good answer has. If the answer says that the service is not well, see its log.'
      ;;
    wrong-field)
      likely="in the answer, $HEALTH_JSON_FIELD (health.jsonField) is not $HEALTH_JSON_VALUE (health.jsonValue)."
      advice='set both to what a good answer has. If the answer says that the service is not well, see its log.'
      ;;
  esac
}

explain_status() {
  case $code in
    2??)
      if [ "$reason" = wrong-status ]; then
        likely="health.status is $HEALTH_STATUS, and the answer has $code."
        advice="unset health.status, with which any 2xx will do, or set it to $code."
      else
        likely="its last answer was good, but there were not $HEALTH_PASSES in a row in time."
        advice="$(longer). If it is up and down in turns, its log may say why."
      fi
      ;;
    3??) explain_redirect ;;
    400 | 421)
      likely="the service refuses the request; it may insist on another host name than $HEALTH_HOST, which is health.hostHeader."
      advice="set health.hostHeader to the name that its users call it by."
      case $(failure_fact answer) in
        *HTTPS*)
          likely="the service speaks HTTPS on port $port."
          advice="let it speak plain HTTP there, since nginx ends TLS; or set $port_setting to a port where it does."
          ;;
      esac
      ;;
    401 | 403)
      likely="the service wants a login for $HEALTH_PATH."
      advice='set health.path to a path that needs none; or give the health request a login, by health.headers.'
      [ -z "$HEALTH_HEADERS" ] || likely="the service does not take the login of health.headers ($HEALTH_HEADERS) for $HEALTH_PATH."
      ;;
    404 | 405 | 410)
      likely="the service has nothing to answer to GET $HEALTH_PATH, which is health.path."
      advice='set health.path to a path that it answers with 2xx, such as /.'
      ;;
    429)
      likely='it gets too many requests for its own limit.'
      advice="raise health.intervalSeconds (now $HEALTH_INTERVAL), or exempt $HEALTH_PATH from its limit."
      ;;
    *)
      likely="the service itself answers $code: it is not well, or what it needs is not. Its answer and its log say why."
      advice="mend what they say: the $color image, its environment ('env'), or what it depends on. If it only needs longer to start, $(longer)."
      ;;
  esac
}

explain_redirect() {
  location=$(failure_fact location)
  likely="it redirects to ${location:-another place}, and the gate does not follow."
  advice='set health.path to a path that answers itself.'
  case $location in
    https://*)
      likely="it redirects to $location: it insists on HTTPS."
      advice="exempt $HEALTH_PATH from that redirect, or set health.path to a path that answers over plain HTTP."
      # With TLS, the gate says what nginx says for users.
      case $URL in
        https:*) advice="let it trust the header 'X-Forwarded-Proto: https' that nginx sends; or $advice" ;;
        *) advice="$advice If nginx is to end TLS, set 'tls': its requests then say 'X-Forwarded-Proto: https'." ;;
      esac
      ;;
  esac
}
