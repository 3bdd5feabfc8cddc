/**
 * Reading what a REST catalog answers: pages of names, tables, its configuration.
 *
 * A document that is not what the protocol says is Corrupt, named by the question it answered.
 */
import { Effect } from "effect"
import { fromFormat, type LakeError } from "../../LakeError.ts"
import { corrupt } from "../../spec/FormatError.ts"
import type { JsonObject } from "../../spec/Json.ts"
import { readList, readObject, readOptional, readString, readStringMap, type StringMap } from "../../spec/JsonRead.ts"
import { tableMetadataFromJson } from "../../spec/TableMetadataJson.ts"
import type { Table, TableIdentifier } from "../Catalog.ts"
import type { RestCalls, RestQuestion } from "./RestCalls.ts"

/** Pages that are read at most of one list, so that a server that never ends does not keep us for ever. */
const pagesMax = 10_000

export const readAnswer = <A>(what: string, place: string, read: () => A): Effect.Effect<A, LakeError> =>
  Effect.try({ try: read, catch: fromFormat(`answer about ${what} of`, place) })

export const readNames = (object: JsonObject, key: string): ReadonlyArray<ReadonlyArray<string>> =>
  readList(object[key], key, (levels, where) => readList(levels, where, readString))

export const readIdentifiers = (object: JsonObject, key: string): ReadonlyArray<TableIdentifier> =>
  readList(object[key], key, (value, where) => {
    const identifier = readObject(value, where)
    const levels = readList(identifier["namespace"], `${where}.namespace`, readString)
    return { namespace: levels.join("."), name: readString(identifier["name"], `${where}.name`) }
  })

/** Every page of a list. A namespace or parent that is not there has none. */
export const readPages = Effect.fnUntraced(function* <A>(
  calls: RestCalls,
  question: RestQuestion,
  read: (page: JsonObject) => ReadonlyArray<A>
): Effect.fn.Return<ReadonlyArray<A>, LakeError> {
  const found: Array<A> = []
  // asked for with an empty token first: servers page only for those who say that they know pages
  let pageToken: string | undefined = ""
  for (let page = 1; page <= pagesMax && pageToken !== undefined; page++) {
    const query: RestQuestion["query"] = [...(question.query ?? []), ["pageToken", pageToken]]
    const answer: JsonObject | "missing" = yield* calls.askOr({ ...question, query }, ({ status }) =>
      status === 404 ? ("missing" as const) : undefined
    )
    if (answer === "missing") return found
    found.push(...(yield* readAnswer(question.subject.what, calls.place, () => read(answer))))
    const next: string | undefined = yield* readAnswer(question.subject.what, calls.place, () =>
      readOptional(answer["next-page-token"], "next-page-token", readString)
    )
    pageToken = next === "" || next === pageToken ? undefined : next
  }
  return found
})

/** A table as LoadTableResult and CommitTableResponse hold it. */
export const readTable = (identifier: TableIdentifier, answer: JsonObject): Table => ({
  identifier,
  metadataLocation: readString(answer["metadata-location"], "metadata-location"),
  metadata: tableMetadataFromJson(answer["metadata"] ?? corrupt("metadata", "is missing"))
})

export interface RestConfig {
  readonly prefix: string | undefined
  /** Encoded; undefined when the server does not say. */
  readonly namespaceSeparator: string | undefined
  /** Defaults, then what we were given, then the server's overrides. */
  readonly properties: StringMap
}

export const readConfig = (answer: JsonObject, own: StringMap): RestConfig => {
  const properties = new Map([
    ...(readOptional(answer["defaults"], "defaults", readStringMap) ?? []),
    ...own,
    ...(readOptional(answer["overrides"], "overrides", readStringMap) ?? [])
  ])
  const namespaceSeparator = properties.get("namespace-separator")
  if (namespaceSeparator !== undefined && !/^(%[0-9a-f]{2})+$|^[A-Za-z0-9._~-]+$/i.test(namespaceSeparator)) {
    return corrupt("namespace-separator", "is not encoded for a URL")
  }
  return { prefix: properties.get("prefix"), namespaceSeparator, properties }
}
