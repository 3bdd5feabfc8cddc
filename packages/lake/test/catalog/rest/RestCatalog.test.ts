import { HttpCalls, layerMemory } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import { Catalog } from "../../../src/catalog/Catalog.ts"
import { layerRestCatalog } from "../../../src/catalog/rest/RestCatalog.ts"
import { openRestClient } from "../../../src/catalog/rest/RestClient.ts"
import {
  restPatienceDefault,
  type RestCatalogOptions,
  type RestPatience
} from "../../../src/catalog/rest/RestOptions.ts"
import { FileIO } from "../../../src/io/FileIO.ts"
import { LakeError } from "../../../src/LakeError.ts"
import { removeOrphans } from "../../../src/maintenance/RemoveOrphans.ts"
import { commitTable } from "../../../src/write/CommitTable.ts"
import { append, setProperties } from "../../../src/write/TableAction.ts"
import { eventFile, eventSchema, eventSpec } from "../../LakeFixtures.ts"
import { raw, storedUris } from "../../LakeHarness.ts"
import { fakeRestCatalog, type FakeRestCatalog } from "./FakeRestCatalog.ts"
import type { Asked, Fate } from "@frazil/sim/misbehaving"

/** Short waits between tries; an answer is waited for, however busy this machine is. */
const patience = { ...restPatienceDefault, waitMinMs: 1, waitMaxMs: 5 }
/** Where the server never answers. */
const impatience = { ...patience, timeoutMs: 500, commitTimeoutMs: 500 }

const clientAt = (url: string, options: Partial<RestCatalogOptions> = {}) =>
  HttpCalls.use((http) => openRestClient(http, { url, patience, ...options })).pipe(Effect.provide(HttpCalls.layer))

const layerAt = (url: string, patient: RestPatience) =>
  layerRestCatalog({ url, patience: patient }).pipe(
    Layer.provide(HttpCalls.layer),
    Layer.provideMerge(FileIO.layer.pipe(Layer.provideMerge(layerMemory)))
  )

const catalogAt = (url: string, fate?: Fate) => layerAt(url, fate === "never" ? impatience : patience)

const isCommit = ({ method, path }: Asked) => method === "POST" && path.includes("/tables/")
const isLoad = ({ method, path }: Asked) => method === "GET" && path.includes("/tables/")

/** A server with an empty table in it. */
const withTable = <A, E>(run: (server: FakeRestCatalog) => Effect.Effect<A, E>) =>
  Effect.scoped(
    Effect.gen(function* () {
      const server = yield* fakeRestCatalog
      yield* server.behind((catalog) =>
        catalog.createTable({ identifier: raw, schema: eventSchema, partitionSpec: eventSpec })
      )
      return yield* run(server)
    })
  )

const appendOnce = (server: FakeRestCatalog, fate?: Fate) =>
  commitTable({
    table: raw,
    actions: () => Effect.succeed([append([eventFile("a", 1, 0, 10)]), setProperties(new Map([["mark", "10"]]))])
  }).pipe(Effect.provide(catalogAt(server.url, fate)))

const rowsBehind = (server: FakeRestCatalog) =>
  Effect.map(
    server.behind((catalog) => catalog.loadTable(raw)),
    ({ metadata }) => metadata.snapshots.map(({ summary }) => summary.get("total-records"))
  )

const asked = (server: FakeRestCatalog, match: (asked: Asked) => boolean) => server.asked.filter(match).length

const serverError = (status: number, headers: Readonly<Record<string, string>> = {}): Fate => ({
  status,
  headers,
  body: JSON.stringify({ error: { message: "out of order", type: "InternalServerError", code: status } })
})

describe("REST catalog, commits on a server that misbehaves", () => {
  const once: ReadonlyArray<readonly [string, Fate, number]> = [
    ["breaks the line after it has committed", "done, then broken", 1],
    ["says 500 after it has committed", "done, then 500", 1],
    ["breaks the line before it has committed", "broken", 2],
    ["never answers", "never", 2],
    ["says 500", serverError(500), 2],
    ["says 502", serverError(502), 2],
    ["says 503 without more", serverError(503), 2],
    ["says 503 and to come again", serverError(503, { "retry-after": "0" }), 2],
    ["says 429", serverError(429, { "retry-after": "0" }), 2],
    ["is a proxy's page", { status: 200, body: "<html>welcome</html>" }, 2],
    ["meets another's commit", { status: 409, body: '{"error":{"type":"CommitFailedException"}}' }, 2]
  ]
  for (const [what, fate, commits] of once) {
    it.live(`are in the table exactly once when it ${what}`, () =>
      withTable((server) =>
        Effect.gen(function* () {
          server.meet(isCommit, fate)
          const { table } = yield* appendOnce(server, fate)
          assert.strictEqual(table.metadata.properties.get("mark"), "10")
          assert.deepStrictEqual(yield* rowsBehind(server), ["10"])
          assert.strictEqual(asked(server, isCommit), commits)
        })
      )
    )
  }

  it.live("are OutcomeUnknown when the table cannot be looked at either, and nothing is sent twice", () =>
    withTable((server) =>
      Effect.gen(function* () {
        server.meet(isLoad, "well", ...Array.from({ length: 20 }, (): Fate => "broken"))
        server.meet(isCommit, "done, then broken")
        const error = yield* Effect.flip(appendOnce(server))
        assert.strictEqual(error.reason, "OutcomeUnknown")
        assert.strictEqual(asked(server, isCommit), 1)
      })
    )
  )

  const persistent: ReadonlyArray<readonly [string, Fate, RegExp]> = [
    ["says 500 again and again", serverError(500), /answered 500: out of order/],
    ["never answers", "never", /127\.0\.0\.1.*look whether the change is in the table/]
  ]
  for (const [what, fate, message] of persistent) {
    it.live(`are given up as OutcomeUnknown when it ${what}: the table as it was, their files orphans`, () =>
      withTable((server) =>
        Effect.gen(function* () {
          const layer = layerAt(server.url, fate === "never" ? { ...patience, commitTimeoutMs: 100 } : patience)
          server.meet(isCommit, ...Array.from({ length: 50 }, () => fate))
          const action = append([eventFile("a", 1, 0, 10)])
          yield* Effect.gen(function* () {
            const commit = commitTable({ table: raw, retriesMax: 2, actions: () => Effect.succeed([action]) })
            const error = yield* Effect.flip(commit)
            assert.strictEqual(error.reason, "OutcomeUnknown", error.message)
            assert.match(error.message, message)
            assert.strictEqual(asked(server, isCommit), 3)
            assert.deepStrictEqual(yield* rowsBehind(server), [])
            // a manifest, and a list of each attempt: nothing else is in this storage
            const left = yield* storedUris
            assert.lengthOf(left, 4)
            const listed = yield* removeOrphans(raw, { dryRun: true, ageMsMin: -1_000 })
            assert.deepStrictEqual(listed.removed, left)
          }).pipe(Effect.provide(layer))
        })
      )
    )

    it.live(`are given up as Unavailable when the table cannot be loaded since it ${what}, with nothing written`, () =>
      withTable((server) =>
        Effect.gen(function* () {
          const layer = layerAt(server.url, { ...patience, timeoutMs: fate === "never" ? 100 : patience.timeoutMs })
          server.meet(isLoad, ...Array.from({ length: 6 }, () => fate))
          yield* Effect.gen(function* () {
            const action = append([eventFile("a", 1, 0, 10)])
            const commit = commitTable({ table: raw, actions: () => Effect.succeed([action]) })
            const error = yield* Effect.flip(commit)
            assert.strictEqual(error.reason, "Unavailable", error.message)
            assert.match(error.message, /table transactions\.raw: catalog http:\/\/127/)
            assert.deepStrictEqual([asked(server, isLoad), asked(server, isCommit)], [6, 0])
            assert.deepStrictEqual(yield* storedUris, [])
            assert.deepStrictEqual(yield* rowsBehind(server), [])
          }).pipe(Effect.provide(layer))
        })
      )
    )
  }

  it.live("come out as the server's words when it finds them wrong, and as a conflict on a table that has moved", () =>
    withTable((server) =>
      Effect.gen(function* () {
        const wrong = JSON.stringify({ error: { message: "Invalid sort order", type: "ValidationException" } })
        server.meet(isCommit, { status: 400, body: wrong })
        const error = yield* Effect.flip(appendOnce(server))
        assert.strictEqual(error.reason, "Invalid")
        assert.match(error.message, /transactions\.raw.*400: Invalid sort order/)
        const base = yield* server.behind((catalog) => catalog.loadTable(raw))
        const updates = [{ _tag: "SetProperties" as const, properties: new Map([["touched", "yes"]]) }]
        yield* server.behind((catalog) => catalog.commit({ base, requirements: [], updates }))
        server.meet(isCommit, { status: 400, body: wrong })
        const client = yield* clientAt(server.url)
        const moved = yield* Effect.flip(client.commit({ base, requirements: [], updates }))
        assert.strictEqual(moved.reason, "CommitConflict")
      })
    )
  )

  it.live("leave the table as it was when they are refused, and their files as orphans", () =>
    withTable((server) =>
      Effect.gen(function* () {
        server.meet(isCommit, { status: 403, body: '{"error":{"message":"not yours"}}' })
        const append1 = append([eventFile("a", 1, 0, 10)])
        const error = yield* Effect.flip(commitTable({ table: raw, actions: () => Effect.succeed([append1]) }))
        assert.strictEqual(error.reason, "Refused")
        assert.deepStrictEqual(yield* rowsBehind(server), [])
        const listed = yield* removeOrphans(raw, { dryRun: true, ageMsMin: -1_000 })
        // a manifest and a list of manifests
        assert.strictEqual(listed.filesBefore - listed.filesAfter, 2)
      }).pipe(Effect.provide(catalogAt(server.url)))
    )
  )

  it.live("do not reach a table that was made anew in the place of the one they were begun on", () =>
    withTable((server) =>
      Effect.gen(function* () {
        const replace = server.behind((catalog) =>
          Effect.andThen(
            catalog.dropTable(raw),
            catalog.createTable({ identifier: raw, schema: eventSchema, partitionSpec: eventSpec })
          )
        )
        const files = [eventFile("a", 1, 0, 10)]
        let attempts = 0
        // between the attempt's look at the table and its commit
        const actions = () => Effect.as(++attempts === 1 ? replace : Effect.void, [append(files)])
        const error = yield* Effect.flip(commitTable({ table: raw, actions }))
        assert.strictEqual(error.reason, "TableReplaced")
        assert.match(error.message, /transactions\.raw: it is another/)
        assert.deepStrictEqual(yield* rowsBehind(server), [])
        assert.strictEqual(attempts, 1)
      }).pipe(Effect.provide(catalogAt(server.url)))
    )
  )

  it.live("do not reach a table that was dropped", () =>
    withTable((server) =>
      Effect.gen(function* () {
        server.meet(isCommit, { status: 404, body: '{"error":{"type":"NoSuchTableException","message":"gone"}}' })
        assert.strictEqual((yield* Effect.flip(appendOnce(server))).reason, "TableMissing")
      })
    )
  )
})

describe("REST catalog, questions", () => {
  it.live("are repeated when nobody answers, and end with an error that says where", () =>
    withTable((server) =>
      Effect.gen(function* () {
        const client = yield* clientAt(server.url, { patience: impatience })
        server.meet(isLoad, "never", "broken", serverError(500), serverError(503, { "retry-after": "0" }))
        assert.strictEqual((yield* client.loadTable(raw)).metadata.snapshots.length, 0)
        assert.strictEqual(asked(server, isLoad), 5)
        server.meet(isLoad, ...Array.from({ length: 6 }, () => serverError(500)))
        const error = yield* Effect.flip(client.loadTable(raw))
        assert.strictEqual(error.reason, "Unavailable")
        assert.match(error.message, /table transactions\.raw: catalog http:\/\/127.* answered 500: out of order/)
        const nobody = yield* Effect.flip(clientAt("http://127.0.0.1:54321"))
        assert.strictEqual(nobody.reason, "Unavailable")
        assert.match(nobody.message, /127\.0\.0\.1:54321 cannot be reached/)
      })
    )
  )

  it.live("reach a catalog that was not there at the start", () =>
    withTable((server) =>
      Effect.gen(function* () {
        // as many as the first question has tries
        server.meet(({ path }) => path.startsWith("/v1/config"), ...Array.from({ length: 6 }, (): Fate => "broken"))
        const table = yield* Effect.provide(
          Catalog.use((catalog) => catalog.loadTable(raw)),
          catalogAt(server.url)
        )
        assert.strictEqual(table.metadata.snapshots.length, 0)
        assert.strictEqual(
          asked(server, ({ path }) => path.startsWith("/v1/config")),
          7
        )
        server.meet(({ path }) => path.startsWith("/v1/config"), serverError(403))
        const refused = yield* Effect.exit(Effect.provide(Effect.void, catalogAt(server.url)))
        assert.match(String(refused), /does not allow us this/)
      })
    )
  )

  it.live("are not answered by something that is no catalog", () =>
    withTable((server) =>
      Effect.gen(function* () {
        server.meet(() => true, { status: 200, body: "<html>" })
        const error = yield* Effect.flip(clientAt(server.url))
        assert.strictEqual(error.reason, "Invalid")
        assert.match(error.message, /no JSON document: look whether the address is that of an Iceberg REST catalog/)
        server.meet(isLoad, { status: 200, body: '{"metadata-location":"x","metadata":{"format-version":2}}' })
        const damaged = yield* Effect.flip((yield* clientAt(server.url)).loadTable(raw))
        assert.strictEqual(damaged.reason, "Corrupt")
      })
    )
  )

  it.live("read pages to their end, and use the server's prefix, separator and warehouse", () =>
    withTable((server) =>
      Effect.gen(function* () {
        server.meet(({ path }) => path.startsWith("/v1/config"), {
          status: 200,
          body: '{"defaults":{"prefix":"lost"},"overrides":{"prefix":"p/1","namespace-separator":"%2E"}}'
        })
        const page = (names: ReadonlyArray<string>, next?: string): Fate => ({
          status: 200,
          body: JSON.stringify({
            identifiers: names.map((name) => ({ namespace: ["a", "b"], name })),
            ...(next === undefined ? {} : { "next-page-token": next })
          })
        })
        server.meet(({ path }) => path.includes("/tables"), page(["z", "y"], "t&2"), page(["x"], "3"), page([]))
        const client = yield* clientAt(`${server.url}/`, { warehouse: "w 1" })
        const tables = yield* client.listTables("a.b")
        assert.deepStrictEqual(
          tables.map(({ name, namespace }) => `${namespace}.${name}`),
          ["a.b.x", "a.b.y", "a.b.z"]
        )
        assert.deepStrictEqual(
          server.asked.map(({ path }) => path),
          [
            "/v1/config?warehouse=w%201",
            "/v1/p/1/namespaces/a%2Eb/tables?pageToken=",
            "/v1/p/1/namespaces/a%2Eb/tables?pageToken=t%262",
            "/v1/p/1/namespaces/a%2Eb/tables?pageToken=3"
          ]
        )
      })
    )
  )

  it.live("keep 64-bit ids whole, in both directions", () =>
    withTable((server) =>
      Effect.gen(function* () {
        const { snapshot } = yield* appendOnce(server)
        const commit = server.asked.find(isCommit)
        assert.include(commit?.body, `"snapshot-id":${snapshot?.snapshotId}`)
        const loaded = yield* Effect.provide(
          Catalog.use((catalog) => catalog.loadTable(raw)),
          catalogAt(server.url)
        )
        assert.strictEqual(loaded.metadata.currentSnapshotId, snapshot?.snapshotId)
        assert.notStrictEqual(BigInt(Number(snapshot?.snapshotId)), snapshot?.snapshotId)
      })
    )
  )

  it.live("say which tables a commit of several is about, and that nobody knows after a broken line", () =>
    withTable((server) =>
      Effect.gen(function* () {
        const client = yield* clientAt(server.url)
        const base = yield* client.loadTable(raw)
        server.meet(({ path }) => path === "/v1/transactions/commit", { status: 204 }, "broken")
        const commit = { base, requirements: [], updates: [{ _tag: "RemoveProperties" as const, names: ["a"] }] }
        yield* client.commitTables([commit, commit])
        const sent: unknown = JSON.parse(server.asked.at(-1)?.body ?? "")
        const change = {
          identifier: { namespace: ["transactions"], name: "raw" },
          requirements: [],
          updates: [{ action: "remove-properties", removals: ["a"] }]
        }
        assert.deepStrictEqual(sent, { "table-changes": [change, change] })
        const error = yield* Effect.flip(client.commitTables([commit]))
        assert.strictEqual(error.reason, "OutcomeUnknown")
        assert.match(error.message, /tables transactions\.raw/)
      })
    )
  )
})

describe("REST catalog, who we are", () => {
  const secret = "s3cr3t-of-the-client"
  const token = (name: string, seconds: number): Fate => ({
    status: 200,
    body: JSON.stringify({ access_token: name, token_type: "bearer", expires_in: seconds })
  })
  const isToken = ({ path }: Asked) => path === "/v1/oauth/tokens"
  const access = { _tag: "OAuth2" as const, clientId: "frazil", clientSecret: Redacted.make(secret) }
  const carried = (server: FakeRestCatalog) =>
    server.asked.filter((each) => !isToken(each)).map(({ headers }) => headers.authorization)

  it.live("is said with a bearer token; a refusal says what to do and holds no token", () =>
    withTable((server) =>
      Effect.gen(function* () {
        const bearer = { _tag: "Bearer" as const, token: Redacted.make("the-bearer-token") }
        const client = yield* clientAt(server.url, { access: bearer })
        assert.deepStrictEqual(carried(server), ["Bearer the-bearer-token"])
        server.meet(isLoad, serverError(401), serverError(403))
        const unknown = yield* Effect.flip(client.loadTable(raw))
        assert.strictEqual(unknown.reason, "Refused")
        assert.match(unknown.message, /give a token or credentials with a connection of kind iceberg-rest/)
        const forbidden = yield* Effect.flip(client.loadTable(raw))
        assert.strictEqual(forbidden.reason, "Refused")
        assert.match(forbidden.message, /does not allow us this/)
        assert.notInclude(`${unknown.message}${forbidden.message}${JSON.stringify(unknown)}`, "the-bearer-token")
      })
    )
  )

  it.live("is a token got with client credentials, got again after 401 also for a commit, and before it expires", () =>
    withTable((server) =>
      Effect.gen(function* () {
        // the third has but a moment to live: the next question gets a fourth
        server.meet(isToken, token("one", 3600), token("two", 3600), token("three", 0.2), token("four", 3600))
        const client = yield* clientAt(server.url, { access })
        const base = yield* client.loadTable(raw)
        assert.strictEqual(
          server.asked[0]?.body,
          `grant_type=client_credentials&client_id=frazil&client_secret=${secret}&scope=catalog`
        )
        server.meet(isCommit, serverError(401))
        const updates = [{ _tag: "SetProperties" as const, properties: new Map([["a", "1"]]) }]
        yield* client.commit({ base, requirements: [], updates })
        server.meet(isLoad, serverError(419))
        yield* client.loadTable(raw)
        yield* Effect.sleep(150)
        yield* client.loadTable(raw)
        assert.deepStrictEqual(
          carried(server).map((each) => each?.slice("Bearer ".length)),
          ["one", "one", "one", "two", "two", "three", "four"]
        )
      })
    )
  )

  it.live("is refused in words without the secret", () =>
    withTable((server) =>
      Effect.gen(function* () {
        const body = JSON.stringify({ error: "invalid_client", error_description: `no ${secret}` })
        server.meet(isToken, { status: 401, body }, { status: 200, body: "{}" }, serverError(503))
        const failures = []
        for (let i = 0; i < 3; i++) failures.push(yield* Effect.flip(clientAt(server.url, { access })))
        assert.deepStrictEqual(
          failures.map(({ reason }) => reason),
          ["Refused", "Refused", "Unavailable"]
        )
        assert.match(failures[0]?.message ?? "", /invalid_client\): look at the client id and the secret/)
        assert.notInclude(JSON.stringify(failures), secret)
        assert.isTrue(failures.every((failure) => failure instanceof LakeError))
      })
    )
  )
})
