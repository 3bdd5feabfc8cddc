/**
 * A lookup over HTTP: one POST a key, its answer decoded by a schema.
 *
 * Apps give it to `Lookup` services, such as the credit bureau. **Delivery**: asks once; timeouts, retries and the breaker
 * are the policy's. **Bounds**: the connection's pool, `bodyBytesMax` of an answer. Messages say what came back, never what was
 * asked or answered.
 */
import { Clock, Effect, Result, Schema, type Scope } from "effect"
import type { Lookup } from "@frazil/engine"
import type { HttpConnection } from "../connection/Connection.ts"
import type { ConnectionError } from "../connection/ConnectionError.ts"
import type { HttpError } from "../http/HttpError.ts"
import { openHttpTarget } from "../http/HttpTarget.ts"
import type { HttpResponse } from "../http/ResponseReader.ts"
import { retryAfterMs } from "../http/RetryAfter.ts"

/** What went wrong, in the words of a service. */
export interface HttpLookupFailures<Err> {
  /** The other side refused for good (4xx but 408, 425, 429). */
  readonly rejected: (message: string) => Err
  /** Its answer makes no sense. */
  readonly invalid: (message: string) => Err
  /** It could not answer now (unreachable, 408, 425, 5xx). */
  readonly unavailable: (message: string) => Err
  /** It wants fewer calls (429, 503); `retryAfterMs` as it said, if it did. */
  readonly overloaded: (message: string, retryAfterMs: number | undefined) => Err
}

export interface HttpLookupOptions<Key, Wire, Answer, Err> {
  readonly name: string
  readonly connection: HttpConnection
  /** Below the connection's url. */
  readonly path: string
  /** What is sent, as JSON. */
  readonly request: (key: Key) => unknown
  /** What a successful answer holds. */
  readonly wire: Schema.Codec<Wire, unknown>
  /** Undefined when it does not fit what was asked. */
  readonly answer: (wire: Wire, key: Key) => Answer | undefined
  readonly failures: HttpLookupFailures<Err>
  /** Default 64 KB. */
  readonly bodyBytesMax?: number
}

const bodyBytesMaxDefault = 65_536
const utf8 = new TextDecoder("utf-8", { fatal: true })

const bodyOf = (body: Uint8Array): unknown => {
  try {
    return JSON.parse(utf8.decode(body))
  } catch {
    // told as an answer that makes no sense; the parser's words would quote it
    return undefined
  }
}

const ofHttpError = <Err>(failures: HttpLookupFailures<Err>, { message, reason }: HttpError): Err =>
  reason === "NotHttp" || reason === "TooLong" ? failures.invalid(message) : failures.unavailable(message)

const ofStatus = <Err>(failures: HttpLookupFailures<Err>, name: string, response: HttpResponse, nowMs: number): Err => {
  const { status } = response
  const message = `connection "${name}": it answered with status ${status}`
  if (status === 429 || status === 503) {
    return failures.overloaded(message, retryAfterMs(response.header("retry-after"), nowMs))
  }
  if (status >= 500 || status === 408 || status === 425) return failures.unavailable(message)
  return status >= 400 ? failures.rejected(message) : failures.invalid(message)
}

export const openHttpLookup = Effect.fnUntraced(function* <Key, Wire, Answer, Err extends Lookup.LookupFailure>(
  options: HttpLookupOptions<Key, Wire, Answer, Err>
): Effect.fn.Return<Lookup.LookupShape<Key, Answer, Err>, ConnectionError, Scope.Scope> {
  const { answer, connection, failures, name, path, request, wire } = options
  const bodyBytesMax = options.bodyBytesMax ?? bodyBytesMaxDefault
  const target = yield* openHttpTarget({ name, connection, path, bodyBytesMax })
  const clock = yield* Clock.Clock
  const decode = Schema.decodeUnknownResult(wire)

  const read = (response: HttpResponse, key: Key): Effect.Effect<Answer, Err> => {
    if (response.status !== 200) {
      return Effect.fail(ofStatus(failures, name, response, clock.currentTimeMillisUnsafe()))
    }
    const decoded = decode(bodyOf(response.body))
    const fits = Result.isSuccess(decoded) ? answer(decoded.success, key) : undefined
    return fits === undefined
      ? Effect.fail(failures.invalid(`connection "${name}": its answer is not what the contract says`))
      : Effect.succeed(fits)
  }
  return {
    lookup: (key) =>
      Effect.matchEffect(target.post(JSON.stringify(request(key))), {
        onFailure: (error) => Effect.fail(ofHttpError(failures, error)),
        onSuccess: (response) => read(response, key)
      })
  }
})
