/**
 * A whole run whose job keeps state by key: feed → job → topic → landing → table, on disk, against sums made by a plain
 * loop over what the oracle reads; with a crash at every fault point around epochs, snapshots and swaps.
 *
 * The pipeline's own job keeps no state yet, so this wires one of its own from the same parts.
 */
import { feedFile } from "@frazil/connect"
import { Field, FaultPoint, type FaultPointName, KeyScanner, Topic } from "@frazil/core"
import { DeadLetters as DeadLetterContract, Flow, Job, Log } from "@frazil/engine"
import { auditTable, Catalog, Landing, readTable, runLanding } from "@frazil/lake"
import { DeadLetters, makeDeadLetter, RawTransactions } from "@frazil/model"
import { dataDirectory, systemLayer } from "@frazil/platform"
import { type Expected, expectRawTransactions, makeCorpus } from "@frazil/sim"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Random, Schema } from "effect"
import { makeUnhurried } from "./support/Crash.ts"
import { inSips, makePlace, type Place } from "./support/PipelineRun.ts"

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
const runParts = (place: Place, hit: (name: FaultPointName) => Effect.Effect<void> = () => Effect.void) =>
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
  }).pipe(Effect.provide(systemLayer(dataDirectory(place.data))))

/** One line for each valid record: its account's count and sum with it, in the order of its partition. */
const expectedTotals = (expected: Expected): ReadonlyArray<string> => {
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

const landedTotals = (place: Place) =>
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
  }).pipe(Effect.provide(systemLayer(dataDirectory(place.data))))

const crossings: ReadonlyArray<readonly [FaultPointName, number]> = [
  ["during-epoch-commit", 6],
  ["before-snapshot", 3],
  ["after-snapshot", 4],
  ["before-name", 2],
  ["before-delta-drop", 1],
  ["snapshot-delete", 1],
  ["after-swap", 1]
]

describe("a run with keyed state", () => {
  const bytes = makeCorpus({ seed: 12, lines: 2500, longLineBytes: [] })
  const expected = expectedTotals(expectRawTransactions(bytes))

  it.live("counts and sums each account as a plain loop does", () =>
    Effect.gen(function* () {
      const place = yield* makePlace(bytes)
      yield* runParts(place)
      assert.deepStrictEqual(yield* landedTotals(place), expected)
    })
  )

  for (const [name, nth] of crossings) {
    it.live(`does so after a crash at ${name}, crossing ${nth}, and one while it restores`, () =>
      Effect.gen(function* () {
        const place = yield* makePlace(bytes)
        for (const [point, crossing] of [
          [name, nth],
          ["mid-restore", 3]
        ] as const) {
          let seen = 0
          const unhurried = makeUnhurried()
          const hit = (each: FaultPointName) =>
            each === point && ++seen === crossing ? Effect.die(new Error(`a crash at ${point}`)) : unhurried(each)
          assert.isTrue(Exit.isFailure(yield* Effect.exit(runParts(place, hit))), point)
          assert.isAtLeast(seen, crossing)
        }
        yield* runParts(place)
        assert.deepStrictEqual(yield* landedTotals(place), expected)
      })
    )
  }
})
