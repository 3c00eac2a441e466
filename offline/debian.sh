# shellcheck shell=sh
# A root file system of Debian packages (debootstrap), for the scripts that source this.

say() {
  printf '==> %s\n' "$*"
}

fail() {
  printf '%s\n' "$*" >&2
  exit 1
}

# make_rootfs WORK SUITE PACKAGES LOG: makes WORK/rootfs.
make_rootfs() {
  [ "$(id -u)" = 0 ] || fail "Unpacking Debian packages into a root file system needs root (debootstrap). Nothing was changed."
  say "downloading and unpacking Debian $2 with $3"
  debootstrap_scripts "$1" "$2"
  use_apt_proxy
  mirror=$(debian_mirror)
  DEBOOTSTRAP_DIR="$1/debootstrap" timeout 1200 debootstrap --variant=minbase --include="$3" \
    "$2" "$1/rootfs" ${mirror:+"$mirror"} >"$4" 2>&1 ||
    fail "debootstrap failed; its log is $4:
$(tail -n 5 "$4")"
}

# Debian's packages come from where apt itself gets them (a company's mirror, its proxy), else from debootstrap's default.
debian_mirror() {
  # shellcheck disable=SC2016 # $(REPO_URI) is apt's own placeholder
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Component: main' 2>/dev/null | head -n 1
}

use_apt_proxy() {
  eval "$(apt-config shell apt_proxy Acquire::http::Proxy)"
  if [ -n "${apt_proxy:-}" ]; then
    export http_proxy="$apt_proxy"
  fi
}

# debootstrap knows a suite by a script of that name; a copy of its folder gets one for suites newer than itself.
debootstrap_scripts() {
  cp -r /usr/share/debootstrap "$1/debootstrap"
  [ -e "$1/debootstrap/scripts/$2" ] || ln -s sid "$1/debootstrap/scripts/$2"
}

# pack_rootfs WORK TARBALL: what of WORK/rootfs anything reads, in a file that is whole or not there.
pack_rootfs() {
  strip_rootfs "$1/rootfs"
  tar -C "$1/rootfs" --numeric-owner -cf "$1/base.tar" .
  mv "$1/base.tar" "$2"
}

# strip_rootfs ROOTFS: takes out of it what nothing reads.
strip_rootfs() {
  chroot "${1:?}" apt-get clean
  rm -rf "$1/var/lib/apt/lists/"* "$1/var/cache/debconf/"*-old "$1/var/log/"*.log \
    "$1/usr/share/doc/"* "$1/usr/share/man/"* "$1/usr/share/info/"* \
    "$1/usr/share/locale/"* "${1:?}/dev/"*
}
