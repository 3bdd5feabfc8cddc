/**
 * Calls over HTTP for services that are asked rarely: a catalog, a store of objects. Over Effect's client, which is `fetch`.
 *
 * Lookups and webhooks, which make thousands a second, have sockets of their own (`connect/http`). **Guarantees**: an
 * error says whether the request can have arrived. **Bounds**: time and bytes of an answer, given with each call.
 * Nothing is repeated here and no redirect is followed; messages name the host, never what was sent or received.
 * **Gotchas**: Deno's `fetch` repeats a request by itself when a kept connection was closed under it, also a PUT: who calls
 * must know its own doing when it meets it.
 */
import { Context, Effect, Layer, Schema, Stream } from "effect"
import { FetchHttpClient, HttpBody, HttpClient, HttpClientRequest, type HttpClientResponse } from "effect/http"

/**
 * `NotSent`: nobody listens there, so nothing happened. `Broken`: the line ended without an answer, `TimedOut`: none came
 * in time: nobody can say what happened. `TooLong`: the answer is longer than it may be.
 */
export class HttpCallError extends Schema.TaggedError<HttpCallError>()("HttpCallError", {
  reason: Schema.Literals(["NotSent", "Broken", "TimedOut", "TooLong"]),
  message: Schema.String
}) {}

export interface HttpCallRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "DELETE"
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Uint8Array
  readonly timeoutMs: number
  readonly answerBytesMax: number
}

export interface HttpCallAnswer {
  readonly status: number
  /** By its name in small letters. */
  readonly header: (name: string) => string | undefined
  readonly body: Uint8Array
}

export interface HttpCallsShape {
  readonly call: (request: HttpCallRequest) => Effect.Effect<HttpCallAnswer, HttpCallError>
}

/** Codes of "nobody listens" and "no such host" on Node, Deno and Bun: the request was not sent. */
const notSentCodes: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ConnectionRefused",
  "ENOTFOUND",
  "EAI_AGAIN",
  "FailedToOpenSocket",
  "DNSResolveFailed"
])

/** Causes nest: Effect's error, `fetch`'s TypeError, the system's. */
const causesMax = 6

/** The system's code of an error, wherever in its causes it stands. */
const codeOf = (cause: unknown): string | undefined => {
  let at: unknown = cause
  for (let depth = 0; depth < causesMax && typeof at === "object" && at !== null; depth++) {
    if ("code" in at && typeof at.code === "string") return at.code
    if (at instanceof Error && /connection refused/i.test(at.message)) return "ECONNREFUSED"
    at = "reason" in at ? at.reason : "cause" in at ? at.cause : undefined
  }
  return undefined
}

const failed = (reason: HttpCallError["reason"], message: string) => new HttpCallError({ reason, message })

const broken =
  (host: string) =>
  (cause: unknown): HttpCallError => {
    const code = codeOf(cause)
    const detail = code === undefined ? "" : ` (${code})`
    return code !== undefined && notSentCodes.has(code)
      ? failed("NotSent", `${host} cannot be reached${detail}`)
      : failed("Broken", `the connection to ${host} broke${detail}`)
  }

/** The whole body, read piece by piece, so that one without end stops at its bound. */
const readBody = Effect.fnUntraced(function* (
  response: HttpClientResponse.HttpClientResponse,
  host: string,
  bytesMax: number
): Effect.fn.Return<Uint8Array, HttpCallError> {
  const tooLong = failed("TooLong", `what ${host} answered is longer than ${bytesMax} bytes`)
  const declared = Number(response.headers["content-length"] ?? 0)
  if (declared > bytesMax) return yield* tooLong
  const pieces: Array<Uint8Array> = []
  let length = 0
  yield* response.stream.pipe(
    Stream.mapError(broken(host)),
    Stream.runForEach((piece) => {
      pieces.push(piece)
      length += piece.length
      return length > bytesMax ? Effect.fail(tooLong) : Effect.void
    })
  )
  const only = pieces[0]
  if (pieces.length === 1 && only !== undefined) return only
  const body = new Uint8Array(length)
  let at = 0
  for (const piece of pieces) {
    body.set(piece, at)
    at += piece.length
  }
  return body
})

const withoutBody = (method: string, status: number): boolean => method === "HEAD" || status === 204 || status === 304

const make = (client: HttpClient.HttpClient): HttpCallsShape => ({
  call: ({ answerBytesMax, body, headers, method, timeoutMs, url }) => {
    const { host } = new URL(url)
    const request = HttpClientRequest.make(method)(url, {
      headers,
      ...(body === undefined ? {} : { body: HttpBody.uint8Array(body, headers["content-type"]) })
    })
    return client.execute(request).pipe(
      // no trace headers: what is sent is what was signed
      Effect.provideService(HttpClient.TracerPropagationEnabled, false),
      Effect.mapError(broken(host)),
      Effect.flatMap((response) =>
        Effect.map(
          withoutBody(method, response.status)
            ? Effect.succeed(new Uint8Array())
            : readBody(response, host, answerBytesMax),
          (bytes): HttpCallAnswer => ({
            status: response.status,
            header: (name) => response.headers[name],
            body: bytes
          })
        )
      ),
      Effect.timeoutOrElse({
        duration: timeoutMs,
        orElse: () => Effect.fail(failed("TimedOut", `${host} did not answer within ${timeoutMs} ms`))
      })
    )
  }
})

/** Calls over HTTP. */
export class HttpCalls extends Context.Service<HttpCalls, HttpCallsShape>()("@frazil/core/HttpCalls") {
  static readonly layer: Layer.Layer<HttpCalls> = Layer.effect(HttpCalls, Effect.map(HttpClient.HttpClient, make)).pipe(
    Layer.provide(FetchHttpClient.layer),
    Layer.provide(Layer.succeed(FetchHttpClient.RequestInit, { redirect: "manual" }))
  )
}
