// The joins of the tests: random ones over the signals of `Sequences.ts`, and the same answers recomputed slowly from all
// records by the oracle, which shares no code with the engine.
import { expr, Field, Topic } from "@frazil/core"
import { asOfJoin, cappedJoin, type Come, intervalJoin, latestJoin } from "@frazil/sim/joins"
import { Effect, Schema } from "effect"
import { Flow, Job } from "../../src/index.ts"
import type { Chance } from "./Chance.ts"
import { readAll } from "./Harness.ts"
import { type SignalLine, Signals } from "./Sequences.ts"

export class Pair extends Schema.Opaque<Pair>()(
  Schema.Struct({
    account: Field.text(),
    left: Field.optional(Field.int()),
    right: Field.optional(Field.int()),
    retracted: Field.optional(Field.boolean)
  })
) {}
export const Pairs = Topic.make("pairs", { schema: Pair, key: "account", partitions: 2 })

interface Common {
  readonly kind: "inner" | "left" | "full"
  readonly latenessMs: number
  /** Both sides are the same flow. */
  readonly same: boolean
  /** Code makes the right side's records before they come to the join. */
  readonly coded: boolean
  /** Expressions make the results, where code made no side. */
  readonly expressions: boolean
}

/** A right record with the count 0 deletes its key, with `latest` also a left one. */
export type JoinCase =
  | (Common & { readonly join: "interval"; readonly lowerMs: number; readonly upperMs: number })
  | (Common & { readonly join: "asOf"; readonly kind: "inner" | "left"; readonly ttlMs: number })
  | (Common & { readonly join: "latest"; readonly ttlMs: number })

const common = (chance: Chance) => ({
  latenessMs: chance.pick([0, 0, 2000]),
  same: chance.once(6),
  coded: chance.once(3),
  expressions: chance.once(2)
})

/** `ttls`: times to live, in milliseconds. */
export const randomJoin = (chance: Chance, join: JoinCase["join"], ttls = [4000, 12_000, 86_400_000]): JoinCase => {
  const kind = chance.pick(["inner", "left", "full"] as const)
  if (join === "asOf")
    return { join, kind: kind === "full" ? "left" : kind, ttlMs: chance.pick(ttls), ...common(chance) }
  if (join === "latest") return { join, kind, ttlMs: chance.pick(ttls), ...common(chance) }
  const lowerMs = chance.pick([-8000, -3000, -1000, -250, 0, 500, 2000])
  return { join, kind, lowerMs, upperMs: lowerMs + chance.pick([0, 250, 1000, 3000, 10_000]), ...common(chance) }
}

export interface JoinRun {
  readonly outOfOrdernessMs: number
  readonly bounds?: { readonly recordsPerKeyMax?: number; readonly recordsHeldMax?: number }
  /** State on disk, with such a cache; undefined: in memory. */
  readonly cacheBytesMax?: number
  readonly topic?: typeof Signals
  readonly idleAfterMs?: number
}

type Signal = typeof Signals extends Topic<infer A, string> ? A : never

const offset = (ms: number) => (ms < 0 ? (`-${-ms}ms` as const) : (`${ms}ms` as const))

const pairOf = (one: Signal | undefined, other: Signal | undefined): Omit<Pair, "retracted"> => ({
  account: (one ?? other)!.account,
  left: one?.id ?? null,
  right: other?.id ?? null
})

/** The same as expressions. */
const fieldsOf = {
  account: expr.string("has(left.account) ? left.account : right.account"),
  left: expr.number("left.id"),
  right: expr.number("right.id")
}

const deletes = expr<Signal>("n == 0")
const deletesByCode = ({ n }: Signal) => n === 0

/** On disk time bounds what is held of all keys. */
const keptOf = ({ bounds, cacheBytesMax }: JoinRun) => {
  if (cacheBytesMax === undefined) return bounds ?? {}
  const { recordsPerKeyMax } = bounds ?? {}
  return { store: { disk: { cacheBytesMax } }, ...(recordsPerKeyMax === undefined ? {} : { recordsPerKeyMax }) }
}

export const joinJob = (of: JoinCase, run: JoinRun) => {
  const { idleAfterMs = 60_000, outOfOrdernessMs, topic = Signals } = run
  const signals = Flow.from(topic).pipe(
    Flow.eventTime("at", { outOfOrderness: `${outOfOrdernessMs}ms`, idleAfter: `${idleAfterMs}ms` })
  )
  const lefts = signals.pipe(Flow.filter(expr("kind == 'a'")), Flow.keyBy("account"))
  const bs = signals.pipe(Flow.filter(expr("kind == 'b'")))
  const changed = bs.pipe(
    Flow.map((signal) => ({ ...signal, id: -signal.id })),
    Flow.map((signal): Signal => ({ ...signal, id: -signal.id }))
  )
  const rights = of.same ? lefts : (of.coded ? changed : bs).pipe(Flow.keyBy("account"))
  const options = { allowedLateness: `${of.latenessMs}ms`, name: "meeting", ...keptOf(run) } as const
  const coded = of.coded && !of.same
  const byExpressions = of.expressions && !coded
  const joined = () => {
    if (of.join === "interval") {
      const interval = { ...options, kind: of.kind, lower: offset(of.lowerMs), upper: offset(of.upperMs) }
      if (byExpressions) return lefts.pipe(Flow.joinInterval(rights, interval, fieldsOf))
      return lefts.pipe(Flow.joinInterval(rights, interval, pairOf))
    }
    const deleted = coded ? deletesByCode : deletes
    if (of.join === "asOf") {
      const asOf = { ...options, kind: of.kind, ttl: `${of.ttlMs}ms`, deleted } as const
      if (byExpressions) return lefts.pipe(Flow.joinAsOf(rights, asOf, fieldsOf))
      return lefts.pipe(Flow.joinAsOf(rights, asOf, pairOf))
    }
    const latest = { ...options, kind: of.kind, ttl: `${of.ttlMs}ms` } as const
    const changes = { ...latest, leftDeleted: deletes, rightDeleted: deleted }
    if (byExpressions) return lefts.pipe(Flow.joinLatest(rights, changes, fieldsOf))
    return lefts.pipe(Flow.joinLatest(rights, changes, pairOf))
  }
  return Job.make("meetings", [joined().pipe(Flow.to(Pairs))])
}

export interface Expected {
  /** By key: of `latest` in their order, else sorted. */
  readonly results: ReadonlyArray<readonly [account: string, results: ReadonlyArray<string>]>
  /** Reason and record. */
  readonly ledger: ReadonlyArray<string>
}

/** A record as it meets a join: where its key is read, and how far time had come before it. */
export interface Met {
  readonly line: SignalLine
  readonly place: number
  readonly watermark: number
}

interface KeyComes {
  readonly place: number
  readonly lefts: Array<Come<SignalLine>>
  readonly rights: Array<Come<SignalLine>>
}

/** What a run over these signals must come to, by the partition that `placeOf` says. */
export const expectedOf = (
  lines: ReadonlyArray<SignalLine>,
  of: JoinCase,
  outOfOrdernessMs: number,
  placeOf: (line: SignalLine) => number,
  recordsPerKeyMax?: number
): Expected => {
  const highest = new Map<number, number>()
  const met = lines.map((line): Met => {
    const place = placeOf(line)
    const max = highest.get(place) ?? Number.NEGATIVE_INFINITY
    highest.set(place, Math.max(max, line.at))
    return { line, place, watermark: max - outOfOrdernessMs }
  })
  return expectedOfMet(met, of, (place) => highest.get(place)! - outOfOrdernessMs, recordsPerKeyMax)
}

/** The same of records in the order in which they meet the join; `endOf`: how far time comes where a key is read. */
export const expectedOfMet = (
  met: ReadonlyArray<Met>,
  of: JoinCase,
  endOf: (place: number) => number,
  recordsPerKeyMax?: number
): Expected => {
  const changed = new Map<number, number>()
  const byKey = new Map<string, KeyComes>()
  for (const [index, { line: record, place, watermark }] of met.entries()) {
    const { account, at, kind, n } = record
    const come = { record, at, index, horizon: watermark - of.latenessMs, deleted: n === 0 }
    const keyed = byKey.get(account) ?? { place, lefts: [], rights: [] }
    byKey.set(account, keyed)
    if (kind === "a") keyed.lefts.push(come)
    // of one record, its left side comes first
    if (kind === (of.same ? "a" : "b")) keyed.rights.push(of.same ? { ...come, index: index + 0.5 } : come)
    if (kind === "a" || (kind === "b" && !of.same))
      changed.set(place, Math.max(changed.get(place) ?? Number.NEGATIVE_INFINITY, at))
  }
  const results: Array<readonly [string, ReadonlyArray<string>]> = []
  const ledger: Array<string> = []
  for (const [account, { lefts, place, rights }] of byKey) {
    const passed = endOf(place) - of.latenessMs
    // a bounded run ends with its changes, not with the rows that they made
    const told = (end: number) => end < passed || end <= changed.get(place)!
    const found = recomputed(of, [lefts, rights], told, recordsPerKeyMax)
    const texts = found.results.map(({ left, retracted, right }) => textOf(left?.id, right?.id, retracted))
    if (texts.length > 0) results.push([account, of.join === "latest" ? texts : texts.sort()])
    for (const [reason, line] of found.ledger) ledger.push(`${reason} ${line.value}`)
  }
  return { results: results.sort(([one], [other]) => (one < other ? -1 : 1)), ledger: ledger.sort() }
}

const recomputed = (
  of: JoinCase,
  sides: readonly [ReadonlyArray<Come<SignalLine>>, ReadonlyArray<Come<SignalLine>>],
  told: (end: number) => boolean,
  recordsPerKeyMax: number | undefined
) => {
  if (of.join === "interval" && recordsPerKeyMax !== undefined) return cappedJoin(of, recordsPerKeyMax, sides)
  if (of.join === "interval") return intervalJoin(of, sides)
  return of.join === "asOf" ? asOfJoin(of, sides) : latestJoin(of, sides, told)
}

const textOf = (left: number | null | undefined, right: number | null | undefined, retracted: boolean) =>
  `${left ?? "-"} ${right ?? "-"}${retracted ? " retracted" : ""}`

/** What the topics hold, as `Expected` has it. */
export const foundOf = (of: JoinCase) =>
  Effect.gen(function* () {
    const results = new Map<string, Array<string>>()
    for (const { value } of yield* Effect.orElseSucceed(readAll("pairs"), () => [])) {
      const { account, left, retracted, right } = JSON.parse(value) as Pair
      results.set(account, [...(results.get(account) ?? []), textOf(left, right, retracted === true)])
    }
    const entries = (yield* readAll("ledger")).map(
      ({ value }) => JSON.parse(value) as { reason: string; record: string }
    )
    const found: Expected = {
      results: [...results]
        .map(([account, texts]) => [account, of.join === "latest" ? texts : texts.toSorted()] as const)
        .sort(([one], [other]) => (one < other ? -1 : 1)),
      ledger: entries.map(({ reason, record }) => `${reason} ${record}`).sort()
    }
    return found
  })
