/** What codes of SQLite mean, for whom they are sorted into errors. */

/** No room: for a page, or for the file that readers and writers share. */
export const isFull = (code: string): boolean => code === "SQLITE_FULL" || code === "SQLITE_IOERR_SHMSIZE"

/** The file is no database, or its pages do not fit together. */
export const isCorrupt = (code: string): boolean => code === "SQLITE_NOTADB" || code.startsWith("SQLITE_CORRUPT")
