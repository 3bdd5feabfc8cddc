/**
 * The oracle of golden runs: from a file of `raw-transactions` lines, what every topic and table must hold after a run.
 *
 * Tests compare a run with it. It shares no code with core, engine or lake: contracts.md read once more, line by line, with
 * JSON.parse, BigInt and no haste.
 */
import { createHash } from "node:crypto"
import { fieldRules, type OracleReason } from "./FieldRules.ts"
import { jsonOf, membersOf, textOf } from "./JsonText.ts"
import { partitionOf } from "./Murmur2.ts"

const rawTransactionsTopic = "raw-transactions"

/** Where a record stands in its topic. */
export interface OraclePosition {
  readonly partition: number
  readonly offset: number
}

/** A record of the topic `raw-transactions`. */
export interface OracleRecord extends OraclePosition {
  /** Line of the file, from 1. */
  readonly line: number
  /** The line's bytes; the first 1,000 of a line that is too long. */
  readonly value: Uint8Array
  readonly key: string | null
}

/** A row of the table `transactions.raw`: every column as exact text. */
export interface OracleRow extends OraclePosition {
  readonly line: number
  /** By column name: decimals with their scale, timestamps in UTC with microseconds, doubles as JavaScript prints them. */
  readonly values: Readonly<Record<string, string | null>>
  /** Unknown fields as the text of a JSON object, values as they were written. */
  readonly extraFields: string | null
  readonly cents: bigint
  /** `YYYY-MM-DD` of the event time: the partition of the table. */
  readonly day: string
}

/** A record of `dead-letter` and a row of `system.dead_letter`, without `failed_at` and `message`. */
export interface OracleDeadLetter extends OraclePosition {
  readonly line: number
  readonly topic: string
  readonly reason: OracleReason
  readonly field: string | null
  /** Base64. */
  readonly original: string
  readonly originalLength: number | null
  /** Lower-case hexadecimal digits. */
  readonly originalSha256: string | null
}

export interface OracleDay {
  readonly rows: number
  readonly cents: bigint
}

/** Everything a run must leave behind. */
export interface Expected {
  /** By partition, in offset order; offsets have no gaps. */
  readonly partitions: ReadonlyArray<ReadonlyArray<OracleRecord>>
  readonly rows: ReadonlyArray<OracleRow>
  readonly deadLetters: ReadonlyArray<OracleDeadLetter>
  readonly lines: number
  readonly cents: bigint
  readonly days: ReadonlyMap<string, OracleDay>
}

export interface OracleOptions {
  readonly partitions?: number
  readonly recordBytesMax?: number
}

const recordBytesMaxDefault = 1_048_576
/** A dead letter holds originals up to this length whole; of longer ones the first bytes, length and hash. */
const originalBytesMax = 700_000
const keptBytes = 1_000

interface Judgement {
  readonly key: string | null
  readonly verdict:
    | { readonly values: Readonly<Record<string, string | null>>; readonly extraFields: string | null }
    | { readonly reason: OracleReason; readonly field: string | null }
}

/** Lines without their line feeds. Bytes after the last line feed are a line too. */
export const linesOf = (file: Uint8Array): ReadonlyArray<Uint8Array> => {
  const lines: Array<Uint8Array> = []
  let start = 0
  for (let at = file.indexOf(10); at >= 0; at = file.indexOf(10, start)) {
    lines.push(file.subarray(start, at))
    start = at + 1
  }
  if (start < file.length) lines.push(file.subarray(start))
  return lines
}

const refused = (reason: OracleReason, key: string | null = null, field: string | null = null): Judgement => ({
  key,
  verdict: { reason, field }
})

const judgeObject = (object: Readonly<Record<string, unknown>>, text: string): Judgement => {
  const members = membersOf(text)
  const account = members.has("account_id") ? object["account_id"] : undefined
  // half of a surrogate pair is no text, so it is no key either
  const key = typeof account === "string" && account.isWellFormed() ? account : null
  const values: Record<string, string | null> = {}
  let untimely = false
  for (const [name, rule, optional] of fieldRules) {
    const written = members.get(name)
    if (optional && (written === undefined || written === "null")) {
      values[name] = null
      continue
    }
    if (written === undefined) return refused("missing_field", key, name)
    const outcome = rule(object[name], written)
    if ("value" in outcome) values[name] = outcome.value
    else if (outcome.reason === "event_time_out_of_range") untimely = true
    else return refused(outcome.reason, key, name)
  }
  // the record is sound: only now does its time count
  if (untimely) return refused("event_time_out_of_range", key, "event_timestamp")
  const known = new Set(fieldRules.map(([name]) => name))
  const extras = [...members].filter(([name]) => !known.has(name))
  const extraFields =
    extras.length === 0 ? null : `{${extras.map(([name, written]) => `${JSON.stringify(name)}:${written}`).join(",")}}`
  return { key, verdict: { values, extraFields } }
}

const judge = (bytes: Uint8Array): Judgement => {
  const text = textOf(bytes)
  if (text === undefined) return refused("not_utf8")
  const json = jsonOf(text)
  if (json === undefined) return refused("not_json")
  const { value } = json
  if (typeof value !== "object" || value === null || Array.isArray(value)) return refused("not_an_object")
  return judgeObject({ ...value }, text)
}

const originalOf = (bytes: Uint8Array) => {
  const cut = bytes.length > originalBytesMax
  return {
    original: Buffer.from(cut ? bytes.subarray(0, keptBytes) : bytes).toString("base64"),
    originalLength: cut ? bytes.length : null,
    originalSha256: cut ? createHash("sha256").update(bytes).digest("hex") : null
  }
}

const centsOf = (amount: string | null | undefined): bigint => BigInt((amount ?? "0").replace(".", ""))

/** What a run over `file` must leave in the log and in the tables. */
export const expectRawTransactions = (file: Uint8Array, options: OracleOptions = {}): Expected => {
  const { partitions: count = 4, recordBytesMax = recordBytesMaxDefault } = options
  const partitions: Array<Array<OracleRecord>> = Array.from({ length: count }, () => [])
  const rows: Array<OracleRow> = []
  const deadLetters: Array<OracleDeadLetter> = []
  const days = new Map<string, OracleDay>()
  const partitionByKey = new Map<string, number>()
  let cents = 0n

  const lines = linesOf(file)
  for (const [index, bytes] of lines.entries()) {
    const line = index + 1
    const tooLong = bytes.length > recordBytesMax
    const { key, verdict } = tooLong ? refused("record_too_long") : judge(bytes)
    if (key !== null && !partitionByKey.has(key)) partitionByKey.set(key, partitionOf(key, count))
    const partition = key === null ? 0 : (partitionByKey.get(key) ?? 0)
    const records = partitions[partition] ?? []
    const value = tooLong ? bytes.subarray(0, keptBytes) : bytes
    const position = { line, partition, offset: records.length }
    records.push({ ...position, value, key })
    if ("reason" in verdict) {
      deadLetters.push({ ...position, topic: rawTransactionsTopic, ...verdict, ...originalOf(bytes) })
      continue
    }
    const row = {
      cents: centsOf(verdict.values["amount"]),
      day: String(verdict.values["event_timestamp"]).slice(0, 10)
    }
    rows.push({ ...position, ...verdict, ...row })
    const before = days.get(row.day) ?? { rows: 0, cents: 0n }
    days.set(row.day, { rows: before.rows + 1, cents: before.cents + row.cents })
    cents += row.cents
  }
  return { partitions, rows, deadLetters, lines: lines.length, cents, days }
}
