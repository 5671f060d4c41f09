#!/usr/bin/env bash
# Regenerates jextract/src from OpenBLAS's cblas.h and lapacke.h. The build never runs this: its output is committed.
#
#   jextract/generate.sh <folder of cblas.h and lapacke.h>
#
# The headers of the bundled OpenBLAS are in its Maven artifact, org.bytedeco:openblas, in the folder
# org/bytedeco/openblas/<platform>/include.
set -euo pipefail

include=${1:?"usage: jextract/generate.sh <folder of cblas.h and lapacke.h>"}
jextract=${JEXTRACT:-jextract}
here=$(cd "$(dirname "$0")" && pwd)

if ! command -v "$jextract" >/dev/null; then
  echo "No jextract found. Get it from https://jdk.java.net/jextract/ or with 'sdk install jextract'," >&2
  echo "put it on the PATH, or run: JEXTRACT=/path/to/jextract $0 $include" >&2
  exit 1
fi
for header in cblas.h lapacke.h; do
  if [ ! -f "$include/$header" ]; then
    echo "There is no $header in $include" >&2
    exit 1
  fi
done

# generate NAME CLASS HEADER: binds what NAME.includes lists.
generate() {
  "$jextract" -I "$include" --output "$here/src" \
    -t "org.toydiff.internal.$1" --header-class-name "$2" \
    "@$here/$1.includes" "$include/$3"
}

rm -rf "$here/src"
generate openblas OpenBlas cblas.h
generate lapacke Lapacke lapacke.h
