#!/bin/sh
# The host's first boot: setup.sh USER [ECR_REGISTRY...]. For Debian and Ubuntu; cloud-init runs it once, as root.
set -eu

main() {
  user=$1
  shift
  limit_logs
  reach_packages
  install_docker
  if [ "$#" -gt 0 ]; then sign_in_to_ecr "$@"; fi
  echo "==> the host is ready"
}

# Before Docker is there, so that its first start has it. With live-restore the containers run on while an automatic
# security update restarts the engine.
limit_logs() {
  echo "==> log rotation"
  mkdir -p /etc/docker /etc/systemd/journald.conf.d
  cat >/etc/docker/daemon.json <<'END'
{
  "log-driver": "json-file",
  "log-opts": { "max-size": "10m", "max-file": "3" },
  "live-restore": true
}
END
  printf '[Journal]\nSystemMaxUse=200M\n' >/etc/systemd/journald.conf.d/bluegreen.conf
  systemctl restart systemd-journald
}

# The Elastic IP is attached while the host boots. Before, it may have no way out, or one that is just taken away.
reach_packages() {
  echo "==> package lists"
  tries=0
  until apt update --error-on=any; do
    tries=$((tries + 1))
    if [ "$tries" = 60 ]; then
      echo "error: the package lists can't be read, not even after 5 minutes. Is the subnet public?" >&2
      exit 1
    fi
    sleep 5
  done
}

apt() {
  DEBIAN_FRONTEND=noninteractive apt-get -qy --no-install-recommends -o DPkg::Lock::Timeout=300 -o Acquire::Retries=5 "$@"
}

install_docker() {
  echo "==> Docker"
  # A package of its own since Debian 13, and a part of docker.io elsewhere.
  client=$(apt-cache search --names-only '^docker-cli$' | cut -d ' ' -f 1)
  apt install docker.io iptables ca-certificates ${client:+"$client"}
  usermod -aG docker "$user"
  systemctl enable --now docker
}

# docker pull then asks the instance's role for a password each time; none is stored.
sign_in_to_ecr() { # registries
  echo "==> ECR"
  apt install amazon-ecr-credential-helper
  home=$(getent passwd "$user" | cut -d : -f 6)
  mkdir -p "$home/.docker"
  {
    printf '{ "credHelpers": {'
    separator=
    for registry in "$@"; do
      printf '%s "%s": "ecr-login"' "$separator" "$registry"
      separator=,
    done
    printf ' } }\n'
  } >"$home/.docker/config.json"
  chown -R "$user:" "$home/.docker"
}

main "$@"
