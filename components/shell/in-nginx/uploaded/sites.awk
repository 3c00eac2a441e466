# The servers of nginx, from the sites of all services: a server for each host name and port, since nginx takes one only. What a
# service brings to a host are locations, a certificate, and a claim to a path.
#
# Given: run (the folder of this container's own files)
#        mode (open, closed, or test: with sockets instead of ports)
#        ipv6 (not empty where the kernel has it)
#        certified (the services that have a certificate, with a space around each)
#        tls_port (the port for TLS on the host, or nothing where there is none)
#        speakers (who connects by PROXY protocol to all but the preview port, with a space between, or nothing)
#        the files services/NAME/site.conf, which the switch writes: facts, and then parts of nginx's configuration
#
#   # live: blue CONTAINER      no color is live without it
#   # claim: HOST PATH          which requests are the service's; HOST is "*" for those that no other service claims. It has them alone
#   # port: NUMBER HOST PATH    the same, of a further port of its containers: its locations are in the parts live-NUMBER and idle-NUMBER
#   # tls: PORT NAME...         it has TLS. The port is for edges of version 0.1.0, which know no tls_port
#   # acme: yes                 an ACME server asks it for challenges
#   # header: KB, # log: MB     what it needs at most; no log without it
#   #: ingress|log|http         what follows: the same for all services; the log of requests, of those that have it; the service's own
#   #: live|idle                its locations for users; on the preview port
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
/^# claim: / { claim($3, $4, service); next }
/^# port: / { claim($4, $5, service "/" $3); next }
/^# [a-z]+: / { fact[service, substr($2, 1, length($2) - 1)] = substr($0, length($2) + 4) }
END {
  if (taken != "") {
    print "these addresses are another service's:" taken > "/dev/stderr"
    exit 1
  }
  print "# log: " most("log", 0)
  print "large_client_header_buffers 4 " most("header", 8) "k;"
  print_speakers()
  if (count) printf "%s", text[services[1], "ingress"]
  print_log()
  for (i = 1; i <= count; i++) printf "%s", text[services[i], "http"]
  if (!("*" in known)) print_default_servers()
  for (i = 1; i <= host_count; i++) print_servers(hosts[i])
  if (certified ~ /[^ ]/ && !(443 in default_of)) print_refused_handshake()
  # By its name in the Docker host's own browser, too, where it has not all names anyway.
  for (i = 1; i <= count; i++) {
    if ((services[i] ".localhost") in known || claimed["*", "/"] == services[i]) continue
    choose_own(services[i])
    print_preview(services[i] ".localhost", "  server_name " services[i] ".localhost;\n")
  }
}

# What they say is the client's address, for all that stands in the sites.
function print_speakers(   i, all) {
  if (speakers == "") return
  for (i = 1; i <= split(speakers, all, " "); i++) print "set_real_ip_from " all[i] ";"
  print "real_ip_header proxy_protocol;"
}

# A unit is a service, or one of its further ports: SERVICE/NUMBER.
function claim(host, path, unit) {
  if (!(host in known)) hosts[++host_count] = host
  known[host]
  if (!(path in known_path)) paths[++path_count] = path
  known_path[path]
  if (!(unit in path_of)) units[service] = units[service] " " unit
  path_of[unit] = path
  if (!((host, path) in claimed)) claimed[host, path] = unit
  else if (mode == "test" && claimed[host, path] != unit)
    taken = taken " " (host == "*" ? "all other names" : host) path " (" service_of(claimed[host, path]) " and " service ")"
}
function service_of(unit) {
  sub(/\/.*/, "", unit)
  return unit
}
function text_of(unit, which) {
  return text[service_of(unit), which (unit ~ /\// ? "-" substr(unit, index(unit, "/") + 1) : "")]
}
function most(name, least,   i) {
  for (i = 1; i <= count; i++) if (fact[services[i], name] + 0 > least) least = fact[services[i], name] + 0
  return least
}

# Of what no service's location answers, such as a redirect to HTTPS.
function print_log(   i) {
  for (i = 1; i <= count; i++) if (text[services[i], "log"] != "") {
    printf "%s", text[services[i], "log"]
    return
  }
  print "access_log off;"
}

# The services that answer under a host name, as chosen[1..chosen_count]: for each path the one that claims it by the nearest name.
function choose(host,   i, j, nearest, best) {
  chosen_count = 0
  rest = ""
  for (i = 1; i <= path_count; i++) {
    nearest = ""
    best = -1
    for (j = 1; j <= host_count; j++)
      if ((hosts[j], paths[i]) in claimed && nearness(hosts[j], host) > best) {
        best = nearness(hosts[j], host)
        nearest = claimed[hosts[j], paths[i]]
      }
    if (nearest != "") chosen[++chosen_count] = nearest
    if (nearest != "" && paths[i] == "/") rest = nearest
  }
}
# The same of a service by its own name: of several units with one path, the first.
function choose_own(service,   i, count, all, taken_path) {
  chosen_count = 0
  rest = ""
  count = split(units[service], all, " ")
  for (i = 1; i <= count; i++) {
    if (path_of[all[i]] in taken_path) continue
    taken_path[path_of[all[i]]]
    chosen[++chosen_count] = all[i]
    if (path_of[all[i]] == "/") rest = all[i]
  }
}
# How near a claimed name is to a host name; -1 where it does not stand for it.
function nearness(claimed_host, host) {
  if (claimed_host == host) return 1000
  if (claimed_host == "*") return 0
  if (substr(claimed_host, 1, 2) != "*.") return -1
  return substr(host, length(host) - length(claimed_host) + 2) == substr(claimed_host, 2) ? length(claimed_host) : -1
}

function print_servers(host,   i, chosen_service, secure, challenges, name) {
  choose(host)
  secure = ""
  challenges = ""
  for (i = chosen_count; i > 0; i--) {
    chosen_service = service_of(chosen[i])
    if (fact[chosen_service, "tls"] != "" && index(certified, " " chosen_service " ")) secure = chosen_service
    if (fact[chosen_service, "acme"] != "") challenges = CHALLENGES
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
  else printf "  location / {\n    return 308 https://$host%s$request_uri;\n  }\n", tls_port == "" || tls_port == 443 ? "" : ":" tls_port
  print "}"
  print_preview(host, host == "*" ? "" : name)
}
function print_preview(host, name) {
  print "server {\n  access_log off;"
  print_listen(host, 8081)
  printf "%s", name
  print_locations("idle")
  print "}"
}
function print_locations(which,   i) {
  for (i = 1; i <= chosen_count; i++) printf "%s", text_of(chosen[i], which)
  if (rest == "") print_nothing_here(404, "No service here has that path.")
}
function print_nothing_here(status, words) {
  print "  location / {\n    default_type text/plain;\n    return " status " \"" words "\\n\";\n  }"
}
# A port can be had once with reuseport; every server of it has what that one has.
function print_listen(host, port, more) {
  more = more (port in listened ? "" : reuse[mode]) (host == "*" ? " default_server" : "")
  if (speakers != "" && port != 8081) more = more " proxy_protocol"
  listened[port]
  if (host == "*") default_of[port]
  if (mode != "open") {
    print "  listen unix:" run "/" mode "-" port ".sock" more ";"
    return
  }
  # What comes to the host by IPv6 has ports of its own (ingress/ports.ts). On a network without it, Docker passes that on by IPv4.
  print "  listen " port more ";\n  listen " port + 6000 more ";"
  if (ipv6) print "  listen [::]:" port + 6000 more ";"
}

# Requests for a name that no service has.
function print_default_servers(   i, live) {
  for (i = 1; i <= count; i++) if (fact[services[i], "live"] != "") live = 1
  print_default_server(80, live, "live")
  print_default_server(8081, live, "idle")
}
# A host name without a certificate of its own is never given another one's.
function print_refused_handshake() {
  print "server {"
  print_listen("*", 443, " ssl")
  print "  ssl_reject_handshake on;\n}"
}
function print_default_server(port, live, which) {
  print "server {\n  access_log off;"
  print_listen("*", port)
  if (live) print_nothing_here(404, "No service here has that name.")
  else print_nothing_here(503, "No color is " which " yet: " FIRST_RELEASE ".")
  print "}"
}
