/**
 * Turns records into columns, and rows into record objects: the one border where bytes are checked.
 *
 * Jobs and landings make one per topic. The scanner generated from the topic's shape reads most rows, single values of some
 * are read by their fields' rules (`OddValues.ts`), and those it gives up on are parsed and read by these rules alone
 * (`RuleDecode.ts`). All write the same columns, those that the topic's schema says.
 *
 * **Guarantees**: any bytes give a batch, never an exception; a row decodes exactly when the topic's schema accepts it.
 * **Bounds**: arrays of the largest batch seen are kept.
 */
import { Buffer } from "node:buffer"
import { Decimal } from "../Decimal.ts"
import type { Column, ColumnBatch, DecodeFailure } from "../record/ColumnBatch.ts"
import type { RecordBatch } from "../record/RecordBatch.ts"
import type { FieldSpec } from "../schema/FieldType.ts"
import type { Topic } from "../Topic.ts"
import { makeColumns, type Columns } from "./Columns.ts"
import { originalLengthHeader } from "./OriginalRecord.ts"
import { oddReaders, readOddValues } from "./OddValues.ts"
import { makeRecordReader } from "./RecordReader.ts"
import { readByRules } from "./RuleDecode.ts"
import { makeScanner, type Reads, type Scanner } from "./Scanner.ts"
import { makeSlowDecode, type SlowOutcome } from "./SlowDecode.ts"
import { makeTextStore, type TextStore } from "./TextStore.ts"
import { unknownFields } from "./UnknownFields.ts"

export interface Decoder<A> {
  /** The columns of a batch. Borrowed: valid until the next call. Arrays may be longer than the batch. */
  readonly decode: (batch: RecordBatch) => ColumnBatch
  /** The record of a row that decoded; absent and null fields are null. */
  readonly record: (batch: ColumnBatch, row: number) => A
}

interface SlowRows {
  readonly text: TextStore
  readonly wideDecimals: Map<number, bigint>
  /** Of rows that the slow path decided. */
  readonly extras: Map<number, string>
  readonly failures: Array<DecodeFailure>
}

const rowsInitial = 1_024

const recordTooLong: SlowOutcome = {
  _tag: "Failed",
  problem: {
    reason: "record_too_long",
    field: undefined,
    message: "the record is longer than a record may be: only its first bytes were kept"
  }
}

/** Records that were cut when they were appended: they fail, whatever is left of them. */
const cutRows = (batch: RecordBatch): ReadonlySet<number> => {
  const rows = new Set<number>()
  for (const [row, headers] of batch.headers) if (headers[originalLengthHeader] !== undefined) rows.add(row)
  return rows
}

const writeText = (column: Column, row: number, text: string | null, store: TextStore): void => {
  if (column._tag !== "Bytes") return
  if (text === null) {
    column.starts[row] = -1
    column.ends[row] = -1
    return
  }
  column.starts[row] = store.position()
  store.add(text)
  column.ends[row] = store.position()
}

/** Writes the cell of a decoded value; the slow path's half of what the scanner does. */
const writeCell = (
  field: FieldSpec,
  columns: Columns,
  row: number,
  value: unknown,
  rows: SlowRows,
  cells: number
): void => {
  const column = columns.columns[field.index]!
  if (column._tag === "Bytes") {
    writeText(column, row, value === null ? null : String(value), rows.text)
  } else if (column._tag === "Booleans") {
    column.values[row] = value === null ? 2 : value === true ? 1 : 0
  } else if (value instanceof Decimal) {
    const { unscaled } = value
    column.values[row] = typeof unscaled === "number" ? unscaled : Number.NaN
    if (typeof unscaled === "bigint") {
      columns.wide[row] = 1
      rows.wideDecimals.set(row * cells + field.index, unscaled)
    }
  } else {
    column.values[row] = value === null ? Number.NaN : Number(value)
  }
}

const bufferOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** Unknown fields of all rows, made when somebody asks. */
const extrasOf = (
  batch: RecordBatch,
  rows: SlowRows,
  unknown: ReadonlyArray<number>,
  gone: (row: number) => boolean
): Map<number, string> => {
  if (unknown.length === 0) return rows.extras
  const extras = unknownFields(unknown, bufferOf(batch.bytes), gone)
  for (const [row, text] of rows.extras) extras.set(row, text)
  return extras
}

/** The decoder of a topic, with the scanner given: without one the schema decides every row (the tests' twin). */
export const makeDecoderWith = <A>(topic: Topic<A>, scanner: Scanner | undefined, reads?: Reads): Decoder<A> => {
  const { fields } = topic.shape
  const slowDecode = makeSlowDecode(topic, scanner === undefined ? undefined : readByRules(topic))
  const readers = oddReaders(topic)
  let columns = makeColumns(topic.shape, rowsInitial)

  const scan = (batch: RecordBatch): number => {
    if (scanner !== undefined) {
      return scanner(batch.bytes, batch.valueStarts, batch.valueEnds, batch.length, columns)
    }
    for (let row = 0; row < batch.length; row++) columns.slowRows[row] = row
    return batch.length
  }

  const writeRow = (row: number, outcome: SlowOutcome, rows: SlowRows): void => {
    if (outcome._tag === "Failed") {
      columns.valid[row] = 0
      rows.failures.push({ row, ...outcome.problem })
      return
    }
    columns.valid[row] = 1
    for (const field of fields) {
      const decoded = outcome.record[field.name] ?? null
      // a nested value keeps the text it was written with
      const value = field.type._tag === "Json" && decoded !== null ? outcome.members.get(field.name) : decoded
      writeCell(field, columns, row, value, rows, fields.length)
    }
    if (outcome.extras !== undefined) rows.extras.set(row, outcome.extras)
  }

  /** Reads the values that the scanner only found. How many rows the slow path has to decide: one more for each that refused. */
  const readOdd = (batch: RecordBatch, slow: number, rows: SlowRows): number => {
    const { columns: cells, odd, slowRows, wide } = columns
    if (odd.length === 0) return slow
    // rows with wide decimals are read as records, and so have to be whole
    const fits = (value: unknown) =>
      reads === undefined || !(value instanceof Decimal) || typeof value.unscaled === "number"
    const given = readOddValues(odd, bufferOf(batch.bytes), readers, fits, (row, index, value, start, end) => {
      const column = cells[index]!
      if (value !== null && column._tag === "Bytes" && fields[index]!.type._tag === "Json") {
        // its text stands where it was found
        column.starts[row] = start
        column.ends[row] = end
      } else writeCell(fields[index]!, columns, row, value, rows, fields.length)
    })
    if (given.length === 0) return slow
    for (const [index, row] of given.entries()) {
      wide[row] = 0
      slowRows[slow + index] = row
    }
    slowRows.subarray(0, slow + given.length).sort()
    return slow + given.length
  }

  const decode = (batch: RecordBatch): ColumnBatch => {
    if (batch.length > columns.capacity)
      columns = makeColumns(topic.shape, Math.max(batch.length, columns.capacity * 2))
    columns.wide.fill(0, 0, batch.length)
    columns.odd.length = 0
    columns.unknown.length = 0
    const rows: SlowRows = {
      text: makeTextStore(batch.bytes),
      wideDecimals: new Map(),
      extras: new Map(),
      failures: []
    }
    const cut = cutRows(batch)
    const slow = readOdd(batch, scan(batch), rows)
    let fastRows = batch.length - slow
    for (let index = 0; index < slow; index++) {
      const row = columns.slowRows[index]!
      const outcome = cut.has(row)
        ? recordTooLong
        : slowDecode(batch.bytes.subarray(batch.valueStarts[row]!, batch.valueEnds[row]!))
      writeRow(row, outcome, rows)
    }
    for (const row of cut) {
      // what is left of a cut record may look whole
      if (columns.valid[row] === 0) continue
      writeRow(row, recordTooLong, rows)
      fastRows--
    }
    if (cut.size > 0) rows.failures.sort((left, right) => left.row - right.row)
    const slowOnes = new Set(columns.slowRows.subarray(0, slow))
    const { unknown, valid } = columns
    let extras: Map<number, string> | undefined
    return {
      shape: topic.shape,
      source: batch,
      length: batch.length,
      bytes: rows.text.bytes(),
      columns: columns.columns,
      valid: columns.valid,
      wide: columns.wide,
      wideDecimals: rows.wideDecimals,
      get extras() {
        return (extras ??= extrasOf(batch, rows, unknown, (row) => slowOnes.has(row) || valid[row] === 0))
      },
      failures: rows.failures,
      fastRows
    }
  }
  return { decode, record: makeRecordReader(topic) }
}

/** Code is generated once for a topic: a job that starts over, and its landing, run what is compiled already. */
const scanners = new WeakMap<object, Map<string, Scanner>>()

const scannerOf = <A>(topic: Topic<A>, reads: Reads): Scanner => {
  const known = scanners.get(topic) ?? new Map<string, Scanner>()
  scanners.set(topic, known)
  const name = reads === undefined ? "*" : topic.shape.fields.map((field) => Number(reads.has(field.name))).join("")
  const scanner = known.get(name) ?? makeScanner(topic, reads)
  known.set(name, scanner)
  return scanner
}

/**
 * Makes the decoder of a topic; it keeps columns, so make it once per topic and task. With `reads`, only columns of those fields
 * are written, and `record` is only for rows that have a wide decimal; every field is checked all the same.
 */
const make = <A>(topic: Topic<A>, reads?: Reads): Decoder<A> => makeDecoderWith(topic, scannerOf(topic, reads), reads)

export const Decoder = { make } as const
