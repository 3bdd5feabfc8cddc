/**
 * The pipeline as a process of its own, started as a person starts it and ended with the scope.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { join } from "node:path"
import { Effect } from "effect"

const pipeline = join(import.meta.dirname, "../..")

export interface Ended {
  /** Null after a signal. */
  readonly code: number | null
  /** What a person reads: one line each, without the empty ones. */
  readonly lines: ReadonlyArray<string>
  /** Those that say what went wrong. */
  readonly errors: ReadonlyArray<string>
}

export interface PipelineProcess {
  readonly child: ChildProcess
  readonly ended: Effect.Effect<Ended>
  readonly running: () => boolean
}

export interface ProcessOptions {
  /** Another app's folder, for commands beside the pipeline. */
  readonly app?: string
  readonly args: ReadonlyArray<string>
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
}

const start = ({ app = pipeline, args, cwd, env }: ProcessOptions): PipelineProcess => {
  const child = spawn(process.execPath, [app, ...args], {
    cwd: cwd ?? app,
    env: { ...process.env, ...env },
    stdio: ["ignore", "ignore", "pipe"]
  })
  const text: Array<Buffer> = []
  child.stderr?.on("data", (data: Buffer) => void text.push(data))
  let over = false
  const closed = new Promise<Ended>((resolve) => {
    child.on("close", (code) => {
      over = true
      const lines = Buffer.concat(text)
        .toString()
        .split("\n")
        .filter((line) => line.trim() !== "")
      resolve({ code, lines, errors: lines.filter((line) => line.startsWith("error")) })
    })
  })
  return { child, ended: Effect.promise(() => closed), running: () => !over }
}

/** Starts a pipeline; killed with the scope if it still runs. */
export const startPipeline = (options: ProcessOptions) =>
  Effect.acquireRelease(
    Effect.sync(() => start(options)),
    ({ child, ended, running }) =>
      Effect.suspend(() => {
        if (!running()) return Effect.void
        child.kill("SIGKILL")
        return Effect.asVoid(ended)
      })
  )

/** Starts a pipeline and waits for its end. */
export const runPipelineProcess = (options: ProcessOptions) =>
  Effect.scoped(Effect.flatMap(startPipeline(options), ({ ended }) => ended))

/** Runs a command of `frazil` on the data directory. */
export const runFrazil = (data: string, ...args: ReadonlyArray<string>) =>
  runPipelineProcess({ app: join(pipeline, "../cli"), args: [...args, "--data", data] })
