/**
 * One process that runs queries, as its parent holds it: starts it, asks it, reads its answers, ends it.
 *
 * **Bounds**: answers wait in the pipe until they are read, so a slow reader holds the process up and fills no memory here.
 * Its environment is empty: a query that finds its way to it finds no secrets.
 */
import { type ChildProcessByStdio, spawn } from "node:child_process"
import { writeFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import type { Readable, Writable } from "node:stream"
import { Deferred, Effect, type Scope } from "effect"
import { QueryError } from "../QueryError.ts"
import { encodeFrame, type Frame, FrameReader, type Request } from "./Frames.ts"

type Child = ChildProcessByStdio<Writable, Readable, Readable>

export interface QueryProcess {
  readonly pid: number
  readonly send: (request: Request) => Effect.Effect<void>
  /** The next frame; fails when the process has ended, with what it was ended for. */
  readonly receive: Effect.Effect<Frame, QueryError>
  /** Ends it now; `because` is what its reader is told. */
  readonly end: (because: QueryError) => Effect.Effect<void>
  readonly ended: () => boolean
}

const program = fileURLToPath(new URL("../child/QueryProcess.ts", import.meta.url))
const errorTextMax = 2000

const runtimeArguments = (): ReadonlyArray<string> =>
  "Deno" in globalThis ? ["run", "--allow-all", program] : [program]

const start = (spillFolder: string): Child =>
  spawn(process.execPath, [...runtimeArguments(), spillFolder], {
    stdio: ["pipe", "pipe", "pipe"],
    env: { HOME: spillFolder },
    cwd: spillFolder,
    // Ctrl-C is the parent's to handle
    detached: true
  })

const unexpected = (child: Child, said: string): QueryError => {
  const how = child.signalCode === null ? `code ${child.exitCode}` : child.signalCode
  const detail = said.trim().split("\n").at(-1)?.slice(0, 200) ?? ""
  return new QueryError({
    reason: "Failed",
    message: `the query ended its process (${how})${detail === "" ? "" : `: ${detail}`}`,
    hint: "most often it was too much for the machine's memory: ask for less"
  })
}

/** Reads the pipe piece by piece, as frames are asked for. */
const receiver = (child: Child, endedFor: () => QueryError): Effect.Effect<Frame, QueryError> => {
  const frames = new FrameReader()
  const pieces: AsyncIterator<Uint8Array> = child.stdout[Symbol.asyncIterator]()
  const next = async (): Promise<Frame | undefined> => {
    for (;;) {
      const frame = frames.next()
      if (frame !== undefined) return frame
      const piece = await pieces.next()
      if (piece.done === true) return undefined
      frames.push(piece.value)
    }
  }
  return Effect.tryPromise({ try: next, catch: endedFor }).pipe(
    Effect.flatMap((frame) => (frame === undefined ? Effect.fail(endedFor()) : Effect.succeed(frame)))
  )
}

/** Started with the scope, ended with it. */
export const startQueryProcess = Effect.fnUntraced(function* (
  spillFolder: string
): Effect.fn.Return<QueryProcess, QueryError, Scope.Scope> {
  const child = yield* Effect.try({
    try: () => start(spillFolder),
    catch: (cause) =>
      new QueryError({ reason: "Unavailable", message: `no process for queries can be started: ${String(cause)}` })
  })
  let said = ""
  child.stderr.on("data", (piece: Uint8Array) => {
    said = (said + Buffer.from(piece).toString()).slice(-errorTextMax)
  })
  // a pipe that breaks is told of by the process's end
  child.stdin.on("error", () => undefined)
  let reason: QueryError | undefined
  const exited = yield* Deferred.make<void>()
  const runExit = () => Effect.runFork(Deferred.succeed(exited, undefined))
  child.once("exit", runExit)
  child.once("error", runExit)
  const isOver = () => child.exitCode !== null || child.signalCode !== null || child.pid === undefined
  const kill = Effect.sync(() => {
    if (!isOver()) child.kill("SIGKILL")
  })
  yield* Effect.addFinalizer(() => Effect.andThen(kill, isOver() ? Effect.void : Deferred.await(exited)))
  const pid = child.pid
  if (pid === undefined)
    return yield* new QueryError({ reason: "Unavailable", message: "no process for queries can be started" })
  if (process.platform === "linux") {
    // when memory runs out, the system takes this process first
    yield* Effect.promise(() => writeFile(`/proc/${pid}/oom_score_adj`, "1000").catch(() => undefined))
  }
  return {
    pid,
    send: (request) =>
      Effect.sync(() => void child.stdin.write(encodeFrame("message", Buffer.from(JSON.stringify(request))))),
    receive: receiver(child, () => reason ?? unexpected(child, said)),
    end: (because) =>
      Effect.suspend(() => {
        reason ??= because
        return kill
      }),
    ended: isOver
  }
})
