/** Random expressions as text, well typed by construction, and random records for them. Seeded: a failure is its seed. */
import { CalendarDate, Decimal, Timestamp } from "../../src/index.ts"
import type { TestRecord } from "./Fixture.ts"

export interface Chance {
  /** From 0 up to `bound`, exclusive. */
  readonly below: (bound: number) => number
  readonly pick: <A>(options: ReadonlyArray<A>) => A
}

export const makeChance = (seed: number): Chance => {
  let state = seed >>> 0
  const next = () => {
    // mulberry32
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  const below = (bound: number) => Math.floor(next() * bound)
  return { below, pick: (options) => options[below(options.length)]! }
}

export type Kind = "bool" | "int" | "double" | "decimal" | "text" | "time" | "duration" | "date"

const textPool = ["", "DE", "FR", "a", "ab", "purchase", "Müller", "😀", "～", "x".repeat(40), "it's", '"', "\\", "\n"]
const quoted = (text: string) => JSON.stringify(text).replaceAll("\\u", "\\u")
const decimalPool = [
  "0",
  "1",
  "0.01",
  "99.99",
  "99.999",
  "-0.5",
  "120.50",
  "1e3",
  "0.00005",
  "90071992547409.92",
  "9007199254740993",
  "1e20"
]
const intPool = ["0", "1", "2", "7", "-3", "60", "1000000", "9007199254740991"]
const doublePool = ["0.0", "0.5", "1.5", "-2.25", "48.25", "1e300", "1e-300", "3.0"]
const timePool = [
  "2026-01-14T23:45:10.250Z",
  "2026-01-14T23:45:10.250001Z",
  "1969-12-31T23:59:59.999999Z",
  "2000-02-29T12:00:00+05:30",
  "2108-12-31T00:00:00Z"
]
const durationPool = ["0s", "1us", "5m", "-1h30m", "3d", "99999h", "0.000001s"]
const datePool = ["1970-01-01", "1990-05-17", "2000-02-29", "1582-10-15"]
const zones = ["UTC", "Europe/Vienna", "America/New_York", "Asia/Kathmandu", "+02:30", "-11:00"]
const parts = [
  "FullYear",
  "Month",
  "Date",
  "DayOfMonth",
  "DayOfWeek",
  "DayOfYear",
  "Hours",
  "Minutes",
  "Seconds",
  "Milliseconds"
]
const patterns = ["^a", "b$", "^[A-Z]{2}$", "(a|b)+", "", "M.*r", "\\\\d", "[^a-z]", "x{5,}"]

const fields: Readonly<Record<Kind, ReadonlyArray<string>>> = {
  bool: ["flag", "online"],
  int: ["count", "total"],
  double: ["lat", "score"],
  decimal: ["amount", "fee", "huge"],
  text: ["country", "merchant"],
  time: ["at", "seen"],
  duration: [],
  date: ["born"]
}
const nullables = ["fee", "huge", "country", "total", "score", "flag", "seen", "born", "extra"]
const comparisons = ["==", "!=", "<", "<=", ">", ">="]
const numericKinds: ReadonlyArray<Kind> = ["int", "double", "decimal", "time", "duration", "date"]

/** An expression of the kind, about `depth` levels deep. */
export const randomSource = (chance: Chance, kind: Kind, depth: number): string => {
  const next = (of: Kind) => randomSource(chance, of, depth - 1)
  if (depth <= 0) return leaf(chance, kind)
  if (kind !== "duration" && chance.below(8) === 0) {
    return `(${next("bool")} ? ${ifBranch(chance, kind, depth)} : ${ifBranch(chance, kind, depth)})`
  }
  switch (kind) {
    case "bool":
      return randomBool(chance, depth)
    case "int":
      return chance.pick([
        () => `(${next("int")} ${chance.pick(["+", "-", "*", "/", "%"])} ${next("int")})`,
        () => `(-${next("int")})`,
        () => `size(${next("text")})`,
        () => `int(${next(chance.pick(["double", "decimal", "text", "time"] as const))})`,
        () => `${next("time")}.get${chance.pick(parts)}(${chance.pick(["", `'${chance.pick(zones)}'`])})`,
        () => `${next("duration")}.get${chance.pick(["Hours", "Minutes", "Seconds"])}()`,
        () => leaf(chance, kind)
      ])()
    case "double":
      return chance.pick([
        () => `(${next("double")} ${chance.pick(["+", "-", "*", "/"])} ${next("double")})`,
        () => `(-${next("double")})`,
        () => `double(${next(chance.pick(["int", "decimal", "text"] as const))})`,
        () => leaf(chance, kind)
      ])()
    case "decimal":
      return chance.pick([
        () => `(${next("decimal")} ${chance.pick(["+", "-"])} ${next(chance.pick(["decimal", "int"] as const))})`,
        () => `(${leaf(chance, "decimal")} * ${next("int")})`,
        () => `(${chance.pick(fields.decimal)} * ${chance.pick(decimalPool)})`,
        () => `(-${next("decimal")})`,
        () => leaf(chance, kind)
      ])()
    case "text":
      return chance.pick([
        () => `(${next("text")} + ${next("text")})`,
        () => `string(${next(chance.pick(["bool", "int", "double", "decimal", "time", "date"] as const))})`,
        () => leaf(chance, kind)
      ])()
    case "time":
      return chance.pick([
        () => `(${next("time")} ${chance.pick(["+", "-"])} ${next("duration")})`,
        () => leaf(chance, kind)
      ])()
    case "duration":
      return chance.pick([
        () => `(${next("time")} - ${next("time")})`,
        () => `(${next("duration")} ${chance.pick(["+", "-"])} ${next("duration")})`,
        () => leaf(chance, kind)
      ])()
    case "date":
      return leaf(chance, kind)
  }
}

// two literals alone would be whole numbers: a decimal needs a field to be one
const ifBranch = (chance: Chance, kind: Kind, depth: number): string =>
  kind === "decimal" ? `${chance.pick(fields.decimal)}` : randomSource(chance, kind, depth - 1)

const randomBool = (chance: Chance, depth: number): string => {
  const next = (of: Kind) => randomSource(chance, of, depth - 1)
  return chance.pick([
    () => `(${next("bool")} && ${next("bool")})`,
    () => `(${next("bool")} || ${next("bool")})`,
    () => `(${next("bool")} && ${next("bool")} || ${next("bool")})`,
    () => `!${next("bool")}`,
    () => `(${next("bool")} ${chance.pick(["==", "!="])} ${next("bool")})`,
    () => compared(chance, chance.pick(numericKinds), depth),
    () => compared(chance, chance.pick(numericKinds), depth),
    () => `(${next("text")} ${chance.pick(comparisons)} ${next("text")})`,
    () => `(${chance.pick(["int", "decimal"])} > 0)`.replace(/int|decimal/, next("int")),
    () => membership(chance, depth),
    () => `${next("text")}.${chance.pick(["startsWith", "endsWith", "contains"])}(${next("text")})`,
    () => `${next("text")}.matches("${chance.pick(patterns)}")`,
    () =>
      chance.pick([
        `has(${chance.pick(nullables)})`,
        `(${chance.pick(nullables)} == null)`,
        `(${chance.pick(nullables)} != null)`
      ]),
    () => leaf(chance, "bool")
  ])()
}

const compared = (chance: Chance, kind: Kind, depth: number): string => {
  const other = kind === "decimal" || kind === "double" ? chance.pick([kind, kind, "int"] as const) : kind
  const left =
    kind === "decimal" ? `(${randomSource(chance, kind, depth - 1)} + ${chance.pick(fields.decimal)})` : undefined
  return `(${left ?? randomSource(chance, kind, depth - 1)} ${chance.pick(comparisons)} ${randomSource(chance, other, depth - 1)})`
}

const membership = (chance: Chance, depth: number): string => {
  const kind = chance.pick(["int", "double", "decimal", "text", "time", "date"] as const)
  const many = chance.pick([0, 1, 2, 3, 20])
  const items = Array.from({ length: many }, () => literal(chance, kind))
  const value =
    kind === "decimal"
      ? chance.pick(fields.decimal)
      : chance.pick([chance.pick(fields[kind]), randomSource(chance, kind, depth - 1)])
  return `(${value} in [${items.join(", ")}])`
}

const leaf = (chance: Chance, kind: Kind): string =>
  fields[kind].length > 0 && chance.below(3) > 0
    ? chance.pick(fields[kind])
    : kind === "decimal"
      ? chance.pick(fields.decimal)
      : literal(chance, kind)

const literal = (chance: Chance, kind: Kind): string => {
  switch (kind) {
    case "bool":
      return chance.pick(["true", "false"])
    case "int":
      return chance.pick(intPool)
    case "double":
      return chance.pick(doublePool)
    case "decimal":
      return chance.pick(decimalPool)
    case "text":
      return quoted(chance.pick(textPool))
    case "time":
      return `timestamp('${chance.pick(timePool)}')`
    case "duration":
      return `duration('${chance.pick(durationPool)}')`
    case "date":
      return `date('${chance.pick(datePool)}')`
  }
}

const randomTime = (chance: Chance): Timestamp => {
  const parsed = Timestamp.parse(chance.pick(timePool))
  if (typeof parsed === "number" && chance.below(2) === 0) return parsed
  return Timestamp.fromMicros(chance.below(4_000_000_000_000) * 1000 + chance.below(1000))
}

const unscaledPool = [
  0,
  1,
  -1,
  9999,
  10000,
  12050,
  -50,
  999999999,
  9007199254740991,
  9007199254740992n,
  -9007199254740993n
]

const randomDecimal = (chance: Chance, precision: number, scale: number): Decimal => {
  const value = chance.below(3) > 0 ? chance.pick(unscaledPool) : 10n ** BigInt(precision) - BigInt(1 + chance.below(3))
  const fits = BigInt(value) < 10n ** BigInt(precision) && BigInt(value) > -(10n ** BigInt(precision))
  return Decimal.make(fits ? value : chance.below(1000), scale)
}

/** A record with edge values; each nullable field is null one time in four, none when `complete`. */
export const randomRecord = (chance: Chance, complete = false): TestRecord => {
  const maybe = <A>(value: A): A | null => (!complete && chance.below(4) === 0 ? null : value)
  return {
    amount: randomDecimal(chance, 18, 2),
    fee: maybe(randomDecimal(chance, 9, 4)),
    huge: maybe(randomDecimal(chance, 38, 10)),
    country: maybe(chance.pick(textPool)),
    merchant: chance.pick(textPool),
    kind: chance.pick(["purchase", "refund", "transfer"]),
    count: chance.pick([0, 1, 7, -3, 60, 1_000_000, -1000]),
    total: maybe(chance.pick([0, 1, -1, 7, 9007199254740991, -9007199254740991, 4503599627370496])),
    lat: chance.pick([0, -0, 48.25, -90, 90, 1e-300, 0.1]),
    score: maybe(chance.pick([0, 1.5, 0.1, 1.7e308, -1.7e308, 5e-324, 48.25])),
    flag: maybe(chance.below(2) === 0),
    online: chance.below(2) === 0,
    at: randomTime(chance),
    seen: maybe(randomTime(chance)),
    born: maybe(CalendarDate.parse(chance.pick(datePool))),
    extra: maybe({ a: 1 }),
    label: null,
    constructor: null
  }
}
