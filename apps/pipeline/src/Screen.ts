/**
 * Draws progress lines on stderr: in place on a terminal, a line now and then elsewhere.
 */

export interface Screen {
  /** Shows the lines instead of the ones before. */
  readonly show: (lines: ReadonlyArray<string>) => void
  /** Prints a line that stays, above the live ones. */
  readonly say: (line: string) => void
}

/** How often a log file gets progress: a terminal is drawn at every call. */
const plainEveryMs = 10_000

export const makeScreen = (out: NodeJS.WriteStream, nowMs: () => number): Screen => {
  let drawn: ReadonlyArray<string> = []
  let plainAt = Number.NEGATIVE_INFINITY
  const erase = () => (drawn.length === 0 ? "" : `\u001b[${drawn.length}A\u001b[0J`)
  const fit = (line: string) => (line.length > out.columns ? `${line.slice(0, out.columns - 1)}…` : line)
  return {
    show: (lines) => {
      if (out.isTTY) {
        const fitted = lines.map(fit)
        out.write(`${erase()}${fitted.map((line) => `${line}\n`).join("")}`)
        drawn = fitted
      } else if (nowMs() - plainAt >= plainEveryMs) {
        plainAt = nowMs()
        out.write(lines.map((line) => `${line}\n`).join(""))
      }
    },
    say: (line) => {
      out.write(`${out.isTTY ? erase() : ""}${line}\n`)
      if (out.isTTY) {
        out.write(drawn.map((live) => `${live}\n`).join(""))
      }
    }
  }
}
