/**
 * The lake's catalog on a server that speaks the Iceberg REST protocol.
 *
 * The metadata files are the server's; manifests, lists and data files are ours, below the table's location. Requirements
 * are checked here on the base as well, so that a commit that cannot succeed is not sent.
 */
import { faultPoint, HttpCalls } from "@frazil/core"
import { Effect, Layer } from "effect"
import { LakeError } from "../../LakeError.ts"
import { unmetRequirement } from "../../spec/Requirement.ts"
import { Catalog, identifierText, type CatalogShape, type TableCommit } from "../Catalog.ts"
import { openRestClient, type RestClient } from "./RestClient.ts"
import type { RestCatalogOptions } from "./RestOptions.ts"

/** Namespaces whose tables are listed at a time. */
const listsAtOnce = 4

const commit = (client: RestClient, request: TableCommit) =>
  Effect.gen(function* () {
    const { base, requirements } = request
    const unmet = unmetRequirement(base.metadata, requirements)
    if (unmet !== undefined) {
      const message = `table ${identifierText(base.identifier)}: ${unmet}`
      return yield* new LakeError({ reason: "RequirementFailed", message })
    }
    if (request.write !== undefined) yield* request.write([])
    yield* faultPoint("before-swap")
    return yield* client.commit(request)
  })

/** Asks a client that may be opened only then. */
const makeRestCatalog = (opened: Effect.Effect<RestClient, LakeError>): CatalogShape => {
  const ask = <A>(run: (client: RestClient) => Effect.Effect<A, LakeError>) => Effect.flatMap(opened, run)
  const everyTable = (client: RestClient) =>
    Effect.flatMap(client.listNamespaces(), (namespaces) =>
      Effect.map(
        Effect.forEach(namespaces, (each) => client.listTables(each), { concurrency: listsAtOnce }),
        (lists) => lists.flat()
      )
    )
  return {
    listNamespaces: ask((client) => client.listNamespaces()),
    listTables: (namespace) =>
      ask((client) => (namespace === undefined ? everyTable(client) : client.listTables(namespace))),
    loadTable: (identifier) => ask((client) => client.loadTable(identifier)),
    createTable: (table) => ask((client) => client.createTable(table)),
    dropTable: (identifier) => ask((client) => client.dropTable(identifier)),
    commit: (request) => ask((client) => commit(client, request))
  }
}

/**
 * The catalog at a URL. Fails when it refuses us, or something else answers there; one that is out of reach is asked again
 * when it is needed, so that a pipeline starts without it and lands once it is back.
 */
export const layerRestCatalog = (options: RestCatalogOptions): Layer.Layer<Catalog, LakeError, HttpCalls> =>
  Layer.effect(
    Catalog,
    Effect.gen(function* () {
      const http = yield* HttpCalls
      let client: RestClient | undefined
      const opened = Effect.suspend(() =>
        client === undefined
          ? Effect.tap(openRestClient(http, options), (made) => Effect.sync(() => (client = made)))
          : Effect.succeed(client)
      )
      yield* Effect.catchIf(
        opened,
        ({ reason }) => reason === "Unavailable",
        () => Effect.void
      )
      return Catalog.of(makeRestCatalog(opened))
    })
  )
