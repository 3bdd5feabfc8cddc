/**
 * The pipeline on a REST catalog of Java's and a store of objects: killed with the catalog's server in the middle, it goes
 * on, and what is there in the end is what the oracle reads out of the file, for PyIceberg through the same catalog, too.
 */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { HttpCalls } from "@frazil/core"
import { openRestClient } from "@frazil/lake"
import { expectRawTransactions, makeCorpus } from "@frazil/sim"
import { restServer, restServerOnS3, s3Keys, s3Server } from "@frazil/sim/servers"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schedule } from "effect"
import type { Summary } from "../src/Summary.ts"
import { askGateway, frazil, maintain, ofStore, printed } from "./support/FarLake.ts"
import { runPipelineProcess, startPipeline } from "./support/PipelineProcess.ts"
import { makePlace, type Place } from "./support/PipelineRun.ts"

const infra = process.env["FRAZIL_INFRA"] ?? join(import.meta.dirname, "../../../../shared/infra")
const table = { namespace: "transactions", name: "raw" }

const input = (place: Place) => [
  // a landing takes a few megabytes before it looks at the time: several snapshots, however fast the machine
  ...["--input", `raw-transactions=${place.file}`, "--jobs", "transactions", "--lake-commit-every", "1ms"],
  ...["--summary", join(place.folder, "summary.json")]
]

const summaryOf = (place: Place): Summary => {
  // written by the run that has just ended
  return JSON.parse(readFileSync(join(place.folder, "summary.json"), "utf8")) as Summary
}

/** Waits until the table has a snapshot; gives its first. */
const firstSnapshot = (url: string) =>
  HttpCalls.use((http) => openRestClient(http, { url })).pipe(
    Effect.flatMap((client) => client.loadTable(table)),
    Effect.flatMap(({ metadata }) =>
      metadata.snapshots[0] === undefined ? Effect.fail("nothing landed yet") : Effect.succeed(metadata.snapshots[0])
    ),
    Effect.retry({ schedule: Schedule.spaced(50), times: 1_000 }),
    Effect.provide(HttpCalls.layer)
  )

const countAt = "SELECT count(*) AS n FROM transactions.raw"

describe("the pipeline on a REST catalog and S3", () => {
  it.live("goes on after it and the catalog's server were killed; everybody reads the same rows", () =>
    Effect.gen(function* () {
      const bytes = makeCorpus({ seed: 21, lines: 60_000 })
      const expected = expectRawTransactions(bytes)
      const place = yield* makePlace(bytes)
      const store = yield* s3Server(9951, "lake")
      const catalog = yield* restServerOnS3(8251, place.folder, store, "s3://lake/tables")
      const env = ofStore(store.url)
      const where = ["--data", place.data, "--catalog", catalog.url, "--warehouse", "s3://lake/tables"]

      const first = yield* Effect.scoped(
        Effect.gen(function* () {
          yield* startPipeline({ args: [...where, ...input(place)], env })
          const snapshot = yield* firstSnapshot(catalog.url)
          yield* catalog.kill
          // the pipeline is killed with the scope
          return snapshot
        })
      )
      const second = yield* startPipeline({ args: [...where, ...input(place)], env })
      yield* Effect.sleep(3_000)
      assert.isTrue(second.running(), "a pipeline without its catalog waits for it")
      yield* catalog.start
      const ended = yield* second.ended
      assert.deepStrictEqual([ended.code, ended.errors], [0, []], ended.lines.join("\n"))

      const audit = yield* frazil(["tables", "audit", "transactions.raw", ...where], env)
      assert.match(audit, /matches raw-transactions: .* none missing, none doubled/)
      assert.include(yield* frazil(["tables", "list", ...where], env), "transactions.raw")
      const health = yield* frazil(["health", ...where], env)
      assert.match(health, /table transactions\.raw +ok/)

      const foreign = {
        uri: catalog.url,
        endpoint: store.url,
        accessKeyId: s3Keys.accessKeyId,
        secretAccessKey: s3Keys.secretAccessKey,
        region: s3Keys.region,
        table: "transactions.raw"
      }
      const script = join(import.meta.dirname, "foreign/read_rest.py")
      const said = yield* printed("bash", [join(infra, "pylake.sh"), "py", script], {}, JSON.stringify(foreign))
      const seen: unknown = JSON.parse(said)
      const rows = expected.rows.length
      const cents = expected.rows.reduce((sum, row) => sum + row.cents, 0n)
      const amount = `${cents / 100n}.${String(cents % 100n).padStart(2, "0")}`
      assert.deepInclude(seen, { rows, places: rows, amount })

      const earlier = Number(first.summary.get("total-records"))
      assert.isBelow(earlier, rows)
      const [answer] = yield* askGateway(where, env, 8261, [{ sql: countAt, asOf: String(first.snapshotId) }])
      assert.match(answer!, new RegExp(`^200 .*${earlier}`, "s"))

      const compacted = yield* maintain(["all", "--min-input-files", "2", ...where], env)
      assert.match(compacted, /transactions\.raw: compact: \d+ data files/)
      const after = yield* frazil(["tables", "audit", "transactions.raw", ...where], env)
      assert.match(after, /none missing, none doubled/)
    })
  )

  it.live("runs on each alone: a catalog with local files, and SQLite with files on S3", () =>
    Effect.gen(function* () {
      const bytes = makeCorpus({ seed: 22, lines: 3_000 })
      const rows = expectRawTransactions(bytes).rows.length
      const alone = Effect.fnUntraced(function* (
        args: ReadonlyArray<string>,
        env: Readonly<Record<string, string>>,
        place: Place
      ) {
        const where = ["--data", place.data, ...args]
        const ended = yield* runPipelineProcess({ args: [...where, ...input(place)], env })
        assert.deepStrictEqual([ended.code, ended.errors], [0, []], ended.lines.join("\n"))
        assert.include(JSON.stringify(summaryOf(place)), `${rows}`)
        const asked = yield* frazil(["tables", "query", countAt, ...where], env)
        assert.match(asked, new RegExp(`\\b${rows}\\b`))
        assert.match(
          yield* frazil(["tables", "audit", "transactions.raw", ...where], env),
          /none missing, none doubled/
        )
      })
      const local = yield* makePlace(bytes)
      const catalog = yield* restServer(8252, local.folder)
      yield* alone(["--catalog", catalog.url], {}, local)
      const far = yield* makePlace(bytes)
      const store = yield* s3Server(9952, "lake")
      yield* alone(["--warehouse", "s3://lake/alone"], ofStore(store.url), far)
    })
  )
})
