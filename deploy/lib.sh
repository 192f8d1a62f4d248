# Shared by the scripts of this folder: where things are, and installing what is missing. Sourced, not run.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '%s\n' "$*" >&2; }
die() { say "$(basename "$0"): $*"; exit 1; }

# as_root COMMAND…: as it is for root, through sudo for others.
as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else die "needs root or sudo to run: $*"
  fi
}

# install_packages WHAT…: the packages of packages.txt whose purpose is one of WHAT and that are not there yet.
install_packages() {
  local missing=() name purpose
  while read -r name purpose; do
    case "$name" in '' | '#'*) continue ;; esac
    case " $* " in *" $purpose "*) ;; *) continue ;; esac
    dpkg-query -W -f '${Status}' "$name" 2>/dev/null | grep -q 'install ok installed' || missing+=("$name")
  done <"$root/deploy/packages.txt"
  [ "${#missing[@]}" = 0 ] && return 0
  command -v apt-get >/dev/null || die "these packages are missing and there is no apt-get: ${missing[*]}"
  say "installing ${missing[*]}"
  as_root apt-get update -qq || say "apt-get update failed; trying with the lists that are here"
  # Postgres' package starts a server of its own by default; Quern runs its private one.
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null ||
    die "apt-get install failed: ${missing[*]}"
}

# build_tree FOLDER CMAKE-OPTION…: configures once, then builds what changed.
build_tree() {
  local dir=$1
  shift
  [ -f "$dir/build.ninja" ] || cmake -S "$root" -B "$dir" -G Ninja "$@" >/dev/null || die "cmake failed"
  ninja -C "$dir" >"$dir/ninja.log" 2>&1 || { tail -n 60 "$dir/ninja.log" >&2; die "the build failed (whole log: $dir/ninja.log)"; }
}
