// The patterns of the tests: random ones over random steps in any order, and the same answers recomputed slowly from all
// records by the oracle, which shares no code with the engine.
import { expr, Field, Topic } from "@frazil/core"
import { findSequences, type Path } from "@frazil/sim/sequences"
import { Effect, Schema } from "effect"
import { Flow, Job, Pattern, type SkipStrategy } from "../../src/index.ts"
import type { Chance } from "./Chance.ts"
import { type Line, readAll } from "./Harness.ts"

class Signal extends Schema.Opaque<Signal>()(
  Schema.Struct({
    id: Field.int(),
    account: Field.text(),
    kind: Field.text(),
    n: Field.int(),
    amount: Field.decimal(38, 2),
    at: Field.timestamp
  })
) {}
class Found extends Schema.Opaque<Found>()(Schema.Struct({ account: Field.text(), steps: Field.text() })) {}

export const Signals = Topic.make("signals", { schema: Signal, key: "account", eventTime: "at", partitions: 3 })
export const Matches = Topic.make("matches", { schema: Found, key: "account", partitions: 2 })
export const Timeouts = Topic.make("timeouts", { schema: Found, key: "account", partitions: 2 })

/** `first`, by code or by an expression: the count must not be that of the match's first record; `rising`: above those of the step's own records. */
type Also = "nothing" | "first" | "rising"

export interface StepCase {
  readonly name: string
  readonly how: "next" | "followedBy" | "notFollowedBy"
  readonly kind: string
  readonly code: boolean
  readonly also: Also
  readonly min: number
  readonly max: number
  readonly many: boolean
  readonly consecutive: boolean
  readonly optional: boolean
}

/** A step that any record of the kind takes, once, however many others come between. */
export const step = (name: string, kind: string, more: Partial<StepCase> = {}): StepCase => ({
  name,
  how: "followedBy",
  kind,
  code: false,
  also: "nothing",
  min: 1,
  max: 1,
  many: false,
  consecutive: false,
  optional: false,
  ...more
})

export interface PatternCase {
  readonly steps: ReadonlyArray<StepCase>
  readonly withinMs: number
  readonly skip: SkipStrategy
  readonly timeouts: boolean
}

const kinds = ["a", "b", "c"]

const randomStep = (chance: Chance, steps: ReadonlyArray<StepCase>): StepCase => {
  const index = steps.length
  const before = steps.at(-1)
  const negative = index > 0 && chance.once(4)
  const how = negative
    ? "notFollowedBy"
    : before === undefined || before.how === "notFollowedBy" || !chance.once(3)
      ? "followedBy"
      : ("next" as const)
  const code = chance.once(3)
  // as an expression over the first step's record
  const linked = index > 0 && !negative && !steps[0]!.many && chance.once(2)
  const many = !negative && chance.once(2)
  const min = many ? 1 + chance.below(3) : 1
  return {
    name: `s${index}`,
    how,
    kind: chance.pick(kinds),
    code,
    also: code && !negative ? chance.pick<Also>(["nothing", "first", "rising"]) : linked ? "first" : "nothing",
    min,
    max: many ? min + chance.below(3) : 1,
    many,
    consecutive: many && chance.once(3),
    optional: !negative && index > 0 && before?.how !== "notFollowedBy" && chance.once(4)
  }
}

export const randomPattern = (chance: Chance): PatternCase => {
  const steps: Array<StepCase> = []
  const length = 1 + chance.below(4)
  for (let index = 0; index < length; index++) steps.push(randomStep(chance, steps))
  const named = steps.filter(({ how }, index) => index > 0 && how !== "notFollowedBy").map(({ name }) => name)
  const skips: Array<SkipStrategy> = ["noSkip", "noSkip", "skipToNext", "skipPastLastEvent"]
  if (named.length > 0) skips.push({ skipToFirst: chance.pick(named) }, { skipToLast: chance.pick(named) })
  const skip = chance.pick(skips)
  return {
    steps,
    withinMs: chance.pick([4000, 9000, 30_000]),
    skip,
    // what a match discards has not timed out, and when it was given decides on that
    timeouts: skip === "noSkip" && chance.once(2)
  }
}

type Earlier = Readonly<Record<string, Signal | ReadonlyArray<Signal> | null>>

const firstOf = (record: Signal | ReadonlyArray<Signal> | null | undefined): Signal | undefined =>
  record === null || record === undefined ? undefined : "id" in record ? record : record[0]

const conditionOf = ({ also, code, kind, name }: StepCase) =>
  code
    ? (record: Signal, earlier: Earlier) => {
        if (record.kind !== kind) return false
        if (also === "first") return record.n !== firstOf(earlier["s0"])?.n
        if (also === "rising") return (earlier[name] as ReadonlyArray<Signal>).every(({ n }) => n < record.n)
        return true
      }
    : expr<Signal>(also === "first" ? `kind == '${kind}' && n != s0.n` : `kind == '${kind}'`)

/** The builder, where only the run knows the names. */
interface Loose {
  readonly begin: (name: string, condition: unknown) => Loose
  readonly next: (name: string, condition: unknown) => Loose
  readonly followedBy: (name: string, condition: unknown) => Loose
  readonly notFollowedBy: (name: string, condition: unknown) => Loose
  readonly times: (min: number, max: number) => Loose
  readonly consecutive: () => Loose
  readonly optional: () => Loose
  readonly within: (size: `${number}ms`, options: object) => Pattern<Signal, Earlier>
}

export interface PatternBounds {
  readonly partialMatchesMax?: number
  readonly recordsHeldMax?: number
  /** On disk, with such a cache. */
  readonly cacheBytesMax?: number
}

export const patternOf = (
  { skip, steps, withinMs }: PatternCase,
  bounds: Omit<PatternBounds, "cacheBytesMax"> = {}
) => {
  let made = Pattern.on(Signals) as unknown as Loose
  for (const [index, step] of steps.entries()) {
    made = made[index === 0 ? "begin" : step.how](step.name, conditionOf(step))
    if (step.many) made = made.times(step.min, step.max)
    if (step.consecutive) made = made.consecutive()
    if (step.optional) made = made.optional()
  }
  return made.within(`${withinMs}ms`, { skip, partialMatchesMax: 10_000, ...bounds })
}

const idsOf = (record: Signal | ReadonlyArray<Signal> | null): unknown =>
  record === null ? null : "id" in record ? record.id : record.map(({ id }) => id)

const described = ({ account, steps }: { readonly account: string; readonly steps: Earlier }): Found => ({
  account,
  steps: JSON.stringify(Object.entries(steps).map(([name, record]) => [name, idsOf(record)]))
})

export const signalsJob = (
  pattern: PatternCase,
  outOfOrdernessMs: number,
  { cacheBytesMax, ...bounds }: PatternBounds = {},
  topic = Signals,
  idleAfterMs = 60_000
) => {
  const options = { name: "sequence", ...(cacheBytesMax === undefined ? {} : { store: { disk: { cacheBytesMax } } }) }
  const keyed = Flow.from(topic).pipe(
    Flow.eventTime("at", { outOfOrderness: `${outOfOrdernessMs}ms`, idleAfter: `${idleAfterMs}ms` }),
    Flow.keyBy("account")
  )
  if (!pattern.timeouts) {
    const matched = keyed.pipe(Flow.pattern(patternOf(pattern, bounds), options))
    return Job.make("signals", [matched.pipe(Flow.map(described), Flow.to(Matches))])
  }
  const { matched, timedOut } = keyed.pipe(Flow.patternWithTimeouts(patternOf(pattern, bounds), options))
  return Job.make("signals", [
    matched.pipe(Flow.map(described), Flow.to(Matches)),
    timedOut.pipe(Flow.map(described), Flow.to(Timeouts))
  ])
}

export interface SignalLine extends Line {
  readonly id: number
  readonly account: string
  readonly kind: string
  readonly n: number
  readonly at: number
}

export const signal = (id: number, account: string, kind: string, n: number, at: number): SignalLine => {
  // now and then a decimal that no double holds: compiled code hands such rows to its twin
  const amount = id % 11 === 5 ? '"90071992547409931.07"' : "1.5"
  const value = `{"id":${id},"account":"${account}","kind":"${kind}","n":${n},"amount":${amount},"at":"${new Date(at).toISOString()}"}`
  return { key: account, value, id, account, kind, n, at }
}

const startMs = Date.UTC(2026, 0, 14)

/** Signals half a second apart, each up to `disorderMs` early, several of one time among them. */
export const randomSignals = (
  chance: Chance,
  length: number,
  disorderMs: number,
  accountsCount = 3
): ReadonlyArray<SignalLine> =>
  Array.from({ length }, (_, index) => {
    const at = startMs + Math.floor((index * 500 - chance.below(disorderMs + 1)) / 250) * 250
    return signal(index, `A${chance.below(accountsCount)}`, chance.pick(kinds), chance.below(5), at)
  })

const fits =
  (own: number, { also, kind }: StepCase) =>
  (record: SignalLine, path: Path, records: ReadonlyArray<SignalLine>): boolean => {
    if (record.kind !== kind) return false
    if (also === "first") return path.length === 0 || record.n !== records[path[0]![1]]!.n
    if (also === "rising") return path.every(([step, at]) => step !== own || records[at]!.n < record.n)
    return true
  }

const textOf = ({ steps }: PatternCase, path: Path, records: ReadonlyArray<SignalLine>): string => {
  const named = steps.flatMap(({ how, many, name }, step) => {
    if (how === "notFollowedBy") return []
    const ids = path.filter(([of]) => of === step).map(([, record]) => records[record]!.id)
    return [[name, many ? ids : (ids[0] ?? null)]]
  })
  return `${records[0]!.account} ${JSON.stringify(named)}`
}

export interface Expected {
  readonly matches: ReadonlyArray<string>
  readonly timeouts: ReadonlyArray<string>
  /** Signals that came too late, as they came. */
  readonly late: ReadonlyArray<string>
}

/** What a run over these signals must come to, by the partition that `partitionOf` says. */
export const expectedOf = (
  lines: ReadonlyArray<SignalLine>,
  pattern: PatternCase,
  outOfOrdernessMs: number,
  partitionOf: (line: SignalLine) => number
): Expected => {
  const { steps } = pattern
  const all = steps.some(({ code, consecutive, how }) => code || consecutive || how === "next")
  const highest = new Map<number, number>()
  const late: Array<string> = []
  const byKey = new Map<string, Array<SignalLine>>()
  for (const line of lines) {
    const before = highest.get(partitionOf(line)) ?? Number.NEGATIVE_INFINITY
    highest.set(partitionOf(line), Math.max(before, line.at))
    if (line.at >= before - outOfOrdernessMs) byKey.set(line.account, [...(byKey.get(line.account) ?? []), line])
    else if (all || steps.some(({ kind }) => kind === line.kind)) late.push(line.value)
  }
  const matches: Array<string> = []
  const timeouts: Array<string> = []
  for (const unsorted of byKey.values()) {
    const records = unsorted.toSorted((left, right) => left.at - right.at)
    const oracle = { ...pattern, steps: steps.map((step, index) => ({ ...step, fits: fits(index, step) })) }
    const found = findSequences(oracle, records)
    for (const path of found.matches) matches.push(textOf(pattern, path, records))
    if (pattern.timeouts) for (const path of found.timeouts) timeouts.push(textOf(pattern, path, records))
  }
  return { matches: matches.sort(), timeouts: timeouts.sort(), late: late.sort() }
}

const foundIn = (topic: string) =>
  Effect.map(
    Effect.orElseSucceed(readAll(topic), () => []),
    (lines) =>
      lines
        .map(({ value }) => {
          const { account, steps } = JSON.parse(value) as Found
          return `${account} ${steps}`
        })
        .sort()
  )

/** What the topics hold, as `Expected` has it. */
export const foundOf = Effect.gen(function* () {
  const entries = (yield* readAll("ledger")).map(({ value }) => JSON.parse(value) as { reason: string; record: string })
  const late = entries.filter(({ reason }) => reason === "late").map(({ record }) => record)
  return {
    matches: yield* foundIn("matches"),
    timeouts: yield* foundIn("timeouts"),
    late: late.sort()
  } satisfies Expected
})
