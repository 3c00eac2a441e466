#!/bin/sh
# Over SSH, as the login user: returns when the first boot is over and Docker answers this user.
set -eu

main() {
  echo "==> waiting for the end of the first boot"
  status=0
  cloud-init status --wait >/dev/null || status=$?
  # 2 is a warning of cloud-init about something of its own.
  case $status in 0 | 2) ;; *) give_up "the first boot failed" ;; esac
  # A fresh login: the one of this connection may be older than the user's right to use Docker.
  version=$(sudo -n -u "$(id -un)" docker version --format '{{.Server.Version}}') || give_up "Docker does not answer"
  echo "==> Docker $version answers"
}

give_up() { # reason
  echo "error: $1 on this host. The end of its log, /var/log/cloud-init-output.log:" >&2
  sudo -n tail -n 30 /var/log/cloud-init-output.log | sed 's/^/  | /' >&2
  exit 1
}

main
