/**
 * A small server of the REST protocol for tests, over pointers in memory: it does well what the client needs, and what a
 * script says instead.
 */
import { layerMemory } from "@frazil/core"
import { Effect, Exit, Layer, ManagedRuntime, type Scope } from "effect"
import { Catalog, type TableIdentifier } from "../../../src/catalog/Catalog.ts"
import { makePointerCatalog } from "../../../src/catalog/PointerCatalog.ts"
import { FileIO } from "../../../src/io/FileIO.ts"
import { LakeError } from "../../../src/LakeError.ts"
import { parseJson, type JsonObject, type JsonValue } from "../../../src/spec/Json.ts"
import { readObject } from "../../../src/spec/JsonRead.ts"
import type { MetadataUpdate } from "../../../src/spec/MetadataUpdate.ts"
import { type Requirement, unmetRequirement } from "../../../src/spec/Requirement.ts"
import { refFromJson, snapshotFromJson } from "../../../src/spec/Snapshot.ts"
import { tableMetadataToBytes } from "../../../src/spec/TableMetadataJson.ts"
import { memoryPointers } from "../MemoryPointers.ts"
import { misbehavingServer, type Asked, type MisbehavingServer, type Reply } from "@frazil/sim/misbehaving"

const error = (status: number, type: string, message: string): Reply => ({
  status,
  body: JSON.stringify({ error: { message, type, code: status } })
})

const refused = (failure: LakeError): Reply =>
  failure.reason === "TableMissing"
    ? error(404, "NoSuchTableException", "Table does not exist")
    : error(409, "CommitFailedException", failure.message)

const failed = ({ cause }: Exit.Failure<unknown, LakeError>): Reply => {
  const failure = cause.reasons.find(({ _tag }) => _tag === "Fail")
  if (failure?._tag === "Fail" && failure.error instanceof LakeError) return refused(failure.error)
  throw new Error(String(cause))
}

const identifierOf = (change: JsonObject): TableIdentifier => {
  const { name, namespace } = readObject(change["identifier"], "identifier")
  // what a client sent in a test
  return { namespace: (namespace as ReadonlyArray<string>).join("."), name: String(name) }
}

const list = (value: JsonValue | undefined): ReadonlyArray<JsonObject> =>
  // what a client sent in a test
  (value as ReadonlyArray<JsonValue>).map((each) => readObject(each, "each"))

const updateOf = (json: JsonObject): MetadataUpdate => {
  switch (json["action"]) {
    case "add-snapshot":
      return { _tag: "AddSnapshot", snapshot: snapshotFromJson(json["snapshot"], "snapshot") }
    case "set-snapshot-ref":
      return { _tag: "SetSnapshotRef", name: String(json["ref-name"]), ref: refFromJson(json, "ref") }
    case "set-properties":
      return {
        _tag: "SetProperties",
        properties: new Map(Object.entries(readObject(json["updates"], "updates")).map(([k, v]) => [k, String(v)]))
      }
    default:
      throw new Error(`the fake catalog knows no ${String(json["action"])}`)
  }
}

const requirementOf = (json: JsonObject): Requirement =>
  json["type"] === "assert-table-uuid"
    ? { _tag: "AssertTableUuid", tableUuid: String(json["uuid"]) }
    : {
        _tag: "AssertRefSnapshot",
        ref: String(json["ref"]),
        snapshotId: json["snapshot-id"] === null ? null : BigInt(String(json["snapshot-id"]))
      }

export interface FakeRestCatalog extends MisbehavingServer {
  /** What is behind the server: a catalog that another client might use. */
  readonly behind: <A>(run: (catalog: Catalog["Service"]) => Effect.Effect<A, LakeError>) => Effect.Effect<A>
}

const tablePath = /^\/v1\/namespaces\/([^/]+)\/tables\/([^/?]+)/

export const fakeRestCatalog: Effect.Effect<FakeRestCatalog, never, Scope.Scope> = Effect.gen(function* () {
  const layer = Layer.effect(
    Catalog,
    Effect.map(FileIO, (fileIO) => makePointerCatalog(memoryPointers(), fileIO, "file:///warehouse"))
  ).pipe(Layer.provide(FileIO.layer), Layer.provide(layerMemory))
  const runtime = yield* Effect.acquireRelease(
    Effect.sync(() => ManagedRuntime.make(layer)),
    (made) => Effect.promise(() => made.dispose())
  )
  const run = <A>(use: (catalog: Catalog["Service"]) => Effect.Effect<A, LakeError>) =>
    runtime.runPromiseExit(Effect.flatMap(Catalog, use))

  const table = async ({ body, method }: Asked, identifier: TableIdentifier): Promise<Reply> => {
    const exit = await run((catalog) =>
      Effect.gen(function* () {
        const base = yield* catalog.loadTable(identifier)
        if (method === "GET") return base
        const sent = readObject(parseJson(body), "commit")
        return yield* catalog.commit({
          base,
          requirements: list(sent["requirements"]).map(requirementOf),
          updates: list(sent["updates"]).map(updateOf)
        })
      })
    )
    if (Exit.isFailure(exit)) return failed(exit)
    const metadata = new TextDecoder().decode(tableMetadataToBytes(exit.value.metadata))
    return { status: 200, body: `{"metadata-location":"${exit.value.metadataLocation}","metadata":${metadata}}` }
  }
  /** All of them or none: nobody else commits between the first look and the last swap. */
  const transaction = async ({ body }: Asked): Promise<Reply> => {
    const exit = await run((catalog) =>
      Effect.gen(function* () {
        const changes = yield* Effect.forEach(list(readObject(parseJson(body), "commit")["table-changes"]), (sent) =>
          Effect.map(catalog.loadTable(identifierOf(sent)), (base) => ({
            base,
            requirements: list(sent["requirements"]).map(requirementOf),
            updates: list(sent["updates"]).map(updateOf)
          }))
        )
        for (const { base, requirements } of changes) {
          const unmet = unmetRequirement(base.metadata, requirements)
          if (unmet !== undefined) return yield* new LakeError({ reason: "RequirementFailed", message: unmet })
        }
        yield* Effect.forEach(changes, (change) => catalog.commit(change))
      })
    )
    return Exit.isSuccess(exit) ? { status: 204 } : failed(exit)
  }
  const server = yield* misbehavingServer(async (asked) => {
    if (asked.path === "/v1/transactions/commit") return transaction(asked)
    if (asked.path.startsWith("/v1/config")) return { status: 200, body: '{"defaults":{},"overrides":{}}' }
    const found = tablePath.exec(asked.path)
    if (found === null) return error(404, "NoSuchNamespaceException", "Namespace does not exist")
    return table(asked, { namespace: decodeURIComponent(found[1] ?? ""), name: decodeURIComponent(found[2] ?? "") })
  })
  return {
    ...server,
    behind: (use) =>
      Effect.promise(async () => {
        const exit = await run(use)
        if (Exit.isFailure(exit)) throw new Error(String(exit.cause))
        return exit.value
      })
  }
})
