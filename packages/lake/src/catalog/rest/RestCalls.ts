/**
 * One question to a REST catalog: token, deadline, repetition where it is safe, and the answer as JSON or LakeError.
 *
 * Repeated are questions that change nothing or may be asked twice, and whatever the server itself put off (429, and 503
 * with Retry-After) or never got. A commit whose answer is lost is not repeated: it is OutcomeUnknown, and the commit
 * loop looks at the table.
 */
import type { HttpCallAnswer, HttpCallError, HttpCallsShape } from "@frazil/core"
import { Clock, Effect, Random, Redacted } from "effect"
import { LakeError } from "../../LakeError.ts"
import { printJson, type JsonObject } from "../../spec/Json.ts"
import { documentOf, refusalOf, restError, type RestRefusal, type RestSubject } from "./RestAnswer.ts"
import type { RestPatience } from "./RestOptions.ts"
import type { RestToken } from "./RestToken.ts"

export interface RestQuestion {
  readonly method: "GET" | "HEAD" | "POST" | "DELETE"
  /** Below the catalog's url, encoded: `/v1/config`. */
  readonly path: string
  readonly query?: ReadonlyArray<readonly [name: string, value: string | undefined]>
  readonly body?: JsonObject
  readonly subject: RestSubject
}

export interface RestCalls {
  /** The catalog's address, for messages. */
  readonly place: string
  /** The answer's document; an empty one for an answer without. */
  readonly ask: (question: RestQuestion) => Effect.Effect<JsonObject, LakeError>
  /** As `ask`; a refusal that `expected` takes is a value. */
  readonly askOr: <A>(
    question: RestQuestion,
    expected: (refusal: RestRefusal) => A | undefined
  ) => Effect.Effect<JsonObject | A, LakeError>
}

/** Metadata of tables with thousands of snapshots is some megabytes. */
const answerBytesMax = 268_435_456

const utf8 = new TextEncoder()

const queryText = (query: RestQuestion["query"]): string => {
  const given = (query ?? []).flatMap(([name, value]) =>
    value === undefined ? [] : [`${encodeURIComponent(name)}=${encodeURIComponent(value)}`]
  )
  return given.length === 0 ? "" : `?${given.join("&")}`
}

/** Seconds, or a date (RFC 9110, 10.2.3). */
const retryAfterMs = (answer: HttpCallAnswer, nowMs: number): number | undefined => {
  const text = answer.header("retry-after")
  if (text === undefined) return undefined
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1_000
  const at = Date.parse(text)
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs)
}

const lineError = (place: string, question: RestQuestion, error: HttpCallError): LakeError => {
  const { commits, what } = question.subject
  const happened = commits && error.reason !== "NotSent"
  return new LakeError({
    reason: happened ? "OutcomeUnknown" : "Unavailable",
    message: `${what}: ${place}: ${error.message}${happened ? "; look whether the change is in the table" : ""}`,
    cause: error
  })
}

const repeatable = ({ method, subject }: RestQuestion): boolean =>
  !subject.commits && (method === "GET" || method === "HEAD")

/** Whether to ask again after this answer, and at the earliest when. */
const putOff = (question: RestQuestion, answer: HttpCallAnswer, nowMs: number): number | undefined => {
  const after = retryAfterMs(answer, nowMs)
  if (answer.status === 429) return after ?? 0
  if (answer.status === 503 && (after !== undefined || !question.subject.commits)) return after ?? 0
  return answer.status >= 500 && repeatable(question) ? (after ?? 0) : undefined
}

class Calls implements RestCalls {
  readonly place: string
  private readonly http: HttpCallsShape
  private readonly url: string
  private readonly token: RestToken
  private readonly patience: RestPatience

  constructor(http: HttpCallsShape, url: string, token: RestToken, patience: RestPatience) {
    this.http = http
    this.url = url
    this.token = token
    this.patience = patience
    this.place = `catalog ${url}`
  }

  ask(question: RestQuestion): Effect.Effect<JsonObject, LakeError> {
    return this.askOr<never>(question, () => undefined)
  }

  askOr<A>(
    question: RestQuestion,
    expected: (refusal: RestRefusal) => A | undefined
  ): Effect.Effect<JsonObject | A, LakeError> {
    return Effect.flatMap(this.send(question), (answer): Effect.Effect<JsonObject | A, LakeError> => {
      const { body, status } = answer
      if (status >= 200 && status < 300) {
        const document = body.length === 0 ? {} : documentOf(answer)
        return document === undefined ? Effect.fail(this.noDocument(question, status)) : Effect.succeed(document)
      }
      const refusal = refusalOf(answer)
      const taken = expected(refusal)
      return taken === undefined ? Effect.fail(restError(this.place, refusal, question.subject)) : Effect.succeed(taken)
    })
  }

  /** A proxy's page, or a server of something else. A commit may have happened all the same. */
  private noDocument({ subject }: RestQuestion, status: number): LakeError {
    return new LakeError({
      reason: subject.commits ? "OutcomeUnknown" : "Invalid",
      message: `${subject.what}: what ${this.place} answered (${status}) is no JSON document: look whether the address is that of an Iceberg REST catalog`
    })
  }

  private send(question: RestQuestion): Effect.Effect<HttpCallAnswer, LakeError> {
    const { retriesMax } = this.patience
    return Effect.gen({ self: this }, function* () {
      let renewed = false
      for (let attempt = 1; ; attempt++) {
        const token = yield* this.token.current
        const sent = yield* Effect.result(this.once(question, token))
        const last = attempt > retriesMax
        if (sent._tag === "Failure") {
          const { failure } = sent
          const again = failure.reason === "NotSent" || (repeatable(question) && failure.reason !== "TooLong")
          if (last || !again) return yield* lineError(this.place, question, failure)
          yield* this.wait(attempt, 0)
          continue
        }
        const answer = sent.success
        // refused before anything was done, so also a commit may be sent again
        if ((answer.status === 401 || answer.status === 419) && !renewed && this.token.refused(token)) {
          renewed = true
          continue
        }
        const after = putOff(question, answer, yield* Clock.currentTimeMillis)
        if (after === undefined || last) return answer
        yield* this.wait(attempt, after)
      }
    })
  }

  private wait(attempt: number, afterMs: number): Effect.Effect<void> {
    const { retryAfterMsMax, waitMaxMs, waitMinMs } = this.patience
    return Effect.flatMap(Random.next, (chance) => {
      const waitMs = Math.min(waitMaxMs, waitMinMs * 2 ** (attempt - 1)) * (0.5 + chance / 2)
      return Effect.sleep(Math.max(waitMs, Math.min(afterMs, retryAfterMsMax)))
    })
  }

  private once({ body, method, path, query, subject }: RestQuestion, token: Redacted.Redacted | undefined) {
    return this.http.call({
      method,
      url: `${this.url}${path}${queryText(query)}`,
      headers: {
        accept: "application/json",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(token === undefined ? {} : { authorization: `Bearer ${Redacted.value(token)}` })
      },
      ...(body === undefined ? {} : { body: utf8.encode(printJson(body)) }),
      timeoutMs: subject.commits ? this.patience.commitTimeoutMs : this.patience.timeoutMs,
      answerBytesMax
    })
  }
}

export const makeRestCalls = (http: HttpCallsShape, url: string, token: RestToken, patience: RestPatience): RestCalls =>
  new Calls(http, url, token, patience)
