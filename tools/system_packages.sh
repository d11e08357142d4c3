#!/bin/sh
# Install what is missing of a list of Debian packages: `tools/system_packages.sh nginx-light:nginx wrk`.
#
# Each argument is a package, with the command to look for after a colon when it has another name. Where all are there
# it costs nothing. Root installs with apt; anybody else, or another system, is told what to run, and it ends with 1.
# A package's own service (nginx has one) is not started: what uses it here runs its own, with its own settings.
set -eu

# Where Debian keeps what only root has on its path.
PATH="$PATH:/usr/sbin:/sbin"
POLICY=/usr/sbin/policy-rc.d

missing=
for wanted in "$@"; do
  command -v "${wanted#*:}" >/dev/null || missing="$missing ${wanted%%:*}"
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
  echo "missing here:$missing (names of Debian's packages). Install them with this system's own means." >&2
  exit 1
fi
if [ "$(id -u)" != 0 ]; then
  echo "missing here:$missing. To install them without starting their services: sudo $0 $*" >&2
  exit 1
fi

# Debian asks this file before a package starts a service. One that is there is the machine's own decision.
if [ ! -e "$POLICY" ]; then
  trap 'rm -f "$POLICY"' EXIT
  trap 'exit 1' HUP INT TERM
  printf '#!/bin/sh\nexit 101\n' >"$POLICY"
  chmod 755 "$POLICY"
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# The names are words of this list.
# shellcheck disable=SC2086
apt-get install -qq --yes --no-install-recommends $missing >/dev/null
