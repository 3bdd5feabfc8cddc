/**
 * What a REST catalog's answer means: its JSON, or the LakeError that tells the caller what to do (OpenAPI: ErrorModel).
 *
 * The server's own words are passed on, cut short: it is the only one that knows. Tokens are in no answer but that of the
 * token endpoint, which is read elsewhere.
 */
import type { HttpCallAnswer } from "@frazil/core"
import { LakeError } from "../../LakeError.ts"
import { FormatError } from "../../spec/FormatError.ts"
import { parseJson, type JsonObject, type JsonValue } from "../../spec/Json.ts"

const wordsMax = 500
const utf8 = new TextDecoder("utf-8")

const parsed = (answer: HttpCallAnswer): JsonValue | undefined => {
  try {
    return parseJson(utf8.decode(answer.body))
  } catch (cause) {
    if (cause instanceof FormatError) return undefined
    throw cause
  }
}

const objectOf = (value: JsonValue | undefined): JsonObject | undefined =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? // Array.isArray does not narrow a readonly array away; what is left here is an object
      (value as JsonObject)
    : undefined

/** The answer's document; undefined when it is none. */
export const documentOf = (answer: HttpCallAnswer): JsonObject | undefined => objectOf(parsed(answer))

export interface RestRefusal {
  readonly status: number
  /** `CommitFailedException`, `NoSuchTableException`, …; empty when the server does not say. */
  readonly type: string
  /** What the server said, one line. */
  readonly words: string
}

/** What the page of a proxy, or of a server below the catalog, is called. */
const titleOf = ({ body }: HttpCallAnswer): string =>
  /<title>([^<]{1,200})<\/title>/i.exec(utf8.decode(body.subarray(0, 4_096)))?.[1]?.trim() ?? ""

export const refusalOf = (answer: HttpCallAnswer): RestRefusal => {
  const error = objectOf(documentOf(answer)?.["error"])
  const type = typeof error?.["type"] === "string" ? error["type"] : ""
  const message = typeof error?.["message"] === "string" ? error["message"] : titleOf(answer)
  // a Java server may send a stack below its message
  const line = message.split("\n", 1)[0] ?? ""
  return { status: answer.status, type, words: line.length > wordsMax ? `${line.slice(0, wordsMax)}…` : line }
}

/** What a question is about, for messages and for what "not there" means. */
export interface RestSubject {
  /** `table a.b`, `namespace a`: for messages. */
  readonly what: string
  readonly kind: "table" | "namespace" | "view" | "config"
  /** A commit, of which nobody can say after a broken answer whether it happened. */
  readonly commits: boolean
}

const unknownStatuses: ReadonlySet<number> = new Set([500, 501, 502, 504])

const reasonOf = ({ status, type }: RestRefusal, subject: RestSubject): LakeError["reason"] => {
  switch (status) {
    case 401:
    case 403:
    case 419:
      return "Refused"
    case 404:
      return subject.kind === "table" || subject.kind === "view" ? "TableMissing" : "Invalid"
    case 409:
      return type === "AlreadyExistsException" || !subject.commits ? "TableExists" : "CommitConflict"
    case 406:
      return "Unsupported"
    case 429:
      return "Unavailable"
    case 503:
      return subject.commits ? "OutcomeUnknown" : "Unavailable"
    default:
      if (status < 500) return "Invalid"
      // 5xx: the server may have done it before it failed
      return subject.commits ? "OutcomeUnknown" : unknownStatuses.has(status) ? "Unavailable" : "Invalid"
  }
}

const advice: Partial<Readonly<Record<number, string>>> = {
  401: "it does not know us: give a token or credentials with a connection of kind iceberg-rest in frazil.yaml, or look whether they still hold",
  403: "it does not allow us this: give the connection's user the right, or use another",
  419: "the token has expired: renew it"
}

export const restError = (place: string, refusal: RestRefusal, subject: RestSubject): LakeError => {
  const { status, words } = refusal
  const said = words === "" ? "" : `: ${words}`
  const todo = advice[status]
  return new LakeError({
    reason: reasonOf(refusal, subject),
    message: `${subject.what}: ${place} answered ${status}${todo === undefined ? "" : ` (${todo})`}${said}`
  })
}
