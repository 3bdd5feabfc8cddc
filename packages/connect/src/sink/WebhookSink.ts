/**
 * Posts records to a hook, one call each, signed as Standard Webhooks says.
 *
 * `runSink` drives it. **Delivery**: at least once, in order; `webhook-id` is the record's topic id, partition and offset, the
 * same however often it comes. **Order**: the next record of a partition goes out when the one before was taken. A signature
 * is HMAC-SHA256 over id, time and body with the connection's `signing` secret.
 */
import { createHmac } from "node:crypto"
import { Clock, Effect, Redacted, type Scope } from "effect"
import type { HttpConnection } from "../connection/Connection.ts"
import type { ConnectionError } from "../connection/ConnectionError.ts"
import { readSecret } from "../connection/Secret.ts"
import { HttpError } from "../http/HttpError.ts"
import { openHttpTarget } from "../http/HttpTarget.ts"
import type { HttpResponse } from "../http/ResponseReader.ts"
import { retryAfterMs } from "../http/RetryAfter.ts"
import { recordId, type Refused, SinkError, type SinkRecord, type SinkTarget } from "./SinkTarget.ts"

export interface WebhookOptions {
  readonly name: string
  readonly connection: HttpConnection
}

const bodyBytesMax = 65_536
const callTimeoutMs = 10_000

const late = (name: string) =>
  new HttpError({ reason: "Unreachable", message: `connection "${name}": no answer within ${callTimeoutMs / 1_000} s` })

/** May change by itself: it will be tried again. */
const passing = (status: number): boolean => status >= 500 || status === 408 || status === 425 || status === 429

export const openWebhookSink = Effect.fnUntraced(function* <A>({
  connection,
  name
}: WebhookOptions): Effect.fn.Return<SinkTarget<A>, ConnectionError, Scope.Scope> {
  const target = yield* openHttpTarget({ name, connection, path: "", bodyBytesMax })
  const signing = connection.signing === undefined ? undefined : yield* readSecret(name, connection.signing)

  const headers = (id: string, seconds: number, body: string): ReadonlyArray<string> => {
    const lines = [`webhook-id: ${id}`, `webhook-timestamp: ${seconds}`]
    if (signing === undefined) return lines
    const mac = createHmac("sha256", Redacted.value(signing)).update(`${id}.${seconds}.${body}`)
    return [...lines, `webhook-signature: v1,${mac.digest("base64")}`]
  }
  const post = Effect.fnUntraced(function* (record: SinkRecord<A>): Effect.fn.Return<HttpResponse, HttpError> {
    const seconds = Math.floor((yield* Clock.currentTimeMillis) / 1_000)
    return yield* target
      .post(record.json, headers(recordId(record), seconds, record.json))
      .pipe(Effect.timeoutOrElse({ duration: callTimeoutMs, orElse: () => Effect.fail(late(name)) }))
  })
  return {
    deliver: Effect.fnUntraced(function* (records) {
      const refused: Array<Refused<A>> = []
      for (const [delivered, record] of records.entries()) {
        // refused ones must be told with the cursor that passes them: a batch that breaks off comes again whole then
        const done = refused.length > 0 ? 0 : delivered
        const { header, status } = yield* Effect.mapError(
          post(record),
          ({ message }) => new SinkError({ message, delivered: done })
        )
        if (status >= 200 && status < 300) continue
        const message = `connection "${name}": it answered with status ${status}`
        if (passing(status)) {
          const askedMs = retryAfterMs(header("retry-after"), yield* Clock.currentTimeMillis)
          return yield* new SinkError({
            message,
            delivered: done,
            ...(askedMs === undefined ? {} : { retryAfterMs: askedMs })
          })
        }
        refused.push({ record, message })
      }
      return refused
    })
  }
})
