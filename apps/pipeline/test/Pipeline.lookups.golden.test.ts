/**
 * Golden runs of lending and claims on their embedded services: files of applications, customers and payments go through
 * the whole pipeline, and what is then in topics and tables is what plain loops over the same lines say; again with a crash
 * at every fault point.
 */
import { mkdirSync, writeFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import type { FaultPointName } from "@frazil/core"
import { Effect } from "effect"
import {
  applications,
  assertLookupsLeft,
  badApplications,
  bureauScores,
  lookupsPlace,
  payments,
  torn
} from "./support/LookupRuns.ts"
import { crashAt, crashed } from "./support/Crash.ts"
import { parallelisms, runDying } from "./support/DyingThreads.ts"
import { makePlaceOf, type Place, type RunIn, runIn } from "./support/PipelineRun.ts"

const flows = ["lending", "claims"] as const
const run = (where: Place, given: RunIn = {}) => runIn(where, { ...given, flows })

const crossings: ReadonlyArray<readonly [FaultPointName, ReadonlyArray<number>]> = [
  ["before-epoch-commit", [5, 20]],
  ["during-epoch-commit", [9, 30]],
  ["after-epoch-commit", [5, 20]],
  ["before-swap", [1, 3]],
  ["after-swap", [1, 3]]
]

describe("lending and claims", () => {
  for (const parallelism of parallelisms) {
    it.live(
      `on ${parallelism} threads decide on every application and payment once, as the rules and the tables say`,
      () =>
        Effect.gen(function* () {
          const made = yield* lookupsPlace
          const summary = yield* run(made, { parallelism })
          yield* assertLookupsLeft(made.data, yield* bureauScores)
          const counts = Object.fromEntries(summary.jobs.map((job) => [job.job, [job.in, job.dead_lettered]]))
          assert.deepStrictEqual(counts["lending-router"], [
            applications.length + badApplications.length + torn,
            badApplications.length + torn
          ])
          assert.deepStrictEqual(counts["claims"]?.[0], payments.length + torn)
        })
    )
  }

  it.live("decide once on threads that die", () =>
    Effect.gen(function* () {
      const made = yield* lookupsPlace
      yield* runDying(run, made)
      yield* assertLookupsLeft(made.data, yield* bureauScores)
    })
  )

  for (const [name, all] of crossings) {
    for (const nth of all) {
      it.live(`go on after a crash at ${name}, crossing ${nth}`, () =>
        Effect.gen(function* () {
          const made = yield* lookupsPlace
          const exit = yield* Effect.exit(run(made, { hit: crashAt(name, nth), recordsMax: 20 }))
          assert.isTrue(crashed(exit))
          yield* run(made)
          yield* assertLookupsLeft(made.data, yield* bureauScores)
        })
      )
    }
  }

  it.live("find made-up claims, whole, also after a start that was killed while it made them", () =>
    Effect.gen(function* () {
      const payment = { ...payments[0]!, claim_id: "CL00010000" }
      const made = yield* makePlaceOf({ "payment-events": `${JSON.stringify(payment)}\n` })
      mkdirSync(made.data)
      writeFileSync(`${made.data}/claims.duckdb.making`, "half a file")
      const summary = yield* run(made)
      assert.deepInclude(summary.jobs.find(({ job }) => job === "claims")?.written, { "enriched-payments": 1 })
    })
  )
})
