# Shell functions that start and stop a PostgreSQL server for the tests. Sourced, not run.

postgresql_dir=""

# PostgreSQL refuses to run as root: there, its commands run as the user postgres.
as_postgresql() {
  if [[ $EUID -ne 0 ]]; then
    "$@"
  elif command -v runuser >/dev/null; then
    runuser -u postgres -- "$@"
  else
    su postgres -s /bin/sh -c 'exec "$0" "$@"' -- "$@"
  fi
}

# The folder of the newest server's programs: Debian keeps them off the PATH.
postgresql_bin() {
  local newest
  newest=$(find /usr/lib/postgresql -mindepth 3 -maxdepth 3 -name initdb 2>/dev/null |
    sort -V | tail -n 1)
  [[ -n $newest ]] || newest=$(command -v initdb) || {
    echo "PostgreSQL's initdb was not found" >&2
    return 1
  }
  dirname "$newest"
}

# Starts a server in a temporary directory, with durable settings as shipped, and exports
# ACCOUNTING_TEST_POSTGRESQL.
start_postgresql() {
  local bin attempt port
  bin=$(postgresql_bin) || return 1
  # Short, because a Unix socket's path is limited to about 100 bytes.
  postgresql_dir=$(mktemp -d /tmp/accounting.XXXXXX) || return 1
  if [[ $EUID -eq 0 ]]; then
    chown postgres "$postgresql_dir" || return 1
  fi
  (
    cd "$postgresql_dir" &&
      as_postgresql "$bin/initdb" --pgdata="$postgresql_dir/data" --username=accounting \
        --auth=trust --encoding=UTF8 --locale=C.UTF-8
  ) || return 1

  # Whether a port is free shows only when the server takes it.
  for attempt in 1 2 3 4 5 6 7 8 9 10; do
    port=$((20000 + RANDOM % 12000))
    if (
      cd "$postgresql_dir" &&
        as_postgresql "$bin/pg_ctl" start --wait --silent --pgdata="$postgresql_dir/data" \
          --log="$postgresql_dir/server.log" \
          --options="-p $port -c listen_addresses=127.0.0.1 \
            -c unix_socket_directories='$postgresql_dir' -c max_connections=200"
    ); then
      "$bin/createdb" --host="$postgresql_dir" --port="$port" --username=accounting accounting ||
        return 1
      export ACCOUNTING_TEST_POSTGRESQL="postgresql://accounting@127.0.0.1:$port/accounting"
      return 0
    fi
    cat "$postgresql_dir/server.log"
  done
  return 1
}

# Stops the server and removes its directory. Harmless when there is none.
stop_postgresql() {
  local bin
  [[ -n $postgresql_dir ]] || return 0
  if [[ -e $postgresql_dir/data/postmaster.pid ]] && bin=$(postgresql_bin); then
    (
      cd "$postgresql_dir" &&
        as_postgresql "$bin/pg_ctl" stop --wait --silent --mode=immediate \
          --pgdata="$postgresql_dir/data"
    )
  fi
  rm -rf "$postgresql_dir"
  postgresql_dir=""
}
