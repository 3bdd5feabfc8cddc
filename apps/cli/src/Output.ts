/**
 * How commands print: data to stdout, everything else to stderr.
 *
 * A reader that closes early (`| head`) ends the command as Ctrl-C would: quietly, with exit code 0.
 */
import { Effect, Stdio, Stream } from "effect"
import { CommandError } from "./CommandError.ts"

const closedByReader = (cause: unknown): boolean => {
  for (let at = cause; at instanceof Error; at = at.cause) if ("code" in at && at.code === "EPIPE") return true
  return false
}

/** Writes bytes or text as they are. */
export const write = Effect.fnUntraced(function* (data: Uint8Array | string) {
  const stdio = yield* Stdio.Stdio
  yield* Stream.run(Stream.succeed(data), stdio.stdout({ endOnDone: false })).pipe(
    Effect.catch((error) =>
      closedByReader(error)
        ? Effect.interrupt
        : Effect.fail(new CommandError({ message: `standard output cannot be written: ${error.message}` }))
    )
  )
})

export const printLines = (lines: ReadonlyArray<string>) => write(lines.map((line) => `${line}\n`).join(""))

/** One document on one line; 64-bit integers as text. */
export const printJson = (value: unknown) =>
  write(`${JSON.stringify(value, (_, each: unknown) => (typeof each === "bigint" ? String(each) : each))}\n`)

/** A line for people on stderr. */
export const note = Effect.fnUntraced(function* (line: string) {
  const stdio = yield* Stdio.Stdio
  yield* Effect.ignore(Stream.run(Stream.succeed(`${line}\n`), stdio.stderr({ endOnDone: false })))
})
