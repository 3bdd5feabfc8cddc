/** Commits to several tables at once: new snapshots in all of them or in none, whatever the server says. */
import { HttpCalls, layerMemory } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { Catalog, type TableCommit, type TableIdentifier } from "../../../src/catalog/Catalog.ts"
import { layerRestCatalog } from "../../../src/catalog/rest/RestCatalog.ts"
import { openRestClient, type RestClient } from "../../../src/catalog/rest/RestClient.ts"
import { restPatienceDefault } from "../../../src/catalog/rest/RestOptions.ts"
import { FileIO } from "../../../src/io/FileIO.ts"
import { removeOrphans } from "../../../src/maintenance/RemoveOrphans.ts"
import { commitTable } from "../../../src/write/CommitTable.ts"
import { append } from "../../../src/write/TableAction.ts"
import { eventFile, eventSchema, eventSpec } from "../../LakeFixtures.ts"
import { storedUris } from "../../LakeHarness.ts"
import { takenAside } from "../TakenAside.ts"
import { fakeRestCatalog, type FakeRestCatalog } from "./FakeRestCatalog.ts"
import type { Asked } from "@frazil/sim/misbehaving"

const patience = { ...restPatienceDefault, waitMinMs: 1, waitMaxMs: 5 }
const tables = ["a", "b", "c"].map((name): TableIdentifier => ({ namespace: "several", name }))
const isTransaction = ({ path }: Asked) => path === "/v1/transactions/commit"

/** A commit of a new snapshot. */
const staged = (table: TableIdentifier) =>
  takenAside(
    table,
    append([
      { ...eventFile("new", 20_000, 0, 10), filePath: `file:///warehouse/several/${table.name}/data/new.parquet` }
    ])
  )

const appendTo = (table: TableIdentifier) => commitTable({ table, actions: () => Effect.succeed([append([])]) })

const withTables = <E>(
  run: (
    server: FakeRestCatalog,
    client: RestClient,
    commits: ReadonlyArray<TableCommit>
  ) => Effect.Effect<void, E, Catalog | FileIO | Layer.Success<typeof layerMemory>>
) =>
  Effect.scoped(
    Effect.gen(function* () {
      const server = yield* fakeRestCatalog
      yield* Effect.forEach(tables, (identifier) =>
        server.behind((catalog) => catalog.createTable({ identifier, schema: eventSchema, partitionSpec: eventSpec }))
      )
      const lake = layerRestCatalog({ url: server.url, patience }).pipe(
        Layer.provide(HttpCalls.layer),
        Layer.provideMerge(FileIO.layer.pipe(Layer.provideMerge(layerMemory)))
      )
      yield* Effect.gen(function* () {
        const client = yield* HttpCalls.use((http) => openRestClient(http, { url: server.url, patience })).pipe(
          Effect.provide(HttpCalls.layer)
        )
        const commits = yield* Effect.forEach(tables, staged)
        assert.deepStrictEqual(yield* storedUris, [], "written before it was to be offered")
        yield* run(server, client, commits)
      }).pipe(Effect.provide(lake))
    })
  )

/** How many snapshots each table has. */
const snapshots = Effect.forEach(tables, (table) =>
  Effect.map(
    Catalog.use((catalog) => catalog.loadTable(table)),
    ({ metadata }) => metadata.snapshots.length
  )
)

/** What orphan removal would take of each table: in this storage lie only manifests and their lists. */
const orphans = Effect.map(
  Effect.forEach(tables, (table) => removeOrphans(table, { dryRun: true, ageMsMin: -60_000 })),
  (reports) => reports.flatMap(({ removed }) => removed).sort()
)

describe("a commit to several tables", () => {
  it.live("puts a new snapshot into each, with their files written first", () =>
    withTables((_, client, commits) =>
      Effect.gen(function* () {
        yield* client.commitTables(commits)
        assert.deepStrictEqual(yield* snapshots, [1, 1, 1])
        assert.lengthOf(yield* storedUris, 6)
        assert.deepStrictEqual(yield* orphans, [])
      })
    )
  )

  for (const [i, table] of tables.entries()) {
    it.live(`moves none when what ${table.name} is required to be is not so: the files of all are orphans`, () =>
      withTables((_, client, commits) =>
        Effect.gen(function* () {
          yield* appendTo(table)
          const kept = yield* storedUris
          const error = yield* Effect.flip(client.commitTables(commits))
          assert.strictEqual(error.reason, "CommitConflict")
          assert.deepStrictEqual(
            yield* snapshots,
            tables.map((_, j) => (i === j ? 1 : 0))
          )
          const left = (yield* storedUris).filter((uri) => !kept.includes(uri))
          assert.lengthOf(left, 6)
          assert.deepStrictEqual(yield* orphans, left)
        })
      )
    )
  }

  for (const [what, fate, count] of [
    ["was done", "done, then broken", 1],
    ["was done, which it says is 500", "done, then 500", 1],
    ["was not done", "broken", 0]
  ] as const) {
    it.live(`is OutcomeUnknown when its answer is lost, not sent again, and any table tells that it ${what}`, () =>
      withTables((server, client, commits) =>
        Effect.gen(function* () {
          server.meet(isTransaction, fate)
          const error = yield* Effect.flip(client.commitTables(commits))
          assert.strictEqual(error.reason, "OutcomeUnknown")
          assert.match(error.message, /tables several\.a, several\.b, several\.c/)
          assert.lengthOf(server.asked.filter(isTransaction), 1)
          assert.deepStrictEqual(yield* snapshots, [count, count, count])
          const stored = yield* storedUris
          assert.lengthOf(stored, 6, "what was offered is not removed")
          assert.deepStrictEqual(yield* orphans, count === 1 ? [] : stored)
        })
      )
    )
  }
})
