/**
 * Proves, before a writer trusts it, that DuckDB's cells are laid out as `ChunkFill` expects.
 *
 * First DuckDB writes text cells and this looks at their bytes (no pointer of ours is followed); then known rows go into
 * two tables, the fast and the safe way, and DuckDB compares them. About 10 ms, once for each DuckDB.
 */
import duckdb from "@duckdb/node-bindings"
import type { ColumnBatch, RecordShape } from "@frazil/core"
import { Effect, Semaphore } from "effect"
import type { DuckDbConnection, DuckDbShape } from "../../io/DuckDb.ts"
import { type DuckDbError, toDuckDbError } from "../../io/DuckDbError.ts"
import { ChunkFill, inlineBytesMax } from "./ChunkFill.ts"
import type { CellKind, ColumnPlan, StoredColumn } from "./ColumnPlan.ts"
import { fillRows } from "./RowFill.ts"

const utf8 = new TextEncoder()

/** Text around the edges of a cell: inline, prefix, pointer; several bytes a character; NUL inside. */
const texts = [
  "",
  "a",
  "abcd",
  "twelve bytes",
  "thirteen byte",
  "é€😀",
  "0123456789é",
  "nul\0inside",
  "long ".repeat(40)
]

const short = utf8.encode("twelve bytes")
const long = utf8.encode("thirteen bytes and more")

/**
 * Whether two cells, of `short` and of `long`, are what `ChunkFill` would have written. `follow` reads what a cell points at, so
 * many bytes; it is asked only when it is sure enough that there is a pointer.
 */
export const isCellLayout = (view: DataView, follow: (at: number, length: number) => Uint8Array): boolean => {
  const sameAt = (at: number, bytes: Uint8Array) => bytes.every((byte, i) => view.getUint8(at + i) === byte)
  return (
    view.getUint32(0, true) === inlineBytesMax &&
    sameAt(4, short) &&
    view.getUint32(16, true) === long.length &&
    sameAt(20, long.subarray(0, 4)) &&
    view.getBigUint64(24, true) > 4096n &&
    follow(24, long.length).every((byte, i) => byte === long[i])
  )
}

/** DuckDB writes two texts; true when their cells are as expected. */
const cellsAsExpected = (): boolean => {
  if (duckdb.vector_size() < 2048 || new Uint8Array(Uint32Array.of(1).buffer)[0] !== 1) return false
  const chunk = duckdb.create_data_chunk([duckdb.create_logical_type(duckdb.Type.BLOB)])
  const vector = duckdb.data_chunk_get_vector(chunk, 0)
  duckdb.vector_assign_string_element_len(vector, 0, short)
  duckdb.vector_assign_string_element_len(vector, 1, long)
  const cells = duckdb.vector_get_data(vector, 32)
  const view = new DataView(cells.buffer, cells.byteOffset, 32)
  return isCellLayout(view, (at, length) =>
    // `view.buffer` is DuckDB's memory as an ArrayBuffer; it is never shared
    duckdb.get_data_from_pointer(view.buffer as ArrayBuffer, view.byteOffset + at, length)
  )
}

const column = (index: number, kind: CellKind, sqlType: string, type: StoredColumn["field"]["type"]): StoredColumn => ({
  source: { _tag: "Field", index },
  kind,
  sqlType,
  field: { id: index + 1, name: `f${index}`, required: false, type }
})

const checkedColumns: ReadonlyArray<StoredColumn> = [
  column(0, "Text", "VARCHAR", { _tag: "string" }),
  column(1, "Boolean", "BOOLEAN", { _tag: "boolean" }),
  column(2, "Int16", "DECIMAL(4, 1)", { _tag: "decimal", precision: 4, scale: 1 }),
  column(3, "Int32", "INTEGER", { _tag: "int" }),
  column(4, "Int64", "BIGINT", { _tag: "long" }),
  column(5, "Int128", "DECIMAL(38, 2)", { _tag: "decimal", precision: 38, scale: 2 }),
  column(6, "Double", "DOUBLE", { _tag: "double" }),
  column(7, "Micros", "TIMESTAMPTZ", { _tag: "timestamptz" }),
  { ...column(8, "Text", "VARCHAR", { _tag: "string" }), source: { _tag: "Extras" } }
]

const checkedPlan: ColumnPlan = {
  stored: checkedColumns,
  written: [],
  sourceTopic: "",
  madeBySql: false,
  tableColumns: checkedColumns.map(({ sqlType }, i) => `c${i} ${sqlType}`).join(", "),
  selected: "",
  fieldIds: ""
}

/** Rows of `texts` and of numbers at the edges, a null in each column, one decimal beyond 2^53. */
const checkedBatch = (): ColumnBatch => {
  const encoded = texts.map((text) => utf8.encode(text))
  const length = texts.length + 1
  const starts = new Int32Array(length).fill(-1)
  const ends = new Int32Array(length)
  const bytes = new Uint8Array(encoded.reduce((sum, each) => sum + each.length, 0))
  let used = 0
  encoded.forEach((each, row) => {
    starts[row] = used
    bytes.set(each, used)
    used += each.length
    ends[row] = used
  })
  const numbers = (...values: ReadonlyArray<number>) => ({
    _tag: "Numbers" as const,
    values: Float64Array.from({ length }, (_, row) => (row < values.length ? values[row]! : Number.NaN))
  })
  const fields: RecordShape["fields"] = checkedColumns.map((_, index) => ({
    name: `f${index}`,
    index,
    type: { _tag: "Boolean" },
    nullable: true,
    personal: false,
    hiddenFromRules: false
  }))
  const wideRow = 4
  return {
    shape: { fields, byName: new Map(), closed: true },
    source: {
      length,
      bytes,
      valueStarts: starts,
      valueEnds: ends,
      keyStarts: starts,
      keyEnds: ends,
      headers: new Map(),
      offsets: new Float64Array(length),
      timestamps: new Float64Array(length)
    },
    length,
    bytes,
    columns: [
      { _tag: "Bytes", starts, ends },
      { _tag: "Booleans", values: Uint8Array.from({ length }, (_, row) => row % 3) },
      numbers(0, 1, -1, 9999, -9999),
      numbers(0, 1, -1, 2_147_483_647, -2_147_483_648),
      numbers(0, 1, -1, Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER, 4_294_967_296, -4_294_967_296),
      numbers(0, 1, -1, Number.MAX_SAFE_INTEGER, Number.NaN, -4_294_967_297),
      numbers(0, 0.1, -1.5, Number.MAX_VALUE, Number.MIN_VALUE),
      numbers(0, 0.001, -0.001, 1_768_434_300_000.123, -4_000_000_000_000)
    ],
    valid: new Uint8Array(length).fill(1),
    wide: Uint8Array.from({ length }, (_, row) => (row === wideRow ? 1 : 0)),
    wideDecimals: new Map([[wideRow * fields.length + 5, -(10n ** 38n) + 1n]]),
    extras: new Map([
      [0, '{"a":1}'],
      [2, '{"longer":"than a cell"}']
    ]),
    failures: [],
    fastRows: length
  }
}

/** Appends all rows of a batch by itself. */
export type Fill = (plan: ColumnPlan, appender: duckdb.Appender, batch: ColumnBatch, rows: Int32Array) => void

const directly: Fill = (plan, appender, batch, rows) => {
  const fill = new ChunkFill(plan, appender)
  fill.begin(batch)
  fill.append(appender, batch, rows, 0, rows.length, 0)
}

const fillBoth = (handle: duckdb.Connection, fill: Fill): void => {
  const batch = checkedBatch()
  const rows = Int32Array.from({ length: batch.length }, (_, row) => row)
  const fast = duckdb.appender_create_ext(handle, "temp", null, "check_fast")
  fill(checkedPlan, fast, batch, rows)
  duckdb.appender_close_sync(fast)
  const safe = duckdb.appender_create_ext(handle, "temp", null, "check_safe")
  fillRows(checkedPlan, safe, batch, rows, 0, rows.length, 0)
  duckdb.appender_close_sync(safe)
}

const compared = checkedColumns.map(({ kind }, i) => (kind === "Text" ? `encode(c${i})` : `c${i}`)).join(", ")
// bags of rows: all but what the other has, both ways, and as many as were given
const differing = `SELECT count(*)::INTEGER + abs((SELECT count(*) FROM check_fast) - ${texts.length + 1})::INTEGER FROM (
  (SELECT ${compared} FROM check_fast EXCEPT ALL SELECT ${compared} FROM check_safe)
  UNION ALL (SELECT ${compared} FROM check_safe EXCEPT ALL SELECT ${compared} FROM check_fast))`

const doing = "checking how cells are laid out"
const fallbackWarning =
  "this DuckDB lays out its cells in another way than expected: files are right, but writing them takes five times as long"

/** True when what `fill` appends reads back as rows appended one by one do. Leaves nothing behind on the connection. */
export const readsBack = (connection: DuckDbConnection, fill: Fill = directly): Effect.Effect<boolean, DuckDbError> =>
  Effect.gen(function* () {
    const expected = yield* Effect.try({ try: cellsAsExpected, catch: toDuckDbError(doing) })
    if (!expected) return false
    for (const name of ["check_fast", "check_safe"]) {
      yield* connection.run(`CREATE OR REPLACE TEMP TABLE ${name} (${checkedPlan.tableColumns})`, doing)
    }
    yield* Effect.try({ try: () => fillBoth(connection.handle, fill), catch: toDuckDbError(doing) })
    const reader = yield* connection.query(differing, doing)
    yield* connection.run("DROP TABLE check_fast; DROP TABLE check_safe", doing)
    return reader.getRows()[0]?.[0] === 0
  }).pipe(Effect.catch((error) => (error.reason === "Failed" ? Effect.succeed(false) : Effect.fail(error))))

/** One check for each DuckDB: landings make a writer for each attempt, several open at once, and the layout does not change under way. */
const checks = new WeakMap<DuckDbShape, Effect.Effect<boolean, DuckDbError>>()

const checkedAndTold = (duckDb: DuckDbShape): Effect.Effect<boolean, DuckDbError> =>
  Effect.tap(Effect.scoped(Effect.flatMap(duckDb.connect, (connection) => readsBack(connection))), (good) =>
    good ? Effect.void : Effect.logWarning(fallbackWarning)
  )

/** True when `ChunkFill` may be used with this DuckDB, found out once for each: at an app's start. False costs speed only: a warning says so once. */
export const checkCells = (duckDb: DuckDbShape): Effect.Effect<boolean, DuckDbError> =>
  Effect.suspend(() => {
    const known = checks.get(duckDb)
    if (known !== undefined) return known
    // who comes while it runs waits for its answer; one that failed or was interrupted is forgotten
    const turn = Semaphore.makeUnsafe(1)
    let found: boolean | undefined
    const once = turn.withPermits(1)(
      Effect.suspend(() =>
        found === undefined
          ? Effect.tap(checkedAndTold(duckDb), (good) => Effect.sync(() => void (found = good)))
          : Effect.succeed(found)
      )
    )
    checks.set(duckDb, once)
    return once
  })
