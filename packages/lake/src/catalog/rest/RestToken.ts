/**
 * The token that every call to a REST catalog carries: given, or fetched with client credentials and renewed in time.
 *
 * `RestCalls` asks for it, and tells when the server no longer takes it. **Guarantees**: one fetch at a time, whoever
 * waits for it; a token is `Redacted` from its arrival on and in no message.
 */
import type { HttpCallAnswer, HttpCallsShape } from "@frazil/core"
import { Clock, Effect, Redacted, Semaphore } from "effect"
import { LakeError } from "../../LakeError.ts"
import { documentOf } from "./RestAnswer.ts"
import type { RestAccess, RestPatience } from "./RestOptions.ts"

export interface RestToken {
  /** Undefined: calls carry none. */
  readonly current: Effect.Effect<Redacted.Redacted | undefined, LakeError>
  /** The server refused this one: true when another can be had. */
  readonly refused: (token: Redacted.Redacted | undefined) => boolean
}

interface Held {
  readonly token: Redacted.Redacted
  readonly renewAtMs: number
}

/** Renewed when this share of its life is over, and no later than `renewBeforeMs` before its end. */
const renewShare = 0.9
const renewBeforeMs = 30_000
const lifeMsDefault = 3_600_000
const answerBytesMax = 1_048_576

const form = (fields: Readonly<Record<string, string>>): Uint8Array =>
  new TextEncoder().encode(new URLSearchParams(fields).toString())

const refusedBy = (place: string, answer: HttpCallAnswer): LakeError => {
  const document = documentOf(answer)
  // OAuth2 names its errors (RFC 6749, 5.2); its description may hold anything
  const error = typeof document?.["error"] === "string" ? ` (${document["error"].slice(0, 100)})` : ""
  const passing = answer.status === 429 || answer.status >= 500
  return new LakeError({
    reason: passing ? "Unavailable" : "Refused",
    message: passing
      ? `no token: ${place} answered ${answer.status}${error}`
      : `no token: ${place} answered ${answer.status}${error}: look at the client id and the secret of the catalog's connection in frazil.yaml`
  })
}

const fetchToken = Effect.fnUntraced(function* (
  calls: HttpCallsShape,
  url: string,
  access: Extract<RestAccess, { readonly _tag: "OAuth2" }>,
  patience: RestPatience
): Effect.fn.Return<Held, LakeError> {
  const place = new URL(url).host
  const sentMs = yield* Clock.currentTimeMillis
  const answer = yield* calls
    .call({
      method: "POST",
      url,
      headers: { "content-type": "application/x-www-form-urlencoded", accept: "application/json" },
      body: form({
        grant_type: "client_credentials",
        client_id: access.clientId,
        client_secret: Redacted.value(access.clientSecret),
        scope: access.scope ?? "catalog"
      }),
      timeoutMs: patience.timeoutMs,
      answerBytesMax
    })
    .pipe(
      Effect.mapError(({ message }) => new LakeError({ reason: "Unavailable", message: `no token: ${message}` })),
      Effect.retry({ times: 1 })
    )
  if (answer.status !== 200) return yield* refusedBy(place, answer)
  const document = documentOf(answer)
  const token = document?.["access_token"]
  if (typeof token !== "string" || token === "") {
    return yield* new LakeError({ reason: "Refused", message: `no token: what ${place} answered holds none` })
  }
  const seconds = document?.["expires_in"]
  const lifeMs = typeof seconds === "number" && seconds > 0 ? seconds * 1_000 : lifeMsDefault
  const renewAtMs = sentMs + Math.max(lifeMs * renewShare - renewBeforeMs, lifeMs / 2)
  return { token: Redacted.make(token), renewAtMs }
})

export const makeRestToken = (
  calls: HttpCallsShape,
  url: string,
  access: RestAccess,
  patience: RestPatience
): RestToken => {
  if (access._tag === "None") return { current: Effect.undefined, refused: () => false }
  if (access._tag === "Bearer") return { current: Effect.succeed(access.token), refused: () => false }
  const one = Semaphore.makeUnsafe(1)
  let held: Held | undefined
  return {
    current: one.withPermits(1)(
      Effect.gen(function* () {
        if (held === undefined || (yield* Clock.currentTimeMillis) >= held.renewAtMs) {
          held = yield* fetchToken(calls, access.tokenUrl ?? `${url}/v1/oauth/tokens`, access, patience)
        }
        return held.token
      })
    ),
    refused: (token) => {
      // somebody may have renewed it meanwhile
      if (held !== undefined && held.token === token) held = undefined
      return true
    }
  }
}
