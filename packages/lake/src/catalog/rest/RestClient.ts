/**
 * A client of the Iceberg REST catalog protocol: namespaces, tables, commits of one or several tables, views.
 *
 * `RestCatalog` makes the lake's catalog of it; what that has no use for (several tables in one commit, registered
 * tables, views) is here for programs. **Guarantees**: 64-bit integers stay whole; of a commit whose answer is lost it is
 * said that nobody knows.
 */
import type { HttpCallsShape } from "@frazil/core"
import { Clock, Effect } from "effect"
import { LakeError } from "../../LakeError.ts"
import type { JsonObject } from "../../spec/Json.ts"
import { requirementToJson, updatesToJson } from "./CommitJson.ts"
import { identifierText, type CreateTable, type Table, type TableCommit, type TableIdentifier } from "../Catalog.ts"
import { makeRestCalls, type RestCalls, type RestQuestion } from "./RestCalls.ts"
import { createRestTable, makeNamespace } from "./RestCreate.ts"
import { restPatienceDefault, type RestCatalogOptions } from "./RestOptions.ts"
import { levelsOf, restPaths, type RestPaths } from "./RestPaths.ts"
import { readAnswer, readConfig, readIdentifiers, readNames, readPages, readTable } from "./RestReads.ts"
import { makeRestToken } from "./RestToken.ts"
import { createViewToJson, replaceViewToJson, viewFromJson, type View, type ViewDefinition } from "./RestView.ts"

/** Namespaces deeper than this are not looked into: a server that repeats a parent as its child would not end. */
const levelsMax = 32

const identifierJson = ({ name, namespace }: TableIdentifier): JsonObject => ({ namespace: levelsOf(namespace), name })

const commitJson = ({ base, requirements, updates }: TableCommit): JsonObject => ({
  identifier: identifierJson(base.identifier),
  requirements: requirements.map(requirementToJson),
  updates: updatesToJson(updates)
})

type Subject = RestQuestion["subject"]

const aboutTable = (table: TableIdentifier, commits = false): Subject => ({
  what: `table ${identifierText(table)}`,
  kind: "table",
  commits
})

const aboutView = (view: TableIdentifier, commits = false): Subject => ({
  what: `view ${identifierText(view)}`,
  kind: "view",
  commits
})

const aboutNamespace = (namespace: string): Subject => ({
  what: `namespace ${namespace}`,
  kind: "namespace",
  commits: false
})

export class RestClient {
  /** The catalog's address, for messages. */
  readonly place: string
  private readonly calls: RestCalls
  private readonly paths: RestPaths
  private readonly tablesUri: string | undefined

  constructor(calls: RestCalls, paths: RestPaths, tablesUri: string | undefined) {
    this.calls = calls
    this.paths = paths
    this.tablesUri = tablesUri
    this.place = calls.place
  }

  /** Namespaces right below `parent`, or the topmost ones. */
  private childrenOf(parent: string | undefined): Effect.Effect<ReadonlyArray<string>, LakeError> {
    return readPages(
      this.calls,
      {
        method: "GET",
        path: this.paths.namespaces,
        query: [["parent", parent === undefined ? undefined : this.paths.parameter(parent)]],
        subject: aboutNamespace(parent ?? "list")
      },
      (page) => readNames(page, "namespaces").map((levels) => levels.join("."))
    )
  }

  /** Every namespace of every level, sorted. */
  listNamespaces(): Effect.Effect<ReadonlyArray<string>, LakeError> {
    return Effect.gen({ self: this }, function* () {
      const found = new Set<string>()
      let parents: ReadonlyArray<string | undefined> = [undefined]
      for (let level = 1; level <= levelsMax && parents.length > 0; level++) {
        const below: Array<string> = []
        for (const parent of parents) {
          for (const child of yield* this.childrenOf(parent)) {
            if (!found.has(child)) below.push(child)
            found.add(child)
          }
        }
        parents = below
      }
      return [...found].sort()
    })
  }

  /** Makes a namespace and those above it; one that exists is fine. */
  createNamespace(namespace: string): Effect.Effect<void, LakeError> {
    return makeNamespace(this.calls, this.paths, namespace)
  }

  /** Invalid when there is none, TableExists when something is in it. */
  dropNamespace(namespace: string): Effect.Effect<void, LakeError> {
    const path = this.paths.namespace(namespace)
    return Effect.asVoid(this.calls.ask({ method: "DELETE", path, subject: aboutNamespace(namespace) }))
  }

  /** Tables of one namespace, sorted; none when there is no such namespace. */
  listTables(namespace: string): Effect.Effect<ReadonlyArray<TableIdentifier>, LakeError> {
    const path = this.paths.tables(namespace)
    return Effect.map(
      readPages(this.calls, { method: "GET", path, subject: aboutNamespace(namespace) }, (page) =>
        readIdentifiers(page, "identifiers")
      ),
      sorted
    )
  }

  loadTable(table: TableIdentifier): Effect.Effect<Table, LakeError> {
    return this.calls
      .ask({
        method: "GET",
        path: this.paths.table(table),
        query: [["snapshots", "all"]],
        subject: aboutTable(table)
      })
      .pipe(Effect.flatMap((answer) => this.tableOf(table, answer)))
  }

  private tableOf(table: TableIdentifier, answer: JsonObject): Effect.Effect<Table, LakeError> {
    return readAnswer(`table ${identifierText(table)}`, this.place, () => readTable(table, answer))
  }

  createTable(table: CreateTable): Effect.Effect<Table, LakeError> {
    return createRestTable(this.calls, this.paths, this.tablesUri, (each) => this.loadTable(each), table)
  }

  /** Puts a table whose metadata lies in storage into the catalog. */
  registerTable(table: TableIdentifier, metadataLocation: string): Effect.Effect<Table, LakeError> {
    return this.calls
      .ask({
        method: "POST",
        path: this.paths.register(table.namespace),
        body: { name: table.name, "metadata-location": metadataLocation },
        subject: aboutTable(table)
      })
      .pipe(Effect.flatMap((answer) => this.tableOf(table, answer)))
  }

  /** Forgets the table; its files stay. */
  dropTable(table: TableIdentifier): Effect.Effect<void, LakeError> {
    return Effect.asVoid(
      this.calls.ask({
        method: "DELETE",
        path: this.paths.table(table),
        query: [["purgeRequested", "false"]],
        subject: aboutTable(table)
      })
    )
  }

  /** **The commit point** of one table. */
  commit(commit: TableCommit): Effect.Effect<Table, LakeError> {
    const { identifier } = commit.base
    return this.calls
      .ask({
        method: "POST",
        path: this.paths.table(identifier),
        body: commitJson(commit),
        subject: aboutTable(identifier, true)
      })
      .pipe(
        Effect.flatMap((answer) => this.tableOf(identifier, answer)),
        Effect.catchIf(
          ({ reason }) => reason === "Invalid",
          (error) => this.invalidOn(commit.base, error)
        )
      )
  }

  /**
   * A commit that a server finds wrong may be wrong only because the table has moved on where no requirement looks (a
   * sequence number taken by another branch): on another base it is staged anew.
   */
  private invalidOn(base: Table, error: LakeError): Effect.Effect<never, LakeError> {
    return Effect.flatMap(this.loadTable(base.identifier), ({ metadataLocation }) =>
      Effect.fail(
        metadataLocation === base.metadataLocation
          ? error
          : new LakeError({ reason: "CommitConflict", message: error.message, cause: error })
      )
    )
  }

  /**
   * **The commit point** of several tables: all of them or none. The files that the updates name are written first. The answer
   * holds no metadata: load what is needed; after OutcomeUnknown any one table tells for all.
   */
  commitTables(commits: ReadonlyArray<TableCommit>): Effect.Effect<void, LakeError> {
    const names = commits.map(({ base }) => identifierText(base.identifier)).join(", ")
    const written = Effect.forEach(commits, ({ write }) => write?.([]) ?? Effect.void, { discard: true })
    const asked = this.calls.ask({
      method: "POST",
      path: this.paths.transaction,
      body: { "table-changes": commits.map(commitJson) },
      subject: { what: `tables ${names}`, kind: "table", commits: true }
    })
    return Effect.asVoid(Effect.andThen(written, asked))
  }

  /** Views of one namespace, sorted; none when there is no such namespace. */
  listViews(namespace: string): Effect.Effect<ReadonlyArray<TableIdentifier>, LakeError> {
    const path = this.paths.views(namespace)
    return Effect.map(
      readPages(this.calls, { method: "GET", path, subject: aboutNamespace(namespace) }, (page) =>
        readIdentifiers(page, "identifiers")
      ),
      sorted
    )
  }

  loadView(view: TableIdentifier): Effect.Effect<View, LakeError> {
    return this.viewOf(view, this.calls.ask({ method: "GET", path: this.paths.view(view), subject: aboutView(view) }))
  }

  private viewOf(view: TableIdentifier, asked: Effect.Effect<JsonObject, LakeError>): Effect.Effect<View, LakeError> {
    return Effect.flatMap(asked, (answer) =>
      readAnswer(`view ${identifierText(view)}`, this.place, () => viewFromJson(view, answer))
    )
  }

  createView(definition: ViewDefinition): Effect.Effect<View, LakeError> {
    const { identifier } = definition
    return Effect.flatMap(Clock.currentTimeMillis, (nowMs) =>
      this.viewOf(
        identifier,
        this.calls.ask({
          method: "POST",
          path: this.paths.views(identifier.namespace),
          body: createViewToJson(definition, nowMs),
          subject: aboutView(identifier)
        })
      )
    )
  }

  /** Puts the definition in force as a new version of the view. */
  replaceView(view: View, definition: ViewDefinition): Effect.Effect<View, LakeError> {
    return Effect.flatMap(Clock.currentTimeMillis, (nowMs) =>
      this.viewOf(
        view.identifier,
        this.calls.ask({
          method: "POST",
          path: this.paths.view(view.identifier),
          body: replaceViewToJson(view, definition, nowMs),
          subject: aboutView(view.identifier, true)
        })
      )
    )
  }

  dropView(view: TableIdentifier): Effect.Effect<void, LakeError> {
    return Effect.asVoid(this.calls.ask({ method: "DELETE", path: this.paths.view(view), subject: aboutView(view) }))
  }
}

const sorted = (found: ReadonlyArray<TableIdentifier>): ReadonlyArray<TableIdentifier> =>
  [...found].sort((a, b) => (identifierText(a) < identifierText(b) ? -1 : 1))

/** Asks the catalog for its configuration, which says where everything else is; Invalid when there is no catalog. */
export const openRestClient = Effect.fnUntraced(function* (
  http: HttpCallsShape,
  options: RestCatalogOptions
): Effect.fn.Return<RestClient, LakeError> {
  const url = options.url.replace(/\/+$/, "")
  const patience = options.patience ?? restPatienceDefault
  const token = makeRestToken(http, url, options.access ?? { _tag: "None" }, patience)
  const calls = makeRestCalls(http, url, token, patience)
  const answer = yield* calls.ask({
    method: "GET",
    path: "/v1/config",
    query: [["warehouse", options.warehouse]],
    subject: { what: "its configuration", kind: "config", commits: false }
  })
  const own = new Map(options.warehouse === undefined ? [] : [["warehouse", options.warehouse]])
  const config = yield* readAnswer("its configuration", calls.place, () => readConfig(answer, own))
  return new RestClient(calls, restPaths(config.prefix, config.namespaceSeparator), options.tablesUri)
})
