/**
 * Draws progress lines on stderr: in place on a terminal, a line now and then elsewhere.
 */

export interface Screen {
  /** A terminal: lines are drawn in place. */
  readonly live: boolean
  /** Whether `show` would print anything: who makes its lines asks the log for them. */
  readonly due: (nowMs: number) => boolean
  /** Shows the lines instead of the ones before. */
  readonly show: (lines: ReadonlyArray<string>, nowMs: number) => void
  /** Prints a line that stays, above the live ones. */
  readonly say: (line: string) => void
  /** Takes the live lines away and prints what it all came to. */
  readonly finish: (lines: ReadonlyArray<string>) => void
}

/** How often a log file gets progress: a terminal is drawn at every call. */
const plainEveryMs = 10_000

export const makeScreen = (out: Pick<NodeJS.WriteStream, "isTTY" | "columns" | "write">): Screen => {
  let drawn: ReadonlyArray<string> = []
  let plainAtMs = Number.NEGATIVE_INFINITY
  // from the line's start: a terminal echoes ^C there
  const erase = () => (drawn.length === 0 ? "" : `\r\u001b[${drawn.length}A\u001b[0J`)
  const fit = (line: string) => (line.length > out.columns ? `${line.slice(0, out.columns - 1)}…` : line)
  const print = (lines: ReadonlyArray<string>) => out.write(lines.map((line) => `${line}\n`).join(""))
  const due = (nowMs: number) => out.isTTY || nowMs - plainAtMs >= plainEveryMs
  return {
    live: out.isTTY,
    due,
    show: (lines, nowMs) => {
      if (out.isTTY) {
        const fitted = lines.map(fit)
        out.write(erase())
        print(fitted)
        drawn = fitted
      } else if (due(nowMs)) {
        plainAtMs = nowMs
        print(lines)
      }
    },
    say: (line) => {
      out.write(erase())
      print([line, ...drawn])
    },
    finish: (lines) => {
      out.write(erase())
      drawn = []
      print(lines)
    }
  }
}
