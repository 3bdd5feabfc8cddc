/**
 * The keys that state at rest is encrypted with, as `frazil.yaml` declares them: `state: { encryption: { key, older } }`.
 *
 * Declarations say where a key lies, as those of connections do. A key is 32 bytes, written as 64 hexadecimal digits or as
 * base64. `key` seals and opens; `older` ones still open what they sealed, so that a key can be changed.
 */
import { type StateKeys, stateKeyBytes } from "@frazil/engine"
import { Effect, Redacted, Result, Schema } from "effect"
import { ConnectionError } from "./ConnectionError.ts"
import { problemPaths } from "./ProblemPaths.ts"
import { readSecret, SecretSource } from "./Secret.ts"

const StateSettings = Schema.Struct({
  encryption: Schema.optionalKey(
    Schema.Struct({ key: SecretSource, older: Schema.optionalKey(Schema.Array(SecretSource)) })
  )
})

/** Where the keys lie. */
export interface StateEncryption {
  readonly key: SecretSource
  readonly older: ReadonlyArray<SecretSource>
}

const invalid = (message: string) => new ConnectionError({ reason: "Invalid", message })

/** Reads a settings file's `state`; undefined where none is encrypted. */
export const decodeStateEncryption = (
  declared: unknown
): Result.Result<StateEncryption | undefined, ConnectionError> => {
  if (declared === undefined || declared === null) return Result.succeed(undefined)
  const decoded = Schema.decodeUnknownResult(StateSettings, { onExcessProperty: "error" })(declared)
  if (Result.isFailure(decoded))
    return Result.fail(
      invalid(
        `state: it must hold encryption with a key and perhaps older ones${problemPaths(decoded.failure.issue)}; a key is { env: NAME }, { file: PATH } or { command: [PROGRAM, …] }, and never written here`
      )
    )
  const { encryption } = decoded.success
  return Result.succeed(encryption && { key: encryption.key, older: encryption.older ?? [] })
}

const hexDigits = /^[0-9a-f]{64}$/i
const base64 = /^[A-Za-z0-9+/]{43}=$/

const readKey = Effect.fnUntraced(function* (source: SecretSource) {
  const text = Redacted.value(yield* readSecret("state.encryption", source)).trim()
  const bytes = hexDigits.test(text)
    ? Buffer.from(text, "hex")
    : base64.test(text)
      ? Buffer.from(text, "base64")
      : undefined
  if (bytes?.length === stateKeyBytes) return Redacted.make(new Uint8Array(bytes))
  return yield* invalid(
    `state.encryption: a key must be ${stateKeyBytes} bytes, as 64 hexadecimal digits or 44 characters of base64; "openssl rand -hex 32" makes one`
  )
})

/** Reads the keys where they lie. */
export const readStateKeys = Effect.fnUntraced(function* ({
  key,
  older
}: StateEncryption): Effect.fn.Return<StateKeys, ConnectionError> {
  return { key: yield* readKey(key), older: yield* Effect.forEach(older, readKey) }
})
