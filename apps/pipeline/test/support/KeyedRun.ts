/**
 * A job that keeps sums by key, with its feed and its landing, over a place of its own: what it has landed, and what a plain
 * loop over the oracle's rows makes of them. The pipeline's own jobs keep windows and patterns, so this wires one of its own.
 */
import { feedFile } from "@frazil/connect"
import { Field, FaultPoint, type FaultPointName, KeyScanner, Topic } from "@frazil/core"
import { DeadLetters as DeadLetterContract, Flow, Job, Log } from "@frazil/engine"
import { auditTable, Catalog, Landing, readTable, runLanding } from "@frazil/lake"
import { DeadLetters, makeDeadLetter, RawTransactions } from "@frazil/model"
import { dataDirectory, systemLayer } from "@frazil/platform"
import type { Expected } from "@frazil/sim"
import { assert } from "@effect/vitest"
import { Cause, Effect, Exit, Random, Schema } from "effect"
import { makeUnhurried } from "./Crash.ts"
import { inSips, type Place } from "./PipelineRun.ts"

/** With its snapshots elsewhere than in the data directory. */
export interface KeyedPlace extends Place {
  readonly checkpoints?: string
}

const directoryOf = ({ checkpoints, data }: KeyedPlace) =>
  dataDirectory(data, undefined, undefined, undefined, checkpoints)

class Running extends Schema.Opaque<Running>()(
  Schema.Struct({
    account_id: Field.text(),
    transaction_id: Field.text(),
    count: Field.int({ min: 1 }),
    /** All amounts so far, in hundredths: may have more digits than a decimal. */
    cents: Field.text()
  })
) {}

const Totals = Topic.make("account-totals", { schema: Running, key: "account_id" })

const State = Schema.Struct({ count: Schema.Finite, cents: Schema.String })

const sums = Job.make("account-sums", [
  Flow.from(RawTransactions).pipe(
    Flow.keyBy("account_id"),
    Flow.mapWithState(
      // event times are a hundred years apart at most
      { name: "totals", schema: State, initial: () => ({ count: 0, cents: "0" }), ttl: "36500 days" },
      (state, { account_id, amount, transaction_id }) => {
        const next = { count: state.count + 1, cents: String(BigInt(state.cents) + BigInt(amount.unscaled)) }
        return [next, [{ account_id, transaction_id, ...next }]]
      }
    ),
    Flow.to(Totals)
  )
])

const landing = Landing.make(Totals, { table: "test.account_totals" })

/** Feed, job and landing at once, until all of it has landed. */
export const runParts = (place: KeyedPlace, hit: (name: FaultPointName) => Effect.Effect<void> = () => Effect.void) =>
  Effect.gen(function* () {
    const log = yield* Log
    const ended = new Set<string>()
    const has = (name: string) => () => Effect.sync(() => ended.has(name))
    const ending = (name: string) => Effect.tap(() => Effect.sync(() => ended.add(name)))
    yield* log.ensureTopic({ name: RawTransactions.name, partitions: RawTransactions.partitions })
    const owner = String(yield* Random.nextInt)
    const keys = KeyScanner.make(RawTransactions)
    const parts = [
      feedFile({ file: place.file, topic: RawTransactions.name, keys, owner }).pipe(ending("feed")),
      Job.run(sums, { bounded: true, epochMs: 0, checkpointEveryMs: 0, inputComplete: has("feed") }).pipe(
        Effect.provideService(DeadLetterContract, { topic: DeadLetters, make: makeDeadLetter }),
        ending("job")
      ),
      runLanding(landing, { commitEveryMs: 0, inputComplete: has("job") })
    ]
    yield* Effect.all(parts, { concurrency: "unbounded", discard: true }).pipe(
      Effect.provideService(Log, inSips(log, 20)),
      Effect.provideService(FaultPoint, { hit })
    )
  }).pipe(Effect.provide(systemLayer(directoryOf(place))))

/** One line for each valid record: its account's count and sum with it, in the order of its partition. */
export const expectedTotals = (expected: Expected): ReadonlyArray<string> => {
  const totals = new Map<string, { count: number; cents: bigint }>()
  return expected.rows
    .toSorted((a, b) => a.partition - b.partition || a.offset - b.offset)
    .map(({ cents, values }) => {
      const account = values["account_id"] ?? ""
      const before = totals.get(account) ?? { count: 0, cents: 0n }
      const after = { count: before.count + 1, cents: before.cents + cents }
      totals.set(account, after)
      return [account, values["transaction_id"], after.count, after.cents].join(" ")
    })
    .sort()
}

export const landedTotals = (place: KeyedPlace) =>
  Effect.gen(function* () {
    const catalog = yield* Catalog
    const report = yield* auditTable(landing)
    assert.isTrue(report.matches, report.problems.join("; "))
    const { rows } = yield* readTable(yield* catalog.loadTable(landing), {
      query: "SELECT account_id, transaction_id, count, cents FROM t"
    })
    return rows
      .map(({ account_id, cents, count, transaction_id }) => [account_id, transaction_id, count, cents].join(" "))
      .sort()
  }).pipe(Effect.provide(systemLayer(directoryOf(place))))

/** A run that crashes at a fault point, and then one that crashes while it restores; the next one is to finish. */
export const crashTwice = (place: KeyedPlace, name: FaultPointName, nth: number) =>
  Effect.forEach(
    [
      [name, nth],
      ["mid-restore", 3]
    ] as const,
    Effect.fnUntraced(function* ([point, crossing]) {
      let seen = 0
      const unhurried = makeUnhurried()
      const hit = (each: FaultPointName) =>
        each === point && ++seen === crossing ? Effect.die(new Error(`a crash at ${point}`)) : unhurried(each)
      const exit = yield* Effect.exit(runParts(place, hit))
      assert.isTrue(Exit.isFailure(exit), point)
      // what else it failed of
      assert.isAtLeast(seen, crossing, Exit.isFailure(exit) ? Cause.pretty(exit.cause) : point)
    }),
    { discard: true }
  )
