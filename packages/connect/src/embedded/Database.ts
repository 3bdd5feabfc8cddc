/**
 * One connection to a log's SQLite file, with its statements prepared once.
 *
 * Opened by `LogFile`; the tables' modules run their statements through it. All calls are synchronous and throw what
 * SQLite throws; `LogFile` turns that into errors.
 */
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite"

export interface Database {
  readonly file: string
  /** Statements without parameters or results: pragmas, transactions, the schema. */
  readonly exec: (sql: string) => void
  /** Runs a statement; the number of rows it changed. */
  readonly run: (sql: string, ...parameters: ReadonlyArray<SQLInputValue>) => number
  /** The first row, or undefined. The caller names the columns that it selects. */
  readonly first: <Row>(sql: string, ...parameters: ReadonlyArray<SQLInputValue>) => Row | undefined
  /** All rows: for lists that are short by nature. */
  readonly all: <Row>(sql: string, ...parameters: ReadonlyArray<SQLInputValue>) => ReadonlyArray<Row>
  readonly close: () => void
}

/** Differs when other connections have committed since it was read last; own commits do not change it. */
export const dataVersion = (db: Database): number =>
  db.first<{ readonly data_version: number }>("pragma data_version")?.data_version ?? 0

export const openDatabase = (file: string): Database => {
  const db = new DatabaseSync(file)
  const statements = new Map<string, StatementSync>()
  const prepared = (sql: string): StatementSync => {
    let statement = statements.get(sql)
    if (statement === undefined) statements.set(sql, (statement = db.prepare(sql)))
    return statement
  }
  return {
    file,
    exec: (sql) => db.exec(sql),
    run: (sql, ...parameters) => Number(prepared(sql).run(...parameters).changes),
    // the casts: tables are STRICT, so a column has the type that the schema gives it
    first: <Row>(sql: string, ...parameters: ReadonlyArray<SQLInputValue>) =>
      prepared(sql).get(...parameters) as Row | undefined,
    all: <Row>(sql: string, ...parameters: ReadonlyArray<SQLInputValue>) =>
      prepared(sql).all(...parameters) as unknown as ReadonlyArray<Row>,
    close: () => {
      statements.clear()
      db.close()
    }
  }
}
