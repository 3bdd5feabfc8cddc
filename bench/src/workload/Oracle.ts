/**
 * The workloads' answers by plain loops: JSON.parse, BigInt, every window on its own. Shares no code with the engine.
 *
 * `CheckAnswer.ts` compares a run's answer with it, and the tests do. It judges lines of the usual forms: which spellings of
 * numbers and times the contract takes besides, and what a record may hold, is not told here a second time. A file with
 * another line has no answer of its own (`Unjudged`).
 */
import { createHash } from "node:crypto"

interface Read {
  readonly id: string
  readonly account: string
  readonly cents: bigint
  readonly type: string
  readonly currency: string
  readonly category: string
  readonly country: string
  readonly ms: number
}

/** A line whose form it does not judge; counted from 1. */
export class Unjudged extends Error {
  readonly line: number
  constructor(line: number) {
    super(`line ${line} is of a form that the reference does not judge`)
    this.line = line
  }
}

const texts = ["merchant_id", "merchant_category", "city", "device_id", "ip", "account_id"]
const types = ["purchase", "refund", "withdrawal", "transfer"]
const channels = ["pos", "online", "atm", "mobile"]
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
const lineBytesMax = 1_048_576

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const parsed = (line: string): unknown => {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

/** The digits as they are written, since a double would not hold them; undefined where the form is another one. */
const centsOf = (line: string): bigint | "invalid" | undefined => {
  const [found, second] = line.matchAll(/"amount"\s*:\s*(-?\d{1,16})(?:\.(\d+))?\s*[,}]/g)
  const [, whole, fraction = ""] = found ?? []
  if (whole === undefined || second !== undefined || line.split('"amount"').length > 2) return undefined
  if (fraction.length > 2) return fraction.endsWith("0") ? undefined : "invalid"
  const cents = BigInt(whole + fraction.padEnd(2, "0"))
  return cents > 0n ? cents : "invalid"
}

/** A time of the usual form, which lies between 2000 and 2090; undefined where the form is another one. */
const msOf = (text: string): number | "invalid" | undefined => {
  const ms = time.test(text) ? Date.parse(text) : Number.NaN
  if (!Number.isFinite(ms) || new Date(ms).toISOString() !== text) return undefined
  return ms < Date.UTC(2000, 0, 1) || ms >= Date.UTC(2090, 0, 1) ? "invalid" : ms
}

const within = (value: unknown, most: number): boolean => typeof value === "number" && Math.abs(value) <= most

/** The record of a line; `invalid` by the contract; undefined where it is not judged. */
const read = (line: string): Read | "invalid" | undefined => {
  if (Buffer.byteLength(line) > lineBytesMax) return "invalid"
  // bytes that are no text
  if (line.includes("\ufffd")) return undefined
  const record = parsed(line)
  if (!isObject(record)) return "invalid"
  const text = (name: string) => (typeof record[name] === "string" ? record[name] : "")
  const needed = [...texts, "transaction_id", "event_timestamp", "type", "currency", "country", "channel"]
  if (needed.some((name) => typeof record[name] !== "string")) return "invalid"
  if (record["amount"] === undefined || record["lat"] === undefined || record["lon"] === undefined) return "invalid"
  if (texts.some((name) => text(name) === "") || (record["label"] ?? "") !== text("label")) return undefined
  if (!uuid.test(text("transaction_id")) || !types.includes(text("type"))) return undefined
  if (!channels.includes(text("channel")) || !within(record["lat"], 90) || !within(record["lon"], 180)) return undefined
  if (!/^[A-Z]{3}$/.test(text("currency")) || !/^[A-Z]{2}$/.test(text("country"))) return undefined
  const ms = msOf(text("event_timestamp"))
  const cents = centsOf(line)
  if (ms === undefined || cents === undefined) return undefined
  if (cents === "invalid" || ms === "invalid") return "invalid"
  return {
    id: text("transaction_id"),
    account: text("account_id"),
    cents,
    type: text("type"),
    currency: text("currency"),
    category: text("merchant_category"),
    country: text("country"),
    ms
  }
}

const linesOf = (content: string): ReadonlyArray<string> => {
  const lines = content.split("\n")
  if (lines.at(-1) === "") lines.pop()
  return lines
}

/** A record for each line, undefined for an invalid one. */
const readAll = (content: string): ReadonlyArray<Read | undefined> =>
  linesOf(content).map((line, index) => {
    const found = read(line)
    if (found === undefined) throw new Unjudged(index + 1)
    return found === "invalid" ? undefined : found
  })

const sorted = (rows: ReadonlyArray<string>) =>
  rows.toSorted((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)))

const rowsAnswer = (rows: ReadonlyArray<string>) => ({
  rows: rows.length,
  rows_sha256: createHash("sha256")
    .update(
      sorted(rows)
        .map((row) => `${row}\n`)
        .join("")
    )
    .digest("hex")
})

export const oracleCounts = (content: string) => {
  const answer = { n: 0, high: 0, review: 0, clean: 0, invalid: 0, rules: [0, 0, 0, 0, 0], amount_cents: 0n }
  for (const record of readAll(content)) {
    answer.n++
    if (record === undefined) {
      answer.invalid++
      continue
    }
    answer.amount_cents += record.cents
    const found = [
      record.cents > 1_000_000n,
      record.country !== "US",
      ["gambling", "crypto", "wire_transfer", "jewelry"].includes(record.category),
      record.type === "withdrawal" && record.cents > 80_000n,
      record.currency !== "USD"
    ]
    for (const [rule, holds] of found.entries()) if (holds) answer.rules[rule]!++
    if (found[0] || found[3]) answer.high++
    else if (found[1] || found[2] || found[4]) answer.review++
    else answer.clean++
  }
  return answer
}

const valid = (content: string) => readAll(content).flatMap((record) => record ?? [])

/** Every window that a record lies in, unless the newest time before it, less 10 s, has come to the window's end. */
export const oracleWindows = (content: string, sizeMs: number, countMin: number) => {
  const everyMs = 300_000
  const windows = new Map<string, { account: string; start: number; count: number; cents: bigint }>()
  let newest = Number.NEGATIVE_INFINITY
  let late = 0
  for (const { account, cents, ms } of valid(content)) {
    let taken = false
    const lastStart = Math.floor(ms / everyMs) * everyMs
    for (let start = lastStart; start > ms - sizeMs; start -= everyMs) {
      if (start + sizeMs <= newest - 10_000) continue
      taken = true
      const name = JSON.stringify([account, start])
      const window = windows.get(name) ?? { account, start, count: 0, cents: 0n }
      windows.set(name, { account, start, count: window.count + 1, cents: window.cents + cents })
    }
    if (!taken) late++
    newest = Math.max(newest, ms)
  }
  const told = [...windows.values()].filter(({ count }) => count >= countMin)
  return {
    late,
    ...rowsAnswer(told.map(({ account, cents, count, start }) => `${account},${start},${count},${cents}`)),
    rows_count_sum: told.reduce((sum, { count }) => sum + count, 0),
    rows_cents_sum: told.reduce((sum, { cents }) => sum + cents, 0n)
  }
}

/** Records behind the newest time before them by more than 10 s are late; the others in the order of (event time, arrival). */
export const oracleSequences = (content: string) => {
  let newest = Number.NEGATIVE_INFINITY
  let late = 0
  const taken: Array<Read> = []
  for (const record of valid(content)) {
    if (record.ms < newest - 10_000) late++
    else taken.push(record)
    newest = Math.max(newest, record.ms)
  }
  const ordered = taken.toSorted((left, right) => left.ms - right.ms)
  const rows = ordered.flatMap((first, index) => {
    if (first.cents <= 1_000_000n) return []
    for (let at = index + 1; at < ordered.length && ordered[at]!.ms - first.ms < 300_000; at++) {
      const second = ordered[at]!
      if (second.account === first.account && second.country !== first.country) return [`${first.id},${second.id}`]
    }
    return []
  })
  return { late, ...rowsAnswer(rows) }
}

export const oracleDays = (content: string) => {
  const days = new Map<string, readonly [rows: number, cents: bigint]>()
  for (const { cents, ms } of valid(content)) {
    const day = new Date(ms).toISOString().slice(0, 10)
    const [rows, sum] = days.get(day) ?? [0, 0n]
    days.set(day, [rows + 1, sum + cents])
  }
  return [...days]
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([day, [rows, cents]]) => [day, rows, cents])
}

/** Of each record the row of its account: how many are from another country than that says, and the sum of its risk. */
export const oracleJoin = (
  content: string,
  rowOf: (account: string) => { readonly home_country: string; readonly risk: number } | undefined
) => {
  let x1 = 0
  let x2 = 0
  for (const { account, country } of valid(content)) {
    const row = rowOf(account)
    if (row === undefined) continue
    if (row.home_country !== country) x1++
    x2 += row.risk
  }
  return { x1, x2 }
}
