# Shell functions that tests/run and examples/run share: installing what is missing, building.
# Sourced, not run. Expects $root, the repository's root.

# What a build needs; each name is a Debian package.
build_packages=(
  build-essential cmake ninja-build ccache pkg-config
  libsoci-dev libboost-dev libpq-dev libsqlite3-dev libssl-dev nlohmann-json3-dev
)
# What the tests need beyond it, and beyond a PostgreSQL server.
test_packages=(doctest-dev python3 clang-format clang-tidy git)
# What the fuzz targets need beyond it.
fuzz_packages=(clang libclang-rt-14-dev)
# What the tests of the Python package need beyond it.
python_packages=(python3-dev python3-venv)

# Installs those of the named Debian packages that are missing; does nothing when none is.
install_missing() {
  local package missing=() as_root=()
  if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    echo "This system has no apt-get; what is needed must be there already: $*"
    return 0
  fi
  for package in "$@"; do
    if ! dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed'; then
      missing+=("$package")
    fi
  done
  if [[ ${#missing[@]} -eq 0 ]]; then
    return 0
  fi
  if [[ $EUID -ne 0 ]]; then
    if ! command -v sudo >/dev/null; then
      echo "Please install, as root: apt-get install ${missing[*]}" >&2
      return 1
    fi
    as_root=(sudo)
  fi
  echo "Installing ${missing[*]}"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq update &&
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
      apt-get -qq -y --no-install-recommends -o Dpkg::Use-Pty=0 install "${missing[@]}"
}

# How many compilers at once: as many as there are processors.
jobs() {
  nproc 2>/dev/null || getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2
}

# build_preset PRESET [TARGET...]: configures and builds a preset of CMakePresets.json.
build_preset() {
  local preset=$1
  shift
  (
    cd "$root" &&
      cmake --preset "$preset" &&
      cmake --build --preset "$preset" --parallel "$(jobs)" ${1:+--target "$@"}
  )
}

# install_python_package [WHAT]: builds the Python package of the checkout, installs it into
# build/venv and brings what its tests need; with `.` for WHAT, only what it needs itself. Without
# isolation, so that a second build compiles only what changed; what the build itself needs is read
# from pyproject.toml.
install_python_package() {
  local what=${1:-.[test]} python=$root/build/venv/bin/python requires
  "$python" -c '' 2>/dev/null || python3 -m venv --clear "$root/build/venv" || return 1
  (
    cd "$root" &&
      requires=$("$python" -c 'import tomllib
with open("pyproject.toml", "rb") as file:
    print(*tomllib.load(file)["build-system"]["requires"])') &&
      # shellcheck disable=SC2086  # several words, none with a space
      "$python" -m pip install --quiet --disable-pip-version-check $requires &&
      "$python" -m pip install --disable-pip-version-check --no-build-isolation "$what"
  )
}
