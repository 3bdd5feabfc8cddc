/**
 * One DuckDB for one query: parses while it is empty, is then given its tables and locked, runs one SELECT, and is closed.
 *
 * **Guarantees**: when the query runs, nothing but the given files can be opened, no setting can be changed, and the
 * statement is one that only reads. Limits on rows and bytes hold here; time and memory are its parent's.
 */
import { type DuckDBConnection, DuckDBInstance, StatementType } from "@duckdb/node-api"
import type { Answer, Request, ResultFormat } from "../pool/Frames.ts"
import type { Encoder } from "./Encoder.ts"
import { type Columns, csvEncoder, jsonEncoder } from "./TextEncoders.ts"

type Run = Extract<Request, { readonly type: "run" }>

export interface Output {
  readonly message: (answer: Answer) => Promise<void>
  readonly tree: (json: string) => Promise<void>
  /** Waits while the reader is behind. */
  readonly rows: (bytes: Uint8Array, rows: number) => Promise<void>
}

export interface Session {
  readonly parse: (sql: string) => Promise<string>
  readonly run: (request: Run, output: Output) => Promise<void>
  readonly close: () => void
}

const textOf = (text: string): string => `'${text.replaceAll("'", "''")}'`
const nameOf = (name: string): string => `"${name.replaceAll('"', '""')}"`
const mebibytes = (bytes: number): string => `'${Math.max(1, Math.floor(bytes / (1024 * 1024)))}MiB'`

const encoderOf = async (format: ResultFormat, columns: Columns): Promise<Encoder> => {
  switch (format) {
    case "json":
      return jsonEncoder(columns, ",\n", "")
    case "ndjson":
      return jsonEncoder(columns, "", "\n")
    case "csv":
      return csvEncoder(columns)
    case "arrow":
      // most queries do without it
      return (await import("./ArrowEncoder.ts")).arrowEncoder(columns)
  }
}

const viewStatements = (request: Run): ReadonlyArray<string> => {
  const catalogs = [...new Set(request.views.map(({ catalog }) => catalog))].filter((catalog) => catalog !== "")
  const schemas = new Set(
    request.views.map(({ catalog, namespace }) => `${catalog === "" ? "" : `${nameOf(catalog)}.`}${nameOf(namespace)}`)
  )
  return [
    ...catalogs.map((catalog) => `ATTACH ':memory:' AS ${nameOf(catalog)}`),
    ...[...schemas].map((schema) => `CREATE SCHEMA IF NOT EXISTS ${schema}`),
    ...request.views.map(({ catalog, name, namespace, relation }) => {
      const prefix = catalog === "" ? "" : `${nameOf(catalog)}.`
      return `CREATE VIEW ${prefix}${nameOf(namespace)}.${nameOf(name)} AS ${relation}`
    })
  ]
}

/** In this order: what needs access first, then the walls, then the lock on them. */
const prepare = async (connection: DuckDBConnection, request: Run): Promise<void> => {
  const statements = [
    `SET memory_limit = ${mebibytes(request.memoryBytesMax)}`,
    `SET max_temp_directory_size = ${mebibytes(request.spillBytesMax)}`,
    `SET threads = ${request.threads}`,
    `SET allowed_paths = [${request.files.map(textOf).join(", ")}]`,
    "SET enable_external_access = false",
    "SET lock_configuration = true",
    ...viewStatements(request)
  ]
  await connection.run(statements.join(";\n"))
}

const stream = async (connection: DuckDBConnection, request: Run, output: Output): Promise<void> => {
  const extracted = await connection.extractStatements(request.sql)
  if (extracted.count !== 1) throw new Error("Refused: not exactly one statement")
  const prepared = await extracted.prepare(0)
  if (prepared.statementType !== StatementType.SELECT) throw new Error("Refused: not a SELECT")
  await connection.run("BEGIN TRANSACTION READ ONLY")
  const result = await prepared.stream()
  const names = result.deduplicatedColumnNames()
  const types = result.columnTypes()
  const encoder = await encoderOf(request.format, { names, types })
  await output.message({
    type: "columns",
    columns: names.map((name, index) => ({ name, type: String(types[index]) }))
  })
  let rows = 0
  let bytes = 0
  const send = async (encoded: Uint8Array, count: number) => {
    bytes += encoded.length
    if (bytes <= request.bytesMax && (encoded.length > 0 || count > 0)) await output.rows(encoded, count)
    return bytes <= request.bytesMax
  }
  await send(encoder.head(), 0)
  for (;;) {
    const chunk = await result.fetchChunk()
    if (chunk === null || chunk.rowCount === 0) break
    const taken = Math.min(chunk.rowCount, request.rowsMax - rows)
    if (taken > 0 && !(await send(encoder.rows(chunk, taken), taken))) {
      return output.message({ type: "limit", limit: "bytes" })
    }
    rows += taken
    if (taken < chunk.rowCount) return output.message({ type: "limit", limit: "rows" })
  }
  await refuseBrokenOff(connection, request.sql)
  await send(encoder.tail(), 0)
  await output.message({ type: "done", rows })
}

/** A result that breaks off looks like one that has ended; its transaction takes no further statement then. */
const refuseBrokenOff = async (connection: DuckDBConnection, sql: string): Promise<void> => {
  try {
    await connection.run("SELECT 1")
  } catch (cause) {
    await connection.run("ROLLBACK")
    // why it failed is told by a run whose result is not streamed
    await connection.run(sql)
    throw cause
  }
}

export const openSession = async (spillFolder: string): Promise<Session> => {
  const instance = await DuckDBInstance.create(":memory:", {
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
    threads: "1",
    temp_directory: spillFolder
  })
  const connection = await instance.connect()
  // whatever does not depend on the query is done before there is one
  await connection.run("SET TimeZone = 'UTC'; SET allow_community_extensions = false")
  const parser = await connection.prepare("SELECT json_serialize_sql(?::VARCHAR)::VARCHAR")
  return {
    parse: async (sql) => {
      parser.bindVarchar(1, sql)
      const reader = await parser.runAndReadAll()
      return String(reader.getRows()[0]?.[0])
    },
    run: async (request, output) => {
      await prepare(connection, request)
      await stream(connection, request, output)
    },
    close: () => {
      connection.disconnectSync()
      instance.closeSync()
    }
  }
}
