/** A record with a field of every kind, columns made straight from record objects, and the three ways to run an expression. */
import { Result, Schema } from "effect"
import {
  CalendarDate,
  type CheckedExpr,
  checkExpr,
  type Column,
  type ColumnBatch,
  columnAccess,
  compileValue,
  Decimal,
  type Expr,
  Field,
  formatProblem,
  interpretValue,
  makeCodeScope,
  makeRecordBuilder,
  recordAccess,
  RecordShape,
  Timestamp
} from "../../src/index.ts"

export const shape = RecordShape.of(
  Schema.Struct({
    amount: Field.decimal(18, 2),
    fee: Field.optional(Field.decimal(9, 4)),
    huge: Field.optional(Field.decimal(38, 10)),
    country: Field.optional(Field.text()),
    merchant: Field.text(),
    kind: Field.oneOf(["purchase", "refund", "transfer"]),
    count: Field.int({ min: -1000, max: 1_000_000 }),
    total: Field.optional(Field.int()),
    lat: Field.double({ min: -90, max: 90 }),
    score: Field.optional(Field.double()),
    flag: Field.optional(Field.boolean),
    online: Field.boolean,
    at: Field.timestamp,
    seen: Field.optional(Field.timestamp),
    born: Field.optional(Field.date),
    extra: Field.optional(Field.json(Schema.Unknown)),
    label: Field.hiddenFromRules(Field.optional(Field.text())),
    constructor: Field.optional(Field.text())
  })
)

export type TestRecord = Readonly<Record<string, unknown>>

export const timestamp = (text: string): Timestamp => {
  const parsed = Timestamp.parse(text)
  if (typeof parsed !== "number") throw new Error(`no timestamp: ${text}`)
  return parsed
}

/** A record without nulls; a null in `change` makes a field null. */
export const record = (change: TestRecord = {}): TestRecord => ({
  amount: Decimal.of("120.50", 2),
  fee: Decimal.of("0.0001", 4),
  huge: Decimal.of("1.5", 10),
  country: "DE",
  merchant: "Bäckerei Müller",
  kind: "purchase",
  count: 7,
  total: 40,
  lat: 48.25,
  score: 0.5,
  flag: true,
  online: false,
  at: timestamp("2026-01-14T23:45:10.250Z"),
  seen: timestamp("2026-01-14T23:40:10.250Z"),
  born: CalendarDate.parse("1990-05-17"),
  extra: [1],
  label: "fraud",
  constructor: "Ford",
  ...change
})

/** Columns of records, as a decoder makes them. */
export const columnBatchOf = (records: ReadonlyArray<TestRecord>): ColumnBatch => {
  const encoder = new TextEncoder()
  const bytes: Array<number> = []
  const wide = new Uint8Array(records.length)
  const wideDecimals = new Map<number, bigint>()
  const columns = shape.fields.map((field): Column => {
    const cells = records.map((row) => row[field.name] ?? null)
    switch (field.type._tag) {
      case "Text":
      case "Json": {
        const column = { starts: new Int32Array(cells.length).fill(-1), ends: new Int32Array(cells.length).fill(-1) }
        for (const [row, cell] of cells.entries()) {
          if (cell === null) continue
          column.starts[row] = bytes.length
          bytes.push(...encoder.encode(typeof cell === "string" ? cell : JSON.stringify(cell)))
          column.ends[row] = bytes.length
        }
        return { _tag: "Bytes", ...column }
      }
      case "Boolean":
        return { _tag: "Booleans", values: Uint8Array.from(cells, (cell) => (cell === null ? 2 : Number(cell))) }
      default: {
        const values = Float64Array.from(cells, (cell, row) => {
          if (!(cell instanceof Decimal)) return cell === null ? Number.NaN : Number(cell)
          if (typeof cell.unscaled === "number") return cell.unscaled
          wide[row] = 1
          wideDecimals.set(row * shape.fields.length + field.index, cell.unscaled)
          return Number.NaN
        })
        return { _tag: "Numbers", values }
      }
    }
  })
  return {
    shape,
    source: { ...makeRecordBuilder().take(), offsets: new Float64Array(), timestamps: new Float64Array() },
    length: records.length,
    bytes: Uint8Array.from(bytes),
    columns,
    valid: new Uint8Array(records.length).fill(1),
    wide,
    wideDecimals,
    extras: new Map(),
    failures: [],
    fastRows: records.length
  }
}

export const checked = (expression: Pick<Expr<never, unknown>, "source" | "result" | "field">): CheckedExpr => {
  const result = checkExpr(expression, shape)
  if (Result.isFailure(result)) throw new Error(result.failure.map(formatProblem).join("\n"))
  return result.success
}

/** The expression as a function of a record, compiled over record objects. */
export const onRecord = (expression: CheckedExpr): ((record: TestRecord) => unknown) => {
  const scope = makeCodeScope()
  const code = compileValue(expression, recordAccess(shape, scope, "record"), scope)
  return new Function(...scope.names, `"use strict"; return (record) => ${code}`)(...scope.values)
}

/** The expression as a function of a row, compiled over columns. */
export const onColumns = (expression: CheckedExpr): ((batch: ColumnBatch) => (row: number) => unknown) => {
  const scope = makeCodeScope()
  const access = columnAccess(shape, scope)
  const code = compileValue(expression, access, scope)
  const body = `"use strict"; return (batch) => { ${access.prelude()}\n return (i) => ${code} }`
  return new Function(...scope.names, body)(...scope.values)
}

/** A value that `toEqual` compares wholly, and that reads well in a failure. */
export const plain = (value: unknown): unknown => (value instanceof Decimal ? `decimal ${value.toString()}` : value)

/** The value by each of the three ways. Columns are left out for a row with a wide decimal, as in the engine. */
export const runAll = (expression: CheckedExpr, row: TestRecord): ReadonlyArray<unknown> => {
  const batch = columnBatchOf([row])
  const values = [interpretValue(expression)(row), onRecord(expression)(row)]
  if (batch.wide[0] === 0) values.push(onColumns(expression)(batch)(0) as never)
  return values.map(plain)
}
