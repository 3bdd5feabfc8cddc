/** A program that stays up for a test and answers line by line: starting it takes longer than most answers. */
import { spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { Data, Effect, type Scope, Semaphore } from "effect"
import { infraScript, type ForeignError } from "./ForeignReaders.ts"

export class SessionError extends Data.TaggedError("SessionError")<{ readonly message: string }> {}

/** A value as JSON on a line of its input; gives the next line of its output. One at a time. */
export type LineSession = (question: unknown) => Effect.Effect<string, SessionError>

/** Of what a program that ended said last, so much is told. */
const saidCharactersMax = 4_000

/** Runs a script of the folder, and fails with what to do when it is missing; ends when its input does. */
export const lineSession = (
  script: string,
  args: ReadonlyArray<string>
): Effect.Effect<LineSession, ForeignError, Scope.Scope> =>
  Effect.gen(function* () {
    const command = yield* infraScript(script)
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] })),
      (each) => Effect.sync(() => void each.stdin.end())
    )
    let said = ""
    child.stderr.on("data", (data: Buffer) => void (said = `${said}${data.toString()}`.slice(-saidCharactersMax)))
    // its last words may come after the end of its output
    const gone = new Promise<void>((done) => child.once("close", () => done()))
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    const one = yield* Semaphore.make(1)
    return (question) =>
      one.withPermits(1)(
        Effect.gen(function* () {
          child.stdin.write(`${JSON.stringify(question)}\n`)
          const line = yield* Effect.tryPromise({
            try: () => lines.next(),
            catch: (cause) => new SessionError({ message: String(cause) })
          })
          if (line.done !== true) return line.value
          yield* Effect.promise(() => gone)
          return yield* new SessionError({ message: `${script} ended: ${said}` })
        })
      )
  })
