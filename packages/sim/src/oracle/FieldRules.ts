/**
 * What `raw-transactions` demands of each field (contracts.md), spelled out field by field for the oracle.
 *
 * A rule takes a member's parsed value and its text, and returns the value as tables hold it, as exact text, or the reason
 * of its dead letter.
 */

export type OracleReason =
  | "not_utf8"
  | "not_json"
  | "not_an_object"
  | "missing_field"
  | "wrong_type"
  | "out_of_range"
  | "bad_format"
  | "not_allowed"
  | "too_many_digits"
  | "event_time_out_of_range"
  | "record_too_long"

export type FieldOutcome = { readonly value: string } | { readonly reason: OracleReason }
type FieldRule = (value: unknown, written: string) => FieldOutcome

const refuse = (reason: OracleReason): FieldOutcome => ({ reason })

const text: FieldRule = (value) => {
  if (typeof value !== "string") return refuse("wrong_type")
  return /\p{Surrogate}/u.test(value) ? refuse("bad_format") : { value }
}

const matching =
  (pattern: RegExp): FieldRule =>
  (value) => {
    if (typeof value !== "string") return refuse("wrong_type")
    return pattern.test(value) ? { value } : refuse("bad_format")
  }

const oneOf =
  (...allowed: ReadonlyArray<string>): FieldRule =>
  (value) => {
    if (typeof value !== "string") return refuse("wrong_type")
    return allowed.includes(value) ? { value } : refuse("not_allowed")
  }

const between =
  (min: number, max: number): FieldRule =>
  (value) => {
    if (typeof value !== "number") return refuse("wrong_type")
    return value >= min && value <= max ? { value: String(value + 0) } : refuse("out_of_range")
  }

/** decimal(18,2) above 0: a JSON number of at most 15 significant digits, or a text without an exponent. */
const amount: FieldRule = (value, written) => {
  if (typeof value !== "number" && typeof value !== "string") return refuse("wrong_type")
  const parts = /^(-?)(0|[1-9]\d*)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(typeof value === "string" ? value : written)
  if (parts === null || (typeof value === "string" && parts[4] !== undefined)) return refuse("bad_format")
  const [, sign, whole = "", fraction = "", exponent = "0"] = parts
  const digits = (whole + fraction).replace(/^0+/, "")
  const significant = digits.replace(/0+$/, "")
  if (significant === "") return refuse("out_of_range")
  // the value is significant · 10^power hundredths
  const power = BigInt(exponent) - BigInt(fraction.length) + BigInt(digits.length - significant.length) + 2n
  if (power < 0n) return refuse("too_many_digits")
  if (typeof value === "number" && significant.length > 15) return refuse("too_many_digits")
  if (sign === "-") return refuse("out_of_range")
  if (BigInt(significant.length) + power > 18n) return refuse("too_many_digits")
  const cents = (BigInt(significant) * 10n ** power).toString().padStart(3, "0")
  return { value: `${cents.slice(0, -2)}.${cents.slice(-2)}` }
}

const timestampPattern = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:Z|([+-])(\d\d):(\d\d))$/

/** ISO-8601 in UTC or with an offset; the value is UTC with six fraction digits, further ones cut off. */
const timestamp: FieldRule = (value) => {
  if (typeof value !== "string") return refuse("wrong_type")
  const parts = timestampPattern.exec(value)
  if (parts === null) return refuse("bad_format")
  const [, year, month, day, hour, minute, second, fraction = "", sign, offsetHours = "0", offsetMinutes = "0"] = parts
  const local = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`)
  const sameDay = !Number.isNaN(local.getTime()) && local.getUTCDate() === Number(day)
  if (!sameDay || Number(hour) > 23 || Number(offsetHours) > 23 || Number(offsetMinutes) > 59)
    return refuse("bad_format")
  const offsetMs = (Number(offsetHours) * 60 + Number(offsetMinutes)) * 60_000 * (sign === "-" ? -1 : 1)
  const utc = new Date(local.getTime() - offsetMs).getTime()
  if (utc < Date.UTC(2000, 0, 1) || utc >= Date.UTC(2090, 0, 1)) return refuse("event_time_out_of_range")
  const micros = fraction.slice(0, 6).padEnd(6, "0")
  return { value: `${new Date(utc).toISOString().slice(0, 19)}.${micros}Z` }
}

/** In the order of the contract, which is the order in which they are checked. */
export const fieldRules: ReadonlyArray<readonly [name: string, rule: FieldRule, optional: boolean]> = [
  ["transaction_id", matching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i), false],
  ["account_id", text, false],
  ["amount", amount, false],
  ["currency", matching(/^[A-Z]{3}$/), false],
  ["type", oneOf("purchase", "refund", "withdrawal", "transfer"), false],
  ["merchant_id", text, false],
  ["merchant_category", text, false],
  ["country", matching(/^[A-Z]{2}$/), false],
  ["city", text, false],
  ["lat", between(-90, 90), false],
  ["lon", between(-180, 180), false],
  ["channel", oneOf("pos", "online", "atm", "mobile"), false],
  ["device_id", text, false],
  ["ip", text, false],
  ["event_timestamp", timestamp, false],
  ["label", text, true]
]
