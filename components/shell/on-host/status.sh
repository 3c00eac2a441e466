#!/bin/sh
# shellcheck disable=SC2034 # for hear.sh
# What an nginx of a service really does, where only Docker can tell the color's health (cli/observe.ts), after hear.sh.
#
# Given: ASKED (the container of that nginx), and the settings of the last switch
set -eu

main() {
  eval "$(settings)"
  NGINX=$ASKED
  in_nginx in_container_script
}

main
