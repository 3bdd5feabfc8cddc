// The workloads' answers by plain loops: JSON.parse, BigInt, every window on its own. Shares no code with the engine or with
// what is tested, and knows only the fields that the tests write.
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

const texts = ["merchant_id", "merchant_category", "city", "device_id", "ip", "account_id"]
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
const lineBytesMax = 1_048_576

/** The record of a line, undefined when it is invalid by the contract. */
const read = (line: string): Read | undefined => {
  if (Buffer.byteLength(line) > lineBytesMax) return undefined
  let parsed: unknown
  try {
    parsed = JSON.parse(line)
  } catch {
    return undefined
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) return undefined
  const record = parsed as Readonly<Record<string, unknown>>
  const text = (name: string) => (typeof record[name] === "string" ? record[name] : "")
  if (texts.some((name) => typeof record[name] !== "string")) return undefined
  if (!uuid.test(text("transaction_id")) || !time.test(text("event_timestamp"))) return undefined
  if (!["purchase", "refund", "withdrawal", "transfer"].includes(text("type"))) return undefined
  if (!/^[A-Z]{3}$/.test(text("currency")) || !/^[A-Z]{2}$/.test(text("country"))) return undefined
  // the digits as they are written: a double would not hold them
  const [, whole, fraction = ""] = /"amount"\s*:\s*(-?\d+)(?:\.(\d+))?\s*[,}]/.exec(line) ?? []
  if (whole === undefined || fraction.length > 2) return undefined
  const cents = BigInt(whole + fraction.padEnd(2, "0"))
  if (cents <= 0n) return undefined
  return {
    id: text("transaction_id"),
    account: text("account_id"),
    cents,
    type: text("type"),
    currency: text("currency"),
    category: text("merchant_category"),
    country: text("country"),
    ms: Date.parse(text("event_timestamp"))
  }
}

const linesOf = (content: string): ReadonlyArray<string> => {
  const lines = content.split("\n")
  if (lines.at(-1) === "") lines.pop()
  return lines
}

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
  for (const line of linesOf(content)) {
    answer.n++
    const record = read(line)
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

const valid = (content: string) => linesOf(content).flatMap((line) => read(line) ?? [])

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
    const second = ordered.find(
      (other, at) =>
        at > index &&
        other.account === first.account &&
        other.country !== first.country &&
        other.ms - first.ms < 300_000
    )
    return second === undefined ? [] : [`${first.id},${second.id}`]
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
