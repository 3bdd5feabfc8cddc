/**
 * Where a secret lies, and reading it: from the environment, a file, or what a command prints.
 *
 * A declaration names the place and never holds the secret. What is read is `Redacted` from that moment on; messages name
 * the place only. **Bounds**: 64 KB; a command gets 10 s.
 */
import { execFile } from "node:child_process"
import { readFile } from "node:fs/promises"
import { Config, Effect, Redacted, Schema } from "effect"
import { ConnectionError } from "./ConnectionError.ts"

export const SecretSource = Schema.Union([
  Schema.Struct({ env: Schema.NonEmptyString }),
  Schema.Struct({ file: Schema.NonEmptyString }),
  Schema.Struct({ command: Schema.NonEmptyArray(Schema.String) })
])

export type SecretSource = typeof SecretSource.Type

const secretBytesMax = 65_536
const commandTimeoutMs = 10_000

/** `environment variable BUREAU_TOKEN`: for people; of a command only its program. */
export const secretPlace = (source: SecretSource): string => {
  if ("env" in source) return `environment variable ${source.env}`
  return "file" in source ? `file ${source.file}` : `command ${source.command[0]}`
}

const missing = (connection: string, source: SecretSource, why: string): ConnectionError =>
  new ConnectionError({
    reason: "SecretMissing",
    message: `connection "${connection}": its secret cannot be read from ${secretPlace(source)} (${why})`
  })

// Config, not process.env: tests and settings files put variables there, too
const fromEnvironment = (name: string) =>
  Config.Redacted(name).pipe(
    Effect.map((value) => Redacted.value(value)),
    Effect.mapError(() => "it is not set")
  )

const fromFile = (path: string) =>
  Effect.tryPromise({
    try: () => readFile(path, "utf8"),
    // the code, such as ENOENT: a message of the system's would do, but might one day hold more
    catch: (cause) => (cause instanceof Error && "code" in cause ? String(cause.code) : "it cannot be read")
  })

const fromCommand = ([program, ...given]: readonly [string, ...ReadonlyArray<string>]) =>
  Effect.callback<string, string>((resume) => {
    const options = { timeout: commandTimeoutMs, maxBuffer: secretBytesMax, encoding: "utf8" } as const
    const child = execFile(program, given, options, (error, stdout) => {
      // never the command's own words: they may hold the secret
      resume(error === null ? Effect.succeed(stdout) : Effect.fail("it failed, or took over 10 s"))
    })
    child.stdin?.end()
    return Effect.sync(() => child.kill())
  })

/** Reads a secret; line ends behind it do not count. `connection` is for messages. */
export const readSecret = Effect.fnUntraced(function* (
  connection: string,
  source: SecretSource
): Effect.fn.Return<Redacted.Redacted, ConnectionError> {
  const read =
    "env" in source
      ? fromEnvironment(source.env)
      : "file" in source
        ? fromFile(source.file)
        : fromCommand(source.command)
  const text = yield* Effect.mapError(read, (why) => missing(connection, source, why))
  const secret = text.replace(/[\r\n]+$/, "")
  if (secret === "") return yield* missing(connection, source, "it is empty")
  if (secret.length > secretBytesMax) return yield* missing(connection, source, "it is longer than 64 KB")
  return Redacted.make(secret)
})
