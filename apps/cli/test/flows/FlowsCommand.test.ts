/**
 * The lineage is what the jobs declare, with numbers of what they and the landings committed.
 */
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { runSink } from "@frazil/connect"
import { RawTransactions } from "@frazil/model"
import { dataDirectory, type Lineage, logLayer } from "@frazil/platform"
import { Effect } from "effect"
import { fillData, temporaryFolder, transaction, transactions } from "../DataFixture.ts"
import { frazil, frazilJson } from "../RunFrazil.ts"

const edge = ({ edges }: Lineage, from: string, to: string) =>
  edges.find((candidate) => candidate.from === from && candidate.to === to)

describe("flows lineage", () => {
  it.live("follows every record of a finished run from the file to the tables", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const data = yield* fillData(folder, transactions(100))
      // what the command prints is what the type says
      const lineage = (yield* frazilJson("flows", "lineage", "--data", data)) as Lineage
      const file = `file:${join(folder, "in.ndjson")}`
      assert.deepInclude(edge(lineage, file, "topic:raw-transactions"), { records: 100 })
      assert.deepInclude(edge(lineage, "topic:raw-transactions", "job:transactions"), { records: 100, lag: 0 })
      assert.deepInclude(edge(lineage, "job:transactions", "topic:dead-letter"), { records: 20 })
      assert.deepInclude(edge(lineage, "topic:dead-letter", "table:system.dead_letter"), { records: 20, lag: 0 })
      assert.deepInclude(edge(lineage, "topic:raw-transactions", "table:transactions.raw"), { records: 80, lag: 0 })
      const ids = new Set(lineage.nodes.map(({ id }) => id))
      assert.strictEqual(ids.size, lineage.nodes.length)
      for (const { from, to } of lineage.edges) assert.isTrue(ids.has(from) && ids.has(to), `${from} to ${to}`)
    })
  )

  it.live("shows what has not been read yet, as a tree and as a diagram", () =>
    Effect.gen(function* () {
      const data = yield* fillData(yield* temporaryFolder, transactions(10))
      yield* frazil(["topics", "write", "raw-transactions", "--data", data], [`${transaction(1)}\n${transaction(2)}\n`])
      const tree = (yield* frazil(["flows", "lineage", "--data", data])).stdout
      assert.match(tree, /^file .*in\.ndjson: 10 lines\n {2}→ topic raw-transactions: 10 records\n/m)
      assert.match(tree, /^ {4}→ job transactions \(finished\): 10 records, lag 2\n {6}→ topic alerts: /m)
      assert.match(tree, /^ {4}→ table transactions\.raw \(stopped\): 8 rows, lag 2$/m)
      const diagram = (yield* frazil(["flows", "lineage", "--data", data, "--format", "mermaid"])).stdout
      assert.match(diagram, /^flowchart LR\n {2}n0>".*in\.ndjson"\]\n {2}n1\[\("raw-transactions"\)\]\n/)
      assert.match(diagram, /^ {2}n1 -->\|"10, lag 2"\| n\d+$/m)
    })
  )

  it.live("tells how much of a table a job has not taken that joins with it", () =>
    Effect.gen(function* () {
      const data = yield* fillData(yield* temporaryFolder, transactions(10))
      yield* frazil(["topics", "write", "loan_applications", "--data", data], [`{}\n`])
      yield* frazil(["topics", "write", "customers", "--data", data], [`{"customer_id":"C1"}\n{"customer_id":"C2"}\n`])
      const lineage = (yield* frazilJson("flows", "lineage", "--data", data)) as Lineage
      assert.deepInclude(edge(lineage, "topic:loan_applications", "job:lending-router"), { records: 0, lag: 1 })
      assert.deepInclude(edge(lineage, "topic:customers", "job:lending-router"), { records: 0, lag: 2 })
    })
  )

  it.live("ends at the sinks that deliver, with what they have left", () =>
    Effect.gen(function* () {
      const data = yield* fillData(yield* temporaryFolder, transactions(10))
      const target = { deliver: () => Effect.succeed([]) }
      const options = { name: "hook", topic: RawTransactions, target, deadLetter: () => Effect.die("none is refused") }
      yield* runSink({ ...options, inputComplete: Effect.succeed(true) }).pipe(
        Effect.provide(logLayer(dataDirectory(data)))
      )
      yield* frazil(
        ["topics", "write", "raw-transactions", "--data", data],
        [
          `${transaction(1)}
`
        ]
      )
      const tree = (yield* frazil(["flows", "lineage", "--data", data])).stdout
      assert.match(tree, /^ {4}→ sink hook \(stopped\): 10 records, lag 1$/m)
    })
  )

  it.live("says what to do where nothing has landed", () =>
    Effect.gen(function* () {
      const data = join(yield* temporaryFolder, "data")
      assert.include((yield* frazil(["flows", "lineage", "--data", data])).error, "there is no data directory")
    })
  )
})
