# The servers of nginx, from the sites of all services: a server for each host name and port, since nginx takes one only. What a
# service brings to a host are locations, a certificate, and a claim to a path.
#
# Given: run (the folder of this container's own files)
#        mode (open, closed, or test: with sockets instead of ports)
#        certified (the services that have a certificate, with a space around each)
#        the files services/NAME/site.conf, which the switch writes: facts, and then parts of nginx's configuration
#
#   # live: blue CONTAINER      no color is live without it
#   # claim: HOST PATH          which requests are the service's; HOST is "*" for those that no other service claims
#   # tls: PORT NAME...         it has TLS, on this port of the host
#   # acme: yes                 an ACME server asks it for challenges
#   # header: KB, # log: MB     what it needs at most
#   #: ingress|http|live|idle   what follows: the same for all services; the service's own; its locations for users, on the preview
#                               port
#   #: facts                    facts again

BEGIN {
  FIRST_RELEASE = "the first release has not passed its health gate"
  CHALLENGES = "  location ^~ /.well-known/acme-challenge/ {\n    root /bluegreen/state/acme-challenge;\n    default_type text/plain;\n  }\n"
  reuse["open"] = " reuseport"
}
FNR == 1 {
  service = FILENAME
  sub(/\/[^\/]*$/, "", service)
  sub(/.*\//, "", service)
  services[++count] = service
  part = "facts"
}
/^#: / { part = $2; next }
part != "facts" { text[service, part] = text[service, part] $0 "\n"; next }
/^# claim: / { claim($3, $4); next }
/^# [a-z]+: / { fact[service, substr($2, 1, length($2) - 1)] = substr($0, length($2) + 4) }
END {
  print "# log: " most("log", 0)
  print "large_client_header_buffers 4 " most("header", 8) "k;"
  if (count) printf "%s", text[services[1], "ingress"]
  for (i = 1; i <= count; i++) printf "%s", text[services[i], "http"]
  if (!("*" in known)) print_default_servers()
  for (i = 1; i <= host_count; i++) print_servers(hosts[i])
}

function claim(host, path) {
  if (!(host in known)) hosts[++host_count] = host
  known[host]
  if (!(path in known_path)) paths[++path_count] = path
  known_path[path]
  claimed[host, path] = service
}
function most(name, least,   i) {
  for (i = 1; i <= count; i++) if (fact[services[i], name] + 0 > least) least = fact[services[i], name] + 0
  return least
}

# The services that answer under a host name, as chosen[1..chosen_count]: for each path the one that claims it by the nearest name.
function choose(host,   i, j, nearest, best) {
  chosen_count = 0
  for (i = 1; i <= path_count; i++) {
    nearest = ""
    best = -1
    for (j = 1; j <= host_count; j++)
      if ((hosts[j], paths[i]) in claimed && nearness(hosts[j], host) > best) {
        best = nearness(hosts[j], host)
        nearest = claimed[hosts[j], paths[i]]
      }
    if (nearest != "") chosen[++chosen_count] = nearest
  }
}
# How near a claimed name is to a host name; -1 where it does not stand for it.
function nearness(claimed_host, host) {
  if (claimed_host == host) return 1000
  if (claimed_host == "*") return 0
  if (substr(claimed_host, 1, 2) != "*.") return -1
  return substr(host, length(host) - length(claimed_host) + 2) == substr(claimed_host, 2) ? length(claimed_host) : -1
}

function print_servers(host,   i, secure, challenges, name) {
  choose(host)
  secure = ""
  challenges = ""
  for (i = chosen_count; i > 0; i--) {
    if (fact[chosen[i], "tls"] != "" && index(certified, " " chosen[i] " ")) secure = chosen[i]
    if (fact[chosen[i], "acme"] != "") challenges = CHALLENGES
  }
  name = host == "*" ? "" : "  server_name " host ";\n"
  if (secure != "") {
    print "server {"
    print_listen(host, 443, " ssl")
    printf "%s  ssl_certificate %s/tls/%s.pem;\n  ssl_certificate_key %s/tls/%s.pem;\n", name, run, secure, run, secure
    print_locations("live")
    print "}"
    split(fact[secure, "tls"], tls, " ")
    # What $host is for a request that names no host.
    if (name == "") name = "  server_name " tls[2] ";\n"
  }
  print "server {"
  print_listen(host, 80)
  printf "%s", name
  printf "%s", challenges
  if (secure == "") print_locations("live")
  else printf "  location / {\n    return 308 https://$host%s$request_uri;\n  }\n", tls[1] == 443 ? "" : ":" tls[1]
  print "}\nserver {\n  access_log off;"
  print_listen(host, 8081)
  printf "%s", host == "*" ? "" : name
  print_locations("idle")
  print "}"
}
function print_locations(which,   i) {
  for (i = 1; i <= chosen_count; i++) printf "%s", text[chosen[i], which]
}
# A port can be had once with reuseport; every server of it has what that one has.
function print_listen(host, port, more,   first) {
  first = !(port in listened) ? reuse[mode] (host == "*" ? " default_server" : "") : ""
  listened[port]
  print "  listen " (mode == "open" ? port : "unix:" run "/" mode "-" port ".sock") more first ";"
}

# Requests for a name that no service has.
function print_default_servers(   i, live) {
  for (i = 1; i <= count; i++) if (fact[services[i], "live"] != "") live = 1
  print_default_server(80, live, "live")
  print_default_server(8081, live, "idle")
  if (certified ~ /[^ ]/) {
    print "server {"
    print_listen("*", 443, " ssl")
    print "  ssl_reject_handshake on;\n}"
  }
}
function print_default_server(port, live, which) {
  print "server {\n  access_log off;"
  print_listen("*", port)
  print "  location / {\n    default_type text/plain;"
  if (live) print "    return 404 \"No service here has that name.\\n\";"
  else print "    return 503 \"No color is " which " yet: " FIRST_RELEASE ".\\n\";"
  print "  }\n}"
}
