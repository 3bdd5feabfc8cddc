/**
 * Runs `frazil` in this process, with its standard streams in memory: for tests.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Cause, Effect, Exit, Layer, Sink, Stdio, Stream } from "effect"
import { Command } from "effect/cli"
import { frazilCommand } from "../src/FrazilCommand.ts"

export interface Ended {
  /** Undefined when the command succeeded; the error's message otherwise. */
  readonly error: string | undefined
  readonly stdout: string
  readonly stderr: string
}

const run = Command.runWith(frazilCommand, { version: "test", renderErrors: false })

const collector = (chunks: Array<Uint8Array>) =>
  Sink.forEach((chunk: string | Uint8Array) =>
    Effect.sync(() => void chunks.push(typeof chunk === "string" ? Buffer.from(chunk) : chunk.slice()))
  )

const messageOf = (cause: Cause.Cause<unknown>): string => {
  const error = Cause.squash(cause)
  return error instanceof Error ? error.message : String(error)
}

/** Ends when the command has; interrupting it is Ctrl-C. */
export const frazil = Effect.fnUntraced(function* (
  args: ReadonlyArray<string>,
  stdin: ReadonlyArray<string | Uint8Array> = []
) {
  const stdout: Array<Uint8Array> = []
  const stderr: Array<Uint8Array> = []
  const streams = Stdio.layerTest({
    stdout: () => collector(stdout),
    stderr: () => collector(stderr),
    stdin: Stream.fromIterable(stdin.map((chunk) => (typeof chunk === "string" ? Buffer.from(chunk) : chunk)))
  })
  const exit = yield* Effect.exit(
    Effect.provide(run(args), Layer.provideMerge(streams, NodeServices.layer), { local: true })
  )
  return {
    error: Exit.isSuccess(exit) ? undefined : messageOf(exit.cause),
    stdout: Buffer.concat(stdout).toString(),
    stderr: Buffer.concat(stderr).toString()
  } satisfies Ended
})

/** Runs a command that must succeed and prints JSON. */
export const frazilJson = Effect.fnUntraced(function* (...args: ReadonlyArray<string>) {
  const ended = yield* frazil([...args, "--json"])
  if (ended.error !== undefined) return yield* Effect.die(new Error(`${ended.error}\n${ended.stderr}`))
  return JSON.parse(ended.stdout) as unknown
})
