/**
 * Requests that failed, as the log's callers need to know it: what a broker answered, or that it did not.
 *
 * `Cluster` makes a `CallError` of whatever the client throws; at the log's border `toLogError` says what to do about it.
 */
import { LogError } from "@frazil/engine"
import { Data } from "effect"

/** An error that a broker answered with, by the name that Kafka's protocol guide gives it. */
export interface Answered {
  readonly id: string
  /** The broker's own words, where it has some. */
  readonly detail: string | undefined
}

export class CallError extends Data.TaggedError("CallError")<{
  /** Empty: no answer came. */
  readonly answered: ReadonlyArray<Answered>
  /** The broker may have acted: the request left, and no answer to it came. */
  readonly indefinite: boolean
  readonly message: string
  readonly cause: unknown
}> {}

/** Kafka's own names of errors. */
export const answeredWith = (error: CallError, ids: ReadonlySet<string>): boolean =>
  error.answered.some(({ id }) => ids.has(id))

/** Pass by themselves, mostly once metadata was asked for again. */
const passing: ReadonlySet<string> = new Set([
  "LEADER_NOT_AVAILABLE",
  "NOT_LEADER_OR_FOLLOWER",
  "FENCED_LEADER_EPOCH",
  "UNKNOWN_LEADER_EPOCH",
  "REPLICA_NOT_AVAILABLE",
  "BROKER_NOT_AVAILABLE",
  "KAFKA_STORAGE_ERROR",
  "NOT_COORDINATOR",
  "COORDINATOR_NOT_AVAILABLE",
  "COORDINATOR_LOAD_IN_PROGRESS",
  "NOT_CONTROLLER",
  "REQUEST_TIMED_OUT",
  "NETWORK_EXCEPTION",
  "NOT_ENOUGH_REPLICAS",
  "NOT_ENOUGH_REPLICAS_AFTER_APPEND",
  "CONCURRENT_TRANSACTIONS",
  "OFFSET_NOT_AVAILABLE",
  "UNKNOWN_TOPIC_ID",
  "INCONSISTENT_TOPIC_ID",
  "UNKNOWN_TOPIC_OR_PARTITION",
  "THROTTLING_QUOTA_EXCEEDED"
])

/** Somebody else has the transactional id, or the coordinator gave up on its transaction: `Shards` finds out which. */
export const fencing: ReadonlySet<string> = new Set([
  "PRODUCER_FENCED",
  "INVALID_PRODUCER_EPOCH",
  "INVALID_PRODUCER_ID_MAPPING",
  "TRANSACTION_COORDINATOR_FENCED"
])

const refusing: ReadonlySet<string> = new Set([
  "TOPIC_AUTHORIZATION_FAILED",
  "GROUP_AUTHORIZATION_FAILED",
  "CLUSTER_AUTHORIZATION_FAILED",
  "TRANSACTIONAL_ID_AUTHORIZATION_FAILED",
  "SASL_AUTHENTICATION_FAILED",
  "UNSUPPORTED_SASL_MECHANISM",
  "ILLEGAL_SASL_STATE",
  "POLICY_VIOLATION",
  "INVALID_REPLICATION_FACTOR",
  "INVALID_CONFIG",
  "INVALID_TOPIC_EXCEPTION",
  "INVALID_TRANSACTION_TIMEOUT",
  "UNSUPPORTED_VERSION"
])

/** Whether to try again after a pause. What was refused is refused again; a connection that could not be made may be made yet. */
export const mayPass = (error: CallError): boolean =>
  error.answered.length === 0 ? !refusedToConnect(error.cause) : answeredWith(error, passing)

interface ClientError {
  readonly code?: unknown
  readonly message?: unknown
  readonly apiId?: unknown
  readonly serverErrorMessage?: unknown
  readonly errors?: unknown
  readonly cause?: unknown
}

/** The client's errors nest: lists of errors, causes, errors of Node's sockets. */
const eachError = function* (error: unknown, depth = 0): Generator<ClientError> {
  if (typeof error !== "object" || error === null || depth > 6) return
  const found = error as ClientError // fields are looked at one by one, as unknown
  yield found
  if (Array.isArray(found.errors)) for (const inner of found.errors) yield* eachError(inner, depth + 1)
  yield* eachError(found.cause, depth + 1)
}

/** Credentials or certificates are wrong, or TLS is missing on one side: asking again changes nothing. */
const refusedToConnect = (cause: unknown): boolean => {
  for (const { code, message } of eachError(cause)) {
    if (code === "PLT_KFK_AUTHENTICATION" || code === "PLT_KFK_USER") return true
    if (typeof code === "string" && /^(ERR_TLS|ERR_SSL|CERT_|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_VERIFY)/.test(code))
      return true
    if (typeof message === "string" && /self[- ]signed|certificate/i.test(message)) return true
  }
  return false
}

/** What the client said, in one line: socket errors by their code, answers by Kafka's name. */
const sayCause = (cause: unknown): string => {
  const said: Array<string> = []
  for (const { apiId, code, message, serverErrorMessage } of eachError(cause)) {
    if (typeof apiId === "string") {
      said.push(typeof serverErrorMessage === "string" ? `${apiId}: ${serverErrorMessage}` : apiId)
    } else if (typeof code === "string" && /^E[A-Z]+$/.test(code)) said.push(code)
    else if (
      typeof message === "string" &&
      !/^(Received response|Cannot connect to any broker|Connection error)/.test(message)
    )
      said.push(message.replace(/\.$/, ""))
  }
  return [...new Set(said)].slice(0, 3).join("; ") || "no answer"
}

const answersIn = (cause: unknown): ReadonlyArray<Answered> => {
  const answers: Array<Answered> = []
  for (const { apiId, serverErrorMessage } of eachError(cause)) {
    if (typeof apiId !== "string") continue
    answers.push({ id: apiId, detail: typeof serverErrorMessage === "string" ? serverErrorMessage : undefined })
  }
  return answers
}

/** Of something that the client threw. `sent`: the request had been given to a connection. */
export const callErrorOf = (cause: unknown, sent: boolean): CallError => {
  const answered = answersIn(cause)
  return new CallError({ answered, indefinite: sent && answered.length === 0, message: sayCause(cause), cause })
}

/** Of error names that an answer held. */
export const callErrorAnswered = (answered: ReadonlyArray<Answered>): CallError =>
  new CallError({
    answered,
    indefinite: false,
    message: answered.map(({ detail, id }) => (detail === undefined ? id : `${id}: ${detail}`)).join("; "),
    cause: undefined
  })

/** Before anything was asked for: nobody knows who we are. */
const atTheDoor: ReadonlySet<string> = new Set([
  "SASL_AUTHENTICATION_FAILED",
  "UNSUPPORTED_SASL_MECHANISM",
  "ILLEGAL_SASL_STATE"
])

/** Not let in. Whoever was let in before may be again, once a new password is on both sides. */
export const notLetIn = (error: CallError): boolean =>
  error.answered.length === 0 ? refusedToConnect(error.cause) : answeredWith(error, atTheDoor)

/** What somebody is told who was let in before. */
export const notLetInAgain = (place: string, doing: string, error: CallError): LogError =>
  new LogError({
    reason: "Unavailable",
    message: `Kafka at ${place} lets nobody in any more while ${doing} (${error.message}): was the password changed there, and not where the connection says that it is?`,
    cause: error.cause ?? error
  })

const refused = (place: string, doing: string, error: CallError): string =>
  error.answered.length === 0 || answeredWith(error, atTheDoor)
    ? `Kafka at ${place} let nobody in while ${doing} (${error.message}): check user, password, certificates and TLS of the connection`
    : `Kafka at ${place} refused ${doing} (${error.message}): give the user the right to it, or change the setting`

/** What the caller of the log is told. `doing` completes "failed while …". */
export const toLogError = (place: string, doing: string, error: CallError): LogError => {
  const { cause = error } = error
  const made = (reason: LogError["reason"], message: string) => new LogError({ reason, message, cause })
  if (answeredWith(error, refusing) || (error.answered.length === 0 && refusedToConnect(error.cause))) {
    return made("Refused", refused(place, doing, error))
  }
  if (answeredWith(error, fencing)) {
    return made("Fenced", `${doing}: another owner has taken over, or the transaction took too long (${error.message})`)
  }
  if (answeredWith(error, new Set(["MESSAGE_TOO_LARGE", "RECORD_LIST_TOO_LARGE"]))) {
    return made(
      "RecordTooLong",
      `Kafka at ${place} refused ${doing} (${error.message}): raise the topic's max.message.bytes, or shorten the records`
    )
  }
  return made("Unavailable", `Kafka at ${place} is out of reach or not ready while ${doing} (${error.message})`)
}
