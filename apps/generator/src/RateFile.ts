/**
 * The rate in a YAML file, watched: `rate: 50`.
 *
 * The app's `--config`. **Guarantees**: an edit is in force within 3 seconds once the file rests; an edit that is no
 * rate is reported once and the old rate stays.
 */
import { Effect, FileSystem, Schema } from "effect"
import { parse } from "yaml"
import type { RateRefused, TokenBucket } from "@frazil/sim"
import { GeneratorError } from "./GeneratorError.ts"

const RateDocument = Schema.Struct({ rate: Schema.Finite })
const decodeDocument = Schema.decodeUnknownEffect(RateDocument, { onExcessProperty: "error" })
const bytesMax = 65_536
const pollMs = 1_000

const invalid = (path: string, cause: unknown): GeneratorError => {
  const why = cause instanceof Error ? cause.message.split("\n")[0] : String(cause)
  return new GeneratorError({ message: `${path} must hold a line such as "rate: 50" and nothing else: ${why}`, cause })
}

const readText = Effect.fnUntraced(function* (path: string) {
  const fs = yield* FileSystem.FileSystem
  const text = yield* Effect.mapError(
    fs.readFileString(path),
    (cause) => new GeneratorError({ message: `${path} cannot be read (${cause.reason._tag})`, cause })
  )
  return text.length > bytesMax ? yield* invalid(path, `it is longer than ${bytesMax} characters`) : text
})

const parseRate = Effect.fnUntraced(function* (path: string, text: string) {
  const document = yield* Effect.try({ try: (): unknown => parse(text), catch: (cause) => invalid(path, cause) })
  const { rate } = yield* Effect.mapError(decodeDocument(document), (cause) => invalid(path, cause))
  return rate
})

/** The rate in the file now. It need not be one that a bucket takes. */
export const readRate = (path: string): Effect.Effect<number, GeneratorError, FileSystem.FileSystem> =>
  Effect.flatMap(readText(path), (text) => parseRate(path, text))

/**
 * Sets the bucket's rate whenever the file changes; tells `say` of each change and each bad edit. Runs until
 * interrupted.
 */
export const watchRate = Effect.fnUntraced(function* (
  path: string,
  bucket: TokenBucket,
  say: (line: string) => Effect.Effect<void>
) {
  const message = (error: GeneratorError | RateRefused) =>
    `${error._tag === "RateRefused" ? `${path}: ` : ""}${error.message}; the rate stays as it is`
  /** A text, or why there is none. */
  const look = Effect.match(readText(path), {
    onSuccess: (text) => ({ text, problem: undefined }),
    onFailure: (error) => ({ text: undefined, problem: error })
  })
  let inForce = yield* look
  let before = inForce
  const same = (left: typeof before, right: typeof before) =>
    left.text === right.text && left.problem?.message === right.problem?.message
  while (true) {
    yield* Effect.sleep(pollMs)
    const now = yield* look
    // an editor may be in the middle of writing: believe what two looks agree on
    const settled = same(now, before)
    before = now
    if (!settled || same(now, inForce)) continue
    inForce = now
    if (now.problem !== undefined) {
      yield* say(message(now.problem))
      continue
    }
    yield* Effect.matchEffect(
      Effect.tap(parseRate(path, now.text), (rate) => bucket.setRate(rate)),
      {
        onSuccess: (rate) => say(`rate ${rate}/s, from ${path}`),
        onFailure: (error) => say(message(error))
      }
    )
  }
})
