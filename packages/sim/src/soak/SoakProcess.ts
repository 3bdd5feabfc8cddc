/** The real pipeline as a process: started as a person starts it, looked at from outside, killed. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { join } from "node:path"
import { Effect } from "effect"

const pipeline = join(import.meta.dirname, "../../../../apps/pipeline")
const linesKept = 20

export interface SoakProcess {
  readonly child: ChildProcess
  /** Its exit code, null after a signal, and the last lines that it told people. */
  readonly ended: Effect.Effect<{ readonly code: number | null; readonly lines: ReadonlyArray<string> }>
  readonly running: () => boolean
}

const start = (args: ReadonlyArray<string>): SoakProcess => {
  const child = spawn(process.execPath, [pipeline, ...args], { stdio: ["ignore", "ignore", "pipe"] })
  const lines: Array<string> = []
  child.stderr.on("data", (data: Buffer) => {
    lines.push(...data.toString().split("\n"))
    lines.splice(0, lines.length - linesKept)
  })
  let over = false
  const closed = new Promise<{ readonly code: number | null; readonly lines: ReadonlyArray<string> }>((resolve) => {
    child.on("close", (code) => {
      over = true
      resolve({ code, lines: lines.filter((line) => line.trim() !== "") })
    })
  })
  return { child, ended: Effect.promise(() => closed), running: () => !over }
}

/** Starts a pipeline; killed with the scope if it still runs. */
export const startSoaked = (args: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.sync(() => start(args)),
    ({ child, ended, running }) =>
      Effect.suspend(() => {
        if (!running()) return Effect.void
        child.kill("SIGKILL")
        return Effect.asVoid(ended)
      })
  )

/** Resident memory of a process. */
export const rssBytesOf = (pid: number): number =>
  Number(execFileSync("ps", ["-o", "rss=", "-p", String(pid)], { encoding: "utf8" }).trim()) * 1024
