# shellcheck shell=sh
# Warns of files of a color's image that a named volume hides. Docker copies files of an image into a volume only while that is
# empty: what a later release has there never gets in, its gate passes, and its users miss its files. It comes before pull.sh.
#
# Given: IMAGES (lines "SETTING ACCOUNT IMAGE") VOLUMES (lines "SETTING VOLUME PATH")

look_at_volumes() {
  while read -r setting volume path; do
    [ -z "$setting" ] || look_at_volume
  done <<END
$VOLUMES
END
}

look_at_volume() {
  looked_at=''
  for color in blue green; do
    image=$(image_of "$color.image")
    # Both colors often have the same one.
    [ "$image" != "$looked_at" ] || continue
    looked_at=$image
    hidden=$(hidden_files) || continue
    [ -z "$hidden" ] || warn_of_hidden
  done
}
image_of() { printf '%s\n' "$IMAGES" | sed -n "s/^$1 [a-z]* //p"; } # setting

# Names of the files of $image under $path that $volume does not have, or has with another content. An image is looked into by a
# container that is never started, and the two are compared in a container of nginx's image: a color's own may have no shell.
hidden_files() {
  made=$(docker create "$image" look </dev/null 2>/dev/null) || return 1
  set --
  ! volume_is_there || set -- --volume "$volume:/volume:ro"
  docker cp -L "$made:$path" - 2>/dev/null </dev/null |
    docker run --rm -i --network none "$@" --entrypoint sh "$(image_of proxy.image)" -c '
      mkdir /image && tar -xf - -C /image 2>/dev/null && cd /image/* || exit 0
      find . -type f -size +0c | sort | while read -r file; do cmp -s "$file" "/volume/$file" || echo "${file#./}"; done
    ' 2>/dev/null
  docker rm --volumes "$made" >/dev/null </dev/null
}
volume_is_there() { docker volume inspect "$volume" >/dev/null 2>&1 </dev/null; }

warn_of_hidden() {
  count=$(printf '%s\n' "$hidden" | grep -c '')
  first=$(printf '%s\n' "$hidden" | head -n 3 | awk '{ text = text (NR > 1 ? ", " : "") $0 } END { print text }')
  if volume_is_there; then
    echo "==> warning: $setting: $color will not see $count file(s) that its image has in $path ($first): the volume $volume is mounted there, and has other ones or none."
  else
    echo "==> warning: $setting: $color's image has $count file(s) in $path ($first), where the volume $volume will be mounted: what a later image has there will never be seen."
  fi >&2
  echo "Docker copies files of an image into a volume only while that is empty. Mount the volume where images have no files; or let the container copy them when it starts." >&2
}
