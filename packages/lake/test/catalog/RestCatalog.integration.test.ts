import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { HttpCalls, layerLocal } from "@frazil/core"
import { restServer } from "@frazil/sim/servers"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Redacted, Scope } from "effect"
import { afterAll } from "vitest"
import { openRestClient, type RestClient } from "../../src/catalog/rest/RestClient.ts"
import { layerRestCatalog } from "../../src/catalog/rest/RestCatalog.ts"
import type { RestAccess } from "../../src/catalog/rest/RestOptions.ts"
import { FileIO } from "../../src/io/FileIO.ts"
import { assertRef } from "../../src/spec/Requirement.ts"
import { eventSchema, eventSpec } from "../LakeFixtures.ts"
import { catalogConformance } from "./CatalogConformance.ts"

const port = 8241
const folder = mkdtempSync(join(tmpdir(), "frazil-rest-"))
const warehouse = `file://${folder}/warehouse`
const scope = Scope.makeUnsafe()

afterAll(async () => {
  await Effect.runPromise(Scope.close(scope, Exit.void))
  rmSync(folder, { recursive: true, force: true })
})

// one server for the file: a Java machine takes more than a second to start
const server = Layer.effectDiscard(
  Effect.suspend(() => (started ??= Effect.runSync(Effect.cached(Scope.provide(restServer(port, folder), scope)))))
)
let started: Effect.Effect<unknown> | undefined

const options = { url: `http://127.0.0.1:${port}`, tablesUri: warehouse }

catalogConformance({
  name: "REST, Java's server",
  prefix: "rest",
  layer: layerRestCatalog(options).pipe(
    Layer.provideMerge(FileIO.layer),
    Layer.provideMerge(layerLocal(warehouse)),
    Layer.provide(HttpCalls.layer),
    Layer.provide(server)
  )
})

const withClient = (run: (client: RestClient) => Effect.Effect<void, unknown>, access: RestAccess = { _tag: "None" }) =>
  Effect.flatMap(HttpCalls, (http) => Effect.flatMap(openRestClient(http, { ...options, access }), run)).pipe(
    Effect.provide(HttpCalls.layer.pipe(Layer.provideMerge(server)))
  )

describe("RestClient on Java's server", () => {
  it.live("gets a token with client credentials", () =>
    withClient((client) => Effect.map(client.listNamespaces(), (names) => assert.isArray(names)), {
      _tag: "OAuth2",
      clientId: "frazil",
      clientSecret: Redacted.make("secret")
    })
  )

  it.live("commits to several tables at once: all or none", () =>
    withClient((client) =>
      Effect.gen(function* () {
        const tableOf = (name: string) =>
          client.createTable({
            identifier: { namespace: "several", name },
            schema: eventSchema,
            partitionSpec: eventSpec
          })
        const tables = [yield* tableOf("a"), yield* tableOf("b")] as const
        const change = (base: (typeof tables)[number], value: string, head: bigint | null = null) => ({
          base,
          requirements: [assertRef("main", head)],
          updates: [{ _tag: "SetProperties" as const, properties: new Map([["at", value]]) }]
        })
        const values = Effect.forEach(tables, ({ identifier }) =>
          Effect.map(client.loadTable(identifier), ({ metadata }) => metadata.properties.get("at"))
        )
        yield* client.commitTables([change(tables[0], "1"), change(tables[1], "1")])
        assert.deepStrictEqual(yield* values, ["1", "1"])
        const error = yield* Effect.flip(client.commitTables([change(tables[0], "2"), change(tables[1], "2", 7n)]))
        assert.strictEqual(error.reason, "CommitConflict")
        assert.deepStrictEqual(yield* values, ["1", "1"])
      })
    )
  )

  it.live("registers the metadata of a table under another name", () =>
    withClient((client) =>
      Effect.gen(function* () {
        const identifier = { namespace: "registered", name: "a" }
        yield* client.createNamespace("registered")
        const { metadata, metadataLocation } = yield* client.createTable({ identifier, schema: eventSchema })
        yield* client.dropTable(identifier)
        const again = yield* client.registerTable({ namespace: "registered", name: "b" }, metadataLocation)
        assert.strictEqual(again.metadata.tableUuid, metadata.tableUuid)
        const taken = yield* Effect.flip(client.registerTable(again.identifier, metadataLocation))
        assert.strictEqual(taken.reason, "TableExists")
        assert.strictEqual((yield* Effect.flip(client.dropNamespace("registered"))).reason, "TableExists")
        yield* client.dropTable(again.identifier)
        yield* client.dropNamespace("registered")
        assert.notInclude(yield* client.listNamespaces(), "registered")
      })
    )
  )

  it.live("makes, lists, replaces and drops views", () =>
    withClient((client) =>
      Effect.gen(function* () {
        const identifier = { namespace: "seen", name: "latest" }
        const definition = (sql: string) => ({
          identifier,
          schema: { ...eventSchema, fields: eventSchema.fields.slice(0, 1) },
          texts: [{ sql, dialect: "spark" }],
          defaultNamespace: "seen"
        })
        yield* client.createNamespace("seen")
        const view = yield* client.createView(definition("SELECT event_id FROM raw"))
        assert.deepStrictEqual(view.versions[0]?.texts, [{ sql: "SELECT event_id FROM raw", dialect: "spark" }])
        assert.strictEqual((yield* Effect.flip(client.createView(definition("SELECT 1")))).reason, "TableExists")
        const replaced = yield* client.replaceView(view, definition("SELECT event_id FROM curated"))
        assert.strictEqual(replaced.viewUuid, view.viewUuid)
        // another schema, then the first once more, which the server has already
        const wider = { ...definition("SELECT * FROM raw"), schema: eventSchema }
        const widened = yield* client.replaceView(replaced, wider)
        assert.strictEqual(widened.schemas.length, 2)
        const last = yield* client.replaceView(widened, definition("SELECT event_id FROM curated"))
        const loaded = yield* client.loadView(identifier)
        assert.deepStrictEqual(loaded, last)
        const current = loaded.versions.find(({ versionId }) => versionId === loaded.currentVersionId)
        assert.deepStrictEqual(current?.texts, [{ sql: "SELECT event_id FROM curated", dialect: "spark" }])
        assert.deepStrictEqual(yield* client.listViews("seen"), [identifier])
        assert.deepStrictEqual(yield* client.listTables("seen"), [])
        yield* client.dropView(identifier)
        assert.strictEqual((yield* Effect.flip(client.loadView(identifier))).reason, "TableMissing")
        assert.deepStrictEqual(yield* client.listViews("nothing"), [])
      })
    )
  )
})
