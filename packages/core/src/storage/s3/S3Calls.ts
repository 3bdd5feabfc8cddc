/**
 * Requests to S3: addressed, signed, and repeated while the store is busy or out of reach.
 *
 * What S3 does with a request may be repeated as it is (a conditional write then meets its own object: `S3Storage` looks
 * whose it is). **Bounds**: tries, waits and time of `S3Limits`. Keys are in no message.
 */
import { Clock, Effect, Random, Redacted } from "effect"
import type { HttpCallAnswer, HttpCallRequest, HttpCallsShape } from "../../http/HttpCalls.ts"
import { StorageError } from "../StorageError.ts"
import { encodePath, encodeQuery, signRequest, type S3Keys } from "./SignRequest.ts"
import { isMeeting, isPassing, s3Error, s3Refusal, type S3Refusal } from "./S3Failure.ts"
import { s3LimitsDefault, type S3Limits, type S3Options } from "./S3Options.ts"

export interface S3Place {
  readonly bucket: string
  readonly key: string
}

const s3Uri = /^s3[an]?:\/\/([a-z0-9][a-z0-9._-]{1,253}[a-z0-9])(?:\/(.*))?$/s

/** Bucket and key of `s3://BUCKET/KEY`; undefined for another URI. */
export const s3Place = (uri: string): S3Place | undefined => {
  const parts = s3Uri.exec(uri)
  return parts === null ? undefined : { bucket: parts[1] ?? "", key: parts[2] ?? "" }
}

export interface S3Request {
  /** For messages. */
  readonly uri: string
  readonly place: S3Place
  readonly method: HttpCallRequest["method"]
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly payload?: Uint8Array
}

/** What is answered with more than one range's bytes is no answer of S3. */
const answerBytesOver = 16_777_216
const nothing = new Uint8Array()

export class S3Calls {
  readonly limits: S3Limits
  private readonly http: HttpCallsShape
  private readonly options: S3Options
  private readonly keys: S3Keys

  constructor(http: HttpCallsShape, options: S3Options) {
    this.http = http
    this.options = options
    this.limits = options.limits ?? s3LimitsDefault
    this.keys = {
      accessKeyId: Redacted.value(options.accessKeyId),
      secretAccessKey: Redacted.value(options.secretAccessKey),
      ...(options.sessionToken === undefined ? {} : { sessionToken: Redacted.value(options.sessionToken) })
    }
  }

  private urlOf({ place: { bucket, key }, query }: S3Request): URL {
    const { addressing, endpoint, region } = this.options
    const base = new URL(endpoint ?? `https://s3.${region}.amazonaws.com`)
    const virtual = addressing === undefined ? endpoint === undefined : addressing === "virtual"
    const root = `${base.protocol}//${virtual ? `${bucket}.` : ""}${base.host}${base.pathname.replace(/\/+$/, "")}`
    const search = query === undefined ? "" : `?${encodeQuery(query)}`
    return new URL(`${root}/${virtual ? "" : `${bucket}/`}${encodePath(key)}${search}`)
  }

  /** The answer to a request that the store took; `expected` refusals are answers, too. */
  ask(
    request: S3Request,
    expected: (refusal: S3Refusal) => boolean = () => false
  ): Effect.Effect<HttpCallAnswer, StorageError> {
    return Effect.gen({ self: this }, function* () {
      for (let attempt = 1; ; attempt++) {
        const sent = yield* Effect.result(this.once(request))
        const last = attempt > this.limits.retriesMax
        if (sent._tag === "Success") {
          const answer = sent.success
          if (answer.status >= 200 && answer.status < 300) return answer
          const refusal = s3Refusal(answer)
          if (!isMeeting(refusal) && expected(refusal)) return answer
          if (last || !(isPassing(refusal) || isMeeting(refusal))) return yield* s3Error(request.uri, refusal)
        } else {
          const { message, reason } = sent.failure
          if (last || reason === "TooLong") return yield* this.unreachable(request.uri, message)
        }
        yield* this.wait(attempt)
      }
    })
  }

  private unreachable(uri: string, why: string): StorageError {
    return new StorageError({ reason: "Unavailable", uri, message: `${uri} cannot be reached: ${why}` })
  }

  private wait(attempt: number): Effect.Effect<void> {
    const { waitMaxMs, waitMinMs } = this.limits
    const longest = Math.min(waitMaxMs, waitMinMs * 2 ** (attempt - 1))
    return Effect.flatMap(Random.next, (chance) => Effect.sleep(longest * (0.5 + chance / 2)))
  }

  private once(request: S3Request) {
    return Effect.flatMap(Clock.currentTimeMillis, (nowMs) => {
      const url = this.urlOf(request)
      const { headers = {}, method, payload = nothing } = request
      return this.http.call({
        method,
        url: url.href,
        headers: signRequest({ method, url, headers, payload }, this.keys, this.options.region, nowMs),
        ...(method === "PUT" || method === "POST" ? { body: payload } : {}),
        timeoutMs: this.limits.timeoutMs,
        answerBytesMax: this.limits.partBytes + answerBytesOver
      })
    })
  }
}
