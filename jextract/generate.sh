#!/usr/bin/env bash
# Regenerates jextract/src from the headers of OpenBLAS, oneMKL and Open MPI. The build never runs this: its output is committed.
#
#   jextract/generate.sh <folder of cblas.h and lapacke.h> <folder of mkl_cblas.h> <folder of mpi.h>
#
# The headers are in the Maven artifacts, org.bytedeco:openblas:<version>:<platform> in the folder
# org/bytedeco/openblas/<platform>/include, org.bytedeco:mkl:<version>:<platform>-redist in org/bytedeco/mkl/<platform>/include.
# That of Open MPI 4.1 is in Debian's libopenmpi-dev.
set -euo pipefail

usage="usage: jextract/generate.sh <folder of cblas.h and lapacke.h> <folder of mkl_cblas.h> <folder of mpi.h>"
openblas=${1:?"$usage"}
mkl=${2:?"$usage"}
openmpi=${3:?"$usage"}
jextract=${JEXTRACT:-jextract}
here=$(cd "$(dirname "$0")" && pwd)

if ! command -v "$jextract" >/dev/null; then
  echo "No jextract found. Get it from https://jdk.java.net/jextract/ or with 'sdk install jextract'," >&2
  echo "put it on the PATH, or run: JEXTRACT=/path/to/jextract $0 $openblas $mkl $openmpi" >&2
  exit 1
fi
for header in "$openblas/cblas.h" "$openblas/lapacke.h" "$mkl/mkl_cblas.h" "$openmpi/mpi.h"; do
  if [ ! -f "$header" ]; then
    echo "There is no $header" >&2
    exit 1
  fi
done

# bind <include folder> <package> <class> <list> <header>
bind() {
  "$jextract" -I "$1" --output "$here/src" -t "org.toydiff.internal.$2" --header-class-name "$3" "@$here/$4" "$5"
}

rm -rf "$here/src"
bind "$openblas" openblas OpenBlas openblas.includes "$openblas/cblas.h"
bind "$openblas" lapacke Lapacke lapacke.includes "$openblas/lapacke.h"
bind "$mkl" mkl Mkl mkl.includes "$here/mkl.h"
bind "$openmpi" openmpi OpenMpi openmpi.includes "$openmpi/mpi.h"
