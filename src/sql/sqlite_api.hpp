// SQLite's own interface under one name: SOCI 4.0 declares it inside a namespace, SOCI 4.1 leaves
// it where it is. To be included before anything that includes sqlite3.h.
#pragma once

#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>
#include <soci/version.h>

#if SOCI_VERSION >= 400100
#include <sqlite3.h>
#define ACCOUNTING_SQLITE_HOME
#else
#define ACCOUNTING_SQLITE_HOME sqlite_api
#endif

namespace accounting::sql::native {

using ACCOUNTING_SQLITE_HOME::sqlite3;
using ACCOUNTING_SQLITE_HOME::sqlite3_busy_handler;
using ACCOUNTING_SQLITE_HOME::sqlite3_db_readonly;
using ACCOUNTING_SQLITE_HOME::sqlite3_errmsg;
using ACCOUNTING_SQLITE_HOME::sqlite3_exec;
using ACCOUNTING_SQLITE_HOME::sqlite3_extended_errcode;
using ACCOUNTING_SQLITE_HOME::sqlite3_finalize;
using ACCOUNTING_SQLITE_HOME::sqlite3_get_autocommit;
using ACCOUNTING_SQLITE_HOME::sqlite3_prepare_v2;
using ACCOUNTING_SQLITE_HOME::sqlite3_progress_handler;
using ACCOUNTING_SQLITE_HOME::sqlite3_reset;
using ACCOUNTING_SQLITE_HOME::sqlite3_step;
using ACCOUNTING_SQLITE_HOME::sqlite3_stmt;

}  // namespace accounting::sql::native

#undef ACCOUNTING_SQLITE_HOME
