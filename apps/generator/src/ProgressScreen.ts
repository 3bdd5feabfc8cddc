/**
 * Draws progress on stderr: one line in place on a terminal, a line now and then elsewhere. Never on stdout.
 */
import { Clock, Effect } from "effect"
import type { GeneratorProgress } from "@frazil/sim"
import { progressLine, stateLine, summaryLine } from "./ProgressText.ts"

export interface ProgressScreen {
  readonly say: (line: string) => Effect.Effect<void>
  readonly report: (progress: GeneratorProgress) => Effect.Effect<void>
  /** The progress reported last. */
  readonly last: () => GeneratorProgress | undefined
  /** Prints the summary, over the live line. */
  readonly finish: Effect.Effect<void>
}

/** How often a file or a pipe gets a line. */
const plainEveryMs = 10_000
const eraseLine = "\r\u001b[2K"

export const makeProgressScreen = (out: NodeJS.WriteStream, labelText: string | undefined): ProgressScreen => {
  let before: GeneratorProgress | undefined
  let beforeMs = 0
  let plainMs = Number.NEGATIVE_INFINITY
  let live = ""
  const print = (line: string) => {
    out.write(out.isTTY ? `${eraseLine}${line}\n${live}` : `${line}\n`)
  }
  const draw = (now: GeneratorProgress, nowMs: number) => {
    const changed = stateLine(now, before, nowMs)
    if (changed !== undefined) print(changed)
    const line = progressLine(now, before, nowMs - beforeMs, labelText)
    if (out.isTTY) {
      live = line.slice(0, out.columns - 1)
      out.write(`${eraseLine}${live}`)
    } else if (nowMs - plainMs >= plainEveryMs) {
      if (plainMs > 0) print(line)
      plainMs = nowMs
    }
    before = now
    beforeMs = nowMs
  }
  return {
    say: (line) => Effect.sync(() => print(line)),
    report: (progress) => Effect.map(Clock.currentTimeMillis, (nowMs) => draw(progress, nowMs)),
    last: () => before,
    finish: Effect.sync(() => {
      live = ""
      if (before !== undefined) print(summaryLine(before, labelText))
    })
  }
}
