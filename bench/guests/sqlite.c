/* SQLite on an in-memory database: a table of n rows in one transaction, an index, updates, joins and aggregates.
 * The amalgamation is built without an operating system; the virtual file system below can only tell that it has no files. */
#include <string.h>

#include "guest.h"
#include "sqlite3.h"

/* ---- the operating system that is not there ---- */

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags) {
    (void)vfs, (void)name, (void)file, (void)flags, (void)out_flags;
    return SQLITE_CANTOPEN;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync) {
    (void)vfs, (void)name, (void)sync;
    return SQLITE_OK;
}

static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *result) {
    (void)vfs, (void)name, (void)flags;
    *result = 0;
    return SQLITE_OK;
}

static int vfs_full_path(sqlite3_vfs *vfs, const char *name, int bytes, char *path) {
    (void)vfs;
    sqlite3_snprintf(bytes, path, "%s", name);
    return SQLITE_OK;
}

static int vfs_randomness(sqlite3_vfs *vfs, int bytes, char *to) {
    (void)vfs;
    memset(to, 42, (size_t)bytes);
    return bytes;
}

static int vfs_sleep(sqlite3_vfs *vfs, int microseconds) {
    (void)vfs;
    return microseconds;
}

static int vfs_time(sqlite3_vfs *vfs, sqlite3_int64 *milliseconds) {
    (void)vfs;
    *milliseconds = 210866760000000ll;
    return SQLITE_OK;
}

static int vfs_time_in_days(sqlite3_vfs *vfs, double *days) {
    (void)vfs;
    *days = 2440587.5;
    return SQLITE_OK;
}

static int vfs_last_error(sqlite3_vfs *vfs, int bytes, char *text) {
    (void)vfs, (void)bytes, (void)text;
    return 0;
}

static sqlite3_vfs no_files = {
    .iVersion = 2,
    .szOsFile = sizeof(sqlite3_file),
    .mxPathname = 64,
    .zName = "none",
    .xOpen = vfs_open,
    .xDelete = vfs_delete,
    .xAccess = vfs_access,
    .xFullPathname = vfs_full_path,
    .xRandomness = vfs_randomness,
    .xSleep = vfs_sleep,
    .xCurrentTime = vfs_time_in_days,
    .xGetLastError = vfs_last_error,
    .xCurrentTimeInt64 = vfs_time,
};

int sqlite3_os_init(void) {
    return sqlite3_vfs_register(&no_files, 1);
}

int sqlite3_os_end(void) {
    return SQLITE_OK;
}

/* The package's copy of the amalgamation ends in a hook that registers the package's own extensions. Nothing here calls it. */
int sqlite3_sqlean_init(sqlite3 *db, char **message, const void *api) {
    (void)db, (void)message, (void)api;
    return SQLITE_OK;
}

/* ---- the benchmark ---- */

static const char *const schema =
    "CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT NOT NULL, class INTEGER, weight REAL);"
    "CREATE TABLE class(id INTEGER PRIMARY KEY, label TEXT);"
    "INSERT INTO class VALUES (0,'zero'),(1,'one'),(2,'two'),(3,'three'),(4,'four'),(5,'five'),(6,'six');"
    "BEGIN;";

static const char *const after_rows =
    "COMMIT;"
    "CREATE INDEX item_name ON item(name);"
    "UPDATE item SET weight = weight * 2 WHERE id % 5 = 0;"
    "DELETE FROM item WHERE id % 11 = 7;";

static const char *const queries[] = {
    "SELECT count(*), sum(length(name)), total(weight) FROM item",
    "SELECT label, count(*), max(name) FROM item JOIN class ON class.id = item.class GROUP BY label ORDER BY label",
    "SELECT id, name FROM item WHERE name BETWEEN 'row 2' AND 'row 5' ORDER BY weight, id LIMIT 50",
    "WITH RECURSIVE count(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM count WHERE x < 200) SELECT sum(x * x), group_concat(x % 7, '') FROM count",
    "SELECT a.id, b.id FROM item a JOIN item b ON b.name = 'row ' || (a.id * 3) WHERE a.id < 300 ORDER BY 1",
};

static uint64_t mix_row(uint64_t hash, sqlite3_stmt *statement) {
    for (int i = 0; i < sqlite3_column_count(statement); i++) {
        if (sqlite3_column_type(statement, i) == SQLITE_FLOAT) {
            hash = mix_double(hash, sqlite3_column_double(statement, i));
            continue;
        }
        for (const unsigned char *c = sqlite3_column_text(statement, i); c && *c; c++)
            hash = mix(hash, *c);
    }
    return hash;
}

static int insert_rows(sqlite3 *db, int32_t n) {
    sqlite3_stmt *insert;
    uint32_t seed = 20;
    if (sqlite3_prepare_v2(db, "INSERT INTO item VALUES (?, ?, ?, ?)", -1, &insert, NULL) != SQLITE_OK)
        return 0;
    for (int32_t i = 0; i < n; i++) {
        char name[32];
        sqlite3_snprintf((int)sizeof name, name, "row %d", (int)(next_random(&seed) % 100000));
        sqlite3_bind_int(insert, 1, i);
        sqlite3_bind_text(insert, 2, name, -1, SQLITE_TRANSIENT);
        sqlite3_bind_int(insert, 3, (int)(next_random(&seed) % 7));
        sqlite3_bind_double(insert, 4, random_unit(&seed));
        if (sqlite3_step(insert) != SQLITE_DONE)
            return 0;
        sqlite3_reset(insert);
    }
    return sqlite3_finalize(insert) == SQLITE_OK;
}

EXPORT(run) int64_t run(int32_t n) {
    sqlite3 *db;
    uint64_t hash = MIX_SEED;
    if (sqlite3_open(":memory:", &db) != SQLITE_OK || sqlite3_exec(db, schema, NULL, NULL, NULL) != SQLITE_OK)
        return -1;
    if (!insert_rows(db, n) || sqlite3_exec(db, after_rows, NULL, NULL, NULL) != SQLITE_OK)
        return -2;
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
        sqlite3_stmt *query;
        if (sqlite3_prepare_v2(db, queries[i], -1, &query, NULL) != SQLITE_OK)
            return -3;
        while (sqlite3_step(query) == SQLITE_ROW)
            hash = mix_row(hash, query);
        sqlite3_finalize(query);
    }
    return sqlite3_close(db) == SQLITE_OK ? (int64_t)hash : -4;
}
