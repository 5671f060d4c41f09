#!/usr/bin/env bash
# Regenerates jextract/src from OpenBLAS's cblas.h. The build never runs this: its output is committed.
#
#   jextract/generate.sh <folder of cblas.h>
#
# The header of the bundled OpenBLAS is in its Maven artifact, org.bytedeco:openblas, in the folder
# org/bytedeco/openblas/<platform>/include.
set -euo pipefail

include=${1:?"usage: jextract/generate.sh <folder of cblas.h>"}
jextract=${JEXTRACT:-jextract}
here=$(cd "$(dirname "$0")" && pwd)

if ! command -v "$jextract" >/dev/null; then
  echo "No jextract found. Get it from https://jdk.java.net/jextract/ or with 'sdk install jextract'," >&2
  echo "put it on the PATH, or run: JEXTRACT=/path/to/jextract $0 $include" >&2
  exit 1
fi
if [ ! -f "$include/cblas.h" ]; then
  echo "There is no cblas.h in $include" >&2
  exit 1
fi

rm -rf "$here/src"
"$jextract" -I "$include" --output "$here/src" \
  -t org.toydiff.internal.openblas --header-class-name OpenBlas \
  "@$here/openblas.includes" "$include/cblas.h"
